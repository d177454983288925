"""Headings of a view, and which section a line belongs to.

Lines count from 0 and end as the Language Server Protocol says: CR LF, CR or LF.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from writeit.views.escape import fence_after
from writeit.views.section_markers import SectionKind, find_section_markers

_PAGE_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_PAGE_HEADING = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_ESCAPED_CHARACTER = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True, slots=True)
class PageSection:
    """A text of a page, and where it stands."""

    kind: SectionKind
    response_id: UUID | None
    number: int | None
    """The answer's number as it is shown."""
    first_line: int
    """The first line of the text; an empty one has a line of its own."""
    last_line: int
    """The last line of the text; before `first` where she deleted that line."""
    heading_line: int
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
    last_line: int
    """The last line before the next heading of its level or above."""
    children: tuple[Heading, ...] = ()


def find_page_sections(page: str) -> list[PageSection]:
    """Return the sections of a page that has markers."""
    starts = _line_starts(page)
    found = []
    for opening, closing in find_section_markers(page):
        first = bisect_right(starts, opening.start)
        found.append(
            PageSection(
                kind=opening.kind,
                response_id=opening.response_id,
                number=opening.number,
                first_line=first,
                last_line=bisect_right(starts, closing.start) - 2,
                heading_line=first,
            )
        )
    return with_heading_lines(page, found)


def heading_tree(page: str, located_sections: Sequence[PageSection]) -> list[Heading]:
    """Return the headings of a page as a tree; code blocks have none."""
    lines = split_page_lines(page)
    headings = _find_page_headings(lines, located_sections)
    end = len(lines) - 1 if lines[-1] else max(0, len(lines) - 2)
    return _nest_headings([replace(heading, last_line=end) for heading in headings])


def split_page_lines(page: str) -> list[str]:
    """Return the lines of a page, without their ends."""
    return _PAGE_LINE_BREAK.split(page)


def _line_starts(page: str) -> list[int]:
    return [0, *(found.end() for found in _PAGE_LINE_BREAK.finditer(page))]


def _find_page_headings(
    lines: list[str], located_sections: Iterable[PageSection]
) -> list[Heading]:
    """Find all headings; within a section they lie below what it stands under."""
    texts = [
        section
        for section in located_sections
        if section.first_line <= section.last_line
    ]
    begin = {section.first_line for section in texts}
    end = {section.last_line for section in texts}
    headings: list[Heading] = []
    fence, above, outer = None, 0, 0
    for place, line in enumerate(lines):
        if place in begin:
            fence, above = None, outer
        if (match := _PAGE_HEADING.match(line)) and fence is None:
            level = above + len(match[1])
            headings.append(
                Heading(_unescape_title(match[2] or ""), level, place, place)
            )
            outer = outer if above else level
        else:
            fence = fence_after(line, fence)
        if place in end:
            fence, above = _unclosed_fence(fence, lines[place + 1 : place + 3]), 0
    return headings


def _unclosed_fence(fence: str | None, following_lines: list[str]) -> str | None:
    """Return the fence that a text leaves open, if it is closed right behind it.

    A marker may stand between.
    """
    if fence and any(fence_after(line, fence) is None for line in following_lines):
        return fence
    return None


def with_heading_lines(
    page: str, located_sections: list[PageSection]
) -> list[PageSection]:
    """Return sections with the headings they stand under."""
    outer = [
        heading.line
        for heading in _find_page_headings(split_page_lines(page), located_sections)
        if not any(
            s.first_line <= heading.line <= s.last_line for s in located_sections
        )
    ]
    under = []
    for section in located_sections:
        place = bisect_right(outer, section.first_line)
        heading = outer[place - 1] if place else section.first_line
        under.append(replace(section, heading_line=heading))
    return under


def _unescape_title(title: str) -> str:
    return _ESCAPED_CHARACTER.sub(r"\1", title).strip() or "untitled"


def _nest_headings(headings: list[Heading]) -> list[Heading]:
    """Put each heading below the nearest one before it that is of a higher level."""
    nested: list[Heading] = []
    while headings:
        first, *rest = headings
        below = next(
            (i for i, h in enumerate(rest) if h.level <= first.level), len(rest)
        )
        last = rest[below].line - 1 if below < len(rest) else first.last_line
        inner = [replace(h, last_line=min(h.last_line, last)) for h in rest[:below]]
        nested.append(
            replace(first, last_line=last, children=tuple(_nest_headings(inner)))
        )
        headings = rest[below:]
    return nested
