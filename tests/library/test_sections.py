"""The sections of a markdown text: what belongs to a heading."""

from __future__ import annotations

from writeit.text.diff import split_lines
from writeit.text.markdown import MarkdownSection, parse_sections

TEXT = """\
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
    """Deeper ones belong to it; blank lines at its end do not."""
    assert parse_sections(split_lines(TEXT)) == [
        MarkdownSection(0, 1, 14),
        MarkdownSection(4, 2, 10),
        MarkdownSection(8, 3, 10),
        MarkdownSection(12, 2, 14),
    ]


def test_a_hash_in_code_is_no_heading() -> None:
    """It is a comment of some language."""
    assert parse_sections(split_lines("```sh\n# comment\n```\n#hashtag\n# Real\n")) == [
        MarkdownSection(4, 1, 4)
    ]
