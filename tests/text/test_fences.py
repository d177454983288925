"""Where code begins and ends in markdown, and a text that is nothing but code."""

from __future__ import annotations

import pytest

from writeit.text.markdown import has_open_fence, strip_fence


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
    assert has_open_fence(text) is open_


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
    assert strip_fence(text) == code


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
    assert strip_fence(text) == text
