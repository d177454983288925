"""Asking models, again what failed, anew, or to join parts; and how calls end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.decide.common import allowed_on, busy, nothing_there, resumed, words
from writeit.core.errors import (
    InvalidTransition,
    RetryLimit,
)
from writeit.core.run import (
    DONE,
    MAX_RETRIES,
    AIResponse,
    Call,
    PipelineRun,
    StepState,
    StepStatus,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from writeit.core.decide.common import Events
    from writeit.core.errors import FailureReason
    from writeit.core.events import Event


def check_askable(run: PipelineRun, step: StepState) -> None:
    """Refuse to ask models in `step` unless the run stands there and is quiet."""
    if run.is_streaming:
        raise busy(run)
    if step.status in DONE or step.step_name != run.current_step:
        raise InvalidTransition(
            f"Step {step.step_name!r} is {step.status.value}; the run stands at"
            f" {run.current_step!r}.",
            state=step.status.value,
            attempted="step_started",
            allowed=allowed_on(step),
            hint="Regenerate asks a finished step anew; branch goes back further.",
        )
    if step.status is StepStatus.RUNNING and not unmet(step):
        raise InvalidTransition(
            f"Every model asked in step {step.step_name!r} has answered.",
            state=step.status.value,
            attempted="step_started",
            allowed=allowed_on(step),
        )


def ask(
    run: PipelineRun, step: StepState, calls: Sequence[Call], at: datetime
) -> Events:
    """Ask models in a PENDING step; in a running one, what failed or was cut."""
    check_askable(run, step)
    return (
        *resumed(run, at),
        e.StepStarted(at=at, step=step.step_name, calls=tuple(calls)),
    )


def unmet(step: StepState) -> list[Call]:
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


def newest_asked(step: StepState) -> list[Call]:
    """The newest generation's calls as first asked: no repairs, no merges."""
    return [
        call
        for call in step.calls
        if call.generation == step.generation
        and call.replaces is None
        and not call.merge
    ]


def check_regenerable(run: PipelineRun, step: StepState) -> None:
    """Refuse to ask a step anew unless it has something to improve on, and tries."""
    if run.is_streaming:
        raise busy(run)
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
            allowed=allowed_on(step),
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
    at: datetime,
) -> Events:
    """Ask the step anew; at most three times."""
    check_regenerable(run, step)
    asked = e.StepRegenerated(
        at=at, step=step.step_name, calls=tuple(calls), feedback=feedback
    )
    return (*resumed(run, at), asked)


def check_joinable(run: PipelineRun, step: StepState) -> None:
    """Refuse to let a model join parts unless the step has answers and is quiet."""
    if run.is_streaming:
        raise busy(run)
    if step.status is not StepStatus.RUNNING or not step.ai_responses:
        raise nothing_there(step, "step_started")


def ask_to_merge(
    run: PipelineRun,
    step: StepState,
    call: Call,
    at: datetime,
    feedback: str | None = None,
) -> Events:
    """Ask a model to join parts; its text is one more answer, no regeneration."""
    check_joinable(run, step)
    asked = e.StepStarted(at=at, step=step.step_name, calls=(call,))
    return (*resumed(run, at), *words(step, feedback, at), asked)


def send(step: str, call: Call, prompt: str, at: datetime) -> Event:
    """State that `call` is being made with exactly `prompt`."""
    return e.ResponseStarted(
        at=at, step=step, response_id=call.response_id, model=call.model, prompt=prompt
    )


def receive(step: str, response: AIResponse, at: datetime) -> Events:
    """Keep an answer that arrived whole."""
    return (e.ResponseReceived(at=at, step=step, response=response),)


def interrupt(
    step: str, response: AIResponse, reason: FailureReason, at: datetime
) -> Events:
    """Keep what arrived of an answer that was cut short."""
    return (e.ResponseInterrupted(at=at, step=step, response=response, reason=reason),)


def fail(
    step: str, call: Call, reason: FailureReason, message: str, at: datetime
) -> Events:
    """State that a call ended without any text."""
    return (
        e.ResponseFailed(
            at=at,
            step=step,
            response_id=call.response_id,
            model=call.model,
            reason=reason,
            message=message,
        ),
    )
