"""Finding steps and answers; stopping, resuming and branching a run; applied texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.blind import with_known_models
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
from writeit.domain.transitions import (
    RUN_TRANSITIONS,
    allowed_actions_hint,
    status_clause,
    transition_error,
)

Events = tuple[Event, ...]
"""The events that a decision results in."""

STEP_COMMANDS: dict[StepStatus, tuple[tuple[str, ...], str]] = {
    StepStatus.PENDING: (("step.run", "step.skip"), "Generate it first, or skip it."),
    StepStatus.RUNNING: (
        ("step.select", "step.merge", "step.regenerate"),
        "Choose, merge or regenerate its answers.",
    ),
    StepStatus.COMPLETED: (
        ("step.regenerate", "run.branch"),
        "Regenerate it, or branch at an earlier step.",
    ),
    StepStatus.SKIPPED: (("run.branch",), "Branch at this step to generate it."),
}
"""The commands that a step in each status accepts, and a hint that says so."""


def find_step(run: PipelineRun, step: str | None) -> StepState:
    """Return the step `step`, or the current step if None.

    Raises:
        NotFound: the run has no such step.
    """
    name = run.current_step if step is None else step
    if name not in run.steps:
        raise NotFound.with_suggestions("step", name, run.steps)
    return run.steps[name]


def find_answered_step(run: PipelineRun, step: str | None) -> StepState:
    """Return the step `step`; if None the last with answers, or else the current step.

    Raises:
        NotFound: the run has no such step.
    """
    if step is None:
        for state in reversed(run.steps.values()):
            if state.ai_responses:
                return state
    return find_step(run, step)


def find_response_index(step: StepState, response: int | UUID) -> int:
    """Return the index of an ended answer named by index or id.

    Raises:
        NotFound: the step has no such answer, or it is streaming.
    """
    response_id = find_ended_response_id(step, response)
    return [a.response_id for a in step.ai_responses].index(response_id)


def find_response_id(step: StepState, response: int | UUID) -> UUID:
    """Return the id of an answer named by index or id, complete or streaming.

    Raises:
        NotFound: the step has no such answer.
    """
    if isinstance(response, int):
        check_response_index(step, response)
        return step.ai_responses[response].response_id
    return response


def find_ended_response_id(step: StepState, response: int | UUID) -> UUID:
    """Return the id of an answer that is no longer streaming.

    Raises:
        NotFound: the step has no such answer, or it is streaming.
    """
    response_id = find_response_id(step, response)
    if step.find_response(response_id) is None:
        raise NotFound(
            f"That answer is not in step {step.step_name}, or is not complete yet.",
            hint=answer_count_hint(step),
        )
    return response_id


MAX_FEEDBACK_CHARACTERS = 20_000
MAX_NAME_CHARACTERS = 200


def check_feedback(feedback: str | None) -> None:
    """Refuse feedback that is too long or only spaces; "" clears it."""
    if feedback:
        check_words("feedback", feedback, 'Write some words, or "" to remove it.')


def check_words(path: str, text: str, hint: str = "Write some words.") -> None:
    """Refuse words for a model that are too long or only spaces.

    `path` is the parameter, and `hint` says what to do if there are only spaces.
    """
    if not text.strip():
        raise _text_error(path, "has only spaces", hint)
    if len(text) > MAX_FEEDBACK_CHARACTERS:
        raise _text_error(
            path,
            f"has {len(text):,} characters; the limit is {MAX_FEEDBACK_CHARACTERS:,}",
            "Shorten it. Long material belongs in the notes.",
        )


def check_name(name: str | None) -> str | None:
    """Return the name of a run, None for "".

    Raises:
        InvalidParams: it is too long, blank or not one line.
    """
    if not name:
        return None
    if len(name) > MAX_NAME_CHARACTERS:
        message = f"has {len(name):,} characters; the limit is {MAX_NAME_CHARACTERS}"
        raise _text_error("name", message, "Shorten it.")
    if not name.strip() or name.splitlines() != [name]:
        message = "is not one line of text"
        raise _text_error("name", message, "Write it on one line.")
    return name


def _text_error(path: str, message: str, hint: str) -> InvalidParams:
    return InvalidParams(
        f"The {path} {message}. Nothing was changed.",
        hint=hint,
        problems=[{"path": path, "message": message}],
    )


def busy_error(run: PipelineRun) -> Busy:
    """Return the error for a run whose answers are streaming."""
    return Busy(
        "This run is still generating answers.",
        hint="Wait, or stop generating. What was received is kept.",
        runId=str(run.pipeline_run_id),
    )


def check_response_index(step: StepState, index: int) -> None:
    """Refuse an index, from 0, that no answer of the step has."""
    if not 0 <= index < len(step.ai_responses):
        raise NotFound(
            f"Step {step.step_name} has no answer {index + 1}.",
            hint=answer_count_hint(step),
        )


def answer_count_hint(step: StepState) -> str:
    """Return a hint that says how many answers the step has."""
    match len(step.ai_responses):
        case 0:
            return "It has no answers yet."
        case 1:
            return "It has 1 answer."
        case count:
            return f"It has {count} answers."


def check_has_text(run: PipelineRun, step: StepState, attempted: str) -> None:
    """Refuse what is about a text in a review, whose answers are remarks.

    Raises:
        InvalidTransition: the step is the review.
    """
    if step == run.review_step:
        raise transition_error(
            attempted,
            step.status,
            f"the answers of {step.step_name} are remarks, and a review changes no"
            " text",
            allowed=("review.list", "review.dismiss", "step.regenerate"),
            hint="Apply the suggestion of a remark, dismiss it, or regenerate.",
        )


def step_error(
    step: StepState, attempted: str, *, reason: str = "", hint: str = ""
) -> InvalidTransition:
    """Return the error for an event that the step does not allow.

    Without `reason` and `hint`, the step's status is the reason and names the hint.
    """
    commands, status_hint = STEP_COMMANDS[step.status]
    return transition_error(
        attempted,
        step.status,
        reason or status_clause(f"step {step.step_name}", step.status),
        allowed=commands,
        hint=hint or status_hint,
    )


def resume_events(run: PipelineRun, now: datetime) -> Events:
    """Resume a PAUSED or ERROR run before a decision; complete it if it is finished."""
    if run.status not in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        return ()
    if run.is_finished:
        return (e.RunResumed(at=now), e.RunCompleted(at=now))
    return (e.RunResumed(at=now),)


def feedback_events(step: StepState, feedback: str | None, now: datetime) -> Events:
    """Give the feedback that comes with a decision, if any; "" clears it.

    Raises:
        InvalidParams: it is too long, or only spaces.
    """
    if feedback is None:
        return ()
    check_feedback(feedback)
    return (e.FeedbackGiven(at=now, step=step.step_name, text=feedback),)


def pause(run: PipelineRun, now: datetime, reason: str = "") -> Events:
    """Stop the run; the caller has ended its streams."""
    if run.is_streaming:
        raise busy_error(run)
    check_can_pause(run)
    return (e.RunPaused(at=now, reason=reason),)


def check_can_pause(run: PipelineRun) -> None:
    """Refuse to stop a run that is not running; answers may be streaming."""
    if run.status is not PipelineStatus.RUNNING:
        raise _run_error(run, "run_paused")


def resume(run: PipelineRun, now: datetime) -> Events:
    """Resume a stopped or failed run; sends nothing."""
    check_can_resume(run)
    return resume_events(run, now)


def check_can_resume(run: PipelineRun) -> None:
    """Refuse to resume a run that is neither stopped nor failed."""
    if run.status not in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        raise _run_error(run, "run_resumed")


def branch(
    run: PipelineRun, step: StepState, child_id: UUID, now: datetime, name: str | None
) -> e.RunBranched:
    """Create a run that shares the steps before `step`, and its complete answers."""
    check_can_branch(run, step)
    branch_index = run.step_names.index(step.step_name)
    steps = {
        state.step_name: state
        if index < branch_index
        else StepState(step_name=state.step_name)
        for index, state in enumerate(run.steps.values())
    }
    steps[step.step_name] = _branched_step(step)
    changes = {"steps": steps, "name": check_name(name)}
    return branch_event(run, step.step_name, child_id, now, changes)


def branch_event(
    run: PipelineRun, step: str, child_id: UUID, now: datetime, changes: dict[str, Any]
) -> e.RunBranched:
    """Create a child of a run with other steps and other changes; it is at `step`."""
    statuses = {state.status for state in changes["steps"].values()}
    begun = statuses != {StepStatus.PENDING}
    child = run.evolve(
        **changes,
        pipeline_run_id=child_id,
        parent_pipeline_run_id=run.pipeline_run_id,
        branch_point=step,
        created_at=now,
        updated_at=now,
        current_step=step,
        status=PipelineStatus.RUNNING if begun else PipelineStatus.INITIALIZING,
        applied=(),
    )
    return e.RunBranched(at=now, run=child)


def check_can_branch(run: PipelineRun, step: StepState) -> None:
    """Refuse to branch at a step that the run has not reached."""
    names = run.step_names
    if names.index(step.step_name) > names.index(run.current_step):
        raise transition_error(
            "run_branched",
            step.status,
            f"the run has not reached step {step.step_name}",
            hint=f"Branch at {run.current_step} or an earlier step.",
        )


def can_be_active(configuration: PipelineConfiguration | None) -> bool:
    """Whether a run can be a session's active run: it makes a text of a document.

    True if the configuration is lost.
    """
    return configuration is None or (
        configuration.applies_to == "document" and configuration.output != "review"
    )


def check_can_be_active(configuration: PipelineConfiguration | None) -> None:
    """Refuse to make a run about a passage, or a review, active.

    Raises:
        InvalidParams: commands about the document would go to this run.
    """
    if configuration is None or can_be_active(configuration):
        return
    is_review = configuration.output == "review"
    what = "a review" if is_review else "about a passage"
    raise InvalidParams(
        f"This run is {what}. Only a run about a whole document can be active.",
        hint="Name the run in the command itself: each takes its `runId`.",
        problems=[
            {"path": "runId", "message": f"is {'' if is_review else 'a run '}{what}"}
        ],
    )


def _branched_step(step: StepState) -> StepState:
    """Return the branch step of a child: the complete answers without a choice."""
    if not step.ai_responses:
        return StepState(step_name=step.step_name)
    ended = {response.response_id for response in step.ai_responses}
    shared = StepState(
        step_name=step.step_name,
        status=StepStatus.RUNNING,
        started_at=step.started_at,
        ai_responses=step.ai_responses,
        calls=tuple(
            call for call in with_known_models(step).calls if call.response_id in ended
        ),
        ratings=step.ratings,
    )
    numbers = step.numbers
    if shared.numbers.items() <= numbers.items():
        return shared
    numbered = (call.evolve(number=numbers[call.response_id]) for call in shared.calls)
    return shared.evolve(calls=tuple(numbered))


def _run_error(run: PipelineRun, attempted: str) -> InvalidTransition:
    allowed = sorted(RUN_TRANSITIONS[run.status])
    return transition_error(
        attempted,
        run.status,
        status_clause("the run", run.status),
        allowed=allowed,
        hint=allowed_actions_hint(allowed),
    )


def find_applicable_step(run: PipelineRun, step: str | None) -> StepState:
    """Return the step whose text is to be applied; if None the last COMPLETED step.

    Raises:
        NotFound: the run has no such step.
        InvalidTransition: it is not COMPLETED.
    """
    done = [s for s in run.steps.values() if s.status is StepStatus.COMPLETED]
    state = done[-1] if step is None and done else find_step(run, step)
    check_has_text(run, state, "text_applied")
    if state.status is not StepStatus.COMPLETED:
        raise step_error(state, "text_applied")
    return state


def find_restorable(run: PipelineRun, step: str | None) -> AppliedText:
    """Return the text that was applied last, of `step` unless it is None.

    Raises:
        NotFound: no text is applied, or it has been restored.
    """
    if step is not None:
        find_step(run, step)
    for applied in reversed(run.applied):
        if step in {None, applied.step}:
            return applied
    raise NotFound(
        f"No text of {f'step {step}' if step else 'this run'} is in a document.",
        hint="Apply it first.",
    )


def record_applied(
    step: str, now: datetime, *, uri: str, mode: Output, replaced: str, text: str
) -> Events:
    """Record that a step's text is in a document."""
    return (
        e.TextApplied(
            at=now, step=step, uri=uri, mode=mode, replaced=replaced, text=text
        ),
    )


def record_restored(applied_text: AppliedText, now: datetime) -> Events:
    """Record that the user's text is back in the document."""
    return (e.TextRestored(at=now, step=applied_text.step, uri=applied_text.uri),)


def move_documents(
    run: PipelineRun, now: datetime, find_uri: Callable[[str], str | None]
) -> Events:
    """Record that documents have other names; `find_uri` returns the new one or None.

    Returns no event if no document of the run was moved.
    """
    uris = {run.uri, *(applied.uri for applied in run.applied)} - {None}
    uris |= {file.uri for file in run.document.files}
    names = {uri: find_uri(uri) for uri in uris if uri}
    moved = {uri: new for uri, new in names.items() if new and new != uri}
    return (e.RunMoved(at=now, documents=moved),) if moved else ()
