"""The run's state machine: `apply(run, event) -> run`, and nothing else changes a run.

Rule 1: everything that affects the state of a run is in this file and in `changes`,
which says what an event does once this file has allowed it.
Rule 2: an event that the tables do not allow raises InvalidTransition and changes
nothing; runs are values, so there is nothing half done.

Theory of operation. A run moves between five statuses, each of its steps between
four. `RUN_TRANSITIONS` and `STEP_TRANSITIONS` list, for each status, the events that
may happen there and the status they lead to; `None` means "as the event's own
function decides". A run that PAUSED or failed (ERROR) takes no decision until a
RunResumed stands before it; `writeit.domain` puts it there.

That a text was applied to a document, or taken back, is no decision about the run but
a fact about the document: it is noted of a COMPLETED step whatever the run is doing,
and moves nothing. It does not resume a paused run.

While answers stream (`step.streaming` is not empty) they can only end, or the writer
can take passages and say words. When the last one ended and not one answer of the
step has text, the step is PENDING again; if it was a regeneration of which nothing
came, the step stands as before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import EVENT_ACTIONS, InvalidTransition
from writeit.domain.events import Event, RunEvent, StepEvent
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    AIResponse,
    AppliedText,
    PipelineRun,
    PipelineStatus,
    PreviousStepState,
    ResponseFailure,
    StepState,
    StepStatus,
    StreamingResponse,
)

# --- What each event does to its step. `machine` has checked that it may happen -------

_StepIs = StepStatus


def apply_step_event(  # noqa: C901, PLR0911, PLR0912 -- one arm an event: that is the table
    run: PipelineRun, step: StepState, event: StepEvent, status: PipelineStatus
) -> PipelineRun:
    """Return the run after `event` in `step`; `status` is the run's after it."""
    match event:
        case e.StepStarted():
            return run.with_step(_start_step(step, event), status=status)
        case e.StepRegenerated():
            return run.with_step(_regenerate_step(run, step, event), status=status)
        case e.StepCompleted():
            return run.with_step(_complete_step(step, event), status=status)
        case e.StepSkipped():
            return run.with_step(step.evolve(status=_StepIs.SKIPPED), status=status)
        case e.ResponseStarted():
            return run.with_step(_start_response(step, event))
        case e.ResponseReceived() | e.ResponseInterrupted():
            return run.with_step(_add_response(run, step, event.response))
        case e.ResponseFailed():
            return _add_failure(run, step, event)
        case e.ResponseSelected():
            return run.with_step(_select_response(step, event))
        case e.ResponseRated():
            return run.with_step(_rate_response(step, event))
        case e.PassageTaken():
            return run.with_step(_add_passage(step, event))
        case e.Merged():
            return run.with_step(_set_merged_content(step, event))
        case e.FeedbackGiven():
            return run.with_step(step.evolve(user_feedback=event.text or None))
        case e.TextApplied():
            here = AppliedText(
                uri=event.uri, step=event.step, at=event.at, mode=event.mode
            )
            return run.evolve(applied=(*_without_applied_text(run, event), here))
        case e.TextRestored():
            return run.evolve(applied=_without_applied_text(run, event))
        case _:
            assert_never(event)


def _without_applied_text(
    run: PipelineRun, event: e.TextApplied | e.TextRestored
) -> tuple[AppliedText, ...]:
    place = (event.uri, event.step)
    return tuple(a for a in run.applied if (a.uri, a.step) != place)


def transition_error(
    event: Event,
    state: PipelineStatus | StepStatus,
    allowed: Iterable[str],
) -> InvalidTransition:
    """Build the refusal of an event that the tables do not allow here."""
    where = f"step {event.step!r}" if hasattr(event, "step") else "the run"
    return InvalidTransition(
        f"To {EVENT_ACTIONS.get(event.type, event.type)} is not possible while"
        f" {where} is {state.value}.",
        state=state.value,
        attempted=event.type,
        allowed=allowed,
    )


def _start_step(step: StepState, event: e.StepStarted) -> StepState:
    replaced = {call.replaces for call in event.calls}
    fresh = step.status is _StepIs.PENDING
    return step.evolve(
        status=_StepIs.RUNNING,
        started_at=event.at if fresh else step.started_at,
        calls=step.calls + event.calls,
        failures=()
        if fresh
        else tuple(f for f in step.failures if f.response_id not in replaced),
    )


def _regenerate_step(
    run: PipelineRun, step: StepState, event: e.StepRegenerated
) -> StepState:
    if step.retry_count >= MAX_RETRIES:
        raise transition_error(event, step.status, ())
    said = step.user_feedback
    before = PreviousStepState(
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
        status=_StepIs.RUNNING,
        started_at=step.started_at or event.at,
        completed_at=None,
        user_selection=None,
        user_feedback=None if said == event.feedback else said,
        edited_content=None,
        merged_content=None,
        merged_from=(),
        retry_count=step.retry_count + 1,
        calls=step.calls + event.calls,
        failures=(),
        before=before,
    )


def _complete_step(step: StepState, event: e.StepCompleted) -> StepState:
    if step.content is None:
        raise transition_error(event, step.status, ("response_selected", "merged"))
    return step.evolve(status=_StepIs.COMPLETED, completed_at=event.at)


def _start_response(step: StepState, event: e.ResponseStarted) -> StepState:
    if not any(call.response_id == event.response_id for call in step.calls):
        raise transition_error(event, step.status, ())
    if event.response_id in _known_response_ids(step):
        raise transition_error(event, step.status, ())
    streaming = StreamingResponse(
        response_id=event.response_id, model=event.model, prompt=event.prompt
    )
    return step.evolve(streaming=(*step.streaming, streaming))


def _known_response_ids(step: StepState) -> set[UUID]:
    """Ids of calls that are streaming or have ended."""
    return {
        *(response.response_id for response in step.ai_responses),
        *(stream.response_id for stream in step.streaming),
        *(failure.response_id for failure in step.failures),
    }


def _other_streams(
    step: StepState, event: Event, response_id: UUID
) -> tuple[StreamingResponse, ...]:
    rest = tuple(s for s in step.streaming if s.response_id != response_id)
    if len(rest) == len(step.streaming):
        raise transition_error(event, step.status, ("response_started",))
    return rest


def _add_response(run: PipelineRun, step: StepState, response: AIResponse) -> StepState:
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


def _add_failure(
    run: PipelineRun, step: StepState, event: e.ResponseFailed
) -> PipelineRun:
    rest = _other_streams(step, event, event.response_id)
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
        return _restore_previous_state(run, step, step.before)
    if not step.ai_responses:
        step = step.evolve(status=_StepIs.PENDING, started_at=None)
    return run.with_step(step)


def _restore_previous_state(
    run: PipelineRun, step: StepState, previous: PreviousStepState
) -> PipelineRun:
    step = step.evolve(
        status=previous.status,
        started_at=None if previous.status is _StepIs.PENDING else step.started_at,
        completed_at=previous.completed_at,
        user_selection=previous.user_selection,
        # What was said meanwhile is newer than what the regeneration put aside.
        user_feedback=step.user_feedback or previous.user_feedback,
        edited_content=previous.edited_content,
        merged_content=previous.merged_content,
        merged_from=previous.merged_from,
        retry_count=previous.retry_count,
        before=None,
    )
    return run.with_step(step, status=previous.run_status)


def _select_response(step: StepState, event: e.ResponseSelected) -> StepState:
    if not 0 <= event.index < len(step.ai_responses):
        raise transition_error(event, step.status, ())
    return step.evolve(
        user_selection=event.index,
        edited_content=event.content,
        merged_content=None,
        merged_from=(),
    )


def _rate_response(step: StepState, event: e.ResponseRated) -> StepState:
    if step.find_response(event.response_id) is None:
        raise transition_error(event, step.status, ())
    others = {r: s for r, s in step.ratings.items() if r != event.response_id}
    if event.score is not None:
        others[event.response_id] = event.score
    return step.evolve(ratings=others)


def _add_passage(step: StepState, event: e.PassageTaken) -> StepState:
    ids = _known_response_ids(step)
    if event.passage.response_id not in ids:
        raise transition_error(event, step.status, ())
    return step.evolve(passages=(*step.passages, event.passage))


def _set_merged_content(step: StepState, event: e.Merged) -> StepState:
    if not step.ai_responses:
        raise transition_error(event, step.status, ("response_received",))
    return step.evolve(
        user_selection=None,
        edited_content=None,
        merged_content=event.content,
        merged_from=event.merged_from,
    )


# --- The run's state machine: `apply(run, event) -> run`, and nothing else changes a ru

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

ALLOWED_WHILE_STREAMING = frozenset(
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


def apply_event(run: PipelineRun | None, event: Event) -> PipelineRun:
    """Return the run after `event`.

    Raises:
        InvalidTransition: the tables do not allow the event here.
    """
    if isinstance(event, e.RunStarted | e.RunBranched):
        if run is not None:
            raise transition_error(event, run.status, ())
        return event.run
    if run is None:
        raise InvalidTransition(
            "A run begins by being started or branched.",
            state="NONE",
            attempted=event.type,
            allowed=("run_started", "run_branched"),
        )
    _check_run_allows(run, event)
    match event:
        case e.RunPaused() | e.RunResumed() | e.RunCompleted() | e.RunFailed():
            after = _apply_run_event(run, event)
        case _:
            step = _require_step(run, event)
            status = RUN_TRANSITIONS[run.status][event.type] or run.status
            after = apply_step_event(run, step, event, status)
    return after.evolve(updated_at=max(run.updated_at, event.at))


def replay(events: Iterable[Event], run: PipelineRun | None = None) -> PipelineRun:
    """Return what `events` make of `run` (of nothing, by default)."""
    for event in events:
        run = apply_event(run, event)
    if run is None:
        msg = "no events, no run"
        raise ValueError(msg)
    return run


def _check_run_allows(run: PipelineRun, event: Event) -> None:
    allowed = RUN_TRANSITIONS[run.status]
    if event.type not in allowed:
        raise transition_error(event, run.status, allowed)
    if run.is_streaming and event.type not in ALLOWED_WHILE_STREAMING:
        raise InvalidTransition(
            f"To {EVENT_ACTIONS.get(event.type, event.type)} has to wait until the"
            " answers have ended.",
            state="STREAMING",
            attempted=event.type,
            allowed=sorted(ALLOWED_WHILE_STREAMING),
        )


def _apply_run_event(run: PipelineRun, event: RunEvent) -> PipelineRun:
    status = RUN_TRANSITIONS[run.status][event.type]
    if isinstance(event, e.RunCompleted) and not run.is_finished:
        raise transition_error(event, run.status, ())
    return run.evolve(status=status)


def _require_step(run: PipelineRun, event: StepEvent) -> StepState:
    step = run.steps.get(event.step)
    if step is None:
        raise transition_error(event, run.status, ())
    allowed = STEP_TRANSITIONS[step.status]
    if event.type not in allowed:
        raise transition_error(event, step.status, allowed)
    names = run.step_names
    before = names[: names.index(event.step)]
    if any(run.steps[name].status not in DONE_STATUSES for name in before):
        raise transition_error(
            event, step.status, ("step_started on the current step",)
        )
    if event.type in _CONTENT_EVENTS and any(
        later.status is not Step.PENDING for later in run.later_steps(event.step)
    ):
        raise InvalidTransition(
            f"Step {event.step!r} cannot change once later steps have begun.",
            state=step.status.value,
            attempted=event.type,
            hint="Branch at this step: the child run shares all that came before.",
        )
    return step


_CONTENT_EVENTS = frozenset(
    {"step_started", "step_regenerated", "response_selected", "merged", "step_skipped"}
)
"""Events that change what later steps were given."""
