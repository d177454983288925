"""Code fences around an answer and around a passage."""

import pytest

from writeit.text.markdown import clean_output, has_open_fence, strip_fence


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
def test_a_fence_is_open_until_its_closing_line(text: str, *, open_: bool) -> None:
    """That is a fence of its kind, at least as long, with nothing after it."""
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
def test_the_fence_around_a_whole_text_is_removed(text: str, code: str) -> None:
    """The indentation inside is kept."""
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
def test_any_other_text_keeps_its_fences(text: str) -> None:
    """Also a text that begins and ends with two different blocks."""
    assert strip_fence(text) == text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\n\nText.\n\n", "Text."),
        ("```markdown\n# Title\n\nText.\n```\n", "# Title\n\nText."),
        ("```\nText.\n```", "Text."),
        ("~~~md\r\nText.\r\n~~~", "Text."),
        ("````md\n```python\nx\n```\n````", "```python\nx\n```"),
        ("```python\nx = 1\n```", "```python\nx = 1\n```"),
        ("```\nx\n```\nText.", "```\nx\n```\nText."),
    ],
)
def test_output_loses_a_fence_around_all_of_its_prose(raw: str, clean: str) -> None:
    """Code of a named language keeps its fence."""
    assert clean_output(raw) == clean
