"""A run as a whole: paused, resumed, branched, made the active one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import Busy, InvalidParams, InvalidTransition, NotFound
from writeit.domain.events import Event
from writeit.domain.pipeline import Output, PipelineConfiguration
from writeit.domain.run import (
    AppliedText,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.domain.state_machine import RUN_TRANSITIONS

# --- What several decisions share: refusals, and the events in front of a decision ----


Events = tuple["Event", ...]
"""What a decision comes to."""


def find_step(run: PipelineRun, step: str | None) -> StepState:
    """Return the step called `step`, the current one if None.

    Raises:
        NotFound: the run has no such step.
    """
    name = run.current_step if step is None else step
    if name not in run.steps:
        raise NotFound.with_suggestions("step", name, run.steps)
    return run.steps[name]


def find_answered_step(run: PipelineRun, step: str | None) -> StepState:
    """Return the step called `step`; if None the last one with answers, else current.

    Raises:
        NotFound: the run has no such step.
    """
    if step is None:
        for state in reversed(run.steps.values()):
            if state.ai_responses:
                return state
    return find_step(run, step)


def find_response_id(step: StepState, response: int | UUID) -> UUID:
    """Return the id of an answer given by index or id, ended or streaming.

    Raises:
        NotFound: the step has no such answer.
    """
    if isinstance(response, int):
        check_response_index(step, response)
        return step.ai_responses[response].response_id
    return response


def find_ended_response_id(step: StepState, response: int | UUID) -> UUID:
    """Return the id of an answer that has ended.

    Raises:
        NotFound: the step has no such answer, or it still streams.
    """
    response_id = find_response_id(step, response)
    if step.find_response(response_id) is None:
        known = [str(answer.response_id) for answer in step.ai_responses]
        raise NotFound.with_suggestions("ended answer", str(response_id), known)
    return response_id


def busy_error(run: PipelineRun) -> Busy:
    """Build the refusal for a run whose answers are streaming."""
    return Busy(
        f"Answers of run {run.pipeline_run_id} are streaming.",
        hint="Wait for them, or stop them with writeit.run.pause; what came is kept.",
        runId=str(run.pipeline_run_id),
    )


def check_response_index(step: StepState, index: int) -> None:
    """Refuse an index that no answer of the step has."""
    count = len(step.ai_responses)
    if not 0 <= index < count:
        raise NotFound(
            f"Step {step.step_name!r} has no answer {index}.",
            hint=f"It has {count}: 0 to {count - 1}." if count else "It has none yet.",
        )


def no_answers_error(step: StepState, attempted: str) -> InvalidTransition:
    """Build the refusal for a step that has nothing to do it to."""
    return InvalidTransition(
        f"Step {step.step_name!r} is {step.status.value}; there is nothing to do"
        " that to.",
        state=step.status.value,
        attempted=attempted,
        allowed=allowed_commands(step),
    )


def allowed_commands(step: StepState) -> tuple[str, ...]:
    """Name the commands that a step in this status takes."""
    match step.status:
        case StepStatus.PENDING:
            return ("step.run", "step.skip")
        case StepStatus.RUNNING:
            return ("step.select", "step.merge", "step.regenerate")
        case StepStatus.COMPLETED:
            return ("step.regenerate", "run.branch")
        case StepStatus.SKIPPED:
            return ("run.branch",)


def resume_events(run: PipelineRun, now: datetime) -> Events:
    """Any decision on a PAUSED or ERROR run resumes it; a finished one is COMPLETED."""
    if run.status not in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        return ()
    if run.is_finished:
        return (e.RunResumed(at=now), e.RunCompleted(at=now))
    return (e.RunResumed(at=now),)


def feedback_events(step: StepState, feedback: str | None, now: datetime) -> Events:
    """Give feedback with a decision, where it says some."""
    if feedback is None:
        return ()
    return (e.FeedbackGiven(at=now, step=step.step_name, text=feedback),)


# --- A run as a whole: paused, resumed, branched, made the active one -----------------


def pause(run: PipelineRun, now: datetime, reason: str = "") -> Events:
    """Interrupt the run; the caller has ended what streamed."""
    if run.is_streaming:
        raise busy_error(run)
    check_can_pause(run)
    return (e.RunPaused(at=now, reason=reason),)


def check_can_pause(run: PipelineRun) -> None:
    """Refuse to pause a run that is not running; answers may be streaming."""
    if run.status is not PipelineStatus.RUNNING:
        raise _run_transition_error(
            run, "run_paused", "Only a running run can be paused."
        )


def resume(run: PipelineRun, now: datetime) -> Events:
    """Let a paused or failed run go on; sends nothing."""
    check_can_resume(run)
    return resume_events(run, now)


def check_can_resume(run: PipelineRun) -> None:
    """Refuse to resume a run that was neither paused nor failed."""
    if run.status not in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        raise _run_transition_error(
            run, "run_resumed", "Only a paused or failed run can be resumed."
        )


def branch(
    run: PipelineRun, step: StepState, child_id: UUID, now: datetime, name: str | None
) -> e.RunBranched:
    """Make a child run that shares the steps before `step` and its ended answers."""
    check_can_branch(run, step)
    here = run.step_names.index(step.step_name)
    steps = {
        state.step_name: state if index < here else StepState(step_name=state.step_name)
        for index, state in enumerate(run.steps.values())
    }
    steps[step.step_name] = _branched_step(step)
    begun = any(state.status is not StepStatus.PENDING for state in steps.values())
    child = run.evolve(
        pipeline_run_id=child_id,
        parent_pipeline_run_id=run.pipeline_run_id,
        branch_point=step.step_name,
        created_at=now,
        updated_at=now,
        current_step=step.step_name,
        status=PipelineStatus.RUNNING if begun else PipelineStatus.INITIALIZING,
        steps=steps,
        name=name,
        applied=(),
    )
    return e.RunBranched(at=now, run=child)


def check_can_branch(run: PipelineRun, step: StepState) -> None:
    """Refuse to branch at a step that the run has not reached."""
    names = run.step_names
    if names.index(step.step_name) > names.index(run.current_step):
        raise InvalidTransition(
            f"Step {step.step_name!r} has not been reached; the run stands at"
            f" {run.current_step!r}.",
            state=step.status.value,
            attempted="run_branched",
            hint=f"Branch at {run.current_step!r} or earlier.",
        )


def can_be_active(configuration: PipelineConfiguration | None) -> bool:
    """Whether a run of it can be a session's active one: a passage's never is.

    Of one whose configuration is lost nobody knows; it may.
    """
    return configuration is None or configuration.applies_to == "document"


def check_can_be_active(
    run: PipelineRun, configuration: PipelineConfiguration | None
) -> None:
    """Refuse to make a run active that is about a passage.

    Raises:
        InvalidParams: commands about the document would go to the passage's run.
    """
    if can_be_active(configuration):
        return
    raise InvalidParams(
        f"Run {run.pipeline_run_id} is about a passage; only a run of a whole document"
        " can be the active one. It is as it was.",
        hint="Name the run in the command itself: each takes its `runId`.",
        problems=[{"path": "runId", "message": "is a run about a passage"}],
    )


def _branched_step(step: StepState) -> StepState:
    """The branch step of a child: its ended answers, and no choice among them."""
    if not step.ai_responses:
        return StepState(step_name=step.step_name)
    ended = {response.response_id for response in step.ai_responses}
    return StepState(
        step_name=step.step_name,
        status=StepStatus.RUNNING,
        started_at=step.started_at,
        ai_responses=step.ai_responses,
        calls=tuple(call for call in step.calls if call.response_id in ended),
        ratings=step.ratings,
    )


def _run_transition_error(
    run: PipelineRun, attempted: str, message: str
) -> InvalidTransition:
    return InvalidTransition(
        message,
        state=run.status.value,
        attempted=attempted,
        allowed=sorted(RUN_TRANSITIONS[run.status]),
    )


# --- A step's text and the writer's documents: which text, and that it stands there ---


def find_applicable_step(run: PipelineRun, step: str | None) -> StepState:
    """Return the step whose text is to be applied; if None the last COMPLETED one.

    Raises:
        NotFound: the run has no such step.
        InvalidTransition: it is not COMPLETED.
    """
    done = [s for s in run.steps.values() if s.status is StepStatus.COMPLETED]
    state = done[-1] if step is None and done else find_step(run, step)
    if state.status is not StepStatus.COMPLETED:
        raise InvalidTransition(
            f"Step {state.step_name!r} is {state.status.value}; there is no text of it"
            " yet to apply.",
            state=state.status.value,
            attempted="text_applied",
            allowed=allowed_commands(state),
        )
    return state


def find_restorable(run: PipelineRun, step: str | None) -> AppliedText:
    """Return what was applied last, of `step` if one is named.

    Raises:
        NotFound: nothing was, or it has been restored.
    """
    if step is not None:
        find_step(run, step)
    for applied in reversed(run.applied):
        if step in {None, applied.step}:
            return applied
    raise NotFound(
        "No text of this run stands in a document"
        + (f" (step {step!r})." if step else "."),
        hint="writeit.step.apply puts it there.",
    )


def record_applied(
    step: str, now: datetime, *, uri: str, mode: Output, replaced: str, text: str
) -> Events:
    """State that a step's text stands in a document."""
    return (
        e.TextApplied(
            at=now, step=step, uri=uri, mode=mode, replaced=replaced, text=text
        ),
    )


def record_restored(applied_text: AppliedText, now: datetime) -> Events:
    """State that the writer's text stands there again."""
    return (e.TextRestored(at=now, step=applied_text.step, uri=applied_text.uri),)
