"""The allowed events in each status, and the words of refusals."""

from __future__ import annotations

from collections.abc import Iterable

from writeit.domain.errors import InvalidTransition
from writeit.domain.events import USER_ACTIONS
from writeit.domain.run import (
    PipelineStatus,
    StepState,
    StepStatus,
)

_STOPPED_TRANSITIONS: dict[str, PipelineStatus | None] = {
    "run_resumed": PipelineStatus.RUNNING,
    "run_failed": PipelineStatus.ERROR,
    "run_moved": None,
    "text_applied": None,
    "text_restored": None,
    "remark_dismissed": None,
    "remark_restored": None,
}

RUN_TRANSITIONS: dict[PipelineStatus, dict[str, PipelineStatus | None]] = {
    PipelineStatus.INITIALIZING: {
        "step_started": PipelineStatus.RUNNING,
        "step_skipped": PipelineStatus.RUNNING,
        "run_failed": PipelineStatus.ERROR,
        "run_moved": None,
    },
    PipelineStatus.RUNNING: {
        "run_paused": PipelineStatus.PAUSED,
        "run_completed": PipelineStatus.COMPLETED,
        "run_failed": PipelineStatus.ERROR,
        "run_moved": None,
        "step_started": None,
        "step_regenerated": None,
        "step_continued": None,
        "step_completed": None,
        "step_skipped": None,
        "response_started": None,
        "response_received": None,
        "response_interrupted": None,
        "response_failed": None,
        "response_selected": None,
        "response_rated": None,
        "passage_taken": None,
        "merged": None,
        "feedback_given": None,
        "text_applied": None,
        "text_restored": None,
        "remark_dismissed": None,
        "remark_restored": None,
    },
    PipelineStatus.PAUSED: _STOPPED_TRANSITIONS,
    PipelineStatus.ERROR: _STOPPED_TRANSITIONS,
    PipelineStatus.COMPLETED: {
        "step_regenerated": PipelineStatus.RUNNING,
        "step_continued": PipelineStatus.RUNNING,
        "response_selected": None,
        "merged": None,
        "step_completed": None,
        "response_rated": None,
        "passage_taken": None,
        "feedback_given": None,
        "text_applied": None,
        "text_restored": None,
        "remark_dismissed": None,
        "remark_restored": None,
        "run_failed": PipelineStatus.ERROR,
        "run_moved": None,
    },
}
"""The events allowed in each status of a run, and the status they lead to."""

STEP_TRANSITIONS: dict[StepStatus, dict[str, StepStatus | None]] = {
    StepStatus.PENDING: {
        "step_started": StepStatus.RUNNING,
        "step_regenerated": StepStatus.RUNNING,
        "step_skipped": StepStatus.SKIPPED,
    },
    StepStatus.RUNNING: {
        "step_started": StepStatus.RUNNING,
        "step_regenerated": StepStatus.RUNNING,
        "step_continued": StepStatus.RUNNING,
        "step_completed": StepStatus.COMPLETED,
        "response_started": StepStatus.RUNNING,
        "response_received": StepStatus.RUNNING,
        "response_interrupted": StepStatus.RUNNING,
        "response_failed": None,
        "response_selected": StepStatus.RUNNING,
        "response_rated": StepStatus.RUNNING,
        "passage_taken": StepStatus.RUNNING,
        "merged": StepStatus.RUNNING,
        "feedback_given": StepStatus.RUNNING,
    },
    StepStatus.COMPLETED: {
        "step_regenerated": StepStatus.RUNNING,
        "step_continued": StepStatus.RUNNING,
        "response_selected": StepStatus.COMPLETED,
        "response_rated": StepStatus.COMPLETED,
        "merged": StepStatus.COMPLETED,
        "step_completed": StepStatus.COMPLETED,
        "passage_taken": StepStatus.COMPLETED,
        "feedback_given": StepStatus.COMPLETED,
        "text_applied": StepStatus.COMPLETED,
        "text_restored": StepStatus.COMPLETED,
    },
    StepStatus.SKIPPED: {},
}
"""The events allowed in each status of a step, and the status they lead to."""

ALLOWED_WHILE_STREAMING = frozenset(
    {
        "response_started",
        "response_received",
        "response_interrupted",
        "response_failed",
        "response_rated",
        "passage_taken",
        "feedback_given",
        "run_moved",
        "text_applied",
        "text_restored",
        "remark_dismissed",
        "remark_restored",
    }
)
"""The events allowed while answers of the run are streaming."""

_STATUS_WORDS: dict[PipelineStatus | StepStatus, str] = {
    PipelineStatus.INITIALIZING: "has not started",
    PipelineStatus.RUNNING: "is running",
    PipelineStatus.PAUSED: "is stopped",
    PipelineStatus.COMPLETED: "is completed",
    PipelineStatus.ERROR: "has failed",
    StepStatus.PENDING: "has no answers yet",
    StepStatus.RUNNING: "is waiting for a choice",
    StepStatus.COMPLETED: "is completed",
    StepStatus.SKIPPED: "was skipped",
}


def transition_error(
    attempted: str,
    state: str,
    reason: str,
    *,
    allowed: Iterable[str] = (),
    hint: str = "",
) -> InvalidTransition:
    """Return the error for an event that is not allowed; `reason` is a clause."""
    action = USER_ACTIONS.get(attempted, f"record {attempted}")
    return InvalidTransition(
        f"Cannot {action}: {reason}.",
        state=str(state),
        attempted=attempted,
        allowed=allowed,
        hint=hint,
    )


def status_clause(subject: str, status: PipelineStatus | StepStatus) -> str:
    """Return a clause that says what status `subject` has."""
    return f"{subject} {_STATUS_WORDS[status]}"


def allowed_actions_hint(allowed: Iterable[str]) -> str:
    """Return a hint that names the user's actions among the `allowed` event types."""
    names = set(allowed)
    actions = [action for name, action in USER_ACTIONS.items() if name in names]
    if not actions:
        return ""
    *others, last = actions
    return f"You can {', '.join(others)} or {last}." if others else f"You can {last}."


def later_steps_error(step: StepState, attempted: str) -> InvalidTransition:
    """Return the error for a change of a step that later steps were built on."""
    return transition_error(
        attempted,
        step.status,
        f"step {step.step_name} cannot change once later steps have begun",
        hint="Branch at this step: the branch shares the earlier steps.",
    )
