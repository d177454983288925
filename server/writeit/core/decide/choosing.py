"""Choosing among the answers of a step, or going on without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.decide.common import allowed_on, busy, check_index, resumed, words
from writeit.core.errors import InvalidParams, InvalidTransition
from writeit.core.run import (
    DONE,
    PipelineRun,
    StepState,
    StepStatus,
)

if TYPE_CHECKING:
    from datetime import datetime

    from writeit.core.decide.common import Events


def select(
    run: PipelineRun,
    step: StepState,
    index: int,
    at: datetime,
    *,
    content: str | None = None,
    feedback: str | None = None,
) -> Events:
    """Choose answer `index`, in the writer's own wording if `content` is given.

    Raises:
        InvalidParams: there is no word in that wording.
    """
    check_choosable(run, step, "response_selected")
    check_index(step, index)
    if content is not None and not content.strip():
        raise InvalidParams(
            "There is not a word in your wording of the answer.",
            hint="Choose it as it is, or write what the next step should get.",
            problems=[{"path": "content", "message": "is empty"}],
        )
    return (
        *resumed(run, at),
        *words(step, feedback, at),
        e.ResponseSelected(at=at, step=step.step_name, index=index, content=content),
        *completion(run, step, at),
    )


def skip(run: PipelineRun, step: StepState, at: datetime) -> Events:
    """Go on without a pending step."""
    check_skippable(run, step)
    skipped = e.StepSkipped(at=at, step=step.step_name)
    return (*resumed(run, at), skipped, *run_completion(run, step, at))


def check_skippable(run: PipelineRun, step: StepState) -> None:
    """Refuse to skip a step unless the run is at it and no model was asked."""
    if run.is_streaming:
        raise busy(run)
    if step.status is not StepStatus.PENDING or step.step_name != run.current_step:
        raise InvalidTransition(
            f"Step {step.step_name!r} is {step.status.value}; only the next pending"
            " step can be skipped.",
            state=step.status.value,
            attempted="step_skipped",
            allowed=allowed_on(step),
        )


def check_choosable(run: PipelineRun, step: StepState, attempted: str) -> None:
    """Refuse unless the step has answers, is quiet, and nothing builds on it."""
    if step.streaming:
        raise busy(run)
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
            allowed=allowed_on(step),
        )


def completion(run: PipelineRun, step: StepState, at: datetime) -> Events:
    """Complete the step, and the run if it was the last one open."""
    completed = e.StepCompleted(at=at, step=step.step_name)
    return (completed, *run_completion(run, step, at))


def run_completion(run: PipelineRun, step: StepState, at: datetime) -> Events:
    """Complete the run if this was its last open step."""
    others = (s for name, s in run.steps.items() if name != step.step_name)
    if run.is_finished or any(s.status not in DONE for s in others):
        return ()
    return (e.RunCompleted(at=at),)
