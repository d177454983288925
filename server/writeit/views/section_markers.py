"""The invisible lines between which a text stands exactly as it is.

    <!-- writeit:answer 2 0198c3d2-… -->
    The text, whatever markdown is in it.
    <!-- /writeit:answer 0198c3d2-… -->

A marker is a whole line. Nothing in a text is ever changed for the markers' sake:
where a text has a line that looks like one, all markers of the page get a number
that no text has (`writeit-1:`), as a code fence is made longer than what it fences.
The line break in front of a closing marker belongs to the marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast
from uuid import UUID

from writeit.views.escape import unclosed_fence

NamedSection = Literal["merge", "feedback", "left", "right"]
SectionKey = UUID | NamedSection
"""An answer by its id, or a section by its name."""
SectionKind = Literal["answer", "coming", "merge", "feedback", "left", "right"]

_MARKER = re.compile(
    r"^<!-- (?P<end>/?)writeit(?:-(?P<series>[1-9]\d{0,8}))?:"
    r"(?:(?P<kind>answer|coming)(?: (?P<number>\d{1,9}))?"
    r" (?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<name>merge|feedback|left|right)) -->[ \t]*(?P<return>\r?)$",
    re.MULTILINE,
)
_BARE_LINE_FEED = re.compile(r"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class SectionText:
    """A text that stands between markers."""

    kind: SectionKind
    text: str
    response_id: UUID | None = None
    number: int | None = None
    """The answer's number as it is shown; see `words.number`."""

    @property
    def key(self) -> SectionKey:
        """What the block is known by."""
        return section_key(self.kind, self.response_id)


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker as it stands in a page."""

    kind: SectionKind
    response_id: UUID | None
    number: int | None
    is_closing: bool
    series: int
    start: int
    """Where its line begins."""
    end: int
    """Where the line after it begins."""
    has_crlf: bool

    @property
    def key(self) -> SectionKey:
        """What its block is known by."""
        return section_key(self.kind, self.response_id)

    @property
    def identity(self) -> tuple[object, ...]:
        """All that it says: a line that says anything else is another marker."""
        return self.is_closing, self.kind, self.response_id, self.number


PageParts = list[str | SectionText]
"""A page, its strings whole lines; `assembled` and `reading.for_reading` join them."""


def section_key(kind: SectionKind, response_id: UUID | None) -> SectionKey:
    """Return what a block of this kind is known by."""
    return cast("NamedSection", kind) if response_id is None else response_id


def assemble_page(parts: Iterable[str | SectionText]) -> str:
    """Return the page of these parts, with markers around its texts."""
    parts = list(parts)
    texts = (part if isinstance(part, str) else part.text for part in parts)
    taken = {marker.series for marker in find_markers("\n".join(texts))}
    series = next(n for n in range(len(taken) + 1) if n not in taken)
    return "".join(
        part if isinstance(part, str) else _format_section(part, series)
        for part in parts
    )


def split_page(page: str) -> PageParts:
    """Return the parts of a page that nobody touched; `assembled` joins them again."""
    parts: PageParts = []
    at = 0
    for opening, closing in _marker_pairs(page):
        text = text_between(page, opening, closing)
        parts += [page[at : opening.start], _section_text(opening, text)]
        at = closing.end + len(closing_fence(text))
    return [*parts, page[at:]]


def find_markers(page: str) -> Iterator[Marker]:
    """Find every line that looks like a marker, of whatever series."""
    for found in _MARKER.finditer(page):
        kind = cast("SectionKind", found["kind"] or found["name"])
        yield Marker(
            kind=kind,
            response_id=UUID(found["id"]) if found["id"] else None,
            number=int(found["number"]) if found["number"] else None,
            is_closing=bool(found["end"]),
            series=int(found["series"] or 0),
            start=found.start(),
            end=min(found.end() + 1, len(page)),
            has_crlf=bool(found["return"]),
        )


def marker_series(page: str) -> int | None:
    """Return the series of a page's markers; None if it has no markers."""
    first = next(find_markers(page), None)
    return None if first is None else first.series


def text_between(page: str, opening: Marker, closing: Marker) -> str:
    """Return the text between two markers, in a CRLF page with plain line breaks."""
    text = page[opening.end : closing.start]
    if opening.has_crlf:
        text = text.replace("\r\n", "\n")
    return text.removesuffix("\n")


def with_page_line_ends(page: str, text: str) -> str:
    """Return `text` with CRLF where the lines of `page` end so.

    The markers tell: there may be more ends of another kind in what stands between.
    """
    first = next(find_markers(page), None)
    crlf = "\r\n" in page if first is None else first.has_crlf
    return _BARE_LINE_FEED.sub("\r\n", text) if crlf else text


def find_section_markers(page: str) -> Iterator[tuple[Marker, Marker]]:
    """Find the markers of every section that can be told, in order."""
    series = marker_series(page)
    found = [m for m in find_markers(page) if m.series == series]
    for opening, closing in pairwise(found):
        if not opening.is_closing and closing.is_closing and opening.key == closing.key:
            yield opening, closing


def closing_fence(text: str) -> str:
    """Return the line that closes a code fence which `text` leaves open, if any.

    It stands behind the text, so that the rest of the page looks right all the same.
    """
    fence = unclosed_fence(text)
    return f"{fence}\n" if fence else ""


def _marker_pairs(page: str) -> Iterator[tuple[Marker, Marker]]:
    series = marker_series(page)
    opening: Marker | None = None
    for marker in find_markers(page):
        if marker.series != series:
            continue
        if not marker.is_closing:
            opening = marker
        elif opening is not None:
            yield opening, marker


def _section_text(opening: Marker, text: str) -> SectionText:
    return SectionText(
        kind=opening.kind,
        text=text,
        response_id=opening.response_id,
        number=opening.number,
    )


def _format_section(section: SectionText, series: int) -> str:
    mark = f"writeit-{series}" if series else "writeit"
    name = (
        f"{section.kind} {section.response_id}" if section.response_id else section.kind
    )
    opened = name
    if section.number is not None:
        opened = f"{section.kind} {section.number} {section.response_id}"
    return (
        f"<!-- {mark}:{opened} -->\n{section.text}\n<!-- /{mark}:{name} -->\n"
        f"{closing_fence(section.text)}"
    )
