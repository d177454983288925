"""Branch and rewind: a child shares the past, and nothing of the parent changes."""

import pytest
from pydantic import ValidationError

from support.runs import (
    START,
    STEPS,
    anew,
    answer,
    answered,
    asked,
    call_for,
    child_of,
    chosen,
    completed,
    current,
    done,
    failing,
    new_id,
    new_run,
    passage_of,
)
from writeit.domain.errors import InvalidTransition
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.run import MAX_RETRIES, PipelineRun, PipelineStatus, StepStatus


@pytest.mark.rule("run-2", "rel-10")
def test_parent_pipeline_run_must_exist_if_specified() -> None:
    """A child is only ever made of a run at hand, and names that run."""
    parent = chosen(new_run())
    child = child_of(parent, "outline")
    assert child.parent_pipeline_run_id == parent.pipeline_run_id
    with pytest.raises(ValidationError, match="own parent"):
        lifecycle.branch(
            parent, parent.steps["outline"], parent.pipeline_run_id, START, None
        )


@pytest.mark.rule("run-3")
@pytest.mark.parametrize("step", STEPS)
def test_branch_point_must_be_valid_step_name_if_specified(step: str) -> None:
    """Every step of the run is one; any other name is refused."""
    run = completed()
    assert child_of(run, step).branch_point == step
    fields = {**dict(run), "parent_pipeline_run_id": new_id()}
    with pytest.raises(ValidationError, match="not a step"):
        PipelineRun(**{**fields, "branch_point": f"{step}-2"})
    with pytest.raises(ValidationError, match="both a parent and a branch point"):
        PipelineRun(**{**fields, "branch_point": None})


@pytest.mark.rule("rel-11")
@pytest.mark.parametrize("step", STEPS)
def test_a_child_shares_history_up_to_the_branch_point(step: str) -> None:
    """The steps before it as they are, its answers by id, nothing behind it."""
    run = completed()
    child = child_of(run, step)
    here = STEPS.index(step)
    for name in STEPS[:here]:
        assert child.steps[name] == run.steps[name]
    assert child.steps[step].ai_responses == run.steps[step].ai_responses
    for name in STEPS[here + 1 :]:
        assert child.steps[name].status is StepStatus.PENDING
        assert not child.steps[name].ai_responses
    assert child.current_step == step
    assert child.status is PipelineStatus.RUNNING


@pytest.mark.rule("verb-20")
def test_of_the_branch_step_only_answers_are_shared() -> None:
    """Not the choice, the wording, the merge, passages, feedback, failures."""
    run, (whole, lost) = asked(new_run(), 2)
    run = done(run, generate.complete_response("angles", answer(whole), START))
    run = failing(run, "angles", lost)
    passage = passage_of(whole.response_id)
    run = done(run, select.add_passage(run, current(run), passage, START))
    run = done(
        run,
        select.select_response(
            run, current(run), 0, START, content="mine", feedback="shorter"
        ),
    )
    step = child_of(run, "angles").steps["angles"]
    assert step.status is StepStatus.RUNNING
    assert len(step.ai_responses) == 1
    assert step.user_selection is None
    assert step.content is None
    assert (step.edited_content, step.merged_content) == (None, None)
    assert (step.passages, step.merged_from, step.failures) == ((), (), ())
    assert step.user_feedback is None
    assert step.completed_at is None


@pytest.mark.rule("verb-21")
def test_a_child_with_nothing_shared_is_initializing() -> None:
    """Its branch step is PENDING, and the first of the run."""
    child = child_of(new_run(), "angles")
    assert child.status is PipelineStatus.INITIALIZING
    assert child.steps["angles"].status is StepStatus.PENDING


@pytest.mark.rule("verb-21")
def test_a_step_without_answers_is_pending_in_the_child() -> None:
    """The run before it goes on, so the child is RUNNING."""
    child = child_of(chosen(new_run()), "outline")
    assert child.status is PipelineStatus.RUNNING
    assert child.steps["outline"].status is StepStatus.PENDING


@pytest.mark.rule("verb-20")
def test_answers_that_still_stream_are_not_shared() -> None:
    """Only those that have ended; the parent goes on streaming."""
    run, (first, second) = asked(new_run(), 2)
    run = done(run, generate.complete_response("angles", answer(first), START))
    child = child_of(run, "angles")
    step = child.steps["angles"]
    assert [r.response_id for r in step.ai_responses] == [first.response_id]
    assert not child.is_streaming
    assert second.response_id not in {call.response_id for call in step.calls}


@pytest.mark.rule("verb-19")
@pytest.mark.parametrize("step", STEPS[1:])
def test_a_step_that_was_not_reached_cannot_be_branched_at(step: str) -> None:
    """Later than the current step there is nothing to share."""
    run = answered(new_run())
    with pytest.raises(InvalidTransition) as refusal:
        child_of(run, step)
    assert "angles" in refusal.value.hint


@pytest.mark.rule("verb-5")
def test_a_child_counts_its_own_regenerations() -> None:
    """Its branch step starts at retry count 0, whatever the parent's is."""
    run = answered(new_run())
    for _ in range(MAX_RETRIES):
        run, (call,) = anew(run, "angles")
        run = done(run, generate.complete_response("angles", answer(call), START))
    child = child_of(run, "angles")
    assert child.steps["angles"].retry_count == 0
    assert anew(child, "angles")[0].steps["angles"].retry_count == 1


@pytest.mark.rule("verb-20")
def test_what_was_cut_in_the_parent_can_be_repaired_in_the_child() -> None:
    """A shared answer that is partial is still asked again."""
    run, (cut,) = asked(new_run())
    partial = answer(cut, partial=True)
    run = done(
        run, generate.interrupt_response("angles", partial, "unavailable", START)
    )
    child = child_of(run, "angles")
    assert generate.incomplete_calls(child.steps["angles"]) == [cut]


def test_a_shared_answer_keeps_its_number() -> None:
    """Also if the call before it has no answer, and what is new follows."""
    run, (lost, kept) = asked(new_run(), 2)
    run = failing(run, "angles", lost)
    run = done(run, generate.complete_response("angles", answer(kept), START))
    child, (new,) = anew(child_of(run, "angles"), "angles")
    assert child.steps["angles"].numbers == {kept.response_id: 2, new.response_id: 3}


def test_a_repaired_answer_keeps_its_number() -> None:
    """The call that replaces another has its number; the others keep theirs."""
    run, (lost, kept) = asked(new_run(), 2)
    run = done(run, generate.complete_response("angles", answer(kept), START))
    run = failing(run, "angles", lost)
    again = call_for(current(run), replaces=lost.response_id)
    events = generate.start_generation(run, current(run), [again], START)
    numbers = done(run, events).steps["angles"].numbers
    assert (numbers[again.response_id], numbers[kept.response_id]) == (1, 2)


@pytest.mark.rule("rel-12", "verb-23")
@pytest.mark.parametrize("step", STEPS)
def test_making_a_child_changes_nothing_of_the_parent(step: str) -> None:
    """Going back never destroys."""
    run = completed()
    before = run.model_dump()
    child = child_of(run, step)
    done(
        child,
        select.select_response(child, child.steps[step], 0, START, content="other"),
    )
    assert run.model_dump() == before


@pytest.mark.rule("verb-24")
def test_rewind_is_a_branch() -> None:
    """At any step that is done already; the parent keeps all it had."""
    run = completed()
    child = child_of(run, "angles")
    assert child.current_step == "angles"
    assert run.status is PipelineStatus.COMPLETED


@pytest.mark.rule("verb-22")
def test_a_child_keeps_inputs_primer_and_document() -> None:
    """What the run was started with is fixed."""
    run = chosen(new_run(user_inputs={"topic": "bees"}, uri="file:///bees.md"))
    child = child_of(run, "outline")
    assert child.configuration_id == run.configuration_id
    assert (child.user_inputs, child.uri) == (run.user_inputs, run.uri)
    assert (child.primer, child.document) == (run.primer, run.document)
