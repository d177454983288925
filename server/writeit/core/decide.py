"""From a wish to events: what a command means in the state a run is in, or a refusal.

Each function here is one verb of the product. It looks at the run, refuses with a
typed error that says what is allowed, or returns the events that carry the wish out.
The caller commits them together; `writeit.core.machine` has the last word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.errors import (
    Busy,
    InvalidTransition,
    NotFound,
    RetryLimit,
)
from writeit.core.machine import RUN_TRANSITIONS
from writeit.core.run import (
    DONE,
    MAX_RETRIES,
    AIResponse,
    Call,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from writeit.core.errors import FailureReason
    from writeit.core.events import Event

Events = tuple["Event", ...]


def step_of(run: PipelineRun, step: str | None) -> StepState:
    """Return the step called `step`, the current one if None.

    Raises:
        NotFound: the run has no such step.
    """
    name = run.current_step if step is None else step
    if name not in run.steps:
        raise NotFound.among("step", name, run.steps)
    return run.steps[name]


def pause(run: PipelineRun, at: datetime, reason: str = "") -> Events:
    """Interrupt the run; the caller has ended what streamed."""
    if run.status is not PipelineStatus.RUNNING:
        raise _not_from(run, "run_paused", "Only a running run can be paused.")
    return (e.RunPaused(at=at, reason=reason),)


def resume(run: PipelineRun, at: datetime) -> Events:
    """Let a paused or failed run go on; sends nothing."""
    if run.status not in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        raise _not_from(
            run, "run_resumed", "Only a paused or failed run can be resumed."
        )
    return (e.RunResumed(at=at),)


def check_askable(run: PipelineRun, step: StepState) -> None:
    """Refuse to ask models in `step` unless the run stands there and is quiet."""
    if run.is_streaming:
        raise busy(run)
    if run.status is PipelineStatus.COMPLETED or step.step_name != run.current_step:
        raise InvalidTransition(
            f"Step {step.step_name!r} is {step.status.value}; the run stands at"
            f" {run.current_step!r}.",
            state=step.status.value,
            attempted="step_started",
            allowed=_allowed_on(step),
            hint="Regenerate asks a finished step anew; branch goes back further.",
        )
    if step.status is StepStatus.RUNNING and not unmet(step):
        raise InvalidTransition(
            f"Every model asked in step {step.step_name!r} has answered.",
            state=step.status.value,
            attempted="step_started",
            allowed=_allowed_on(step),
        )


def ask(
    run: PipelineRun, step: StepState, calls: Sequence[Call], at: datetime
) -> Events:
    """Ask models in a PENDING step; in a running one, what failed or was cut."""
    check_askable(run, step)
    return (
        *_resumed(run, at),
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


def regenerate(
    run: PipelineRun,
    step: StepState,
    calls: Sequence[Call],
    feedback: str,
    at: datetime,
) -> Events:
    """Ask the step anew; at most three times."""
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
    if not (step.ai_responses or step.failures):
        raise InvalidTransition(
            f"Step {step.step_name!r} has no answer yet that could be asked anew.",
            state=step.status.value,
            attempted="step_regenerated",
            allowed=("step.run",),
        )
    if step.retry_count >= MAX_RETRIES:
        raise RetryLimit(
            f"Step {step.step_name!r} was regenerated {MAX_RETRIES} times already.",
            hint="Branch at this step: a branch counts its own regenerations.",
        )
    return (
        *_resumed(run, at),
        e.StepRegenerated(
            at=at, step=step.step_name, calls=tuple(calls), feedback=feedback
        ),
    )


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


def select(
    run: PipelineRun,
    step: StepState,
    index: int,
    at: datetime,
    *,
    content: str | None = None,
    feedback: str | None = None,
) -> Events:
    """Choose answer `index`, in the writer's own wording if `content` is given."""
    _check_choosable(run, step, "response_selected")
    if not 0 <= index < len(step.ai_responses):
        count = len(step.ai_responses)
        raise NotFound(
            f"Step {step.step_name!r} has no answer {index}.",
            hint=f"It has {count}: 0 to {count - 1}.",
        )
    return (
        *_resumed(run, at),
        *_words(step, feedback, at),
        e.ResponseSelected(at=at, step=step.step_name, index=index, content=content),
        *_completion(run, step, at),
    )


def skip(run: PipelineRun, step: StepState, at: datetime) -> Events:
    """Go on without a pending step."""
    if run.is_streaming:
        raise busy(run)
    if step.status is not StepStatus.PENDING or step.step_name != run.current_step:
        raise InvalidTransition(
            f"Step {step.step_name!r} is {step.status.value}; only the next pending"
            " step can be skipped.",
            state=step.status.value,
            attempted="step_skipped",
            allowed=_allowed_on(step),
        )
    skipped = e.StepSkipped(at=at, step=step.step_name)
    return (*_resumed(run, at), skipped, *_run_completion(run, step, at))


def busy(run: PipelineRun) -> Busy:
    """Build the refusal for a run whose answers are streaming."""
    return Busy(
        f"Answers of run {run.pipeline_run_id} are streaming.",
        hint="Wait for them, or stop them with writeit.run.pause; what came is kept.",
        runId=str(run.pipeline_run_id),
    )


def _check_choosable(run: PipelineRun, step: StepState, attempted: str) -> None:
    if step.streaming:
        raise busy(run)
    if step.status is StepStatus.COMPLETED and any(
        later.status is not StepStatus.PENDING
        for later in run.later_steps(step.step_name)
    ):
        raise InvalidTransition(
            f"Step {step.step_name!r} cannot change once later steps have begun.",
            state=step.status.value,
            attempted=attempted,
            hint="Branch at this step: the child run shares all that came before.",
        )
    if not step.ai_responses or step.status not in {
        StepStatus.RUNNING,
        StepStatus.COMPLETED,
    }:
        raise InvalidTransition(
            f"Step {step.step_name!r} is {step.status.value} and has no answer"
            " to choose.",
            state=step.status.value,
            attempted=attempted,
            allowed=_allowed_on(step),
        )


def _allowed_on(step: StepState) -> tuple[str, ...]:
    match step.status:
        case StepStatus.PENDING:
            return ("step.run", "step.skip")
        case StepStatus.RUNNING:
            return ("step.select", "step.merge", "step.regenerate")
        case StepStatus.COMPLETED:
            return ("step.regenerate", "run.branch")
        case StepStatus.SKIPPED:
            return ("run.branch",)


def _resumed(run: PipelineRun, at: datetime) -> Events:
    """Any decision on a PAUSED or ERROR run resumes it."""
    if run.status in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        return (e.RunResumed(at=at),)
    return ()


def _words(step: StepState, feedback: str | None, at: datetime) -> Events:
    if feedback is None:
        return ()
    return (e.FeedbackGiven(at=at, step=step.step_name, text=feedback),)


def _completion(run: PipelineRun, step: StepState, at: datetime) -> Events:
    completed = e.StepCompleted(at=at, step=step.step_name)
    return (completed, *_run_completion(run, step, at))


def _run_completion(run: PipelineRun, step: StepState, at: datetime) -> Events:
    others = (s for name, s in run.steps.items() if name != step.step_name)
    if run.status is PipelineStatus.COMPLETED or any(
        s.status not in DONE for s in others
    ):
        return ()
    return (e.RunCompleted(at=at),)


def _not_from(run: PipelineRun, attempted: str, message: str) -> InvalidTransition:
    return InvalidTransition(
        message,
        state=run.status.value,
        attempted=attempted,
        allowed=sorted(RUN_TRANSITIONS[run.status]),
    )
