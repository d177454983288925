"""What is read out of a markdown text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ANY_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?:[ \t].*)?")
_HEADING = re.compile(r" {0,3}#(?:[ \t]+(?P<title>.*?))?(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")


def title_of(body: str) -> str:
    """Return the text of the first `# heading` outside code, or ""."""
    fence = ""
    for line in body.splitlines():
        if fence:
            fence = "" if _closes(line, fence) else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening["fence"]
        elif (heading := _HEADING.fullmatch(line)) and heading["title"]:
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
    fence = ""
    for place, with_end in enumerate(lines):
        line = with_end.rstrip("\r\n")
        if fence:
            fence = "" if _closes(line, fence) else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening["fence"]
        elif heading := _ANY_HEADING.fullmatch(line):
            yield place, len(heading["marks"])


def _closes(line: str, fence: str) -> bool:
    match = _FENCE.fullmatch(line)
    if match is None or match["info"].strip():
        return False
    return match["fence"].startswith(fence)
