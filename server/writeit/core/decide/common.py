"""What several decisions share: refusals, and the events in front of a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.errors import (
    Busy,
    InvalidTransition,
    NotFound,
)
from writeit.core.run import (
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from writeit.core.events import Event


Events = tuple["Event", ...]
"""What a decision comes to."""


def step_of(run: PipelineRun, step: str | None) -> StepState:
    """Return the step called `step`, the current one if None.

    Raises:
        NotFound: the run has no such step.
    """
    name = run.current_step if step is None else step
    if name not in run.steps:
        raise NotFound.among("step", name, run.steps)
    return run.steps[name]


def answered_step_of(run: PipelineRun, step: str | None) -> StepState:
    """Return the step called `step`; if None the last one with answers, else current.

    Raises:
        NotFound: the run has no such step.
    """
    if step is None:
        for state in reversed(run.steps.values()):
            if state.ai_responses:
                return state
    return step_of(run, step)


def response_id_of(step: StepState, response: int | UUID) -> UUID:
    """Return the id of an answer given by index or id, ended or streaming.

    Raises:
        NotFound: the step has no such answer.
    """
    if isinstance(response, int):
        check_index(step, response)
        return step.ai_responses[response].response_id
    return response


def ended_response_id_of(step: StepState, response: int | UUID) -> UUID:
    """Return the id of an answer that has ended.

    Raises:
        NotFound: the step has no such answer, or it still streams.
    """
    response_id = response_id_of(step, response)
    if step.response(response_id) is None:
        known = [str(answer.response_id) for answer in step.ai_responses]
        raise NotFound.among("ended answer", str(response_id), known)
    return response_id


def busy(run: PipelineRun) -> Busy:
    """Build the refusal for a run whose answers are streaming."""
    return Busy(
        f"Answers of run {run.pipeline_run_id} are streaming.",
        hint="Wait for them, or stop them with writeit.run.pause; what came is kept.",
        runId=str(run.pipeline_run_id),
    )


def check_index(step: StepState, index: int) -> None:
    """Refuse an index that no answer of the step has."""
    count = len(step.ai_responses)
    if not 0 <= index < count:
        raise NotFound(
            f"Step {step.step_name!r} has no answer {index}.",
            hint=f"It has {count}: 0 to {count - 1}." if count else "It has none yet.",
        )


def nothing_there(step: StepState, attempted: str) -> InvalidTransition:
    """Build the refusal for a step that has nothing to do it to."""
    return InvalidTransition(
        f"Step {step.step_name!r} is {step.status.value}; there is nothing to do"
        " that to.",
        state=step.status.value,
        attempted=attempted,
        allowed=allowed_on(step),
    )


def allowed_on(step: StepState) -> tuple[str, ...]:
    """Name the commands that a step in this status takes."""
    match step.status:
        case StepStatus.PENDING:
            return ("step.run", "step.skip")
        case StepStatus.RUNNING:
            return ("step.select", "step.merge", "step.regenerate")
        case StepStatus.COMPLETED:
            return ("step.regenerate", "run.branch")
        case StepStatus.SKIPPED:
            return ("run.branch",)


def resumed(run: PipelineRun, at: datetime) -> Events:
    """Any decision on a PAUSED or ERROR run resumes it; a finished one is COMPLETED."""
    if run.status not in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        return ()
    if run.is_finished:
        return (e.RunResumed(at=at), e.RunCompleted(at=at))
    return (e.RunResumed(at=at),)


def words(step: StepState, feedback: str | None, at: datetime) -> Events:
    """Give feedback with a decision, where it says some."""
    if feedback is None:
        return ()
    return (e.FeedbackGiven(at=at, step=step.step_name, text=feedback),)
