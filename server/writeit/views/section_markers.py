"""The hidden marker lines around each text of a page.

    <!-- writeit:answer 2 0198c3d2-… -->
    The text, whatever markdown is in it.
    <!-- /writeit:answer 0198c3d2-… -->

A marker is a whole line. The text between two markers is never changed: if it has a
line that looks like a marker, all markers of the page get a series number that no
text has (`writeit-1:`). The line break before a closing marker belongs to the marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, cast
from uuid import UUID

from writeit.text.block_reader import unclosed_fence

NamedSection = Literal["merge", "feedback", "left", "right"]
SectionKey = UUID | NamedSection
"""The id of an answer, or the name of another section."""
SectionKind = Literal["answer", "coming", "merge", "feedback", "left", "right"]

_MARKER = re.compile(
    r"^<!-- (?P<end>/?)writeit(?:-(?P<series>[1-9]\d{0,8}))?:"
    r"(?:(?P<kind>answer|coming)(?: (?P<label>\d{1,9}|[A-Z]{1,9}))?"
    r" (?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<name>merge|feedback|left|right)) -->[ \t]*(?P<return>\r?)$",
    re.MULTILINE,
)
_BARE_LINE_FEED = re.compile(r"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class SectionText:
    """A text between markers."""

    kind: SectionKind
    text: str
    response_id: UUID | None = None
    label: str | None = None
    """What the answer is called: its number, or its letter until a blind choice."""

    @property
    def key(self) -> SectionKey:
        """The key of the section."""
        return section_key(self.kind, self.response_id)


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker in a page."""

    kind: SectionKind
    response_id: UUID | None
    label: str | None
    is_closing: bool
    series: int
    start: int
    """The offset of its line."""
    end: int
    """The offset of the next line."""
    has_crlf: bool

    @property
    def key(self) -> SectionKey:
        """The key of its section."""
        return section_key(self.kind, self.response_id)

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells it from the other markers of the page."""
        return self.is_closing, self.kind, self.response_id, self.label


PageParts = list[str | SectionText]
"""A page; its strings are whole lines.

`assemble_page` and `editable_page.render_read_only` join the parts.
"""


def section_key(kind: SectionKind, response_id: UUID | None) -> SectionKey:
    """Return the key of a section."""
    return cast("NamedSection", kind) if response_id is None else response_id


def assemble_page(parts: Iterable[str | SectionText]) -> str:
    """Return the page of these parts, with markers around its texts."""
    parts = list(parts)
    texts = (part if isinstance(part, str) else part.text for part in parts)
    used = {marker.series for marker in find_markers("\n".join(texts))}
    series = next(n for n in range(len(used) + 1) if n not in used)
    return "".join(
        part if isinstance(part, str) else _format_section(part, series)
        for part in parts
    )


_DRAFT_NOTE = "*Your draft. It is not used yet.*\n\n"


def with_drafts(parts: PageParts, drafts: Mapping[str, str]) -> PageParts:
    """Return the page of a step with what the user typed there and has not used."""
    shown: PageParts = []
    for part in parts:
        text = drafts.get(str(part.key)) if isinstance(part, SectionText) else None
        if isinstance(part, SectionText) and text is not None and part.kind != "coming":
            shown += [_DRAFT_NOTE, replace(part, text=text)]
        else:
            shown.append(part)
    return shown


def split_page(page: str) -> PageParts:
    """Return the parts of an unedited page, as given to `assemble_page`."""
    parts: PageParts = []
    position = 0
    for opening, closing in _marker_pairs(page):
        text = text_between(page, opening, closing)
        section = SectionText(opening.kind, text, opening.response_id, opening.label)
        parts += [page[position : opening.start], section]
        position = closing.end + len(closing_fence(text))
    return [*parts, page[position:]]


def find_markers(page: str) -> Iterator[Marker]:
    """Yield every line that looks like a marker, of any series."""
    for match in _MARKER.finditer(page):
        yield Marker(
            kind=cast("SectionKind", match["kind"] or match["name"]),
            response_id=UUID(match["id"]) if match["id"] else None,
            label=match["label"],
            is_closing=bool(match["end"]),
            series=int(match["series"] or 0),
            start=match.start(),
            end=min(match.end() + 1, len(page)),
            has_crlf=bool(match["return"]),
        )


def marker_series(page: str) -> int | None:
    """Return the series of a page's markers, None if it has none."""
    first = next(find_markers(page), None)
    return None if first is None else first.series


def text_between(page: str, opening: Marker, closing: Marker) -> str:
    """Return the text between two markers, with LF line breaks."""
    text = page[opening.end : closing.start]
    if opening.has_crlf:
        text = text.replace("\r\n", "\n")
    return text.removesuffix("\n")


def with_page_line_ends(page: str, text: str) -> str:
    """Return `text` with the line breaks of the page's markers.

    The texts between the markers may have other line breaks.
    """
    first = next(find_markers(page), None)
    crlf = "\r\n" in page if first is None else first.has_crlf
    return _BARE_LINE_FEED.sub("\r\n", text) if crlf else text


def find_section_markers(page: str) -> Iterator[tuple[Marker, Marker]]:
    """Yield the markers of every intact section, in order."""
    series = marker_series(page)
    markers = [m for m in find_markers(page) if m.series == series]
    for opening, closing in pairwise(markers):
        if not opening.is_closing and closing.is_closing and opening.key == closing.key:
            yield opening, closing


def closing_fence(text: str) -> str:
    """Return the line that closes a code fence that `text` leaves open, or "".

    It follows the text, so that the rest of the page is not shown as code.
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


def _format_section(section: SectionText, series: int) -> str:
    mark = f"writeit-{series}" if series else "writeit"
    name = section.kind
    label = "" if section.label is None else f" {section.label}"
    response_id = f" {section.response_id}" if section.response_id else ""
    return (
        f"<!-- {mark}:{name}{label}{response_id} -->\n{section.text}\n"
        f"<!-- /{mark}:{name}{response_id} -->\n"
        f"{closing_fence(section.text)}"
    )
