"""Generating, completing and regenerating: what a step allows and keeps."""

from collections.abc import Callable

import pytest

from support.runs import (
    START,
    anew,
    answer,
    answered,
    asked,
    call_for,
    chosen,
    completed,
    current,
    done,
    failing,
    new_run,
)
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import Busy, InvalidTransition
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import PipelineStatus

# --- asking -----------------------------------------------------------------------


@pytest.mark.rule("settled-30", "verb-2")
def test_only_what_failed_or_was_cut_is_asked_again() -> None:
    """Running a step again completes it and counts no regeneration."""
    run, (whole, cut, lost) = asked(new_run(), calls=3)
    partial = answer(cut, partial=True)
    run = done(run, generate.complete_response("angles", answer(whole), START))
    run = done(
        run, generate.interrupt_response("angles", partial, "unavailable", START)
    )
    run = failing(run, "angles", lost)
    assert generate.incomplete_calls(current(run)) == [cut, lost]
    repair = call_for(current(run), lost.response_id)
    run = done(run, generate.start_generation(run, current(run), [repair], START))
    assert generate.incomplete_calls(current(run)) == [cut, repair]
    assert current(run).retry_count == 0


@pytest.mark.rule("verb-2")
def test_a_step_whose_models_all_answered_is_not_asked_again() -> None:
    """That would be a regeneration."""
    run = answered(new_run())
    with pytest.raises(InvalidTransition):
        asked(run)


@pytest.mark.rule("verb-2")
@pytest.mark.parametrize("how", ["completed", "failed since", "skipped and failed"])
def test_a_finished_run_asks_nothing(how: str) -> None:
    """Neither now nor after a later failure."""
    run = completed(("angles",))
    if how == "skipped and failed":
        run = new_run(("angles",))
        run = done(run, select.skip_step(run, current(run), START))
    if how != "completed":
        run = state_machine.apply_event(
            run, e.RunFailed(at=START, message="the disk is full")
        )
    with pytest.raises(InvalidTransition):
        generate.start_generation(run, current(run), [call_for(current(run))], START)


@pytest.mark.rule("verb-1")
def test_while_answers_stream_nothing_is_asked_chosen_or_skipped() -> None:
    """Busy, each time."""
    run, (call,) = asked(new_run())
    state = current(run)
    verbs: list[Callable[[], Events]] = [
        lambda: generate.start_generation(run, state, [call], START),
        lambda: generate.regenerate(run, state, [call], "", START),
        lambda: generate.start_model_merge(run, state, call, START),
        lambda: select.select_response(run, state, 0, START),
        lambda: select.merge_responses(
            run, state, select.MergeSelection(content="x"), START
        ),
        lambda: select.skip_step(run, state, START),
        lambda: lifecycle.pause(run, START),
    ]
    for verb in verbs:
        with pytest.raises(Busy):
            verb()


# --- regenerating -----------------------------------------------------------------


@pytest.mark.rule("rel-9", "verb-4")
def test_regenerating_appends_and_changes_no_index() -> None:
    """All responses are preserved for audit and comparison."""
    run = answered(new_run(), "first", "second")
    before = current(run).ai_responses
    run, (call,) = anew(run, "angles")
    run = done(run, generate.complete_response("angles", answer(call, "third"), START))
    assert current(run).ai_responses[:2] == before
    assert current(run).ai_responses[2].raw_output == "third"


@pytest.mark.rule("settled-29")
def test_a_regeneration_of_which_nothing_comes_leaves_the_step_as_it_was() -> None:
    """The selection, the feedback and the count are as before the call."""
    run = answered(new_run())
    run = done(
        run, select.select_response(run, current(run), 0, START, content="my own")
    )
    before = run.steps["angles"]
    run, (call,) = anew(run, "angles")
    after = failing(run, "angles", call).steps["angles"]
    kept = {"status", "user_selection", "edited_content", "retry_count", "completed_at"}
    assert after.model_dump(include=kept) == before.model_dump(include=kept)


@pytest.mark.rule("verb-3")
def test_regenerating_needs_an_answer_or_a_failure() -> None:
    """A failed step can be regenerated, a step without calls cannot."""
    with pytest.raises(InvalidTransition):
        anew(new_run(), "angles")
    run, (call,) = asked(new_run())
    run, _ = anew(failing(run, "angles", call), "angles")
    assert current(run).retry_count == 1


@pytest.mark.rule("verb-3")
def test_a_step_that_later_steps_built_on_is_not_regenerated() -> None:
    """The hint is to branch."""
    run = answered(chosen(new_run()))
    with pytest.raises(InvalidTransition) as refusal:
        anew(run, "angles")
    assert "ranch" in refusal.value.hint


@pytest.mark.rule("settled-6", "settled-29")
def test_regenerating_the_last_step_makes_a_completed_run_running_again() -> None:
    """And COMPLETED after a new choice, or if all calls failed."""
    run, (call,) = anew(completed(), "polish")
    assert run.status is PipelineStatus.RUNNING
    assert failing(run, "polish", call).status is PipelineStatus.COMPLETED
    run = done(run, generate.complete_response("polish", answer(call), START))
    run = done(run, select.select_response(run, current(run), 1, START))
    assert run.status is PipelineStatus.COMPLETED
