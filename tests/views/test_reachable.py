"""Every state that a run can get into has its pages, and they say what is true."""

import pytest

from support.runs import (
    START,
    anew,
    answered,
    asked,
    broken,
    child_of,
    chosen,
    completed,
    current,
    done,
    failing,
    new_run,
    paused,
)
from views.rendered import render_step
from writeit.domain.answer import Call, ResponseFailure, StreamingResponse
from writeit.domain.operations import select
from writeit.domain.run import PipelineRun
from writeit.views import wording
from writeit.views.answer_heads import EndedAnswer, list_answers
from writeit.views.editable_page import parse_page
from writeit.views.run import render_run


def one_failed() -> PipelineRun:
    """Two were asked: one failed, one still comes."""
    run, calls = asked(new_run(), 2)
    return failing(run, run.current_step, calls[0])


def all_failed() -> PipelineRun:
    """Nothing came of the only call."""
    run, calls = asked(new_run())
    return failing(run, run.current_step, calls[0])


RUNS = {
    "new": new_run(),
    "asked": asked(new_run(), 3)[0],
    "one failed": one_failed(),
    "all failed": all_failed(),
    "asked again": asked(all_failed())[0],
    "answered": answered(new_run(), "one", "two"),
    "paused": paused(answered(new_run(), "one")),
    "broken": broken(answered(new_run(), "one")),
    "chosen": chosen(new_run()),
    "skipped": done(new_run(), select.skip_step(new_run(), current(new_run()), START)),
    "asked anew": anew(chosen(new_run()), "angles", "shorter")[0],
    "branch": child_of(chosen(new_run()), "angles"),
    "completed": completed(),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_state_has_its_pages(name: str) -> None:
    """The run's, and one for each of its steps, all of which can be read back."""
    run = RUNS[name]
    assert render_run(run)
    for state in run.steps.values():
        page = render_step(run, state.step_name)
        parsed = parse_page(page)
        assert not parsed.problems
        ended = {answer.response_id for answer in state.ai_responses}
        was_asked = bool(ended or state.streaming or state.failures)
        words = {"merge", "feedback"} if was_asked else set()
        assert set(parsed.texts) == ended | words


@pytest.mark.parametrize("status", ["paused", "broken"])
def test_an_interrupted_run_says_how_it_goes_on(status: str) -> None:
    """A writer who comes back is not afraid to go on."""
    run = RUNS[status]
    assert wording.interruption_text(run) in render_step(run, "angles")


def test_calls_stand_in_the_order_they_were_asked() -> None:
    """Whichever ends first, and whatever becomes of it."""
    run = one_failed()
    first, second = list_answers(current(run))
    assert isinstance(first, ResponseFailure)
    assert isinstance(second, StreamingResponse)
    step = answered(new_run(), "one", "two").steps["angles"]
    turned = step.evolve(calls=step.calls[::-1])
    shown = [item for item in list_answers(turned) if isinstance(item, EndedAnswer)]
    assert [item.label for item in shown] == ["1", "2"]
    assert [item.answer.raw_output for item in shown] == ["two", "one"]


def test_a_call_that_is_not_made_yet_waits() -> None:
    """Where calls take turns, the others are seen to wait."""
    run, calls = asked(new_run(), 2)
    step = current(run)
    first = step.evolve(streaming=step.streaming[:1])
    assert [type(item) for item in list_answers(first)] == [StreamingResponse, Call]
    page = render_step(run.with_step(first), "angles")
    assert "## Answer 2 · openai/test · queued" in page
    assert first.calls[1].response_id == calls[1].response_id


def test_a_call_that_was_asked_again_is_told_once() -> None:
    """The failure that was repaired is gone; the new call stands there."""
    assert [type(i) for i in list_answers(current(RUNS["asked again"]))] == [
        StreamingResponse
    ]


def test_an_answer_of_a_later_asking_says_so() -> None:
    """The earlier answers stay, and the later ones are told apart."""
    run, calls = anew(chosen(new_run()), "angles", "shorter")
    (_, earlier) = list_answers(run.steps["angles"])
    assert isinstance(earlier, EndedAnswer)
    assert earlier.regeneration == 0
    page = render_step(run, "angles")
    assert "· regeneration" not in page
    step = run.steps["angles"]
    stream = step.streaming[0]
    answer = step.ai_responses[0].evolve(response_id=calls[0].response_id)
    step = step.evolve(streaming=(), ai_responses=(*step.ai_responses, answer))
    assert stream.response_id == calls[0].response_id
    assert page.count("## ") == render_step(run.with_step(step), "angles").count("## ")
    assert "· regeneration 1\n" in render_step(run.with_step(step), "angles")
