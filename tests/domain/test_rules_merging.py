"""Taking passages and joining them: by hand, by passages, by a model."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from support.runs import (
    START,
    answer,
    answered,
    asked,
    call_for,
    chosen,
    completed,
    current,
    done,
    new_id,
    new_run,
    passage_of,
    paused,
)
from writeit.domain.errors import InvalidParams, InvalidTransition, NotFound
from writeit.domain.operations import generate, select
from writeit.domain.operations.select import MergeSelection
from writeit.domain.run import (
    MergePart,
    Passage,
    PipelineRun,
    PipelineStatus,
    StepStatus,
)


def three() -> PipelineRun:
    """A run whose current step has three answers."""
    return answered(new_run(), "first", "second", "third")


def took(run: PipelineRun, index: int, text: str) -> tuple[PipelineRun, Passage]:
    """The run with a passage of an answer taken."""
    passage = passage_of(current(run).ai_responses[index].response_id, text)
    return done(run, select.add_passage(run, current(run), passage, START)), passage


def merged(run: PipelineRun, parts: MergeSelection) -> PipelineRun:
    """Return the run with its current step merged."""
    return done(run, select.merge_responses(run, current(run), parts, START))


# --- taking -----------------------------------------------------------------------


@pytest.mark.rule("verb-14")
def test_passages_are_kept_in_the_order_they_were_taken() -> None:
    """With the answer each came from; nothing is completed by it."""
    run, first = took(three(), 2, "hird")
    run, second = took(run, 0, "irst")
    assert current(run).passages == (first, second)
    assert current(run).status is StepStatus.RUNNING


@pytest.mark.rule("verb-14")
def test_a_passage_can_be_taken_while_answers_stream() -> None:
    """Also of the answer that is still on its way."""
    run, (call,) = asked(new_run())
    run = done(
        run, select.add_passage(run, current(run), passage_of(call.response_id), START)
    )
    run = done(run, generate.complete_response("angles", answer(call), START))
    assert len(current(run).passages) == 1


def test_words_of_the_end_and_the_beginning_do_not_stand_in_an_answer() -> None:
    """An answer has two texts, as it arrived and cleaned."""
    run, passage = took(answered(new_run(), "one two"), 0, "two one")
    assert current(run).passages == (passage.evolve(response_id=None),)


def test_a_paragraph_of_two_answers_is_of_the_one_it_was_taken_from() -> None:
    """Not of the first that has the same words."""
    run = answered(new_run(), "first\n\nshared", "second\n\nshared")
    run, first = took(run, 0, "first")
    run, shared = took(run, 1, "shared")
    step = merged(run, MergeSelection()).steps["angles"]
    sources = [part.response_id for part in step.content_sources]
    assert sources == [first.response_id, shared.response_id]


def test_a_paragraph_within_a_word_of_an_answer_is_the_users_own() -> None:
    """Only whole words stand in it."""
    run = answered(new_run(), "Yesterday it rained on the article.")
    content = "Yes\n\nit rained\n\nart"
    state = merged(run, MergeSelection(content=content)).steps["angles"]
    sources = [(part.response_id is None, part.text) for part in state.merged_from]
    assert sources == [(True, "Yes"), (False, "it rained"), (True, "art")]


@pytest.mark.rule("verb-14")
def test_a_passage_of_an_answer_that_is_not_there_is_refused() -> None:
    """As is an empty one, and one of a step that was never asked."""
    run = three()
    with pytest.raises(NotFound):
        select.add_passage(run, current(run), passage_of(new_id()), START)
    blank = passage_of(current(run).ai_responses[0].response_id, " \n")
    with pytest.raises(InvalidParams):
        select.add_passage(run, current(run), blank, START)
    with pytest.raises(InvalidTransition):
        select.add_passage(run, run.steps["outline"], passage_of(new_id()), START)


@pytest.mark.rule("verb-14")
@pytest.mark.parametrize(
    ("text", "is_own"), [("one  two\nthree", False), ("one three", True)]
)
def test_words_that_do_not_stand_in_the_answer_are_the_users_own(
    text: str, is_own: bool
) -> None:
    """White space does not count."""
    run = answered(new_run(), "one two\n\nthree four")
    run, _ = took(run, 0, text)
    (kept,) = current(run).passages
    assert (kept.text, kept.response_id is None) == (text, is_own)
    state = merged(run, MergeSelection()).steps["angles"]
    assert [part.response_id is None for part in state.merged_from] == [is_own]


@pytest.mark.rule("verb-16")
def test_each_paragraph_of_an_edited_merge_has_its_own_source() -> None:
    """Also where no part was named."""
    run = answered(new_run(), "A one.\n\nA two.", "B one.")
    ids = [response.response_id for response in current(run).ai_responses]
    content = "A one.\n\nA  two.\n\nMine.\n\nB one."
    state = merged(run, MergeSelection(content=content)).steps["angles"]
    assert [(part.response_id, part.text) for part in state.merged_from] == [
        (ids[0], "A one.\n\nA  two."),
        (None, "Mine."),
        (ids[1], "B one."),
    ]


# --- merging by hand --------------------------------------------------------------


@pytest.mark.rule("verb-12", "verb-15")
def test_merging_completes_the_step_without_a_selection() -> None:
    """The merged content is what the next step gets."""
    run = merged(three(), MergeSelection(content="mine"))
    state = run.steps["angles"]
    assert (state.status, state.user_selection) == (StepStatus.COMPLETED, None)
    assert (state.merged_content, state.content) == ("mine", "mine")
    assert run.current_step == "outline"


@pytest.mark.rule("verb-15")
def test_named_responses_then_named_passages_are_joined_by_a_blank_line() -> None:
    """Each in the order it was named, with where it came from."""
    run, one = took(three(), 2, "hird")
    run, other = took(run, 0, "irst")
    parts = MergeSelection(
        responses=[1, 0], passages=[other.passage_id, one.passage_id]
    )
    state = merged(run, parts).steps["angles"]
    assert state.content == "second\n\nfirst\n\nirst\n\nhird"
    answers = state.ai_responses
    assert [part.response_id for part in state.merged_from] == [
        answers[1].response_id,
        answers[0].response_id,
        answers[0].response_id,
        answers[2].response_id,
    ]


@pytest.mark.rule("verb-15")
def test_where_none_is_named_all_taken_passages_are_joined() -> None:
    """In the order they were taken."""
    run, _ = took(three(), 2, "hird")
    run, _ = took(run, 0, "irst")
    assert merged(run, MergeSelection()).steps["angles"].content == ("hird\n\nirst")


@pytest.mark.rule("verb-16")
def test_the_writers_own_words_come_from_nobody() -> None:
    """A merge written by hand from nothing taken names no answer."""
    state = merged(three(), MergeSelection(content="mine")).steps["angles"]
    assert [(p.response_id, p.text) for p in state.merged_from] == [(None, "mine")]


@pytest.mark.rule("verb-17")
@pytest.mark.parametrize("content", [None, "", " \n\t"])
def test_nothing_to_join_is_refused(content: str | None) -> None:
    """Nothing named, nothing taken, no words."""
    run = three()
    with pytest.raises(InvalidParams):
        select.merge_responses(
            run, current(run), MergeSelection(content=content), START
        )


@pytest.mark.rule("verb-16")
@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_wording_does_not_drop_the_parts(content: str) -> None:
    """Words are never dropped: the parts are joined."""
    state = merged(three(), MergeSelection(responses=[0, 2], content=content)).steps[
        "angles"
    ]
    assert state.content == "first\n\nthird"


@pytest.mark.rule("verb-17")
def test_a_part_that_is_not_there_is_refused() -> None:
    """By index and by passage."""
    run = three()
    for parts in (
        MergeSelection(responses=[3]),
        MergeSelection(responses=[-1]),
        MergeSelection(passages=[new_id()]),
    ):
        with pytest.raises(NotFound):
            select.merge_responses(run, current(run), parts, START)


@pytest.mark.rule("verb-8", "verb-12")
def test_a_choice_after_a_merge_takes_its_place() -> None:
    """And a merge that of a choice, while later steps are empty."""
    run = merged(three(), MergeSelection(responses=[0, 1]))
    state = run.steps["angles"]
    run = done(run, select.select_response(run, state, 2, START))
    state = run.steps["angles"]
    assert (state.content, state.merged_content, state.merged_from) == (
        "third",
        None,
        (),
    )
    run = done(
        run, select.merge_responses(run, state, MergeSelection(responses=[0]), START)
    )
    state = run.steps["angles"]
    assert (state.content, state.user_selection) == ("first", None)


@pytest.mark.rule("verb-15")
def test_merging_in_the_last_step_completes_the_run() -> None:
    """Also of a paused run, which it resumes."""
    run = paused(answered(chosen(new_run(("one", "two")))))
    assert merged(run, MergeSelection(responses=[0])).status is PipelineStatus.COMPLETED


@pytest.mark.rule("verb-17")
def test_a_step_that_later_steps_built_on_is_not_merged() -> None:
    """The hint is to branch."""
    run = answered(chosen(new_run()))
    with pytest.raises(InvalidTransition) as refusal:
        select.merge_responses(
            run, run.steps["angles"], MergeSelection(content="late"), START
        )
    assert "ranch" in refusal.value.hint


# --- merging by a model -----------------------------------------------------------


@pytest.mark.rule("verb-18")
def test_a_model_that_joins_parts_gives_one_more_answer() -> None:
    """It is no regeneration, completes nothing, and is not asked for again."""
    run = three()
    call = call_for(current(run)).evolve(merge=True)
    run = done(run, generate.start_model_merge(run, current(run), call, START))
    run = done(run, (generate.start_response("angles", call, "join these", START),))
    run = done(run, generate.complete_response("angles", answer(call, "joined"), START))
    state = current(run)
    assert [r.raw_output for r in state.ai_responses][-1] == "joined"
    assert (state.status, state.retry_count) == (StepStatus.RUNNING, 0)
    assert call not in generate.latest_calls(state)


@pytest.mark.rule("verb-18")
def test_a_merge_by_a_model_that_failed_is_not_repaired_as_an_answer() -> None:
    """The step stays RUNNING with what it had."""
    run = three()
    call = call_for(current(run)).evolve(merge=True)
    run = done(run, generate.start_model_merge(run, current(run), call, START))
    run = done(run, (generate.start_response("angles", call, "join these", START),))
    run = done(run, generate.fail_response("angles", call, "timeout", "slow", START))
    assert current(run).status is StepStatus.RUNNING
    assert generate.incomplete_calls(current(run)) == []


@pytest.mark.rule("verb-18")
def test_a_model_joins_only_where_there_are_answers_and_no_choice() -> None:
    """Neither in a PENDING step nor in a COMPLETED one."""
    for run in (new_run(), completed()):
        with pytest.raises(InvalidTransition):
            generate.start_model_merge(run, current(run), call_for(current(run)), START)


@pytest.mark.rule("verb-16")
@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=6))
def test_no_passage_is_lost_by_joining(texts: list[str]) -> None:
    """Every taken word is in the merged text, in order, and names its answer."""
    run = three()
    for index, text in enumerate(texts):
        run, _ = took(run, index % 3, text)
    state = merged(run, MergeSelection()).steps["angles"]
    assert state.content == "\n\n".join(texts)
    assert [part.text for part in state.merged_from] == texts
    assert state.merged_from == tuple(
        MergePart(response_id=passage.response_id, text=passage.text)
        for passage in state.passages
    )
