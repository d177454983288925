"""What the writer typed in a step's view, read back; and put into a newer view.

Hers are the text of each ended answer, the Merge section and the Feedback section.
What she typed there comes back exactly as it stands; where the file has CRLF line
breaks, with plain ones. What she typed into an answer that was still coming stays in
it, and the rest of it follows. Edits elsewhere are ignored.

A section counts as untouched where only these differ, since editors change them by
themselves when they save: the kind of line breaks, spaces at the ends of lines that
were taken away (added ones count: they are markdown's hard break), and blank lines
before and after the text.

A section whose markers are damaged or doubled is a problem to show, never a guess.
While there are problems the view must not be rendered anew over her text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from writeit.text.diff import compute_edits
from writeit.views.page_outline import PageSection, split_page_lines, with_heading_lines
from writeit.views.section_markers import (
    Marker,
    SectionKey,
    SectionKind,
    SectionText,
    assemble_page,
    closing_fence,
    find_markers,
    marker_series,
    split_page,
    text_between,
)
from writeit.views.wording import numbered_answer

# --- What the writer typed in a step's view, read back; and put into a newer view -----

EDITABLE_KINDS: tuple[SectionKind, ...] = ("answer", "merge", "feedback")
"""The kinds of sections that are the writer's to edit."""

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class SectionProblem:
    """A section that cannot be read back, and why."""

    key: SectionKey
    damage: Literal["missing", "damaged"]
    """Both markers are gone; or one is, or they are doubled or out of order."""
    message: str
    line: int
    """A line to show it at: the first marker that is left, else the first line."""


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """The writer's sections of a page, and what could not be read."""

    texts: Mapping[SectionKey, str] = field(default_factory=dict)
    problems: tuple[SectionProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamingEdit:
    """What she made of an answer before it had ended."""

    streamed_text: str
    """As much as had come."""
    edited_text: str

    def merge_into(self, text: str) -> str:
        """Return the answer as it is now, with her words in it.

        At its end, if it does not begin as it did: a fence around it may be gone.
        """
        if text.startswith(self.streamed_text):
            return self.edited_text + text[len(self.streamed_text) :]
        words = (
            edit.new.strip()
            for edit in compute_edits(self.streamed_text, self.edited_text)
        )
        return "\n\n".join([text, *filter(None, words)])


@dataclass(frozen=True, slots=True)
class StepEdits:
    """What the writer changed in a step's view; None is unchanged."""

    answers: Mapping[UUID, str | None] = field(default_factory=dict)
    """Her wording by response id, one entry for every answer of the view."""
    merge: str | None = None
    feedback: str | None = None
    streaming_edits: Mapping[UUID, StreamingEdit] = field(default_factory=dict)
    problems: tuple[SectionProblem, ...] = ()
    rendered_merge: str = ""
    """The merge as it was before she changed it."""

    @property
    def texts(self) -> dict[SectionKey, str]:
        """The changed texts by section."""
        changed: list[tuple[SectionKey, str | None]] = [
            *self.answers.items(),
            ("merge", self.merge),
            ("feedback", self.feedback),
        ]
        return {key: text for key, text in changed if text is not None}

    def __bool__(self) -> bool:
        """Say whether anything was changed."""
        return bool(self.texts or self.streaming_edits)


def parse_page(page: str) -> ParsedPage:
    """Return the writer's sections of a step's view, edited or not.

    Without the page as it was rendered: for one that is found in a closed file.
    """
    series = marker_series(page)
    found = [m for m in editable_markers(page) if m.series == series]
    return _parse_sections(page, found, dict.fromkeys(m.key for m in found))


def read_edits(rendered_page: str, edited_page: str) -> StepEdits:
    """Return what the writer changed: `before` was rendered, `now` is on her screen."""
    was = {
        part.key: part.text
        for part in split_page(rendered_page)
        if isinstance(part, SectionText) and part.kind in EDITABLE_KINDS
    }
    series = marker_series(rendered_page)
    ours = {m.identity for m in editable_markers(rendered_page) if m.series == series}
    found = [
        m
        for m in editable_markers(edited_page)
        if m.series == series and m.identity in ours
    ]
    parsed = _parse_sections(edited_page, found, was)
    changed = {
        key: text if _is_changed(was[key], text) else None
        for key, text in parsed.texts.items()
    }
    return StepEdits(
        answers={key: changed.get(key) for key in was if isinstance(key, UUID)},
        merge=changed.get("merge"),
        feedback=changed.get("feedback"),
        streaming_edits=_read_streaming_edits(rendered_page, edited_page),
        problems=parsed.problems,
        rendered_merge=was.get("merge", ""),
    )


def _read_streaming_edits(
    rendered_page: str, edited_page: str
) -> dict[UUID, StreamingEdit]:
    was = {
        part.key: part.text
        for part in split_page(rendered_page)
        if isinstance(part, SectionText) and part.kind == "coming"
    }
    series = marker_series(rendered_page)
    found = [
        m
        for m in find_markers(edited_page)
        if m.kind == "coming" and m.series == series
    ]
    texts = _parse_sections(edited_page, found, was).texts
    return {
        key: StreamingEdit(was[key], text)
        for key, text in texts.items()
        if isinstance(key, UUID) and _is_changed(was[key], text)
    }


def merge_edits(new_page: str, step_edits: StepEdits) -> str:
    """Return a freshly rendered view with the writer's texts in their places.

    Passages taken meanwhile join the end of a merge she has changed. A text whose
    section the fresh view no longer has is kept at its end.
    """
    hers = {
        key: early.edited_text for key, early in step_edits.streaming_edits.items()
    } | step_edits.texts
    parts: list[str | SectionText] = []
    for part in split_page(new_page):
        text = (
            _edited_section_text(part, step_edits)
            if isinstance(part, SectionText)
            else None
        )
        if isinstance(part, SectionText) and text is not None:
            del hers[part.key]
            parts.append(replace(part, text=text))
        else:
            parts.append(part)
    for key, text in hers.items():
        parts += ["\n## Kept for you\n\n", _kept_section(key, text)]
    return assemble_page(parts)


def _edited_section_text(part: SectionText, step_edits: StepEdits) -> str | None:
    """Return a section's text as she wants it; None if she said nothing of it."""
    if isinstance(part.key, UUID) and part.key in step_edits.streaming_edits:
        return step_edits.streaming_edits[part.key].merge_into(part.text)
    text = step_edits.texts.get(part.key) if part.kind in EDITABLE_KINDS else None
    if text is not None and part.key == "merge":
        return _with_new_passages(text, step_edits.rendered_merge, part.text)
    return text


def editable_markers(page: str) -> list[Marker]:
    """Return the markers around the writer's sections, in order."""
    return [marker for marker in find_markers(page) if marker.kind in EDITABLE_KINDS]


def _parse_sections(
    page: str, section_markers: list[Marker], keys: Collection[SectionKey]
) -> ParsedPage:
    """Read the sections of these keys; `found` are their markers, in order."""
    texts: dict[SectionKey, str] = {}
    places: dict[SectionKey, list[int]] = defaultdict(list)
    for place, marker in enumerate(section_markers):
        places[marker.key].append(place)
    for key in keys:
        if (pair := _find_marker_pair(section_markers, places[key])) is not None:
            texts[key] = text_between(page, *pair)
    problems = tuple(
        _section_problem(page, key, [section_markers[place] for place in places[key]])
        for key in keys
        if key not in texts
    )
    return ParsedPage(texts, problems)


def _find_marker_pair(
    section_markers: list[Marker], places: list[int]
) -> tuple[Marker, Marker] | None:
    """Return the two markers of a section if they stand as they should."""
    match places:
        case [first, second] if second == first + 1:
            opening, closing = section_markers[first], section_markers[second]
            return (
                None
                if opening.is_closing or not closing.is_closing
                else (opening, closing)
            )
        case _:
            return None


def _section_problem(
    page: str, key: SectionKey, remaining_markers: list[Marker]
) -> SectionProblem:
    if not remaining_markers:
        message = f"The two invisible lines around {_section_label(key)} are gone."
        return SectionProblem(key, "missing", f"{message} {_REMEDY}", 0)
    numbers = (m.number for m in remaining_markers if m.number is not None)
    name = _section_label(key, next(numbers, None))
    message = f"The invisible lines around {name} are damaged or there twice."
    line = len(_LINE_BREAK.findall(page[: remaining_markers[0].start]))
    return SectionProblem(key, "damaged", f"{message} {_REMEDY}", line)


_REMEDY = (
    "What you wrote there is not used; undo, or delete the page and open the view"
    " again."
)


def _section_label(key: SectionKey, number: int | None = None) -> str:
    if isinstance(key, UUID):
        return "an answer" if number is None else numbered_answer(number)
    return "the merge" if key == "merge" else "the feedback"


def _is_changed(rendered_text: str, edited_text: str) -> bool:
    before, after = _content_lines(rendered_text), _content_lines(edited_text)
    if len(before) != len(after):
        return True
    return any(n not in (b, b.rstrip()) for b, n in zip(before, after, strict=True))


def _content_lines(text: str) -> list[str]:
    """Return the lines of a text without blank ones before and after it."""
    lines = _LINE_BREAK.split(text)
    filled = [index for index, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _with_new_passages(edited_text: str, rendered_merge: str, new_merge: str) -> str:
    """Return her merge, with what was added to the rendered one since."""
    if new_merge == edited_text or not new_merge.startswith(rendered_merge):
        return edited_text
    rest = new_merge[len(rendered_merge) :]
    added = rest.strip("\n")
    if not added or (rendered_merge and not rest.startswith("\n\n")):
        return edited_text
    return f"{edited_text.rstrip()}\n\n{added}" if edited_text.strip() else added


def _kept_section(key: SectionKey, text: str) -> SectionText:
    if isinstance(key, UUID):
        return SectionText("answer", text, response_id=key)
    return SectionText("merge" if key == "merge" else "feedback", text)


# --- Which rendering of a step's view a page was made from, whatever she typed in it --


def has_all_markers(page: str) -> bool:
    """Say whether a rendering has all its markers: it may have been cut on a disk."""
    found = [
        marker for marker in find_markers(page) if marker.series == marker_series(page)
    ]
    openings, closings = found[::2], found[1::2]
    keys = [marker.key for marker in openings]
    return (
        bool(page)
        and keys == [marker.key for marker in closings]
        and len(keys) == len(set(keys))
        and not any(marker.is_closing for marker in openings)
        and all(marker.is_closing for marker in closings)
    )


def has_same_sections(rendered_page: str, edited_page: str) -> bool:
    """Say whether `now` has the sections of `before`, whatever stands in them."""
    there, here = (
        [(marker.series, marker.identity) for marker in editable_markers(page)]
        for page in (rendered_page, edited_page)
    )
    return there == here


def without_newer_answers(new_page: str, edited_page: str) -> str:
    """Return a freshly rendered view without the answers that came after `now`."""
    here = {marker.key for marker in editable_markers(edited_page)}
    return assemble_page(
        part
        for part in split_page(new_page)
        if not isinstance(part, SectionText)
        or part.kind != "answer"
        or part.key in here
    )


def with_newer_sections(rendered_page: str, new_page: str, edited_page: str) -> str:
    """Return a rendering with the sections that only `now` has, freshly rendered."""
    there, here = (
        {marker.key for marker in editable_markers(page)}
        for page in (rendered_page, edited_page)
    )
    parts = (part for part in split_page(new_page) if isinstance(part, SectionText))
    later = [p for p in parts if p.kind in EDITABLE_KINDS and p.key in here - there]
    return (
        assemble_page([*split_page(rendered_page), *later]) if later else rendered_page
    )


# --- A page to read only: no markers in it, and where its sections stand told apart ---


@dataclass(frozen=True, slots=True)
class ReadOnlyPage:
    """A page as it is read."""

    text: str
    sections: tuple[PageSection, ...] = ()

    def is_same_text(self, text: str) -> bool:
        """Whether a text is this page.

        An editor may keep it with other line breaks, or without the last one.
        """
        return text == self.text or _lines_without_trailing_blanks(
            text
        ) == _lines_without_trailing_blanks(self.text)


def render_read_only(parts: Iterable[str | SectionText]) -> ReadOnlyPage:
    """Join the parts of a page; see `markers.assembled` for one to type into."""
    pieces: list[str] = []
    found: list[PageSection] = []
    line = 0  # every piece ends with a line break, so that lines add up
    for part in parts:
        text = part if isinstance(part, str) else f"{part.text}\n"
        after = line + len(split_page_lines(text)) - 1
        pieces.append(text)
        if isinstance(part, SectionText):
            found.append(_locate_section(part, line, after - 1))
            pieces.append(fence := closing_fence(part.text))
            after += bool(fence)
        line = after
    page = "".join(pieces)
    return ReadOnlyPage(page, tuple(with_heading_lines(page, found)))


def _locate_section(block: SectionText, first: int, last: int) -> PageSection:
    return PageSection(
        kind=block.kind,
        response_id=block.response_id,
        number=block.number,
        first_line=first,
        last_line=last,
        heading_line=first,
    )


def _lines_without_trailing_blanks(text: str) -> list[str]:
    lines = split_page_lines(text)
    while lines and not lines[-1]:
        lines.pop()
    return lines
