"""Asking models, again what failed, anew, or to join parts; and how calls end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from writeit.domain import events as e
from writeit.domain.errors import FailureReason, InvalidTransition, RetryLimit
from writeit.domain.events import Event
from writeit.domain.operations.lifecycle import (
    Events,
    allowed_commands,
    busy_error,
    feedback_events,
    no_answers_error,
    resume_events,
)
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    AIResponse,
    Call,
    PipelineRun,
    StepState,
    StepStatus,
)


def check_can_generate(run: PipelineRun, step: StepState) -> None:
    """Refuse to ask models in `step` unless the run stands there and is quiet."""
    if run.is_streaming:
        raise busy_error(run)
    if step.status in DONE_STATUSES or step.step_name != run.current_step:
        raise InvalidTransition(
            f"Step {step.step_name!r} is {step.status.value}; the run stands at"
            f" {run.current_step!r}.",
            state=step.status.value,
            attempted="step_started",
            allowed=allowed_commands(step),
            hint="Regenerate asks a finished step anew; branch goes back further.",
        )
    if step.status is StepStatus.RUNNING and not incomplete_calls(step):
        raise InvalidTransition(
            f"Every model asked in step {step.step_name!r} has answered.",
            state=step.status.value,
            attempted="step_started",
            allowed=allowed_commands(step),
        )


def start_generation(
    run: PipelineRun, step: StepState, calls: Sequence[Call], now: datetime
) -> Events:
    """Ask models in a PENDING step; in a running one, what failed or was cut."""
    check_can_generate(run, step)
    return (
        *resume_events(run, now),
        e.StepStarted(at=now, step=step.step_name, calls=tuple(calls)),
    )


def incomplete_calls(step: StepState) -> list[Call]:
    """The calls of the newest generation that failed or were cut, not yet repaired."""
    replaced = {call.replaces for call in step.calls}
    whole = {r.response_id for r in step.ai_responses if not r.partial}
    flowing = {stream.response_id for stream in step.streaming}
    return [
        call
        for call in step.calls
        if call.generation == step.generation
        and not call.merge
        and call.response_id not in replaced | whole | flowing
    ]


def latest_calls(step: StepState) -> list[Call]:
    """The newest generation's calls as first asked: no repairs, no merges."""
    return [
        call
        for call in step.calls
        if call.generation == step.generation
        and call.replaces is None
        and not call.merge
    ]


def check_can_regenerate(run: PipelineRun, step: StepState) -> None:
    """Refuse to ask a step anew unless it has something to improve on, and tries."""
    if run.is_streaming:
        raise busy_error(run)
    later = run.later_steps(step.step_name)
    if any(state.status is not StepStatus.PENDING for state in later):
        raise InvalidTransition(
            f"Step {step.step_name!r} has later steps that built on it.",
            state=step.status.value,
            attempted="step_regenerated",
            hint="Branch at this step: the child run shares all that came before.",
        )
    if step.status is StepStatus.SKIPPED or not (step.ai_responses or step.failures):
        raise InvalidTransition(
            f"Step {step.step_name!r} has no answer yet that could be asked anew.",
            state=step.status.value,
            attempted="step_regenerated",
            allowed=allowed_commands(step),
        )
    if step.retry_count >= MAX_RETRIES:
        raise RetryLimit(
            f"Step {step.step_name!r} was regenerated {MAX_RETRIES} times already.",
            hint="Branch at this step: a branch counts its own regenerations.",
        )


def regenerate(
    run: PipelineRun,
    step: StepState,
    calls: Sequence[Call],
    feedback: str,
    now: datetime,
) -> Events:
    """Ask the step anew; at most three times."""
    check_can_regenerate(run, step)
    asked = e.StepRegenerated(
        at=now, step=step.step_name, calls=tuple(calls), feedback=feedback
    )
    return (*resume_events(run, now), asked)


def check_can_merge(run: PipelineRun, step: StepState) -> None:
    """Refuse to let a model join parts unless the step has answers and is quiet."""
    if run.is_streaming:
        raise busy_error(run)
    if step.status is not StepStatus.RUNNING or not step.ai_responses:
        raise no_answers_error(step, "step_started")


def start_model_merge(
    run: PipelineRun,
    step: StepState,
    call: Call,
    now: datetime,
    feedback: str | None = None,
) -> Events:
    """Ask a model to join parts; its text is one more answer, no regeneration."""
    check_can_merge(run, step)
    asked = e.StepStarted(at=now, step=step.step_name, calls=(call,))
    return (*resume_events(run, now), *feedback_events(step, feedback, now), asked)


def start_response(step: str, call: Call, prompt: str, now: datetime) -> Event:
    """State that `call` is being made with exactly `prompt`."""
    return e.ResponseStarted(
        at=now, step=step, response_id=call.response_id, model=call.model, prompt=prompt
    )


def complete_response(step: str, response: AIResponse, now: datetime) -> Events:
    """Keep an answer that arrived whole."""
    return (e.ResponseReceived(at=now, step=step, response=response),)


def interrupt_response(
    step: str, response: AIResponse, reason: FailureReason, now: datetime
) -> Events:
    """Keep what arrived of an answer that was cut short."""
    return (e.ResponseInterrupted(at=now, step=step, response=response, reason=reason),)


def fail_response(
    step: str, call: Call, reason: FailureReason, message: str, now: datetime
) -> Events:
    """State that a call ended without any text."""
    return (
        e.ResponseFailed(
            at=now,
            step=step,
            response_id=call.response_id,
            model=call.model,
            reason=reason,
            message=message,
        ),
    )
