"""The headings and sections of a page, by line.

Lines count from 0 and end as in the Language Server Protocol: CR LF, CR or LF.
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
    """A text of a page with its lines."""

    kind: SectionKind
    response_id: UUID | None
    number: int | None
    """The answer's displayed number."""
    first_line: int
    """The first line of the text; an empty text has one line."""
    last_line: int
    """The last line of the text; before `first_line` if the user deleted that line."""
    heading_line: int
    """The line of the heading above it, where its lenses are shown."""

    @property
    def index(self) -> int | None:
        """The answer's index, as commands use it."""
        return None if self.number is None else self.number - 1


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading and the lines that belong to it."""

    title: str
    level: int
    """1 for the page; a heading within an answer is below the answer's own."""
    line: int
    last_line: int
    """The last line before the next heading of its level or above."""
    children: tuple[Heading, ...] = ()


def find_page_sections(page: str) -> list[PageSection]:
    """Return the sections of a page with markers."""
    starts = [0, *(match.end() for match in _PAGE_LINE_BREAK.finditer(page))]
    sections = []
    for opening, closing in find_section_markers(page):
        first = bisect_right(starts, opening.start)
        sections.append(
            PageSection(
                kind=opening.kind,
                response_id=opening.response_id,
                number=opening.number,
                first_line=first,
                last_line=bisect_right(starts, closing.start) - 2,
                heading_line=first,
            )
        )
    return with_heading_lines(page, sections)


def heading_tree(page: str, located_sections: Sequence[PageSection]) -> list[Heading]:
    """Return the headings of a page, outside code, as a tree."""
    lines = split_page_lines(page)
    headings = _find_page_headings(lines, located_sections)
    end = len(lines) - 1 if lines[-1] else max(0, len(lines) - 2)
    return _nest_headings([replace(heading, last_line=end) for heading in headings])


def split_page_lines(page: str) -> list[str]:
    """Return the lines of a page without their line breaks."""
    return _PAGE_LINE_BREAK.split(page)


def _find_page_headings(
    lines: list[str], located_sections: Iterable[PageSection]
) -> list[Heading]:
    """Return all headings; those in a section are below the heading above it."""
    texts = [s for s in located_sections if s.first_line <= s.last_line]
    first_lines = {section.first_line for section in texts}
    last_lines = {section.last_line for section in texts}
    headings: list[Heading] = []
    fence, above, outer = None, 0, 0
    for number, line in enumerate(lines):
        if number in first_lines:
            fence, above = None, outer
        if (match := _PAGE_HEADING.match(line)) and fence is None:
            level = above + len(match[1])
            title = _ESCAPED_CHARACTER.sub(r"\1", match[2] or "").strip()
            headings.append(Heading(title or "untitled", level, number, number))
            outer = outer if above else level
        else:
            fence = fence_after(line, fence)
        if number in last_lines:
            fence, above = _unclosed_fence(fence, lines[number + 1 : number + 3]), 0
    return headings


def _unclosed_fence(fence: str | None, following_lines: list[str]) -> str | None:
    """Return the fence that a text leaves open, if it is closed right after the text.

    A marker may be between the two.
    """
    if fence and any(fence_after(line, fence) is None for line in following_lines):
        return fence
    return None


def with_heading_lines(
    page: str, located_sections: list[PageSection]
) -> list[PageSection]:
    """Return the sections with the lines of the headings above them."""
    outer = [
        heading.line
        for heading in _find_page_headings(split_page_lines(page), located_sections)
        if not any(
            s.first_line <= heading.line <= s.last_line for s in located_sections
        )
    ]
    sections = []
    for section in located_sections:
        index = bisect_right(outer, section.first_line)
        heading = outer[index - 1] if index else section.first_line
        sections.append(replace(section, heading_line=heading))
    return sections


def _nest_headings(headings: list[Heading]) -> list[Heading]:
    """Put each heading below the nearest preceding one of a higher level."""
    nested: list[Heading] = []
    while headings:
        first, *rest = headings
        end = next((i for i, h in enumerate(rest) if h.level <= first.level), len(rest))
        last = rest[end].line - 1 if end < len(rest) else first.last_line
        inner = [replace(h, last_line=min(h.last_line, last)) for h in rest[:end]]
        children = tuple(_nest_headings(inner))
        nested.append(replace(first, last_line=last, children=children))
        headings = rest[end:]
    return nested
