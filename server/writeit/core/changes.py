"""What each event does to its step. `machine` has checked that it may happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from writeit.core import events as e
from writeit.core.errors import IN_WORDS, InvalidTransition
from writeit.core.run import (
    MAX_RETRIES,
    AIResponse,
    Applied,
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

    from writeit.core.events import Event, StepEvent

Step = StepStatus


def change(  # noqa: C901, PLR0911, PLR0912 -- one arm an event: that is the table
    run: PipelineRun, step: StepState, event: StepEvent, status: PipelineStatus
) -> PipelineRun:
    """Return the run after `event` in `step`; `status` is the run's after it."""
    match event:
        case e.StepStarted():
            return run.with_step(_started(step, event), status=status)
        case e.StepRegenerated():
            return run.with_step(_regenerated(run, step, event), status=status)
        case e.StepCompleted():
            return run.with_step(_completed(step, event), status=status)
        case e.StepSkipped():
            return run.with_step(step.evolve(status=Step.SKIPPED), status=status)
        case e.ResponseStarted():
            return run.with_step(_response_started(step, event))
        case e.ResponseReceived() | e.ResponseInterrupted():
            return run.with_step(_answered(run, step, event.response))
        case e.ResponseFailed():
            return _failed(run, step, event)
        case e.ResponseSelected():
            return run.with_step(_selected(step, event))
        case e.ResponseRated():
            return run.with_step(_rated(step, event))
        case e.PassageTaken():
            return run.with_step(_passage_taken(step, event))
        case e.Merged():
            return run.with_step(_merged(step, event))
        case e.FeedbackGiven():
            return run.with_step(step.evolve(user_feedback=event.text or None))
        case e.TextApplied():
            here = Applied(uri=event.uri, step=event.step, at=event.at, mode=event.mode)
            return run.evolve(applied=(*_applied_elsewhere(run, event), here))
        case e.TextRestored():
            return run.evolve(applied=_applied_elsewhere(run, event))
        case _:
            assert_never(event)


def _applied_elsewhere(
    run: PipelineRun, event: e.TextApplied | e.TextRestored
) -> tuple[Applied, ...]:
    place = (event.uri, event.step)
    return tuple(a for a in run.applied if (a.uri, a.step) != place)


def refused(
    event: Event,
    state: PipelineStatus | StepStatus,
    allowed: Iterable[str],
) -> InvalidTransition:
    """Build the refusal of an event that the tables do not allow here."""
    where = f"step {event.step!r}" if hasattr(event, "step") else "the run"
    return InvalidTransition(
        f"To {IN_WORDS.get(event.type, event.type)} is not possible while {where} is"
        f" {state.value}.",
        state=state.value,
        attempted=event.type,
        allowed=allowed,
    )


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
    if step.retry_count >= MAX_RETRIES:
        raise refused(event, step.status, ())
    said = step.user_feedback
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
        user_feedback=None if said == event.feedback else said,
        edited_content=None,
        merged_content=None,
        merged_from=(),
        retry_count=step.retry_count + 1,
        calls=step.calls + event.calls,
        failures=(),
        before=before,
    )


def _completed(step: StepState, event: e.StepCompleted) -> StepState:
    if step.content is None:
        raise refused(event, step.status, ("response_selected", "merged"))
    return step.evolve(status=Step.COMPLETED, completed_at=event.at)


def _response_started(step: StepState, event: e.ResponseStarted) -> StepState:
    if not any(call.response_id == event.response_id for call in step.calls):
        raise refused(event, step.status, ())
    if event.response_id in _settled(step):
        raise refused(event, step.status, ())
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
    step: StepState, event: Event, response_id: UUID
) -> tuple[StreamingResponse, ...]:
    rest = tuple(s for s in step.streaming if s.response_id != response_id)
    if len(rest) == len(step.streaming):
        raise refused(event, step.status, ("response_started",))
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
    rest = _without_stream(step, event, event.response_id)
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
        # What was said meanwhile is newer than what the regeneration put aside.
        user_feedback=step.user_feedback or before.user_feedback,
        edited_content=before.edited_content,
        merged_content=before.merged_content,
        merged_from=before.merged_from,
        retry_count=before.retry_count,
        before=None,
    )
    return run.with_step(step, status=before.run_status)


def _selected(step: StepState, event: e.ResponseSelected) -> StepState:
    if not 0 <= event.index < len(step.ai_responses):
        raise refused(event, step.status, ())
    return step.evolve(
        user_selection=event.index,
        edited_content=event.content,
        merged_content=None,
        merged_from=(),
    )


def _rated(step: StepState, event: e.ResponseRated) -> StepState:
    if step.response(event.response_id) is None:
        raise refused(event, step.status, ())
    others = {r: s for r, s in step.ratings.items() if r != event.response_id}
    if event.score is not None:
        others[event.response_id] = event.score
    return step.evolve(ratings=others)


def _passage_taken(step: StepState, event: e.PassageTaken) -> StepState:
    ids = _settled(step)
    if event.passage.response_id not in ids:
        raise refused(event, step.status, ())
    return step.evolve(passages=(*step.passages, event.passage))


def _merged(step: StepState, event: e.Merged) -> StepState:
    if not step.ai_responses:
        raise refused(event, step.status, ("response_received",))
    return step.evolve(
        user_selection=None,
        edited_content=None,
        merged_content=event.content,
        merged_from=event.merged_from,
    )
