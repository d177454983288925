"""The data model's rules of a run: its fields, its status, its current step."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from support.runs import (
    START,
    STEPS,
    answered,
    asked,
    broken,
    chosen,
    completed,
    current,
    done,
    failing,
    later,
    new_run,
    paused,
)
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import InvalidTransition
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.run import PipelineRun, PipelineStatus, StepState, StepStatus
from writeit.domain.transitions import RUN_TRANSITIONS

INITIALIZING, RUNNING, PAUSED, COMPLETED, ERROR = PipelineStatus
LIVES: dict[str, Callable[[], PipelineRun]] = {
    "INITIALIZING": new_run,
    "RUNNING": lambda: answered(new_run()),
    "PAUSED": lambda: paused(answered(new_run())),
    "COMPLETED": completed,
    "ERROR": lambda: broken(answered(new_run())),
}
"""A run in each status."""


# --- fields -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pipeline_run_id", "no uuid"),
        ("configuration_id", ""),
        ("status", "SLEEPING"),
        ("user_inputs", {"topic": 7}),
        ("created_at", "yesterday"),
        ("steps", {}),
        ("uuid", "unknown field"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(field: str, value: Any) -> None:
    """Pydantic validation, and no field that the data model does not have."""
    with pytest.raises(ValidationError):
        PipelineRun(**{**dict(new_run()), field: value})


@pytest.mark.rule("rel-5")
def test_steps_are_created_when_the_run_is_initialized() -> None:
    """One for each step of the configuration, in its order, all PENDING."""
    run = new_run()
    assert run.step_names == list(STEPS)
    assert {state.status for state in run.steps.values()} == {StepStatus.PENDING}


@pytest.mark.rule("rel-2", "settled-14")
def test_each_run_references_its_template_configuration() -> None:
    """By name and content: an edited file is a new one, old runs keep theirs."""
    first = PipelineConfiguration(
        name="essay",
        created=START,
        inputs=(InputSpec(name="topic", required=True),),
        steps=(StepSpec(name="write", prompt="Write."),),
    )
    edited = first.evolve(description="better")
    assert first.configuration_id != edited.configuration_id
    assert first.configuration_id == first.evolve(created=later(9)).configuration_id
    run = new_run(("write",), configuration_id=first.configuration_id)
    assert run.configuration_id.startswith("essay@")


@pytest.mark.rule("rel-3")
def test_a_run_is_a_value() -> None:
    """It cannot be changed, only another made of it."""
    run = new_run()
    with pytest.raises(ValidationError):
        setattr(run, "show_status", RUNNING)  # noqa: B010 -- mypy knows it is refused


# --- the current step -------------------------------------------------------------


@pytest.mark.rule("run-4", "settled-2")
@pytest.mark.parametrize("count", range(len(STEPS)))
def test_current_step_must_not_exceed_completed_steps(count: int) -> None:
    """It is the first step neither COMPLETED nor SKIPPED, and nothing else."""
    run = new_run()
    for index in range(count):
        run = (
            done(run, select.skip_step(run, current(run), START))
            if index
            else chosen(run)
        )
    assert run.current_step == STEPS[count]
    for name in (*STEPS, "abstract"):
        if name != run.current_step:
            with pytest.raises(ValidationError, match="current step"):
                run.evolve(current_step=name)


@pytest.mark.rule("settled-2")
def test_the_current_step_of_a_finished_run_is_the_last() -> None:
    """Wherever it was chosen or skipped."""
    assert completed().current_step == STEPS[-1]


@pytest.mark.rule("rel-6")
@pytest.mark.parametrize("step", STEPS[1:])
def test_order_is_enforced(step: str) -> None:
    """Angles → outline → draft → polish: no step before the one in front of it."""
    run = answered(new_run())
    state = run.steps[step]
    for event in (
        e.StepSkipped(at=START, step=step),
        e.StepStarted(at=START, step=step, calls=current(run).calls),
    ):
        with pytest.raises(InvalidTransition):
            state_machine.apply_event(run, event)
    with pytest.raises(InvalidTransition):
        generate.start_generation(run, state, [], START)
    with pytest.raises(InvalidTransition):
        select.skip_step(run, state, START)


# --- transitions ------------------------------------------------------------------


@pytest.mark.rule("run-t1")
def test_initializing_to_running_on_first_step_execution() -> None:
    """Nothing was sent before, everything goes on from there."""
    run = new_run()
    assert run.status is INITIALIZING
    assert asked(run)[0].status is RUNNING


@pytest.mark.rule("run-t2")
def test_running_to_paused_on_user_interrupt() -> None:
    """Only a running run can be interrupted."""
    assert paused(answered(new_run())).status is PAUSED
    for status, life in LIVES.items():
        if status != "RUNNING":
            with pytest.raises(InvalidTransition):
                lifecycle.pause(life(), START)


@pytest.mark.rule("run-t3", "verb-9", "verb-13")
def test_running_to_completed_on_final_step_completion() -> None:
    """By a choice or by skipping the last step; not one step earlier."""
    run = new_run()
    for _ in STEPS[:-1]:
        run = chosen(run)
        assert run.status is RUNNING
    assert chosen(run).status is COMPLETED
    assert done(run, select.skip_step(run, current(run), START)).status is COMPLETED
    with pytest.raises(InvalidTransition):
        state_machine.apply_event(run, e.RunCompleted(at=START))


@pytest.mark.rule("run-t4")
@pytest.mark.parametrize("status", LIVES)
def test_any_state_to_error_on_system_failure(status: str) -> None:
    """INITIALIZING, RUNNING, PAUSED, COMPLETED and ERROR itself."""
    run = LIVES[status]()
    assert run.status == status
    assert broken(run).status is ERROR
    assert broken(run).steps == run.steps


@pytest.mark.rule("settled-4")
def test_paused_to_running_and_error_to_running_on_resume() -> None:
    """By resuming, which sends nothing, or by any decision."""
    for run in (LIVES["PAUSED"](), LIVES["ERROR"]()):
        resumed = done(run, lifecycle.resume(run, START))
        assert resumed.status is RUNNING
        assert resumed.steps == run.steps
        picked = done(run, select.select_response(run, current(run), 0, START))
        assert picked.status is RUNNING
    for status in ("INITIALIZING", "RUNNING", "COMPLETED"):
        with pytest.raises(InvalidTransition):
            lifecycle.resume(LIVES[status](), START)


@pytest.mark.rule("settled-5")
def test_a_finished_run_that_failed_is_completed_when_it_goes_on() -> None:
    """It has nothing left to do, so it is not RUNNING for ever."""
    run = broken(completed())
    assert done(run, lifecycle.resume(run, START)).status is COMPLETED
    assert (
        done(run, select.rate_response(run, current(run), 0, 0.5, START)).status
        is COMPLETED
    )
    again = select.select_response(run, current(run), 0, START, content="my own words")
    assert done(run, again).status is COMPLETED
    assert current(done(run, again)).content == "my own words"


@pytest.mark.rule("run-5")
def test_status_transitions_follow_valid_state_machine() -> None:
    """The seed's, and the settled additions; there are no others."""
    edges = {
        (before, after)
        for before, row in RUN_TRANSITIONS.items()
        for after in row.values()
        if after is not None
    }
    assert edges == {
        (INITIALIZING, RUNNING),
        (RUNNING, PAUSED),
        (RUNNING, COMPLETED),
        *((status, ERROR) for status in PipelineStatus),
        (PAUSED, RUNNING),
        (ERROR, RUNNING),
        (COMPLETED, RUNNING),
    }


@pytest.mark.rule("settled-31")
def test_a_failed_call_is_no_system_failure() -> None:
    """ERROR is for the engine and the model host; the run stays RUNNING."""
    run, (call,) = asked(new_run())
    assert failing(run, "angles", call).status is RUNNING


@pytest.mark.rule("settled-26")
def test_a_run_begins_once() -> None:
    """By being started or branched, and never again."""
    run = new_run()
    assert state_machine.apply_event(None, e.RunStarted(at=START, run=run)) == run
    with pytest.raises(InvalidTransition):
        state_machine.apply_event(run, e.RunStarted(at=START, run=run))
    with pytest.raises(InvalidTransition):
        state_machine.apply_event(None, e.RunPaused(at=START))
    with pytest.raises(ValueError, match="no run"):
        state_machine.replay([])


@pytest.mark.rule("rel-4", "settled-1")
def test_a_run_has_as_many_steps_as_its_configuration() -> None:
    """The shipped articles have the seed's four, a passage's pipeline has one."""
    for names in (("only",), STEPS, tuple(f"step-{n}" for n in range(12))):
        run = completed(names)
        assert run.status is COMPLETED
        assert run.step_names == list(names)
    with pytest.raises(ValidationError):
        PipelineRun(**{**dict(new_run()), "steps": {"A b": StepState(step_name="a")}})
