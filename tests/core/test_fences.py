"""Where code begins and ends in markdown, and a text that is nothing but code."""

from __future__ import annotations

import pytest

from writeit.core.fences import code_of, is_open


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("", False),
        ("Prose.\n", False),
        ("```\n", True),
        ("```python\nx = 1\n", True),
        ("~~~\n```\n", True),
        ("```\nx\n```\n", False),
        ("````\n```\n", True),
        ("````\nx\n`````\n", False),
        ("```\nx\n``` more\n", True),
        ("    ```\n", False),
        ("```\r\nx\r\n```\r\n", False),
    ],
)
def test_what_is_written_behind_an_open_fence_is_code(
    text: str, *, open_: bool
) -> None:
    """A fence ends at one as long, of its kind, with nothing behind it."""
    assert is_open(text) is open_


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("\n```\n  x\n\n  y\n```\n", "  x\n\n  y"),
        ("~~~\n```\n~~~", "```"),
        ("````\n```\nx\n```\n````", "```\nx\n```"),
        ("```\r\nx\r\n```", "x"),
    ],
)
def test_a_text_that_is_one_fence_is_what_stands_in_it(text: str, code: str) -> None:
    """With the indentation it has there."""
    assert code_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "```",
        "```\n```",
        "```\nx",
        "```\nx\n```\ny",
        "```\nx\n```\n\n```\ny\n```",
    ],
)
def test_any_other_text_stays(text: str) -> None:
    """Also one that only begins and ends with a fence."""
    assert code_of(text) == text
