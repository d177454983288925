"""The headings and sections of a page, by line.

Lines count from 0 and end as in the Language Server Protocol: CR LF, CR or LF.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from writeit.text.block_reader import read_blocks, unclosed_fence
from writeit.text.lines import LINE_END
from writeit.views.section_markers import SectionKind, find_section_markers

_ESCAPED_CHARACTER = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True, slots=True)
class PageSection:
    """A text of a page with its lines."""

    kind: SectionKind
    response_id: UUID | None
    label: str | None
    """What the answer is called; see `SectionText.label`."""
    first_line: int
    """The first line of the text; an empty text has one line."""
    last_line: int
    """The last line of the text; before `first_line` if the user deleted that line."""
    heading_line: int
    """The line of the heading above it, where its lenses are shown."""


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
    starts = [0, *(match.end() for match in LINE_END.finditer(page))]
    sections = []
    for opening, closing in find_section_markers(page):
        first = bisect_right(starts, opening.start)
        sections.append(
            PageSection(
                kind=opening.kind,
                response_id=opening.response_id,
                label=opening.label,
                first_line=first,
                last_line=bisect_right(starts, closing.start) - 2,
                heading_line=first,
            )
        )
    return with_heading_lines(page, sections)


def heading_tree(page: str, located_sections: Sequence[PageSection]) -> list[Heading]:
    """Return the headings of a page as a tree; those in a section are below its own."""
    lines = split_page_lines(page)
    outer = [*lines]
    for section in located_sections:
        texts = slice(section.first_line, section.last_line + 1)
        fence = unclosed_fence("\n".join(lines[texts]))
        outer[texts] = [""] * len(lines[texts])
        for number in range(texts.stop, min(texts.stop + 2, len(lines))):
            if outer[number] == fence:  # it closes the fence of the section
                outer[number] = ""
    headings = own = _find_headings(outer)
    for section in located_sections:
        above = [h.level for h in own if h.line < section.first_line]
        text = lines[section.first_line : section.last_line + 1]
        headings = headings + _find_headings(
            text, section.first_line, above[-1] if above else 0
        )
    headings = sorted(headings, key=lambda heading: heading.line)
    end = len(lines) - 1 if lines[-1] else max(0, len(lines) - 2)
    return _nest_headings([replace(heading, last_line=end) for heading in headings])


def split_page_lines(page: str) -> list[str]:
    """Return the lines of a page without their line breaks."""
    return LINE_END.split(page)


def _find_headings(lines: list[str], first: int = 0, above: int = 0) -> list[Heading]:
    """Return the headings of lines; `first` and `above` are added."""
    blocks = read_blocks("\n".join(lines))
    headings = []
    for section in blocks.sections:
        line = first + section.heading.lines.start
        text = blocks.heading_text(section.heading)
        title = _ESCAPED_CHARACTER.sub(r"\1", text).strip() or "untitled"
        headings.append(Heading(title, above + section.heading.level, line, line))
    return headings


def with_heading_lines(
    page: str, located_sections: list[PageSection]
) -> list[PageSection]:
    """Return the sections with the lines of the headings above them."""
    lines = split_page_lines(page)
    sections: list[PageSection] = []
    heading, after = None, 0
    for section in located_sections:
        for number in range(after, section.first_line):
            if lines[number].startswith("#"):
                heading = number
        line = section.first_line if heading is None else heading
        sections.append(replace(section, heading_line=line))
        after = max(after, section.last_line + 1)
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
