"""The run's state machine: `apply(run, event) -> run`, and nothing else changes a run.

Rule 1: everything that affects the state of a run is in this file.
Rule 2: an event that the tables do not allow raises InvalidTransition and changes
nothing; runs are values, so there is nothing half done.

Theory of operation. A run moves between five statuses, each of its steps between
four. `RUN_TRANSITIONS` and `STEP_TRANSITIONS` list, for each status, the events that
may happen there and the status they lead to; `None` means "as the event's own
function decides". A run that PAUSED or failed (ERROR) takes no decision until a
RunResumed stands before it; `writeit.core.decide` puts it there.

While answers stream (`step.streaming` is not empty) they can only end, or the writer
can take passages and say words. When the last one ended and not one answer of the
step has text, the step is PENDING again; if it was a regeneration of which nothing
came, the step stands as before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from writeit.core import events as e
from writeit.core.errors import InvalidTransition
from writeit.core.run import (
    DONE,
    PipelineRun,
    PipelineStatus,
    ResponseFailure,
    StepBefore,
    StepState,
    StepStatus,
    StreamingResponse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from writeit.core.events import Event, RunEvent, StepEvent
    from writeit.core.run import AIResponse

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
        "passage_taken": None,
        "merged": None,
        "feedback_given": None,
    },
    Run.PAUSED: {"run_resumed": Run.RUNNING, "run_failed": Run.ERROR},
    Run.ERROR: {"run_resumed": Run.RUNNING},
    Run.COMPLETED: {
        "step_regenerated": Run.RUNNING,
        "response_selected": None,
        "merged": None,
        "step_completed": None,
        "passage_taken": None,
        "feedback_given": None,
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
        "passage_taken": Step.RUNNING,
        "merged": Step.RUNNING,
        "feedback_given": Step.RUNNING,
    },
    Step.COMPLETED: {
        "step_regenerated": Step.RUNNING,
        "response_selected": Step.COMPLETED,
        "merged": Step.COMPLETED,
        "step_completed": Step.COMPLETED,
        "passage_taken": Step.COMPLETED,
        "feedback_given": Step.COMPLETED,
    },
    Step.SKIPPED: {},
}

WHILE_STREAMING = frozenset(
    {
        "response_started",
        "response_received",
        "response_interrupted",
        "response_failed",
        "passage_taken",
        "feedback_given",
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
            raise _refused(run, event, run.status, ())
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
            after = _change_step(run, event)
    return after.evolve(updated_at=max(run.updated_at, event.at))


def replay(events: Iterable[Event], run: PipelineRun | None = None) -> PipelineRun:
    """Return what `events` make of `run` (of nothing, by default)."""
    for event in events:
        run = apply(run, event)
    if run is None:
        msg = "no events, no run"
        raise ValueError(msg)
    return run


def _refused(
    run: PipelineRun,
    event: Event,
    state: PipelineStatus | StepStatus,
    allowed: Iterable[str],
) -> InvalidTransition:
    where = f"step {event.step!r}" if hasattr(event, "step") else "the run"
    return InvalidTransition(
        f"{event.type} cannot happen while {where} is {state.value}"
        f" (run {run.pipeline_run_id}).",
        state=state.value,
        attempted=event.type,
        allowed=allowed,
    )


def _check_run(run: PipelineRun, event: Event) -> None:
    allowed = RUN_TRANSITIONS[run.status]
    if event.type not in allowed:
        raise _refused(run, event, run.status, allowed)
    if run.is_streaming and event.type not in WHILE_STREAMING:
        raise InvalidTransition(
            f"{event.type} has to wait until the answers have ended.",
            state="STREAMING",
            attempted=event.type,
            allowed=sorted(WHILE_STREAMING),
        )


def _change_run(run: PipelineRun, event: RunEvent) -> PipelineRun:
    status = RUN_TRANSITIONS[run.status][event.type]
    if isinstance(event, e.RunCompleted) and any(
        step.status not in DONE for step in run.steps.values()
    ):
        raise _refused(run, event, run.status, ())
    return run.evolve(status=status)


def _change_step(  # noqa: C901, PLR0911 -- one arm an event: that is the table
    run: PipelineRun, event: StepEvent
) -> PipelineRun:
    """Dispatch an event of one step to what it does there."""
    step = _checked_step(run, event)
    status = RUN_TRANSITIONS[run.status][event.type] or run.status
    match event:
        case e.StepStarted():
            return run.with_step(_started(step, event), status=status)
        case e.StepRegenerated():
            return run.with_step(_regenerated(run, step, event), status=status)
        case e.StepCompleted():
            return run.with_step(_completed(run, step, event), status=status)
        case e.StepSkipped():
            return run.with_step(step.evolve(status=Step.SKIPPED), status=status)
        case e.ResponseStarted():
            return run.with_step(_response_started(run, step, event))
        case e.ResponseReceived() | e.ResponseInterrupted():
            return run.with_step(_answered(run, step, event.response))
        case e.ResponseFailed():
            return _failed(run, step, event)
        case e.ResponseSelected():
            return run.with_step(_selected(run, step, event))
        case e.PassageTaken():
            return run.with_step(_passage_taken(run, step, event))
        case e.Merged():
            return run.with_step(_merged(run, step, event))
        case e.FeedbackGiven():
            return run.with_step(step.evolve(user_feedback=event.text or None))
        case _:
            assert_never(event)


def _checked_step(run: PipelineRun, event: StepEvent) -> StepState:
    step = run.steps.get(event.step)
    if step is None:
        raise _refused(run, event, run.status, ())
    allowed = STEP_TRANSITIONS[step.status]
    if event.type not in allowed:
        raise _refused(run, event, step.status, allowed)
    names = run.step_names
    before = names[: names.index(event.step)]
    if any(run.steps[name].status not in DONE for name in before):
        raise _refused(run, event, step.status, ("step_started on the current step",))
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


def _started(step: StepState, event: e.StepStarted) -> StepState:
    replaced = {call.replaces for call in event.calls}
    fresh = step.status is Step.PENDING
    return step.evolve(
        status=Step.RUNNING,
        started_at=event.at if fresh else step.started_at,
        calls=step.calls + event.calls,
        failures=()
        if fresh
        else tuple(f for f in step.failures if f.response_id not in replaced),
    )


def _regenerated(
    run: PipelineRun, step: StepState, event: e.StepRegenerated
) -> StepState:
    before = StepBefore(
        status=step.status,
        completed_at=step.completed_at,
        user_selection=step.user_selection,
        user_feedback=step.user_feedback,
        edited_content=step.edited_content,
        merged_content=step.merged_content,
        merged_from=step.merged_from,
        retry_count=step.retry_count,
        run_status=run.status,
    )
    return step.evolve(
        status=Step.RUNNING,
        started_at=step.started_at or event.at,
        completed_at=None,
        user_selection=None,
        user_feedback=None,
        edited_content=None,
        merged_content=None,
        merged_from=(),
        retry_count=step.retry_count + 1,
        calls=step.calls + event.calls,
        failures=(),
        before=before,
    )


def _completed(run: PipelineRun, step: StepState, event: e.StepCompleted) -> StepState:
    if step.content is None:
        raise _refused(run, event, step.status, ("response_selected", "merged"))
    return step.evolve(status=Step.COMPLETED, completed_at=event.at)


def _response_started(
    run: PipelineRun, step: StepState, event: e.ResponseStarted
) -> StepState:
    if not any(call.response_id == event.response_id for call in step.calls):
        raise _refused(run, event, step.status, ())
    if event.response_id in _settled(step):
        raise _refused(run, event, step.status, ())
    streaming = StreamingResponse(
        response_id=event.response_id, model=event.model, prompt=event.prompt
    )
    return step.evolve(streaming=(*step.streaming, streaming))


def _settled(step: StepState) -> set[UUID]:
    """Ids of calls that are streaming or have ended."""
    return {
        *(response.response_id for response in step.ai_responses),
        *(stream.response_id for stream in step.streaming),
        *(failure.response_id for failure in step.failures),
    }


def _without_stream(
    run: PipelineRun, step: StepState, event: Event, response_id: UUID
) -> tuple[StreamingResponse, ...]:
    rest = tuple(s for s in step.streaming if s.response_id != response_id)
    if len(rest) == len(step.streaming):
        raise _refused(run, event, step.status, ("response_started",))
    return rest


def _answered(run: PipelineRun, step: StepState, response: AIResponse) -> StepState:
    rest = tuple(s for s in step.streaming if s.response_id != response.response_id)
    if len(rest) == len(step.streaming):
        raise InvalidTransition(
            f"Answer {response.response_id} is not streaming"
            f" (run {run.pipeline_run_id}).",
            state=step.status.value,
            attempted="response_received",
        )
    return step.evolve(
        streaming=rest, ai_responses=(*step.ai_responses, response), before=None
    )


def _failed(run: PipelineRun, step: StepState, event: e.ResponseFailed) -> PipelineRun:
    rest = _without_stream(run, step, event, event.response_id)
    failure = ResponseFailure(
        response_id=event.response_id,
        model=event.model,
        reason=event.reason,
        message=event.message,
    )
    step = step.evolve(streaming=rest, failures=(*step.failures, failure))
    if rest:
        return run.with_step(step)
    if step.before is not None:
        return _as_before(run, step, step.before)
    if not step.ai_responses:
        step = step.evolve(status=Step.PENDING, started_at=None)
    return run.with_step(step)


def _as_before(run: PipelineRun, step: StepState, before: StepBefore) -> PipelineRun:
    step = step.evolve(
        status=before.status,
        started_at=None if before.status is Step.PENDING else step.started_at,
        completed_at=before.completed_at,
        user_selection=before.user_selection,
        user_feedback=before.user_feedback,
        edited_content=before.edited_content,
        merged_content=before.merged_content,
        merged_from=before.merged_from,
        retry_count=before.retry_count,
        before=None,
    )
    return run.with_step(step, status=before.run_status)


def _selected(
    run: PipelineRun, step: StepState, event: e.ResponseSelected
) -> StepState:
    if event.index >= len(step.ai_responses):
        raise _refused(run, event, step.status, ())
    return step.evolve(
        user_selection=event.index,
        edited_content=event.content,
        merged_content=None,
        merged_from=(),
    )


def _passage_taken(
    run: PipelineRun, step: StepState, event: e.PassageTaken
) -> StepState:
    ids = _settled(step)
    if event.passage.response_id not in ids:
        raise _refused(run, event, step.status, ())
    return step.evolve(passages=(*step.passages, event.passage))


def _merged(run: PipelineRun, step: StepState, event: e.Merged) -> StepState:
    if not step.ai_responses:
        raise _refused(run, event, step.status, ("response_received",))
    return step.evolve(
        user_selection=None,
        edited_content=None,
        merged_content=event.content,
        merged_from=event.merged_from,
    )
