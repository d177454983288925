"""The remarks of a review, made from the answers of its models, and dismissals.

A remark is not stored: it is derived from the answers each time. A dismissal is stored
with a kind and a subject, not with an id. So it holds for a regeneration and for the
next review of the document, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from writeit.domain.answer import AIResponse
from writeit.domain.entity import Entity, UtcDatetime
from writeit.text.anchors import fold_text
from writeit.text.lines import fold_space
from writeit.text.remark_reader import RawRemark, read_remarks


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_REMARK = _object(
    quote=_TEXT,
    kind=_TEXT,
    remark=_TEXT,
    replacement={"anyOf": [_TEXT, {"type": "null"}]},
)
REMARKS_SCHEMA = _object(remarks={"type": "array", "items": _REMARK})
"""The JSON Schema of an answer; all is required, as OpenAI's strict mode wants it."""

Place = tuple[int, int]
"""Start and end in the text that was reviewed, in characters."""


class Dismissal(Entity):
    """What the user does not want to see: one remark, or a kind of remark."""

    at: UtcDatetime
    kind: str
    quote: str | None = None
    """The `subject` of a remark; None: every remark of the kind."""

    @property
    def key(self) -> tuple[str, str | None]:
        """What is dismissed."""
        return self.kind, None if self.quote is None else fold_space(self.quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What one or several models remark on one passage of the text."""

    remark_id: str
    """Of its run, kind and subject; the same in every process."""
    quote: str
    """The passage in the words of the model; it may differ a little from the text.

    "": the remark is about the whole text.
    """
    kind: str
    remark: str
    replacement: str | None
    """What would stand in place of the quotation; None if the model has no proposal."""
    models: tuple[str, ...]
    """The models that made it, each once."""
    response_ids: tuple[UUID, ...]
    place: Place | None
    """Its place in `PipelineRun.document.text`; None: it has none, or several."""
    dismissed: Dismissal | None = None
    """The user's decision, of this remark or its kind."""

    @property
    def count(self) -> int:
        """How many models made it."""
        return len(self.models)

    @property
    def subject(self) -> str:
        """By what it is known besides its kind: its quotation, else its own words."""
        return self.quote or self.remark

    def is_meant_by(self, dismissal: Dismissal) -> bool:
        """Whether a dismissal is of this remark or its kind."""
        subjects = (None, fold_space(self.subject))
        return dismissal.key in {(self.kind, subject) for subject in subjects}


@dataclass(frozen=True, slots=True)
class RunReview:
    """What the answers of a review say."""

    remarks: tuple[Remark, ...]
    """By their place in the text, those without one at the end; dismissed ones, too."""
    unread: tuple[tuple[UUID, int], ...] = ()
    """The answers with parts that could not be read, and how many; 0: the whole."""

    @property
    def open_remarks(self) -> list[Remark]:
        """The remarks that were not dismissed."""
        return [remark for remark in self.remarks if remark.dismissed is None]


def read_review(
    run_id: UUID,
    answers: Iterable[AIResponse],
    text: str,
    dismissals: Sequence[Dismissal],
    within: Place | None = None,
) -> RunReview:
    """Return what `answers`, in the order of their numbers, remark on `text`.

    `within` is the passage that was reviewed, if it was not the whole text.
    """
    start, end = within or (0, len(text))
    reviewed = fold_text(text[start:end])
    remarks: list[Remark] = []
    unread: list[tuple[UUID, int]] = []
    for answer in answers:
        raw = read_remarks(answer.processed_content)
        if raw.unread or not raw.is_list:
            unread.append((answer.response_id, raw.unread if raw.is_list else 0))
        for each in raw.remarks:
            found = reviewed.find(each.quote)
            place = found and (start + found.start, start + found.end)
            remarks.append(_remark(run_id, each, answer, place))
    merged = merge_remarks(remarks)
    shown = (
        replace(each, dismissed=next(filter(each.is_meant_by, dismissals), None))
        for each in merged
    )
    return RunReview(tuple(shown), tuple(unread))


def _remark(
    run_id: UUID, raw: RawRemark, answer: AIResponse, place: Place | None
) -> Remark:
    said = "\0".join((str(run_id), raw.kind, fold_space(raw.quote or raw.remark)))
    return Remark(
        remark_id=f"{run_id}:{hashlib.sha256(said.encode()).hexdigest()[:12]}",
        quote=raw.quote,
        kind=raw.kind,
        remark=raw.remark,
        replacement=raw.replacement,
        models=(answer.model,),
        response_ids=(answer.response_id,),
        place=place,
    )


def merge_remarks(remarks: Iterable[Remark]) -> list[Remark]:
    """Return the remarks, each once: overlapping place, same kind, same remark.

    The first one's words are kept, and a proposal for the same quotation if it has
    none. Without a place the subject must be the same.
    """
    merged: list[Remark] = []
    for remark in remarks:
        for index, first in enumerate(merged):
            if _is_same(first, remark):
                merged[index] = _joined(first, remark)
                break
        else:
            merged.append(remark)
    return sorted(merged, key=lambda each: (each.place is None, each.place or (0, 0)))


def _is_same(first: Remark, other: Remark) -> bool:
    if first.kind != other.kind:
        return False
    if first.place is None or other.place is None:
        return fold_space(first.subject) == fold_space(other.subject)
    return first.place[0] < other.place[1] and other.place[0] < first.place[1]


def _joined(first: Remark, other: Remark) -> Remark:
    is_for_same = fold_space(first.quote) == fold_space(other.quote)
    return replace(
        first,
        replacement=first.replacement or (other.replacement if is_for_same else None),
        models=tuple(dict.fromkeys((*first.models, *other.models))),
        response_ids=tuple(dict.fromkeys((*first.response_ids, *other.response_ids))),
    )
