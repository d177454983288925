"""States, reasons, costs and times in plain words."""

from __future__ import annotations

from typing import get_args

import pytest

from views import samples
from writeit.domain.errors import FailureReason
from writeit.domain.run import (
    MergePart,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.views import wording

JARGON = ("null", "none", "error", "http", "token limit", "uuid", "index", "api")


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (0, "free"),
        (0.00002, "under $0.0001"),
        (0.00312, "$0.0031"),
        (0.0467, "$0.047"),
        (0.5, "$0.500"),
        (1234.5, "$1,234.50"),
    ],
)
def test_money(usd: float, said: str) -> None:
    """Small amounts are told more exactly."""
    assert wording.format_usd(usd) == said


def test_costs() -> None:
    """Unknown is not free, and an estimate says that it is one."""
    assert wording.cost_text(None) == "cost unknown"
    assert wording.cost_text(None, estimated=True) == "cost unknown"
    assert wording.cost_text(0.0031, estimated=True) == "about $0.0031"
    assert wording.cost_text(0.0, estimated=True) == "free"


def test_costs_together() -> None:
    """What is unknown is counted beside what is known."""
    known = samples.an_answer(1, cost=0.01)
    guessed = samples.an_answer(2, cost=0.02, estimated=True)
    unknown = samples.an_answer(3, cost=None)
    assert wording.total_cost_text(wording.sum_costs([])) == ""
    assert wording.total_cost_text(wording.sum_costs([known])) == "$0.010"
    assert wording.total_cost_text(wording.sum_costs([unknown])) == "cost unknown"
    assert (
        wording.total_cost_text(wording.sum_costs([known, guessed, unknown]))
        == "about $0.030, and 1 answer of unknown cost"
    )


@pytest.mark.parametrize(
    ("amount", "said"),
    [(0.04, "0.0 s"), (8.13, "8.1 s"), (125, "2 min 5 s"), (7322, "2 h 2 min")],
)
def test_seconds(amount: float, said: str) -> None:
    """Seconds, then minutes, then hours."""
    assert wording.format_duration(amount) == said


def test_counts_and_lists() -> None:
    """One is one, several are several."""
    assert wording.count_of(1, "answer") == "1 answer"
    assert wording.count_of(1204, "word") == "1,204 words"
    assert wording.join_names([]) == ""
    assert wording.join_names(["a"]) == "a"
    assert wording.join_names(["a", "b", "c"]) == "a, b and c"
    assert wording.text_length("the  last\nbee") == "3 words"


def test_moments() -> None:
    """A day as people write it, whatever the machine's language."""
    assert wording.format_datetime(samples.BEGUN) == "22 November 2026, 21:03 UTC"


@pytest.mark.parametrize("reason", get_args(FailureReason))
def test_every_reason_has_words_and_a_way_on(reason: FailureReason) -> None:
    """Nobody has to look a reason up."""
    said = f"{wording.describe_failure(reason)}. {wording.failure_remedy(reason)}"
    assert reason == "refused" or "_" not in said
    assert not any(word in said.lower().split() for word in JARGON)
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("cancelled", "stopped before its end; what came is kept"),
        ("timeout", "cut short: nothing more came in time; what came is kept"),
        ("something new", "cut short; what came is kept"),
        (None, "cut short; what came is kept"),
    ],
)
def test_how_an_answer_was_cut(reason: str | None, said: str) -> None:
    """Why it is not whole, and that nothing of it is lost."""
    cut = samples.an_answer(1, partial=True, finish_reason=reason)
    assert wording.describe_ending(cut) == said


def test_how_a_whole_answer_ended() -> None:
    """Only an answer that ran into its limit needs a word."""
    assert wording.describe_ending(samples.an_answer(1, finish_reason="stop")) == ""
    long = samples.an_answer(1, finish_reason="length")
    assert wording.describe_ending(long).startswith("as long as the step allows")


def test_a_run_is_called_by_its_name_or_what_it_is_about() -> None:
    """Name, title, file, pipeline: the first there is, on one line."""
    run = samples.a_run(name="colder\n opening")
    assert wording.run_title(run) == "colder opening"
    assert wording.run_title(run.evolve(name=None)) == "How bees sleep"
    untitled = run.evolve(name=None, document=type(run.document)())
    assert wording.run_title(untitled) == "bees"
    assert wording.run_title(untitled.evolve(uri=None)) == "blog-post"


WAITING = samples.waiting()
ONE = samples.a_step("draft", samples.an_answer(20))
STREAMING = samples.six_answers()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (StepState(step_name="draft"), "not asked yet"),
        (STREAMING, "1 of 5 answers is still coming"),
        (ONE, "waiting for your choice; one answer came"),
        (WAITING, "waiting for your choice among 2 answers"),
        (samples.outline_chosen(), "you chose answer 1 and reworded it"),
        (samples.angles_chosen(), "you chose answer 1"),
        (samples.merged(), "you merged answers 1 and 2"),
        (
            samples.merged().evolve(
                merged_from=(MergePart(response_id=None, text="x"),)
            ),
            "you merged it in your own words",
        ),
        (StepState(step_name="draft", status=StepStatus.SKIPPED), "skipped"),
    ],
)
def test_where_a_step_stands(step: StepState, said: str) -> None:
    """A state in the writer's words."""
    assert wording.step_status_text(step) == said


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (samples.a_run(), "ready to begin; nothing was sent yet"),
        (
            samples.up_to_draft(WAITING),
            "at draft: waiting for your choice among 2 answers",
        ),
        (
            samples.up_to_draft(WAITING, status=PipelineStatus.PAUSED),
            "stopped at draft; what came is kept",
        ),
        (
            samples.up_to_draft(WAITING, status=PipelineStatus.ERROR),
            "something failed at draft; what came is kept",
        ),
    ],
)
def test_where_a_run_stands(run: PipelineRun, said: str) -> None:
    """A state in the writer's words."""
    assert wording.run_status_text(run) == said


def test_what_to_do_next() -> None:
    """Each state names the ways on from it."""
    run = samples.up_to_draft(WAITING)
    polish = StepState(step_name="polish")

    def said(step: StepState) -> str:
        return wording.step_next_action(run, step)

    assert said(polish) == "It can be asked once draft is done."
    assert "Later steps build on it" in said(samples.angles_chosen())
    assert "ask anew" in said(WAITING)
    assert "1 more time at most" in said(WAITING.evolve(retry_count=2))
    assert "a branch can ask again" in said(WAITING.evolve(retry_count=3))
    assert "Go on with polish" in said(samples.merged())
    assert wording.interruption_text(run) == ""
    assert "goes on" in wording.interruption_text(
        run.evolve(status=PipelineStatus.PAUSED)
    )


def test_a_run_sends_the_writer_to_its_step() -> None:
    """In the run's own view there is nothing to choose."""
    run = samples.up_to_draft(WAITING)
    assert (
        wording.run_next_action(run) == "Open draft to choose, to merge or to ask anew."
    )
    streaming = samples.up_to_draft(STREAMING)
    assert wording.run_next_action(streaming).startswith("Open draft to read along.")
    asked = samples.up_to_draft(StepState(step_name="draft"))
    assert wording.run_next_action(asked) == "Run draft to ask the models, or skip it."
    paused = asked.evolve(status=PipelineStatus.PAUSED)
    assert wording.run_next_action(paused).startswith("The run is stopped; whatever")


def test_a_run_that_is_called_like_its_pipeline_is_named_once() -> None:
    """A run without title, file or name."""
    run = samples.a_run(uri=None, document=type(samples.a_run().document)())
    assert wording.run_label(run) == "blog-post"


def test_what_is_lost_can_be_asked_again() -> None:
    """An answer that failed or was cut is named as what running again asks."""
    step = STREAMING.evolve(streaming=())
    said = wording.step_next_action(samples.up_to_draft(step), step)
    assert "3 answers are missing or not whole: run the step again" in said
