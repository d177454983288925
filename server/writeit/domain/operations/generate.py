"""Generating, completing, regenerating and merging by models; how calls end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from writeit.domain import events as e
from writeit.domain.answer import MAX_CONTINUATIONS, AIResponse, Call
from writeit.domain.blind import answer_name
from writeit.domain.entity import TokenUsage
from writeit.domain.errors import FailureReason, RetryLimit, WriteItError
from writeit.domain.events import Event
from writeit.domain.operations.lifecycle import (
    Events,
    busy_error,
    check_has_text,
    feedback_events,
    resume_events,
    step_error,
)
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    PipelineRun,
    StepState,
    StepStatus,
)
from writeit.domain.transitions import later_steps_error


def check_can_generate(run: PipelineRun, step: StepState) -> None:
    """Refuse to generate answers unless `step` is current, open and incomplete."""
    if run.is_streaming:
        raise busy_error(run)
    if step.status in DONE_STATUSES:
        raise step_error(step, "step_started")
    if step.step_name != run.current_step:
        raise step_error(
            step,
            "step_started",
            reason=f"step {step.step_name} comes after {run.current_step}",
            hint=f"Choose an answer of {run.current_step} first, or skip it.",
        )
    if step.status is StepStatus.RUNNING and not incomplete_calls(step):
        reason = f"all answers of step {step.step_name} are complete"
        raise step_error(step, "step_started", reason=reason)


def start_generation(
    run: PipelineRun,
    step: StepState,
    calls: Sequence[Call],
    now: datetime,
    **named: object,
) -> Events:
    """Call models in a PENDING step; in a running one, for the incomplete answers.

    `named` is what the user named: fields of `StepStarted`.
    """
    check_can_generate(run, step)
    fields = {"at": now, "step": step.step_name, "calls": tuple(calls), **named}
    return (*resume_events(run, now), e.StepStarted.model_validate(fields))


def incomplete_calls(step: StepState) -> list[Call]:
    """Return the newest generation's calls that failed or were cut short."""
    answered = {r.response_id for r in step.ai_responses}
    replaced = {
        call.replaces
        for call in step.calls
        if not call.continues or call.response_id in answered
    }
    complete = {r.response_id for r in step.ai_responses if not r.partial}
    streaming = {stream.response_id for stream in step.streaming}
    return [
        call
        for call in step.calls
        if call.generation == step.generation
        and not call.merge
        and not call.continues
        and call.response_id not in replaced | complete | streaming
    ]


def latest_calls(step: StepState) -> list[Call]:
    """Return the newest generation's first calls: no repeated calls, no merges."""
    return [
        call
        for call in step.calls
        if call.generation == step.generation
        and call.replaces is None
        and not call.merge
    ]


def check_can_regenerate(run: PipelineRun, step: StepState) -> None:
    """Refuse to regenerate a step that later steps use, without answers, or too often.

    Raises:
        Busy: answers of the run are streaming.
        InvalidTransition: later steps have begun, or there is nothing to regenerate.
        RetryLimit: it was regenerated as often as is allowed.
    """
    if run.is_streaming:
        raise busy_error(run)
    if run.has_begun_after(step.step_name):
        raise later_steps_error(step, "step_regenerated")
    if step.status is StepStatus.SKIPPED or not (step.ai_responses or step.failures):
        raise step_error(step, "step_regenerated")
    if step.retry_count >= MAX_RETRIES:
        raise RetryLimit(
            f"Step {step.step_name} was already regenerated {MAX_RETRIES} times.",
            hint="Branch at this step: a branch has its own regenerations.",
        )


def regenerate(
    run: PipelineRun,
    step: StepState,
    calls: Sequence[Call],
    feedback: str,
    now: datetime,
) -> Events:
    """Regenerate the answers of the step."""
    check_can_regenerate(run, step)
    clears = not feedback and step.user_feedback
    regenerated = e.StepRegenerated(
        at=now, step=step.step_name, calls=tuple(calls), feedback=feedback
    )
    return (
        *resume_events(run, now),
        *(feedback_events(step, "", now) if clears else ()),
        regenerated,
    )


def check_can_continue(run: PipelineRun, step: StepState, answer: AIResponse) -> None:
    """Refuse to continue an answer that is complete, or that later steps use.

    Raises:
        Busy: answers of the run are streaming.
        InvalidTransition: later steps have begun, the answer is complete, or it was
            continued as often as is allowed.
    """
    check_has_text(run, step, "step_continued")
    if run.is_streaming:
        raise busy_error(run)
    if run.has_begun_after(step.step_name):
        raise later_steps_error(step, "step_continued")
    label = f"answer {answer_name(step, answer.response_id)} of {step.step_name}"
    if not answer.can_continue:
        reason = f"{label} is complete"
        raise step_error(step, "step_continued", reason=reason)
    if len(step.chain_of(answer)) > MAX_CONTINUATIONS:
        raise step_error(
            step,
            "step_continued",
            reason=f"{label} was already continued {MAX_CONTINUATIONS} times",
            hint="Choose it as it is, or regenerate with a larger max_tokens.",
        )


def continuable_answers(run: PipelineRun, step: StepState) -> list[AIResponse]:
    """Return the answers whose rest a model may write now."""
    found = []
    for answer in step.ai_responses:
        if step.replaced_by(answer.response_id) is None:
            with suppress(WriteItError):
                check_can_continue(run, step, answer)
                found.append(answer)
    return found


def continue_response(
    run: PipelineRun, step: StepState, call: Call, now: datetime
) -> Events:
    """Continue a cut answer; this is no regeneration."""
    answer = step.find_response(call.replaces) if call.replaces else None
    if answer is None:
        raise step_error(step, "step_continued")
    check_can_continue(run, step, answer)
    continued = e.StepContinued(at=now, step=step.step_name, calls=(call,))
    return (*resume_events(run, now), continued)


def check_can_merge(run: PipelineRun, step: StepState) -> None:
    """Refuse to merge with a model unless the step has answers and no choice."""
    check_has_text(run, step, "merged")
    if run.is_streaming:
        raise busy_error(run)
    if step.status is not StepStatus.RUNNING or not step.ai_responses:
        raise step_error(step, "step_started")


def start_model_merge(
    run: PipelineRun,
    step: StepState,
    call: Call,
    now: datetime,
    feedback: str | None = None,
) -> Events:
    """Merge parts with a model; the text is one more answer, not a regeneration."""
    check_can_merge(run, step)
    started = e.StepStarted(at=now, step=step.step_name, calls=(call,))
    return (*resume_events(run, now), *feedback_events(step, feedback, now), started)


def start_response(step: str, call: Call, prompt: str, now: datetime) -> Event:
    """Record that `call` is made with exactly `prompt`."""
    return e.ResponseStarted(
        at=now, step=step, response_id=call.response_id, model=call.model, prompt=prompt
    )


def complete_response(step: str, response: AIResponse, now: datetime) -> Events:
    """Record a complete answer."""
    return (e.ResponseReceived(at=now, step=step, response=response),)


def interrupt_response(
    step: str, response: AIResponse, reason: FailureReason, now: datetime
) -> Events:
    """Record the received part of an answer that was cut short."""
    return (e.ResponseInterrupted(at=now, step=step, response=response, reason=reason),)


def fail_response(
    step: str,
    call: Call,
    reason: FailureReason,
    message: str,
    now: datetime,
    usage: TokenUsage | None = None,
) -> Events:
    """Record that a call ended without any text."""
    return (
        e.ResponseFailed(
            at=now,
            step=step,
            response_id=call.response_id,
            model=call.model,
            reason=reason,
            message=message,
            usage=usage,
        ),
    )
