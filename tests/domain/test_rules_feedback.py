"""Feedback and ratings: feedback is never lost, answers never change."""

import pytest

from support.runs import START, anew, answered, current, done, failing, new_run
from writeit.domain.errors import InvalidParams, InvalidTransition
from writeit.domain.operations import select
from writeit.domain.run import PipelineRun

# --- words and scores -------------------------------------------------------------


def words_of(run: PipelineRun) -> str | None:
    """Return the feedback of the first step in later prompts."""
    return run.steps["angles"].user_feedback


@pytest.mark.rule("verb-6")
def test_words_that_went_into_a_regeneration_are_not_said_again() -> None:
    """They are cleared from the step; the event keeps them."""
    run = answered(new_run())
    run = done(run, select.give_feedback(run, current(run), "shorter", START))
    assert words_of(run) == "shorter"
    assert words_of(anew(run, "angles", "shorter")[0]) is None


@pytest.mark.rule("verb-6")
def test_words_that_no_prompt_carried_stay() -> None:
    """The regeneration used other feedback."""
    run = answered(new_run())
    run = done(run, select.give_feedback(run, current(run), "shorter", START))
    assert words_of(anew(run, "angles", "more bees")[0]) == "shorter"


@pytest.mark.rule("verb-7")
def test_words_said_during_a_failed_regeneration_stay() -> None:
    """The step is as before, except for the newer feedback."""
    run = answered(new_run())
    run = done(run, select.give_feedback(run, current(run), "shorter", START))
    run, (call,) = anew(run, "angles", "shorter")
    assert words_of(failing(run, "angles", call)) == "shorter"
    run = done(run, select.give_feedback(run, current(run), "more bees", START))
    assert words_of(failing(run, "angles", call)) == "more bees"


@pytest.mark.rule("verb-10")
def test_feedback_comes_with_a_choice_or_a_merge() -> None:
    """In the same decision."""
    run = answered(new_run())
    picked = select.select_response(run, current(run), 0, START, feedback="shorter")
    assert words_of(done(run, picked)) == "shorter"
    joined = select.merge_responses(
        run, current(run), select.MergeSelection(responses=[0]), START, "drier"
    )
    assert words_of(done(run, joined)) == "drier"


@pytest.mark.rule("verb-11")
def test_a_step_without_answers_takes_no_words_and_no_score() -> None:
    """A PENDING step is refused."""
    run = new_run()
    with pytest.raises(InvalidTransition):
        select.give_feedback(run, current(run), "shorter", START)
    with pytest.raises(InvalidTransition):
        select.rate_response(run, current(run), 0, 0.5, START)


@pytest.mark.rule("settled-32")
@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_score_out_of_bounds_is_refused(score: float) -> None:
    """Quality score must be between 0.0 and 1.0 if specified."""
    run = answered(new_run())
    with pytest.raises(InvalidParams):
        select.rate_response(run, current(run), 0, score, START)
    for fine in (0.0, 1.0, None):
        assert select.rate_response(run, current(run), 0, fine, START)


@pytest.mark.rule("settled-20")
def test_rating_shows_a_score_and_leaves_the_answer() -> None:
    """It is stored beside the immutable answer and can be removed."""
    run = answered(new_run())
    rated = done(run, select.rate_response(run, current(run), 0, 0.75, START))
    assert current(rated).ai_responses == current(run).ai_responses
    assert current(rated).rated_responses[0].quality_score == 0.75
    back = done(rated, select.rate_response(rated, current(rated), 0, None, START))
    assert current(back).rated_responses[0].quality_score is None
