"""Headings of a view, and which section a line belongs to.

Lines count from 0 and end as the Language Server Protocol says: CR LF, CR or LF.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from writeit.views.markdown import fence_after
from writeit.views.markers import sections_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from writeit.views.markers import Kind

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_HEADING = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True, slots=True)
class Section:
    """A text of a page, and where it stands."""

    kind: Kind
    response_id: UUID | None
    number: int | None
    """The answer's number as it is shown."""
    first: int
    """The first line of the text; an empty one has a line of its own."""
    last: int
    """The last line of the text; before `first` where she deleted that line."""
    heading: int
    """The line of the heading it stands under: the place for lenses."""

    @property
    def index(self) -> int | None:
        """The answer's index, as commands want it."""
        return None if self.number is None else self.number - 1


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and the lines that belong to it."""

    title: str
    level: int
    """1 for the page; a heading within an answer lies below the answer's own."""
    line: int
    last: int
    """The last line before the next heading of its level or above."""
    children: tuple[Heading, ...] = ()


def sections(page: str) -> list[Section]:
    """Return the sections of a page that has markers."""
    starts = _line_starts(page)
    found = []
    for opening, closing in sections_of(page):
        first = bisect_right(starts, opening.start)
        found.append(
            Section(
                kind=opening.kind,
                response_id=opening.response_id,
                number=opening.number,
                first=first,
                last=bisect_right(starts, closing.start) - 2,
                heading=first,
            )
        )
    return under_headings(page, found)


def outline(page: str, found: Sequence[Section]) -> list[Heading]:
    """Return the headings of a page as a tree; code blocks have none."""
    lines = lines_of(page)
    headings = _headings(lines, found)
    end = len(lines) - 1 if lines[-1] else max(0, len(lines) - 2)
    return _nested([replace(heading, last=end) for heading in headings])


def lines_of(page: str) -> list[str]:
    """Return the lines of a page, without their ends."""
    return _LINE_BREAK.split(page)


def _line_starts(page: str) -> list[int]:
    return [0, *(found.end() for found in _LINE_BREAK.finditer(page))]


def _headings(lines: list[str], found: Iterable[Section]) -> list[Heading]:
    """Find all headings; within a section they lie below what it stands under."""
    texts = [section for section in found if section.first <= section.last]
    begin = {section.first for section in texts}
    end = {section.last for section in texts}
    headings: list[Heading] = []
    fence, above, outer = None, 0, 0
    for place, line in enumerate(lines):
        if place in begin:
            fence, above = None, outer
        if (match := _HEADING.match(line)) and fence is None:
            level = above + len(match[1])
            headings.append(Heading(_plain(match[2] or ""), level, place, place))
            outer = outer if above else level
        else:
            fence = fence_after(line, fence)
        if place in end:
            fence, above = _fence_left(fence, lines[place + 1 : place + 3]), 0
    return headings


def _fence_left(fence: str | None, after: list[str]) -> str | None:
    """Return the fence that a text leaves open, if it is closed right behind it.

    A marker may stand between.
    """
    if fence and any(fence_after(line, fence) is None for line in after):
        return fence
    return None


def under_headings(page: str, found: list[Section]) -> list[Section]:
    """Return sections with the headings they stand under."""
    outer = [
        heading.line
        for heading in _headings(lines_of(page), found)
        if not any(s.first <= heading.line <= s.last for s in found)
    ]
    under = []
    for section in found:
        place = bisect_right(outer, section.first)
        heading = outer[place - 1] if place else section.first
        under.append(replace(section, heading=heading))
    return under


def _plain(title: str) -> str:
    return _ESCAPED.sub(r"\1", title).strip() or "untitled"


def _nested(flat: list[Heading]) -> list[Heading]:
    """Put each heading below the nearest one before it that is of a higher level."""
    nested: list[Heading] = []
    while flat:
        first, *rest = flat
        below = next(
            (i for i, h in enumerate(rest) if h.level <= first.level), len(rest)
        )
        last = rest[below].line - 1 if below < len(rest) else first.last
        inner = [replace(h, last=min(h.last, last)) for h in rest[:below]]
        nested.append(replace(first, last=last, children=tuple(_nested(inner))))
        flat = rest[below:]
    return nested
