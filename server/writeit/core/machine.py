"""The run's state machine: `apply(run, event) -> run`, and nothing else changes a run.

Rule 1: everything that affects the state of a run is in this file and in `changes`,
which says what an event does once this file has allowed it.
Rule 2: an event that the tables do not allow raises InvalidTransition and changes
nothing; runs are values, so there is nothing half done.

Theory of operation. A run moves between five statuses, each of its steps between
four. `RUN_TRANSITIONS` and `STEP_TRANSITIONS` list, for each status, the events that
may happen there and the status they lead to; `None` means "as the event's own
function decides". A run that PAUSED or failed (ERROR) takes no decision until a
RunResumed stands before it; `writeit.core.decide` puts it there.

That a text was applied to a document, or taken back, is no decision about the run but
a fact about the document: it is noted of a COMPLETED step whatever the run is doing,
and moves nothing. It does not resume a paused run.

While answers stream (`step.streaming` is not empty) they can only end, or the writer
can take passages and say words. When the last one ended and not one answer of the
step has text, the step is PENDING again; if it was a regeneration of which nothing
came, the step stands as before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.changes import change, refused
from writeit.core.errors import IN_WORDS, InvalidTransition
from writeit.core.run import (
    DONE,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from writeit.core.events import Event, RunEvent, StepEvent

Run, Step = PipelineStatus, StepStatus

RUN_TRANSITIONS: dict[PipelineStatus, dict[str, PipelineStatus | None]] = {
    Run.INITIALIZING: {
        "step_started": Run.RUNNING,
        "step_skipped": Run.RUNNING,
        "run_failed": Run.ERROR,
    },
    Run.RUNNING: {
        "run_paused": Run.PAUSED,
        "run_completed": Run.COMPLETED,
        "run_failed": Run.ERROR,
        "step_started": None,
        "step_regenerated": None,
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
    },
    Run.PAUSED: {
        "run_resumed": Run.RUNNING,
        "run_failed": Run.ERROR,
        "text_applied": None,
        "text_restored": None,
    },
    Run.ERROR: {
        "run_resumed": Run.RUNNING,
        "run_failed": Run.ERROR,
        "text_applied": None,
        "text_restored": None,
    },
    Run.COMPLETED: {
        "step_regenerated": Run.RUNNING,
        "response_selected": None,
        "merged": None,
        "step_completed": None,
        "response_rated": None,
        "passage_taken": None,
        "feedback_given": None,
        "text_applied": None,
        "text_restored": None,
        "run_failed": Run.ERROR,
    },
}
"""Status transitions follow valid state machine."""

STEP_TRANSITIONS: dict[StepStatus, dict[str, StepStatus | None]] = {
    Step.PENDING: {
        "step_started": Step.RUNNING,
        "step_regenerated": Step.RUNNING,
        "step_skipped": Step.SKIPPED,
    },
    Step.RUNNING: {
        "step_started": Step.RUNNING,
        "step_regenerated": Step.RUNNING,
        "step_completed": Step.COMPLETED,
        "response_started": Step.RUNNING,
        "response_received": Step.RUNNING,
        "response_interrupted": Step.RUNNING,
        "response_failed": None,
        "response_selected": Step.RUNNING,
        "response_rated": Step.RUNNING,
        "passage_taken": Step.RUNNING,
        "merged": Step.RUNNING,
        "feedback_given": Step.RUNNING,
    },
    Step.COMPLETED: {
        "step_regenerated": Step.RUNNING,
        "response_selected": Step.COMPLETED,
        "response_rated": Step.COMPLETED,
        "merged": Step.COMPLETED,
        "step_completed": Step.COMPLETED,
        "passage_taken": Step.COMPLETED,
        "feedback_given": Step.COMPLETED,
        "text_applied": Step.COMPLETED,
        "text_restored": Step.COMPLETED,
    },
    Step.SKIPPED: {},
}

WHILE_STREAMING = frozenset(
    {
        "response_started",
        "response_received",
        "response_interrupted",
        "response_failed",
        "response_rated",
        "passage_taken",
        "feedback_given",
        "text_applied",
        "text_restored",
    }
)
"""What may happen while answers of the run are on their way."""


def apply(run: PipelineRun | None, event: Event) -> PipelineRun:
    """Return the run after `event`.

    Raises:
        InvalidTransition: the tables do not allow the event here.
    """
    if isinstance(event, e.RunStarted | e.RunBranched):
        if run is not None:
            raise refused(event, run.status, ())
        return event.run
    if run is None:
        raise InvalidTransition(
            "A run begins by being started or branched.",
            state="NONE",
            attempted=event.type,
            allowed=("run_started", "run_branched"),
        )
    _check_run(run, event)
    match event:
        case e.RunPaused() | e.RunResumed() | e.RunCompleted() | e.RunFailed():
            after = _change_run(run, event)
        case _:
            step = _checked_step(run, event)
            status = RUN_TRANSITIONS[run.status][event.type] or run.status
            after = change(run, step, event, status)
    return after.evolve(updated_at=max(run.updated_at, event.at))


def replay(events: Iterable[Event], run: PipelineRun | None = None) -> PipelineRun:
    """Return what `events` make of `run` (of nothing, by default)."""
    for event in events:
        run = apply(run, event)
    if run is None:
        msg = "no events, no run"
        raise ValueError(msg)
    return run


def _check_run(run: PipelineRun, event: Event) -> None:
    allowed = RUN_TRANSITIONS[run.status]
    if event.type not in allowed:
        raise refused(event, run.status, allowed)
    if run.is_streaming and event.type not in WHILE_STREAMING:
        raise InvalidTransition(
            f"To {IN_WORDS.get(event.type, event.type)} has to wait until the answers"
            " have ended.",
            state="STREAMING",
            attempted=event.type,
            allowed=sorted(WHILE_STREAMING),
        )


def _change_run(run: PipelineRun, event: RunEvent) -> PipelineRun:
    status = RUN_TRANSITIONS[run.status][event.type]
    if isinstance(event, e.RunCompleted) and not run.is_finished:
        raise refused(event, run.status, ())
    return run.evolve(status=status)


def _checked_step(run: PipelineRun, event: StepEvent) -> StepState:
    step = run.steps.get(event.step)
    if step is None:
        raise refused(event, run.status, ())
    allowed = STEP_TRANSITIONS[step.status]
    if event.type not in allowed:
        raise refused(event, step.status, allowed)
    names = run.step_names
    before = names[: names.index(event.step)]
    if any(run.steps[name].status not in DONE for name in before):
        raise refused(event, step.status, ("step_started on the current step",))
    if event.type in _REWRITING and any(
        later.status is not Step.PENDING for later in run.later_steps(event.step)
    ):
        raise InvalidTransition(
            f"Step {event.step!r} cannot change once later steps have begun.",
            state=step.status.value,
            attempted=event.type,
            hint="Branch at this step: the child run shares all that came before.",
        )
    return step


_REWRITING = frozenset(
    {"step_started", "step_regenerated", "response_selected", "merged", "step_skipped"}
)
"""Events that change what later steps were given."""
