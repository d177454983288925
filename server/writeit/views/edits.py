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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from writeit.core.edits import edits
from writeit.views.markers import (
    Block,
    assembled,
    markers,
    series_of,
    taken_apart,
    text_between,
)
from writeit.views.words import number_of_answer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from writeit.views.markers import Key, Kind, Marker

HERS: tuple[Kind, ...] = ("answer", "merge", "feedback")
"""The kinds of sections that are the writer's to edit."""

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Problem:
    """A section that cannot be read back, and why."""

    key: Key
    what: Literal["missing", "damaged"]
    """Both markers are gone; or one is, or they are doubled or out of order."""
    message: str
    line: int
    """A line to show it at: the first marker that is left, else the first line."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The writer's sections of a page, and what could not be read."""

    texts: Mapping[Key, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Early:
    """What she made of an answer before it had ended."""

    before: str
    """As much as had come."""
    now: str

    def within(self, text: str) -> str:
        """Return the answer as it is now, with her words in it.

        At its end, if it does not begin as it did: a fence around it may be gone.
        """
        if text.startswith(self.before):
            return self.now + text[len(self.before) :]
        words = (edit.new.strip() for edit in edits(self.before, self.now))
        return "\n\n".join([text, *filter(None, words)])


@dataclass(frozen=True, slots=True)
class StepEdits:
    """What the writer changed in a step's view; None is unchanged."""

    answers: Mapping[UUID, str | None] = field(default_factory=dict)
    """Her wording by response id, one entry for every answer of the view."""
    merge: str | None = None
    feedback: str | None = None
    early: Mapping[UUID, Early] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    merge_before: str = ""
    """The merge as it was before she changed it."""

    @property
    def texts(self) -> dict[Key, str]:
        """The changed texts by section."""
        changed: list[tuple[Key, str | None]] = [
            *self.answers.items(),
            ("merge", self.merge),
            ("feedback", self.feedback),
        ]
        return {key: text for key, text in changed if text is not None}

    def __bool__(self) -> bool:
        """Say whether anything was changed."""
        return bool(self.texts or self.early)


def parse(page: str) -> Parsed:
    """Return the writer's sections of a step's view, edited or not.

    Without the page as it was rendered: for one that is found in a closed file.
    """
    series = series_of(page)
    found = [m for m in markers_of_hers(page) if m.series == series]
    return _parsed(page, found, dict.fromkeys(m.key for m in found))


def read_back(before: str, now: str) -> StepEdits:
    """Return what the writer changed: `before` was rendered, `now` is on her screen."""
    was = {
        part.key: part.text
        for part in taken_apart(before)
        if isinstance(part, Block) and part.kind in HERS
    }
    series = series_of(before)
    ours = {m.says for m in markers_of_hers(before) if m.series == series}
    found = [m for m in markers_of_hers(now) if m.series == series and m.says in ours]
    parsed = _parsed(now, found, was)
    changed = {
        key: text if _is_changed(was[key], text) else None
        for key, text in parsed.texts.items()
    }
    return StepEdits(
        answers={key: changed.get(key) for key in was if isinstance(key, UUID)},
        merge=changed.get("merge"),
        feedback=changed.get("feedback"),
        early=_early(before, now),
        problems=parsed.problems,
        merge_before=was.get("merge", ""),
    )


def _early(before: str, now: str) -> dict[UUID, Early]:
    was = {
        part.key: part.text
        for part in taken_apart(before)
        if isinstance(part, Block) and part.kind == "coming"
    }
    series = series_of(before)
    found = [m for m in markers(now) if m.kind == "coming" and m.series == series]
    texts = _parsed(now, found, was).texts
    return {
        key: Early(was[key], text)
        for key, text in texts.items()
        if isinstance(key, UUID) and _is_changed(was[key], text)
    }


def merge_edits(fresh: str, changed: StepEdits) -> str:
    """Return a freshly rendered view with the writer's texts in their places.

    Passages taken meanwhile join the end of a merge she has changed. A text whose
    section the fresh view no longer has is kept at its end.
    """
    hers = {key: early.now for key, early in changed.early.items()} | changed.texts
    parts: list[str | Block] = []
    for part in taken_apart(fresh):
        text = _hers_in(part, changed) if isinstance(part, Block) else None
        if isinstance(part, Block) and text is not None:
            del hers[part.key]
            parts.append(replace(part, text=text))
        else:
            parts.append(part)
    for key, text in hers.items():
        parts += ["\n## Kept for you\n\n", _kept(key, text)]
    return assembled(parts)


def _hers_in(part: Block, changed: StepEdits) -> str | None:
    """Return a section's text as she wants it; None if she said nothing of it."""
    if isinstance(part.key, UUID) and part.key in changed.early:
        return changed.early[part.key].within(part.text)
    text = changed.texts.get(part.key) if part.kind in HERS else None
    if text is not None and part.key == "merge":
        return _with_passages(text, changed.merge_before, part.text)
    return text


def markers_of_hers(page: str) -> list[Marker]:
    """Return the markers around the writer's sections, in order."""
    return [marker for marker in markers(page) if marker.kind in HERS]


def _parsed(page: str, found: list[Marker], keys: Collection[Key]) -> Parsed:
    """Read the sections of these keys; `found` are their markers, in order."""
    texts: dict[Key, str] = {}
    places: dict[Key, list[int]] = defaultdict(list)
    for place, marker in enumerate(found):
        places[marker.key].append(place)
    for key in keys:
        if (pair := _pair(found, places[key])) is not None:
            texts[key] = text_between(page, *pair)
    problems = tuple(
        _problem(page, key, [found[place] for place in places[key]])
        for key in keys
        if key not in texts
    )
    return Parsed(texts, problems)


def _pair(found: list[Marker], places: list[int]) -> tuple[Marker, Marker] | None:
    """Return the two markers of a section if they stand as they should."""
    match places:
        case [first, second] if second == first + 1:
            opening, closing = found[first], found[second]
            return None if opening.closes or not closing.closes else (opening, closing)
        case _:
            return None


def _problem(page: str, key: Key, left: list[Marker]) -> Problem:
    if not left:
        message = f"The two invisible lines around {_name(key)} are gone."
        return Problem(key, "missing", f"{message} {_REMEDY}", 0)
    numbers = (m.number for m in left if m.number is not None)
    name = _name(key, next(numbers, None))
    message = f"The invisible lines around {name} are damaged or there twice."
    line = len(_LINE_BREAK.findall(page[: left[0].start]))
    return Problem(key, "damaged", f"{message} {_REMEDY}", line)


_REMEDY = (
    "What you wrote there is not used; undo, or delete the page and open the view"
    " again."
)


def _name(key: Key, number: int | None = None) -> str:
    if isinstance(key, UUID):
        return "an answer" if number is None else number_of_answer(number)
    return "the merge" if key == "merge" else "the feedback"


def _is_changed(was: str, now: str) -> bool:
    before, after = _lines(was), _lines(now)
    if len(before) != len(after):
        return True
    return any(n not in (b, b.rstrip()) for b, n in zip(before, after, strict=True))


def _lines(text: str) -> list[str]:
    """Return the lines of a text without blank ones before and after it."""
    lines = _LINE_BREAK.split(text)
    filled = [index for index, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _with_passages(hers: str, before: str, fresh: str) -> str:
    """Return her merge, with what was added to the rendered one since."""
    if fresh == hers or not fresh.startswith(before):
        return hers
    rest = fresh[len(before) :]
    added = rest.strip("\n")
    if not added or (before and not rest.startswith("\n\n")):
        return hers
    return f"{hers.rstrip()}\n\n{added}" if hers.strip() else added


def _kept(key: Key, text: str) -> Block:
    if isinstance(key, UUID):
        return Block("answer", text, response_id=key)
    return Block("merge" if key == "merge" else "feedback", text)
