"""Reviews: what their answers remark, how they end, and what the user dismisses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from writeit.domain import events as e
from writeit.domain.answer import AIResponse
from writeit.domain.errors import ModelError, NotFound
from writeit.domain.operations.generate import incomplete_calls
from writeit.domain.operations.lifecycle import Events
from writeit.domain.operations.select import completion_events
from writeit.domain.remarks import Dismissal, Remark, RunReview, read_review
from writeit.domain.run import PipelineRun, StepState, StepStatus
from writeit.text.anchors import LEFT_OUT, FollowedText, Span, fold_text
from writeit.text.block_reader import read_blocks
from writeit.text.fitting import replace_passage
from writeit.text.front_matter import find_front_matter
from writeit.text.lines import fold_space
from writeit.text.merge3 import merge
from writeit.text.passage import passage_at

_MARKED = re.compile(r"^\W|^\d+[.)]\s|[\r\n|`$<]")
"""What may be read as something else than the text of a paragraph."""
_read_blocks = lru_cache(maxsize=2)(read_blocks)


def review_of(run: PipelineRun) -> RunReview | None:
    """Return what the answers of a review remark so far; None of any other run.

    `Remark.place` is in `run.document.text`.
    """
    step = run.review_step
    if step is None:
        return None
    document, within = run.document, None
    if document.selection:
        start = len(document.before)
        within = start, start + len(document.selection)
    answers = reviewing_answers(step)
    return read_review(
        run.pipeline_run_id, answers, document.text, run.dismissals, within
    )


def reviewing_answers(step: StepState) -> list[AIResponse]:
    """Return the answers of the newest round by their numbers.

    An answer that was repaired or continued leaves its place to the newer one.
    """
    rounds = {call.response_id: call.generation for call in step.calls}
    numbers = step.numbers
    answers = sorted(step.ai_responses, key=lambda each: numbers[each.response_id])
    newest = max((rounds.get(each.response_id, 0) for each in answers), default=0)
    return [
        answer
        for answer in answers
        if rounds.get(answer.response_id, 0) == newest
        and step.replaced_by(answer.response_id) is None
    ]


def describe_remarks(
    run: PipelineRun,
    escape: Callable[[str], str] = fold_space,
    placed: Iterable[PlacedRemark] | None = None,
) -> str:
    """Return the open remarks of a review as a markdown list; "" if it has none.

    `escape` makes one line of plain text of a model's words. `placed`: the remarks in
    the document of now.
    """
    if placed is None:
        review = review_of(run)
        placed = [
            PlacedRemark(each, each.place and Span(*each.place))
            for each in (review.remarks if review else ())
        ]
    lines = []
    for each in placed:
        if each.state != "open":
            continue
        remark, place = each.remark, "no place found"
        if not remark.quote:
            place = "the whole text"
        elif each.span and remark.place:
            place = f"line {run.document.line_of(remark.place[0]) + 1}"
        lines.append(f"- {place}, {name_remark(remark, escape)}")
        if remark.quote:
            lines.append(f"  {escape(remark.remark)}")
        if remark.replacement is not None:
            lines.append(f"  Suggestion: “{escape(remark.replacement)}”")
    return "\n".join(lines)


def name_remark(remark: Remark, escape: Callable[[str], str] = fold_space) -> str:
    """Return how a list of remarks names one: no other one has the same name."""
    by = f" ({remark.count} models)" if remark.count > 1 else ""
    words = escape(remark.subject)
    return f"{remark.kind}{by}: {f'“{words}”' if remark.quote else words}"


def describe_review(run: PipelineRun) -> str:
    """Say how many remarks a review has, and what could not be read."""
    review = review_of(run)
    if review is None or unreadable_error(run):
        return "no remarks could be read"
    found = len(review.open_remarks)
    text = "1 remark" if found == 1 else f"{found or 'no'} remarks"
    if dismissed := len(review.remarks) - found:
        text += f", {dismissed} dismissed"
    if unread := len(review.unread):
        answers = "1 answer" if unread == 1 else f"{unread} answers"
        text += f"; {answers} could not be read as a whole"
    return text


def unreadable_error(run: PipelineRun) -> ModelError | None:
    """Return the error of a review of whose answers none is a list of remarks."""
    step, review = run.review_step, review_of(run)
    if step is None or review is None or not step.ai_responses or review.remarks:
        return None
    answers = reviewing_answers(step)
    if len([1 for _, parts in review.unread if not parts]) < len(answers):
        return None
    names = ", ".join(dict.fromkeys(answer.model for answer in answers))
    return ModelError(
        f"No remarks could be read in what {names} answered. The answers are kept.",
        reason="malformed",
        hint="Regenerate the review, or use another model.",
    )


def ending_events(run: PipelineRun, now: datetime, *, is_stopped: bool) -> Events:
    """Complete a review whose last answer has ended, or fail it if none is readable.

    A review that was stopped before all answers were complete stays open.
    """
    step = run.review_step
    if (
        step is None
        or step.status is not StepStatus.RUNNING
        or run.is_streaming
        or not step.ai_responses
        or (is_stopped and incomplete_calls(step))
    ):
        return ()
    if (error := unreadable_error(run)) is not None:
        return (e.RunFailed(at=now, message=error.message),)
    return completion_events(run, step, now)


def inherited_dismissals(reviews: Iterable[PipelineRun]) -> tuple[Dismissal, ...]:
    """Return what the user dismissed in reviews of a document, for the next one."""
    dismissed = {each.key: each for run in reviews for each in run.dismissals}
    return tuple(sorted(dismissed.values(), key=lambda each: each.at))


def dismiss(run: PipelineRun, dismissal: Dismissal, now: datetime) -> Events:
    """Dismiss a remark or a kind of remark, unless the run has done so."""
    if dismissal.key in {each.key for each in run.dismissals}:
        return ()
    fields = {"at": now, "kind": dismissal.kind, "quote": dismissal.quote}
    return (e.RemarkDismissed.model_validate(fields),)


def restore_remarks(
    run: PipelineRun, dismissed: Iterable[Dismissal], now: datetime
) -> Events:
    """Take dismissals back, as far as the run has them."""
    keys = {each.key for each in dismissed}
    return tuple(
        e.RemarkRestored(at=now, kind=each.kind, quote=each.quote)
        for each in run.dismissals
        if each.key in keys
    )


def find_remark(run: PipelineRun, remark_id: str) -> Remark:
    """Return a remark of a review.

    Raises:
        NotFound: the review has no such remark.
    """
    review = review_of(run)
    for remark in review.remarks if review else ():
        if remark.remark_id == remark_id:
            return remark
    raise NotFound(
        "The review has no such remark.",
        hint="It may have been regenerated. Open the run to see its remarks.",
    )


@dataclass(frozen=True, slots=True)
class PlacedRemark:
    """A remark and where its words are in the document now."""

    remark: Remark
    span: Span | None
    """None: they are gone, were never found, or stand in several places."""
    is_applied: bool = False
    """Whether the replacement stands there."""

    @property
    def state(self) -> Literal["open", "applied", "dismissed"]:
        """What the user has decided on it."""
        if self.remark.dismissed:
            return "dismissed"
        return "applied" if self.is_applied else "open"


def place_remarks(run: PipelineRun, body: str) -> list[PlacedRemark]:
    """Return the remarks of a review in a document's text, without front matter.

    It takes some time in a long text; what was asked last is known.
    """
    review, before = review_of(run), fold_text(run.document.text)
    followed = FollowedText(before, fold_text(body))
    placed = []
    for remark in review.remarks if review else ():
        first = remark.place and Span(*remark.place)
        suggested = _suggestion(run, remark)
        is_applied = bool(
            first and suggested and followed.is_replaced(first, suggested)
        )
        span = followed.find(first) if first and not is_applied else None
        placed.append(PlacedRemark(remark, span, is_applied))
    return placed


def _suggestion(run: PipelineRun, remark: Remark) -> str | None:
    """Return what would stand in the reviewed text in place of the quotation.

    Where a model quoted badly, marks, links and what it left out stay as they are.
    """
    if remark.place is None or remark.replacement is None:
        return None
    quoted = run.document.text[slice(*remark.place)]
    merged = merge(remark.quote, quoted, remark.replacement)
    if not merged.conflicts:
        return merged.text
    return None if LEFT_OUT.search(remark.quote) else remark.replacement


def apply_suggestion(run: PipelineRun, placed: PlacedRemark, body: str) -> str | None:
    """Return what a suggestion makes of the words of now.

    None: there is no suggestion, it changes nothing, the user has changed the words, or
    the blocks around them would change.
    """
    first, now, suggested = placed.remark.place, placed.span, None
    if (
        first is None
        or now is None
        or (suggested := _suggestion(run, placed.remark)) is None
    ):
        return None
    words = body[slice(*now)]
    merged = merge(run.document.text[slice(*first)], words, suggested)
    if merged.conflicts or merged.text == words:
        return None
    if not _MARKED.search(merged.text):
        return merged.text
    fitted = replace_passage(passage_at(body, _read_blocks(body), *now), merged.text)
    makes_head = find_front_matter(fitted.text) and not find_front_matter(body)
    if fitted.misfit or makes_head:
        return None
    return fitted.text[now.start : len(fitted.text) - len(body) + now.end]
