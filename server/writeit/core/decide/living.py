"""A run as a whole: paused, resumed, branched, made the active one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.decide.common import busy, resumed
from writeit.core.errors import InvalidParams, InvalidTransition
from writeit.core.machine import RUN_TRANSITIONS
from writeit.core.run import (
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide.common import Events
    from writeit.core.pipeline import PipelineConfiguration


def pause(run: PipelineRun, at: datetime, reason: str = "") -> Events:
    """Interrupt the run; the caller has ended what streamed."""
    if run.is_streaming:
        raise busy(run)
    check_pausable(run)
    return (e.RunPaused(at=at, reason=reason),)


def check_pausable(run: PipelineRun) -> None:
    """Refuse to pause a run that is not running; answers may be streaming."""
    if run.status is not PipelineStatus.RUNNING:
        raise _not_from(run, "run_paused", "Only a running run can be paused.")


def resume(run: PipelineRun, at: datetime) -> Events:
    """Let a paused or failed run go on; sends nothing."""
    check_resumable(run)
    return resumed(run, at)


def check_resumable(run: PipelineRun) -> None:
    """Refuse to resume a run that was neither paused nor failed."""
    if run.status not in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        raise _not_from(
            run, "run_resumed", "Only a paused or failed run can be resumed."
        )


def branch(
    run: PipelineRun, step: StepState, child_id: UUID, at: datetime, name: str | None
) -> e.RunBranched:
    """Make a child run that shares the steps before `step` and its ended answers."""
    check_branchable(run, step)
    here = run.step_names.index(step.step_name)
    steps = {
        state.step_name: state if index < here else StepState(step_name=state.step_name)
        for index, state in enumerate(run.steps.values())
    }
    steps[step.step_name] = _shared(step)
    begun = any(state.status is not StepStatus.PENDING for state in steps.values())
    child = run.evolve(
        pipeline_run_id=child_id,
        parent_pipeline_run_id=run.pipeline_run_id,
        branch_point=step.step_name,
        created_at=at,
        updated_at=at,
        current_step=step.step_name,
        status=PipelineStatus.RUNNING if begun else PipelineStatus.INITIALIZING,
        steps=steps,
        name=name,
        applied=(),
    )
    return e.RunBranched(at=at, run=child)


def check_branchable(run: PipelineRun, step: StepState) -> None:
    """Refuse to branch at a step that the run has not reached."""
    names = run.step_names
    if names.index(step.step_name) > names.index(run.current_step):
        raise InvalidTransition(
            f"Step {step.step_name!r} has not been reached; the run stands at"
            f" {run.current_step!r}.",
            state=step.status.value,
            attempted="run_branched",
            hint=f"Branch at {run.current_step!r} or earlier.",
        )


def may_be_active(configuration: PipelineConfiguration | None) -> bool:
    """Whether a run of it can be a session's active one: a passage's never is.

    Of one whose configuration is lost nobody knows; it may.
    """
    return configuration is None or configuration.applies_to == "document"


def check_may_be_active(
    run: PipelineRun, configuration: PipelineConfiguration | None
) -> None:
    """Refuse to make a run active that is about a passage.

    Raises:
        InvalidParams: commands about the document would go to the passage's run.
    """
    if may_be_active(configuration):
        return
    raise InvalidParams(
        f"Run {run.pipeline_run_id} is about a passage; only a run of a whole document"
        " can be the active one. It is as it was.",
        hint="Name the run in the command itself: each takes its `runId`.",
        problems=[{"path": "runId", "message": "is a run about a passage"}],
    )


def _shared(step: StepState) -> StepState:
    """The branch step of a child: its ended answers, and no choice among them."""
    if not step.ai_responses:
        return StepState(step_name=step.step_name)
    ended = {response.response_id for response in step.ai_responses}
    return StepState(
        step_name=step.step_name,
        status=StepStatus.RUNNING,
        started_at=step.started_at,
        ai_responses=step.ai_responses,
        calls=tuple(call for call in step.calls if call.response_id in ended),
        ratings=step.ratings,
    )


def _not_from(run: PipelineRun, attempted: str, message: str) -> InvalidTransition:
    return InvalidTransition(
        message,
        state=run.status.value,
        attempted=attempted,
        allowed=sorted(RUN_TRANSITIONS[run.status]),
    )
