"""Choosing among the answers of a step, or going on without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import InvalidParams, InvalidTransition, NotFound
from writeit.domain.operations.lifecycle import (
    Events,
    allowed_commands,
    busy_error,
    check_response_index,
    feedback_events,
    no_answers_error,
    resume_events,
)
from writeit.domain.run import (
    DONE_STATUSES,
    MergePart,
    Passage,
    PipelineRun,
    StepState,
    StepStatus,
)

# --- Choosing among the answers of a step, or going on without it ---------------------


def select_response(
    run: PipelineRun,
    step: StepState,
    index: int,
    now: datetime,
    *,
    content: str | None = None,
    feedback: str | None = None,
) -> Events:
    """Choose answer `index`, in the writer's own wording if `content` is given.

    Raises:
        InvalidParams: there is no word in that wording.
    """
    check_can_select(run, step, "response_selected")
    check_response_index(step, index)
    if content is not None and not content.strip():
        raise InvalidParams(
            "There is not a word in your wording of the answer.",
            hint="Choose it as it is, or write what the next step should get.",
            problems=[{"path": "content", "message": "is empty"}],
        )
    return (
        *resume_events(run, now),
        *feedback_events(step, feedback, now),
        e.ResponseSelected(at=now, step=step.step_name, index=index, content=content),
        *completion_events(run, step, now),
    )


def skip_step(run: PipelineRun, step: StepState, now: datetime) -> Events:
    """Go on without a pending step."""
    check_can_skip(run, step)
    skipped = e.StepSkipped(at=now, step=step.step_name)
    return (*resume_events(run, now), skipped, *run_completion_events(run, step, now))


def check_can_skip(run: PipelineRun, step: StepState) -> None:
    """Refuse to skip a step unless the run is at it and no model was asked."""
    if run.is_streaming:
        raise busy_error(run)
    if step.status is not StepStatus.PENDING or step.step_name != run.current_step:
        raise InvalidTransition(
            f"Step {step.step_name!r} is {step.status.value}; only the next pending"
            " step can be skipped.",
            state=step.status.value,
            attempted="step_skipped",
            allowed=allowed_commands(step),
        )


def check_can_select(run: PipelineRun, step: StepState, attempted: str) -> None:
    """Refuse unless the step has answers, is quiet, and nothing builds on it."""
    if step.streaming:
        raise busy_error(run)
    if step.status is StepStatus.COMPLETED and any(
        later.status is not StepStatus.PENDING
        for later in run.later_steps(step.step_name)
    ):
        raise InvalidTransition(
            f"Step {step.step_name!r} cannot change once later steps have begun.",
            state=step.status.value,
            attempted=attempted,
            hint="Branch at this step: the child run shares all that came before.",
        )
    if not step.ai_responses or step.status not in {
        StepStatus.RUNNING,
        StepStatus.COMPLETED,
    }:
        raise InvalidTransition(
            f"Step {step.step_name!r} is {step.status.value} and has no answer"
            " to choose.",
            state=step.status.value,
            attempted=attempted,
            allowed=allowed_commands(step),
        )


def completion_events(run: PipelineRun, step: StepState, now: datetime) -> Events:
    """Complete the step, and the run if it was the last one open."""
    completed = e.StepCompleted(at=now, step=step.step_name)
    return (completed, *run_completion_events(run, step, now))


def run_completion_events(run: PipelineRun, step: StepState, now: datetime) -> Events:
    """Complete the run if this was its last open step."""
    others = (s for name, s in run.steps.items() if name != step.step_name)
    if run.is_finished or any(s.status not in DONE_STATUSES for s in others):
        return ()
    return (e.RunCompleted(at=now),)


# --- Joining passages of several answers into one text --------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSelection:
    """What is to be merged; where nothing is named, all passages that were taken."""

    responses: Sequence[int] = ()
    passages: Sequence[UUID] = ()
    content: str | None = None
    """The merged text in the writer's own wording."""


def selected_parts(step: StepState, selection: MergeSelection) -> tuple[MergePart, ...]:
    """Return the named answers, then the named passages (none named: all taken).

    Raises:
        NotFound: one of them is not there.
    """
    for index in selection.responses:
        check_response_index(step, index)
    answers = (step.ai_responses[index] for index in selection.responses)
    taken = {passage.passage_id: passage for passage in step.passages}
    wanted = selection.passages
    if not wanted and not selection.responses:
        wanted = list(taken)
    if missing := [str(name) for name in wanted if name not in taken]:
        raise NotFound(
            f"No passage {missing[0]} was taken in step {step.step_name!r}.",
            hint=f"Taken: {', '.join(map(str, taken)) or 'none'}.",
        )
    passages = [taken[name] for name in wanted]
    return (
        *(
            MergePart(response_id=a.response_id, text=a.processed_content)
            for a in answers
        ),
        *(MergePart(response_id=p.response_id, text=p.text) for p in passages),
    )


def require_parts(step: StepState, selection: MergeSelection) -> tuple[MergePart, ...]:
    """Return the parts to join.

    Raises:
        InvalidParams: there is nothing to join.
        NotFound: a part is not there.
    """
    joined = selected_parts(step, selection)
    if not joined and not (selection.content and selection.content.strip()):
        raise InvalidParams(
            "There is nothing to merge.",
            hint="Take passages, or name `responses`, `passages` or `content`.",
            problems=[{"path": "responses", "message": "nothing is named or taken"}],
        )
    return joined


def merge_responses(
    run: PipelineRun,
    step: StepState,
    selection: MergeSelection,
    now: datetime,
    feedback: str | None = None,
) -> Events:
    """Join parts of several answers by hand; the step is completed by it."""
    check_can_select(run, step, "merged")
    joined = require_parts(step, selection)
    content = selection.content
    if content is None or not content.strip():
        content = "\n\n".join(part.text for part in joined)
    elif not joined:
        joined = (MergePart(response_id=None, text=content),)
    merged = e.Merged(at=now, step=step.step_name, content=content, merged_from=joined)
    return (
        *resume_events(run, now),
        *feedback_events(step, feedback, now),
        merged,
        *completion_events(run, step, now),
    )


def add_passage(
    run: PipelineRun, step: StepState, passage: Passage, now: datetime
) -> Events:
    """Take a passage of an answer, streaming or ended, towards a merge."""
    if not passage.text.strip():
        raise InvalidParams(
            "An empty passage cannot be taken.",
            hint="Select some text of the answer.",
            problems=[{"path": "text", "message": "is empty"}],
        )
    if step.status not in {StepStatus.RUNNING, StepStatus.COMPLETED}:
        raise no_answers_error(step, "passage_taken")
    ids = [answer.response_id for answer in step.ai_responses]
    ids += [stream.response_id for stream in step.streaming]
    if passage.response_id not in ids:
        raise NotFound(
            f"Step {step.step_name!r} has no answer {passage.response_id}.",
            hint=f"Its answers: {', '.join(map(str, ids))}.",
        )
    taken = e.PassageTaken(at=now, step=step.step_name, passage=passage)
    return (*resume_events(run, now), taken)


# --- What the writer says about answers: words for later prompts, and scores ----------


def give_feedback(
    run: PipelineRun, step: StepState, text: str, now: datetime
) -> Events:
    """Say what later prompts should know about this step."""
    if step.status not in {StepStatus.RUNNING, StepStatus.COMPLETED}:
        raise no_answers_error(step, "feedback_given")
    return (*resume_events(run, now), *feedback_events(step, text, now))


def rate_response(
    run: PipelineRun, step: StepState, index: int, score: float | None, now: datetime
) -> Events:
    """Note how good the writer finds an answer, 0.0 to 1.0; None takes it back."""
    if score is not None and not 0 <= score <= 1:
        raise InvalidParams(
            f"A score of {score} is not between 0.0 and 1.0.",
            hint="0.0 is worst, 1.0 is best, null takes the score back.",
            problems=[{"path": "score", "message": "is not between 0.0 and 1.0"}],
        )
    if step.status not in {StepStatus.RUNNING, StepStatus.COMPLETED}:
        raise no_answers_error(step, "response_rated")
    check_response_index(step, index)
    rated = e.ResponseRated(
        at=now,
        step=step.step_name,
        response_id=step.ai_responses[index].response_id,
        score=score,
    )
    return (*resume_events(run, now), rated)
