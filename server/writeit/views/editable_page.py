"""The user's edits of a step's page: read back, and merged into a newer page.

The user may edit the text of each ended answer, the Merge section and the Feedback
section. The text is read back exactly, with LF line breaks. Edits in an answer that
is still streaming are kept, and the rest of the answer follows. Edits elsewhere are
ignored.

A section is unchanged if only these differ, since editors change them when they save:
the kind of line breaks, removed spaces at the ends of lines (added ones are markdown's
hard break, so they count), and blank lines before and after the text.

A section with damaged or duplicated markers is a problem to show. While there are
problems, the page must not be rendered again over the user's text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from writeit.text.diff import compute_edits
from writeit.text.lines import LINE_END
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

EDITABLE_KINDS: tuple[SectionKind, ...] = ("answer", "merge", "feedback")
"""The kinds of sections that the user may edit."""


@dataclass(frozen=True, slots=True)
class SectionProblem:
    """A section that cannot be read back, and why."""

    key: SectionKey
    damage: Literal["missing", "damaged"]
    """Both markers are missing, or one is, or they are duplicated or swapped."""
    message: str
    line: int
    """The line to show it at: the first remaining marker, else the first line."""


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """The editable sections of a page, and those that could not be read."""

    texts: Mapping[SectionKey, str] = field(default_factory=dict)
    problems: tuple[SectionProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamingEdit:
    """An edit of an answer that was still streaming."""

    streamed_text: str
    """The text that the page showed."""
    edited_text: str

    def merge_into(self, text: str) -> str:
        """Return the answer's current text with the edit.

        If the start of the text has changed (a code fence around it may have been
        removed), the added words are appended.
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
    """The user's edits of a step's page; None is unchanged."""

    answers: Mapping[UUID, str | None] = field(default_factory=dict)
    """The edited text by response id, with an entry for every answer of the page."""
    merge: str | None = None
    feedback: str | None = None
    streaming_edits: Mapping[UUID, StreamingEdit] = field(default_factory=dict)
    problems: tuple[SectionProblem, ...] = ()
    rendered_merge: str = ""
    """The merge as rendered, before the edits."""

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
        """Return whether anything was changed."""
        return bool(self.texts or self.streaming_edits)


def parse_page(page: str) -> ParsedPage:
    """Return the editable sections of a step's page, changed or not."""
    series = marker_series(page)
    markers = [m for m in editable_markers(page) if m.series == series]
    return _parse_sections(page, markers, dict.fromkeys(m.key for m in markers))


def read_edits(rendered_page: str, edited_page: str) -> StepEdits:
    """Return the differences between a rendered page and its edited version."""
    rendered = _section_texts(rendered_page, EDITABLE_KINDS)
    series = marker_series(rendered_page)
    expected = {
        m.identity for m in editable_markers(rendered_page) if m.series == series
    }
    markers = [
        m
        for m in editable_markers(edited_page)
        if m.series == series and m.identity in expected
    ]
    parsed = _parse_sections(edited_page, markers, rendered)
    changed = {
        key: text
        for key, text in parsed.texts.items()
        if _is_changed(rendered[key], text)
    }
    return StepEdits(
        answers={key: changed.get(key) for key in rendered if isinstance(key, UUID)},
        merge=changed.get("merge"),
        feedback=changed.get("feedback"),
        streaming_edits=_read_streaming_edits(rendered_page, edited_page),
        problems=parsed.problems,
        rendered_merge=rendered.get("merge", ""),
    )


def _read_streaming_edits(
    rendered_page: str, edited_page: str
) -> dict[UUID, StreamingEdit]:
    kinds: tuple[SectionKind, ...] = ("coming",)
    rendered = _section_texts(rendered_page, kinds)
    series = marker_series(rendered_page)
    markers = [
        m
        for m in find_markers(edited_page)
        if m.kind == "coming" and m.series == series
    ]
    return {
        key: StreamingEdit(rendered[key], text)
        for key, text in _parse_sections(edited_page, markers, rendered).texts.items()
        if isinstance(key, UUID) and _is_changed(rendered[key], text)
    }


def _section_texts(page: str, kinds: Collection[SectionKind]) -> dict[SectionKey, str]:
    return {
        part.key: part.text
        for part in split_page(page)
        if isinstance(part, SectionText) and part.kind in kinds
    }


def merge_edits(new_page: str, step_edits: StepEdits) -> str:
    """Return a newly rendered page with the user's texts in their sections.

    Passages added meanwhile follow an edited merge. Texts without a section in the
    new page are appended to it.
    """
    unplaced = {
        key: edit.edited_text for key, edit in step_edits.streaming_edits.items()
    } | step_edits.texts
    parts: list[str | SectionText] = []
    for part in split_page(new_page):
        text = (
            _edited_section_text(part, step_edits)
            if isinstance(part, SectionText)
            else None
        )
        if isinstance(part, SectionText) and text is not None:
            del unplaced[part.key]
            parts.append(replace(part, text=text))
        else:
            parts.append(part)
    for key, text in unplaced.items():
        parts += ["\n## Your text, kept\n\n", _kept_section(key, text)]
    return assemble_page(parts)


def _edited_section_text(part: SectionText, step_edits: StepEdits) -> str | None:
    """Return the user's text of a section, None if it was not edited."""
    if isinstance(part.key, UUID) and part.key in step_edits.streaming_edits:
        return step_edits.streaming_edits[part.key].merge_into(part.text)
    text = step_edits.texts.get(part.key) if part.kind in EDITABLE_KINDS else None
    if text is not None and part.key == "merge":
        return _with_new_passages(text, step_edits.rendered_merge, part.text)
    return text


def editable_markers(page: str) -> list[Marker]:
    """Return the markers of the editable sections, in order."""
    return [marker for marker in find_markers(page) if marker.kind in EDITABLE_KINDS]


def _parse_sections(
    page: str, section_markers: list[Marker], keys: Collection[SectionKey]
) -> ParsedPage:
    """Read the sections of these keys; `section_markers` are theirs, in order."""
    texts: dict[SectionKey, str] = {}
    indexes: dict[SectionKey, list[int]] = defaultdict(list)
    for index, marker in enumerate(section_markers):
        indexes[marker.key].append(index)
    for key in keys:
        if (pair := _find_marker_pair(section_markers, indexes[key])) is not None:
            texts[key] = text_between(page, *pair)
    problems = tuple(
        _section_problem(page, key, [section_markers[i] for i in indexes[key]])
        for key in keys
        if key not in texts
    )
    return ParsedPage(texts, problems)


def _find_marker_pair(
    section_markers: list[Marker], indexes: list[int]
) -> tuple[Marker, Marker] | None:
    """Return the two markers of a section if they are intact."""
    match indexes:
        case [first, second] if second == first + 1:
            opening, closing = section_markers[first], section_markers[second]
            if closing.is_closing and not opening.is_closing:
                return opening, closing
    return None


def _section_problem(
    page: str, key: SectionKey, remaining_markers: list[Marker]
) -> SectionProblem:
    if not remaining_markers:
        message = f"The hidden marker lines around {_section_label(key)} are missing."
        return SectionProblem(key, "missing", f"{message} {_REMEDY}", 0)
    labels = (m.label for m in remaining_markers if m.label is not None)
    name = _section_label(key, next(labels, None))
    message = f"The hidden marker lines around {name} are damaged or duplicated."
    line = len(LINE_END.findall(page[: remaining_markers[0].start]))
    return SectionProblem(key, "damaged", f"{message} {_REMEDY}", line)


_REMEDY = (
    "Your edits there are ignored. Undo, or delete the page and open the view again."
)


def _section_label(key: SectionKey, label: str | None = None) -> str:
    if isinstance(key, UUID):
        return "an answer" if label is None else f"answer {label}"
    return "the merge" if key == "merge" else "the feedback"


def _is_changed(rendered_text: str, edited_text: str) -> bool:
    before, after = _content_lines(rendered_text), _content_lines(edited_text)
    if len(before) != len(after):
        return True
    return any(n not in (b, b.rstrip()) for b, n in zip(before, after, strict=True))


def _content_lines(text: str) -> list[str]:
    """Return the lines of a text without the blank ones before and after it."""
    lines = LINE_END.split(text)
    filled = [index for index, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _with_new_passages(edited_text: str, rendered_merge: str, new_merge: str) -> str:
    """Return the edited merge with the passages added since it was rendered."""
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


def has_all_markers(page: str) -> bool:
    """Return whether a rendered page has all its markers: its file may be cut short."""
    series = marker_series(page)
    markers = [marker for marker in find_markers(page) if marker.series == series]
    openings, closings = markers[::2], markers[1::2]
    keys = [marker.key for marker in openings]
    return (
        bool(page)
        and keys == [marker.key for marker in closings]
        and len(keys) == len(set(keys))
        and not any(marker.is_closing for marker in openings)
        and all(marker.is_closing for marker in closings)
    )


def has_same_sections(rendered_page: str, edited_page: str) -> bool:
    """Return whether two pages have the same sections, whatever their texts."""
    rendered, edited = (
        [(marker.series, marker.identity) for marker in editable_markers(page)]
        for page in (rendered_page, edited_page)
    )
    return rendered == edited


def without_newer_answers(new_page: str, edited_page: str) -> str:
    """Return a newly rendered page without the answers that `edited_page` lacks."""
    edited_keys = {marker.key for marker in editable_markers(edited_page)}
    return assemble_page(
        part
        for part in split_page(new_page)
        if not isinstance(part, SectionText)
        or part.kind != "answer"
        or part.key in edited_keys
    )


def with_newer_sections(rendered_page: str, new_page: str, edited_page: str) -> str:
    """Return a rendered page with the sections that only `edited_page` has too."""
    rendered_keys, edited_keys = (
        {marker.key for marker in editable_markers(page)}
        for page in (rendered_page, edited_page)
    )
    parts = (part for part in split_page(new_page) if isinstance(part, SectionText))
    only_edited = edited_keys - rendered_keys
    later = [p for p in parts if p.kind in EDITABLE_KINDS and p.key in only_edited]
    return (
        assemble_page([*split_page(rendered_page), *later]) if later else rendered_page
    )


@dataclass(frozen=True, slots=True)
class ReadOnlyPage:
    """A page without markers, and where its sections are."""

    text: str
    sections: tuple[PageSection, ...] = ()

    def is_same_text(self, text: str) -> bool:
        """Return whether a text is this page, whatever its line breaks."""
        return text == self.text or _lines_without_trailing_blanks(
            text
        ) == _lines_without_trailing_blanks(self.text)


def render_read_only(parts: Iterable[str | SectionText]) -> ReadOnlyPage:
    """Return the page of these parts without markers."""
    pieces: list[str] = []
    sections: list[PageSection] = []
    line = 0  # every piece ends with a line break, so that lines add up
    for part in parts:
        text = part if isinstance(part, str) else f"{part.text}\n"
        after = line + len(split_page_lines(text)) - 1
        pieces.append(text)
        if isinstance(part, SectionText):
            sections.append(
                PageSection(
                    part.kind, part.response_id, part.label, line, after - 1, line
                )
            )
            pieces.append(fence := closing_fence(part.text))
            after += bool(fence)
        line = after
    page = "".join(pieces)
    return ReadOnlyPage(page, tuple(with_heading_lines(page, sections)))


def _lines_without_trailing_blanks(text: str) -> list[str]:
    lines = split_page_lines(text)
    while lines and not lines[-1]:
        lines.pop()
    return lines
