"""The data model's rules of a step: its fields, its times, its ways."""

from typing import Any

import pytest
from pydantic import ValidationError

from support.runs import (
    START,
    anew,
    answer,
    answered,
    asked,
    call_for,
    chosen,
    current,
    done,
    failing,
    later,
    new_run,
)
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import InvalidParams, InvalidTransition, NotFound, RetryLimit
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.run import (
    MAX_RETRIES,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.domain.transitions import STEP_TRANSITIONS

ANSWER = answer(call_for(StepState(step_name="angles")))


def step(**fields: Any) -> StepState:
    """A step."""
    return StepState(**{"step_name": "angles", **fields})


# --- fields -----------------------------------------------------------------------


@pytest.mark.rule("step-1", "verb-27")
def test_step_name_must_be_valid_pipeline_step() -> None:
    """It is a name, and the run has it under that name."""
    for name in ("", "Angles", "an angle", "-", "a" * 65):
        with pytest.raises(ValidationError):
            step(step_name=name)
    run = new_run(("angles",))
    with pytest.raises(ValidationError, match="is called"):
        PipelineRun(**{**dict(run), "steps": {"angles": step(step_name="outline")}})
    for event in (
        e.StepSkipped(at=START, step="outline"),
        e.StepStarted(at=START, step="outline", calls=(call_for(step()),)),
    ):
        with pytest.raises(InvalidTransition):
            state_machine.apply_event(run, event)
    with pytest.raises(NotFound) as refusal:
        lifecycle.find_step(run, "angels")
    assert "angles" in refusal.value.hint


@pytest.mark.rule("step-2")
def test_started_and_completed_timestamps_must_be_sequential() -> None:
    """Completed not before started, and not without it; both in one moment is fine."""
    whole = {"ai_responses": (ANSWER,), "status": StepStatus.COMPLETED}
    assert step(started_at=START, completed_at=START, **whole).completed_at == START
    with pytest.raises(ValidationError, match="before it was started"):
        step(started_at=later(1), completed_at=START, **whole)
    with pytest.raises(ValidationError, match="without having been started"):
        step(completed_at=START, **whole)


@pytest.mark.rule("step-3", "verb-8")
@pytest.mark.parametrize("index", [-1, 1, 2])
def test_user_selection_must_be_valid_index_into_ai_responses(index: int) -> None:
    """In the entity, in the machine and in the decision."""
    assert step(ai_responses=(ANSWER,), user_selection=0).user_selection == 0
    with pytest.raises(ValidationError):
        step(ai_responses=(ANSWER,), user_selection=index)
    run = answered(new_run())
    with pytest.raises(InvalidTransition):
        state_machine.apply_event(
            run, e.ResponseSelected(at=START, step="angles", index=index)
        )
    with pytest.raises(NotFound):
        select.select_response(run, current(run), index, START)


@pytest.mark.rule("step-4")
def test_ai_responses_list_cannot_be_empty_for_completed_status() -> None:
    """A completed step has what was chosen from."""
    with pytest.raises(ValidationError, match="must have answers"):
        step(status=StepStatus.COMPLETED)
    whole = step(status=StepStatus.COMPLETED, ai_responses=(ANSWER,))
    assert whole.ai_responses == (ANSWER,)


def test_an_answer_stands_in_a_step_once() -> None:
    """Response ID must be globally unique."""
    with pytest.raises(ValidationError, match="twice"):
        step(ai_responses=(ANSWER, ANSWER))


@pytest.mark.rule("step-5", "verb-5")
def test_retry_count_cannot_exceed_system_maximum_3() -> None:
    """Three regenerations; the fourth is refused and offers a branch."""
    assert MAX_RETRIES == 3
    for count in (-1, 4):
        with pytest.raises(ValidationError):
            step(retry_count=count)
    run = answered(new_run())
    for count in (1, 2, 3):
        run, (call,) = anew(run, "angles")
        run = done(run, generate.complete_response("angles", answer(call), START))
        assert current(run).retry_count == count
    fourth = call_for(current(run), up=1)
    with pytest.raises(RetryLimit) as refusal:
        generate.regenerate(run, current(run), [fourth], "", START)
    assert "ranch" in refusal.value.hint
    event = e.StepRegenerated(at=START, step="angles", calls=(fourth,))
    with pytest.raises(InvalidTransition):
        state_machine.apply_event(run, event)


# --- transitions ------------------------------------------------------------------


@pytest.mark.rule("step-t1", "settled-3")
def test_pending_to_running_on_step_start() -> None:
    """It is RUNNING from being asked until the choice."""
    run, (call,) = asked(new_run())
    assert current(run).status is StepStatus.RUNNING
    assert current(run).started_at == START
    run = done(run, generate.complete_response("angles", answer(call), START))
    assert current(run).status is StepStatus.RUNNING


@pytest.mark.rule("step-t2", "rel-8")
def test_running_to_completed_on_user_selection() -> None:
    """The choice completes the step."""
    run = chosen(new_run())
    state = run.steps["angles"]
    assert (state.status, state.user_selection) == (StepStatus.COMPLETED, 0)
    assert state.completed_at == START
    assert run.current_step == "outline"


def test_an_edited_answer_cannot_be_empty() -> None:
    """A text deleted by mistake does not become the text of the step."""
    run = answered(new_run())
    with pytest.raises(InvalidParams, match="empty"):
        select.select_response(run, current(run), 0, START, content=" \n")


def test_a_refusal_says_what_can_be_done() -> None:
    """In words; the event types are in its data."""
    run = new_run()
    with pytest.raises(InvalidTransition) as refused:
        lifecycle.pause(run, START)
    assert refused.value.hint == "You can generate answers or skip the step."
    assert refused.value.data["allowed"] == [
        "run_failed",
        "run_moved",
        "step_skipped",
        "step_started",
    ]


@pytest.mark.rule("step-t3", "verb-4")
def test_completed_to_running_on_regenerate_request() -> None:
    """The choice is put aside until there is a new one."""
    run, _ = anew(chosen(new_run()), "angles")
    state = run.steps["angles"]
    assert (state.status, state.user_selection) == (StepStatus.RUNNING, None)
    assert state.completed_at is None
    assert run.current_step == "angles"


@pytest.mark.rule("settled-7", "settled-10")
def test_running_to_pending_when_nothing_arrived() -> None:
    """Not one answer has text: the step waits to be asked, the run stays RUNNING."""
    run, (call,) = asked(new_run())
    run = failing(run, "angles", call)
    assert current(run).status is StepStatus.PENDING
    assert current(run).started_at is None
    assert [f.reason for f in current(run).failures] == ["timeout"]
    assert run.status is PipelineStatus.RUNNING


@pytest.mark.rule("settled-8", "verb-12")
def test_pending_to_skipped_on_going_on_without_it() -> None:
    """Its content is empty then, and the next step is the current one."""
    run = new_run()
    run = done(run, select.skip_step(run, current(run), START))
    assert run.steps["angles"].status is StepStatus.SKIPPED
    assert run.steps["angles"].content == ""
    assert run.current_step == "outline"
    assert run.status is PipelineStatus.RUNNING


@pytest.mark.rule("settled-9")
def test_the_transitions_of_a_step_are_these_and_no_others() -> None:
    """The seed's three, and the settled additions."""
    pending, running, complete, skipped = StepStatus
    edges = {
        (before, after)
        for before, row in STEP_TRANSITIONS.items()
        for after in row.values()
        if after is not None and after is not before
    }
    assert edges == {
        (pending, running),
        (running, complete),
        (complete, running),
        (pending, skipped),
    }
    decided_by_the_event = {
        (before, event)
        for before, row in STEP_TRANSITIONS.items()
        for event, after in row.items()
        if after is None
    }
    assert decided_by_the_event == {(running, "response_failed")}
