"""The sections of a markdown text: what belongs to a heading."""

from __future__ import annotations

from writeit.core.alignment import lines
from writeit.library.markdown import Section, sections_of

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
    assert sections_of(lines(TEXT)) == [
        Section(0, 1, 14),
        Section(4, 2, 10),
        Section(8, 3, 10),
        Section(12, 2, 14),
    ]


def test_a_hash_in_code_is_no_heading() -> None:
    """It is a comment of some language."""
    assert sections_of(lines("```sh\n# comment\n```\n#hashtag\n# Real\n")) == [
        Section(4, 1, 4)
    ]
