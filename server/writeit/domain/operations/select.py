"""Choosing, merging, skipping, and feedback and ratings for answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import InvalidParams, NotFound
from writeit.domain.operations.lifecycle import (
    Events,
    answer_count_hint,
    busy_error,
    check_has_text,
    feedback_events,
    find_ended_response_id,
    find_response_index,
    resume_events,
    step_error,
)
from writeit.domain.run import (
    DONE_STATUSES,
    MergePart,
    Passage,
    PipelineRun,
    StepState,
    StepStatus,
)
from writeit.domain.transitions import later_steps_error
from writeit.text.block_reader import list_items
from writeit.text.lines import fold_space

_ANSWERED = {StepStatus.RUNNING, StepStatus.COMPLETED}


def select_response(
    run: PipelineRun,
    step: StepState,
    response: int | UUID,
    now: datetime,
    *,
    content: str | None = None,
    feedback: str | None = None,
) -> Events:
    """Choose an answer by index or id, edited by the user if `content` is given.

    Raises:
        InvalidParams: the edited answer is empty.
    """
    check_can_select(run, step, "response_selected")
    index = find_response_index(step, response)
    if content is not None and not content.strip():
        raise InvalidParams(
            "The edited answer is empty.",
            hint="Choose the answer unchanged, or write what the next step gets.",
            problems=[{"path": "content", "message": "is empty"}],
        )
    return (
        *resume_events(run, now),
        *feedback_events(step, feedback, now),
        e.ResponseSelected(at=now, step=step.step_name, index=index, content=content),
        *completion_events(run, step, now),
    )


def find_part(step: StepState, response: int | UUID, part: str | int) -> str:
    """Return a part of an answer: its text, or an item of its list, from 1.

    Raises:
        InvalidParams: the text is not in the answer.
        NotFound: there is no such answer or item.
    """
    index = find_response_index(step, response)
    answer = step.ai_responses[index].processed_content
    if isinstance(part, int):
        items = list_items(answer)
        if not 1 <= part <= len(items):
            raise NotFound(
                f"The answer has no item {part}.",
                hint=f"Its list has {len(items)} items."
                if items
                else "It does not have exactly one list. Select the lines you want.",
            )
        return items[part - 1]
    words = fold_space(part)
    if not words or words not in fold_space(answer):
        raise InvalidParams(
            "These lines are not in the answer.",
            hint="Select lines of the answer as it is, or edit it and choose that.",
            problems=[{"path": "part", "message": "is not in the answer"}],
        )
    return part


def skip_step(run: PipelineRun, step: StepState, now: datetime) -> Events:
    """Skip a pending step."""
    check_can_skip(run, step)
    skipped = e.StepSkipped(at=now, step=step.step_name)
    return (*resume_events(run, now), skipped, *run_completion_events(run, step, now))


def check_can_skip(run: PipelineRun, step: StepState) -> None:
    """Refuse to skip a step unless it is current and has no answers."""
    if run.is_streaming:
        raise busy_error(run)
    if step.status is not StepStatus.PENDING or step.step_name != run.current_step:
        reason = "only the next pending step can be skipped"
        raise step_error(step, "step_skipped", reason=reason)


def check_can_select(run: PipelineRun, step: StepState, attempted: str) -> None:
    """Refuse to choose unless the step has answers and no later step has begun."""
    check_has_text(run, step, attempted)
    if step.streaming:
        raise busy_error(run)
    if step.status is StepStatus.COMPLETED and run.has_begun_after(step.step_name):
        raise later_steps_error(step, attempted)
    if not step.ai_responses or step.status not in _ANSWERED:
        raise step_error(step, attempted)


def completion_events(run: PipelineRun, step: StepState, now: datetime) -> Events:
    """Complete the step, and the run if it was the last open step."""
    completed = e.StepCompleted(at=now, step=step.step_name)
    return (completed, *run_completion_events(run, step, now))


def run_completion_events(run: PipelineRun, step: StepState, now: datetime) -> Events:
    """Complete the run if `step` was its last open step."""
    others = (s for name, s in run.steps.items() if name != step.step_name)
    if run.is_finished or any(s.status not in DONE_STATUSES for s in others):
        return ()
    return (e.RunCompleted(at=now),)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSelection:
    """What to merge; if nothing is named, all passages that were added."""

    responses: Sequence[int | UUID] = ()
    """Answers by index or id."""
    passages: Sequence[UUID] = ()
    content: str | None = None
    """The merged text as edited by the user."""


def selected_parts(step: StepState, selection: MergeSelection) -> tuple[MergePart, ...]:
    """Return the named answers, then the named passages; all passages if none is named.

    Raises:
        NotFound: one of them does not exist.
    """
    indices = [find_response_index(step, named) for named in selection.responses]
    answers = (step.ai_responses[index] for index in indices)
    added = {passage.passage_id: passage for passage in step.passages}
    wanted = selection.passages
    if not wanted and not selection.responses:
        wanted = list(added)
    if any(passage_id not in added for passage_id in wanted):
        raise NotFound(
            f"A passage to merge is not in step {step.step_name}.",
            hint=f"Passages added so far: {len(added)}.",
        )
    passages = [added[passage_id] for passage_id in wanted]
    return (
        *(
            MergePart(response_id=a.response_id, text=a.processed_content)
            for a in answers
        ),
        *(MergePart(response_id=p.response_id, text=p.text) for p in passages),
    )


def require_parts(step: StepState, selection: MergeSelection) -> tuple[MergePart, ...]:
    """Return the parts to merge.

    Raises:
        InvalidParams: there is nothing to merge.
        NotFound: a part does not exist.
    """
    parts = selected_parts(step, selection)
    if not parts and not (selection.content and selection.content.strip()):
        raise InvalidParams(
            "There is nothing to merge.",
            hint="Add passages, or name `responses`, `passages` or `content`.",
            problems=[{"path": "responses", "message": "nothing is named or added"}],
        )
    return parts


def merge_responses(
    run: PipelineRun,
    step: StepState,
    selection: MergeSelection,
    now: datetime,
    feedback: str | None = None,
) -> Events:
    """Merge parts of several answers by hand; this completes the step."""
    check_can_select(run, step, "merged")
    parts = require_parts(step, selection)
    content = selection.content
    if content is None or not content.strip():
        content = "\n\n".join(part.text for part in parts)
    else:
        named = step.evolve(merged_from=parts)
        parts = tuple(named.sources_of(content))
    return (
        *resume_events(run, now),
        *feedback_events(step, feedback, now),
        e.Merged(at=now, step=step.step_name, content=content, merged_from=parts),
        *completion_events(run, step, now),
    )


def check_passage(text: str) -> None:
    """Refuse an empty passage, which could not be kept."""
    if not text.strip():
        raise InvalidParams(
            "The passage is empty.",
            hint="Select some text of the answer.",
            problems=[{"path": "text", "message": "is empty"}],
        )


def add_passage(
    run: PipelineRun, step: StepState, passage: Passage, now: datetime
) -> Events:
    """Add a passage of an answer, complete or streaming, to the merge.

    Words that do not stand in the answer are the user's own.
    """
    check_passage(passage.text)
    check_has_text(run, step, "passage_taken")
    if step.status not in _ANSWERED:
        raise step_error(step, "passage_taken")
    ids = [answer.response_id for answer in step.ai_responses]
    ids += [stream.response_id for stream in step.streaming]
    if passage.response_id not in ids:
        raise NotFound(
            f"The passage is from an answer that is not in step {step.step_name}.",
            hint=answer_count_hint(step),
        )
    source = step.find_source(passage.response_id, passage.text)
    passage = passage.evolve(response_id=source)
    added = e.PassageTaken(at=now, step=step.step_name, passage=passage)
    return (*resume_events(run, now), added)


def give_feedback(
    run: PipelineRun, step: StepState, text: str, now: datetime
) -> Events:
    """Give feedback about this step for later prompts."""
    if step.status not in _ANSWERED:
        raise step_error(step, "feedback_given")
    return (*resume_events(run, now), *feedback_events(step, text, now))


def rate_response(
    run: PipelineRun,
    step: StepState,
    response: int | UUID,
    score: float | None,
    now: datetime,
) -> Events:
    """Record the user's rating of an answer, 0.0 to 1.0; None removes it."""
    if score is not None and not 0 <= score <= 1:
        raise InvalidParams(
            f"A rating of {score} is not between 0.0 and 1.0.",
            hint="0.0 is worst, 1.0 is best, null removes the rating.",
            problems=[{"path": "score", "message": "is not between 0.0 and 1.0"}],
        )
    if step.status not in _ANSWERED:
        raise step_error(step, "response_rated")
    rated = e.ResponseRated(
        at=now,
        step=step.step_name,
        response_id=find_ended_response_id(step, response),
        score=score,
    )
    return (*resume_events(run, now), rated)
