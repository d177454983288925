"""The state machine of runs: `apply_event(run, event)` returns the changed run.

Nothing else changes a run. An event that the tables do not allow raises
InvalidTransition; runs are immutable, so nothing is left half done.

Theory of operation. A run has one of five statuses, each of its steps one of four.
For each status, the tables in `writeit.domain.transitions` list the allowed events and
the status they lead to; `None` means that the event's own function decides. A run that
is PAUSED or failed (ERROR) accepts no decision before a RunResumed, which
`writeit.domain.operations` puts in front of the decision.

That a text was applied to a document, or reverted, or that a document has another name
now, is a fact about the document. It is recorded in any status of the run (a text for a
COMPLETED step) and changes no status.

While answers stream (`step.streaming` is not empty), only their ends, passages, ratings
and feedback are allowed. If the last one ends and no answer of the step has text, the
step is PENDING again; after a failed regeneration it is as it was before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.answer import ResponseFailure, StreamingResponse
from writeit.domain.blind import with_known_models
from writeit.domain.errors import InvalidTransition
from writeit.domain.events import Event, StepEvent
from writeit.domain.remarks import Dismissal
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    AppliedText,
    PipelineRun,
    PipelineStatus,
    PreviousStepState,
    StepState,
    StepStatus,
)
from writeit.domain.transitions import (
    ALLOWED_WHILE_STREAMING,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    allowed_actions_hint,
    later_steps_error,
    status_clause,
    transition_error,
)

_CONTENT_EVENTS = frozenset(
    {"step_started", "step_regenerated", "step_continued", "step_skipped"}
    | {"response_selected", "merged"}
)
"""Events that change what later steps were given."""


_RESTORED = PreviousStepState.model_fields.keys() - {"run_status"}
"""The fields of a step that a failed regeneration restores."""


def apply_event(run: PipelineRun | None, event: Event) -> PipelineRun:
    """Return the run after `event`.

    Raises:
        InvalidTransition: the tables do not allow the event here.
    """
    if isinstance(event, e.RunStarted | e.RunBranched):
        if run is not None:
            raise _event_error(event, run.status, ())
        return event.run
    if run is None:
        raise InvalidTransition(
            "A run starts with the event of its start or its branching.",
            state="NONE",
            attempted=event.type,
            allowed=("run_started", "run_branched"),
        )
    _check_run_allows(run, event)
    status = RUN_TRANSITIONS[run.status][event.type] or run.status
    match event:
        case e.RunPaused() | e.RunResumed() | e.RunCompleted() | e.RunFailed():
            if isinstance(event, e.RunCompleted) and not run.is_finished:
                raise _event_error(event, run.status, ())
            after = run.evolve(status=status)
        case e.RemarkDismissed() | e.RemarkRestored():
            after = _with_dismissal(run, event)
        case e.RunMoved():
            after = with_document_uris(run, lambda uri: event.documents.get(uri, uri))
        case _:
            after = _apply_step_event(run, _require_step(run, event), event, status)
    return after.evolve(updated_at=max(run.updated_at, event.at))


def _with_dismissal(
    run: PipelineRun, event: e.RemarkDismissed | e.RemarkRestored
) -> PipelineRun:
    named = Dismissal(at=event.at, kind=event.kind, quote=event.quote)
    others = tuple(each for each in run.dismissals if each.key != named.key)
    is_dismissed = isinstance(event, e.RemarkDismissed)
    return run.evolve(dismissals=(*others, named) if is_dismissed else others)


def with_document_uris(run: PipelineRun, map_uri: Callable[[str], str]) -> PipelineRun:
    """Return the run with `map_uri` of the URI of each of its documents."""
    document = run.document
    if document.files:
        notes, context = (
            tuple(file.evolve(uri=map_uri(file.uri)) for file in files)
            for files in (document.notes, document.context)
        )
        document = document.evolve(notes=notes, context=context)
    return run.evolve(
        document=document,
        uri=None if run.uri is None else map_uri(run.uri),
        applied=tuple(text.evolve(uri=map_uri(text.uri)) for text in run.applied),
    )


def replay(events: Iterable[Event], run: PipelineRun | None = None) -> PipelineRun:
    """Return the run after `events`, from nothing or from `run`."""
    for event in events:
        run = apply_event(run, event)
    if run is None:
        raise ValueError("no events, no run")
    return run


def _event_error(
    event: Event, state: PipelineStatus | StepStatus, allowed: Iterable[str]
) -> InvalidTransition:
    subject = f"step {event.step}" if isinstance(event, StepEvent) else "the run"
    return transition_error(
        event.type,
        state,
        status_clause(subject, state),
        allowed=allowed,
        hint=allowed_actions_hint(allowed),
    )


def _check_run_allows(run: PipelineRun, event: Event) -> None:
    if event.type not in (allowed := RUN_TRANSITIONS[run.status]):
        raise _event_error(event, run.status, allowed)
    if run.is_streaming and event.type not in ALLOWED_WHILE_STREAMING:
        streaming_allows = sorted(ALLOWED_WHILE_STREAMING)
        raise transition_error(
            event.type,
            "STREAMING",
            "answers are being generated",
            allowed=streaming_allows,
            hint=allowed_actions_hint(streaming_allows),
        )


def _require_step(run: PipelineRun, event: StepEvent) -> StepState:
    step = run.steps.get(event.step)
    if step is None:
        raise _event_error(event, run.status, ())
    allowed = STEP_TRANSITIONS[step.status]
    if event.type not in allowed:
        raise _event_error(event, step.status, allowed)
    names = run.step_names
    before = names[: names.index(event.step)]
    if any(run.steps[name].status not in DONE_STATUSES for name in before):
        raise _event_error(event, step.status, ("step_started on the current step",))
    if event.type in _CONTENT_EVENTS and run.has_begun_after(event.step):
        raise later_steps_error(step, event.type)
    return step


def _apply_step_event(  # noqa: C901, PLR0911, PLR0912 -- one arm an event: that is the table
    run: PipelineRun, step: StepState, event: StepEvent, status: PipelineStatus
) -> PipelineRun:
    """Return the run after `event` in `step`; `status` is the run's after it."""
    match event:
        case e.StepStarted():
            return run.with_step(
                _start_step(step, event),
                status=status,
                last_models=event.models or run.last_models,
                samples=event.samples or run.samples,
            )
        case e.StepRegenerated():
            return run.with_step(_regenerate_step(run, step, event), status=status)
        case e.StepContinued():
            return run.with_step(_continue_step(run, step, event), status=status)
        case e.StepCompleted():
            return run.with_step(_complete_step(run, step, event), status=status)
        case e.StepSkipped():
            return run.with_step(step.evolve(status=StepStatus.SKIPPED), status=status)
        case e.ResponseStarted():
            return run.with_step(_start_response(step, event))
        case e.ResponseReceived() | e.ResponseInterrupted():
            return run.with_step(_add_response(step, event))
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
            applied = AppliedText(
                uri=event.uri, step=event.step, at=event.at, mode=event.mode
            )
            return run.evolve(applied=(*_without_applied_text(run, event), applied))
        case e.TextRestored():
            return run.evolve(applied=_without_applied_text(run, event))
        case _:
            assert_never(event)


def _without_applied_text(
    run: PipelineRun, event: e.TextApplied | e.TextRestored
) -> tuple[AppliedText, ...]:
    replaced = (event.uri, event.step)
    return tuple(a for a in run.applied if (a.uri, a.step) != replaced)


def _start_step(step: StepState, event: e.StepStarted) -> StepState:
    replaced = {call.replaces for call in event.calls}
    fresh = step.status is StepStatus.PENDING
    return step.evolve(
        status=StepStatus.RUNNING,
        started_at=event.at if fresh else step.started_at,
        instruction=event.instruction or step.instruction,
        calls=step.calls + event.calls,
        failures=()
        if fresh
        else tuple(f for f in step.failures if f.response_id not in replaced),
    )


def _regenerate_step(
    run: PipelineRun, step: StepState, event: e.StepRegenerated
) -> StepState:
    if step.retry_count >= MAX_RETRIES:
        raise _event_error(event, step.status, ())
    feedback = step.user_feedback
    return step.evolve(
        status=StepStatus.RUNNING,
        started_at=step.started_at or event.at,
        completed_at=None,
        user_selection=None,
        user_feedback=None if feedback == event.feedback else feedback,
        edited_content=None,
        merged_content=None,
        merged_from=(),
        retry_count=step.retry_count + 1,
        calls=with_known_models(step).calls + event.calls,
        failures=(),
        before=_state_before(run, step),
    )


def _continue_step(
    run: PipelineRun, step: StepState, event: e.StepContinued
) -> StepState:
    if any(step.find_response(c.replaces) is None for c in event.calls if c.replaces):
        raise _event_error(event, step.status, ())
    return step.evolve(
        status=StepStatus.RUNNING,
        completed_at=None,
        user_selection=None,
        edited_content=None,
        merged_content=None,
        merged_from=(),
        calls=with_known_models(step).calls + event.calls,
        before=_state_before(run, step),
    )


def _state_before(run: PipelineRun, step: StepState) -> PreviousStepState:
    """Return what is restored if no answer arrives."""
    fields = {name: getattr(step, name) for name in _RESTORED}
    return PreviousStepState(run_status=run.status, **fields)


def _complete_step(
    run: PipelineRun, step: StepState, event: e.StepCompleted
) -> StepState:
    if step.content is None and step != run.review_step:
        raise _event_error(event, step.status, ("response_selected", "merged"))
    return step.evolve(status=StepStatus.COMPLETED, completed_at=event.at)


def _start_response(step: StepState, event: e.ResponseStarted) -> StepState:
    if not any(call.response_id == event.response_id for call in step.calls):
        raise _event_error(event, step.status, ())
    if event.response_id in _known_response_ids(step):
        raise _event_error(event, step.status, ())
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
        raise _event_error(event, step.status, ("response_started",))
    return rest


def _add_response(
    step: StepState, event: e.ResponseReceived | e.ResponseInterrupted
) -> StepState:
    return step.evolve(
        streaming=_other_streams(step, event, event.response.response_id),
        ai_responses=(*step.ai_responses, event.response),
        before=None,
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
        usage=event.usage,
    )
    cost = event.usage.cost_usd if event.usage else None
    step = step.evolve(
        streaming=rest,
        failures=(*step.failures, failure),
        failed_cost_usd=step.failed_cost_usd
        if cost is None
        else (step.failed_cost_usd or 0.0) + cost,
    )
    if rest:
        return run.with_step(step)
    if step.before is not None:
        return _restore_previous_state(run, step, step.before)
    if not step.ai_responses:
        step = step.evolve(status=StepStatus.PENDING, started_at=None)
    return run.with_step(step)


def _restore_previous_state(
    run: PipelineRun, step: StepState, previous: PreviousStepState
) -> PipelineRun:
    restored = {name: getattr(previous, name) for name in _RESTORED}
    # Feedback given since then is newer than what the regeneration set aside.
    restored["user_feedback"] = step.user_feedback or previous.user_feedback
    if previous.status is StepStatus.PENDING:
        restored["started_at"] = None
    step = step.evolve(**restored, before=None)
    return run.with_step(step, status=previous.run_status)


def _select_response(step: StepState, event: e.ResponseSelected) -> StepState:
    if not 0 <= event.index < len(step.ai_responses):
        raise _event_error(event, step.status, ())
    is_new = event.index != step.user_selection
    return (with_known_models(step) if is_new else step).evolve(
        user_selection=event.index,
        edited_content=event.content,
        merged_content=None,
        merged_from=(),
    )


def _rate_response(step: StepState, event: e.ResponseRated) -> StepState:
    if step.find_response(event.response_id) is None:
        raise _event_error(event, step.status, ())
    others = {r: s for r, s in step.ratings.items() if r != event.response_id}
    if event.score is not None:
        others[event.response_id] = event.score
    return step.evolve(ratings=others)


def _add_passage(step: StepState, event: e.PassageTaken) -> StepState:
    if event.passage.response_id not in {None, *_known_response_ids(step)}:
        raise _event_error(event, step.status, ())
    return step.evolve(passages=(*step.passages, event.passage))


def _set_merged_content(step: StepState, event: e.Merged) -> StepState:
    if not step.ai_responses:
        raise _event_error(event, step.status, ("response_received",))
    return with_known_models(step).evolve(
        user_selection=None,
        edited_content=None,
        merged_content=event.content,
        merged_from=event.merged_from,
    )
