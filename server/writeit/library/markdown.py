"""What is read out of a markdown text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core.fences import outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ANY_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?:[ \t].*)?")
_HEADING = re.compile(r" {0,3}#(?:[ \t]+(?P<title>.*?))?(?:[ \t]+#+)?[ \t]*")


def title_of(body: str) -> str:
    """Return the text of the first `# heading` outside code, or ""."""
    for _, line in outside(body.splitlines()):
        if (heading := _HEADING.fullmatch(line)) and heading["title"]:
            return str(heading["title"])
    return ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines below it, up to the next of its level or above."""

    heading: int
    """The heading's line, from 0."""
    level: int
    """1 to 6."""
    last: int
    """The last line that is not blank; the heading's own if there is none below."""


def sections_of(lines: Sequence[str]) -> list[Section]:
    """Return the sections of a text without front matter, `#` headings outside code."""
    headings = list(_headings(lines))
    found = []
    for place, (line, level) in enumerate(headings):
        ends = (at for at, other in headings[place + 1 :] if other <= level)
        last = next(ends, len(lines)) - 1
        while last > line and not lines[last].strip():
            last -= 1
        found.append(Section(line, level, last))
    return found


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    for place, line in outside(lines):
        if heading := _ANY_HEADING.fullmatch(line):
            yield place, len(heading["marks"])
