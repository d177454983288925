"""Code fences, titles and sections of markdown."""

from __future__ import annotations

import pytest

from writeit.text.lines import split_lines
from writeit.text.markdown import (
    MarkdownSection,
    clean_output,
    first_title,
    has_open_fence,
    parse_sections,
    strip_fence,
)


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


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# A title\n\ntext", "A title"),
        ("text\n\n# Later\n# Second\n", "Later"),
        ("   #\tIndented  \n", "Indented"),
        ("# Closed ##\n", "Closed"),
        ("# C# and F#\n", "C# and F#"),
        ("#\n# Second\n", "Second"),
        ("```sh\n# a comment\n```\n# Title\n", "Title"),
        ("~~~~\n# a\n~~~\n# b\n~~~~~\n# Title", "Title"),
        ("```\n# never closed\n", ""),
        ("## Only a section\n", ""),
        ("#hashtag\n", ""),
        ("    # code\n", ""),
        ("# Windows\r\ntext", "Windows"),
        ("", ""),
    ],
)
def test_the_title_is_the_first_heading_of_level_one(body: str, title: str) -> None:
    """Outside code; a closing row of `#` is not part of it."""
    assert first_title(body) == title


SECTIONS = """\
# Title

Words.

## One

First.

### Deeper

More.

## Two

Last.
"""


def test_a_section_ends_before_the_next_heading_of_its_level() -> None:
    """Deeper sections are part of it; blank lines at its end are not."""
    assert parse_sections(split_lines(SECTIONS)) == [
        MarkdownSection(0, 1, 14),
        MarkdownSection(4, 2, 10),
        MarkdownSection(8, 3, 10),
        MarkdownSection(12, 2, 14),
    ]


def test_a_hash_in_code_is_no_heading() -> None:
    """It is a comment there."""
    assert parse_sections(split_lines("```sh\n# comment\n```\n#hashtag\n# Real\n")) == [
        MarkdownSection(4, 1, 4)
    ]
