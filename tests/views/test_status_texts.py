"""States, reasons, costs and times in plain words."""

import re
from typing import get_args

import pytest

from views import samples
from writeit.domain.errors import FailureReason
from writeit.domain.run import MergePart, PipelineStatus, StepState, StepStatus
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


def test_total_cost() -> None:
    """Answers of unknown cost are counted beside the known cost."""
    known = samples.an_answer(1, cost=0.01)
    guessed = samples.an_answer(2, cost=0.02, estimated=True)
    unknown = samples.an_answer(3, cost=None)
    assert wording.total_cost_text([]) == ""
    assert wording.total_cost_text([known]) == "$0.010"
    assert wording.total_cost_text([unknown]) == "cost unknown"
    total = wording.total_cost_text([known, guessed, unknown])
    assert total.startswith("about $0.030")
    assert "1 answer" in total


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
def test_every_failure_reason_has_a_description_and_a_remedy(
    reason: FailureReason,
) -> None:
    """Nobody has to look a reason up."""
    text = wording.FAILURE_DESCRIPTIONS[reason]
    remedy = wording.FAILURE_REMEDIES[reason]
    assert not any(word in f"{text} {remedy}".lower().split() for word in JARGON)
    assert not text.endswith(".")
    assert remedy.endswith(".")


def test_endings() -> None:
    """Only an incomplete answer has an ending note; an unknown reason has one, too."""
    endings = [
        wording.describe_ending(samples.an_answer(1, finish_reason=reason, partial=cut))
        for reason, cut in (
            *(("cancelled", True), ("timeout", True), ("new", True)),
            *(("length", False), ("stop", False)),
        )
    ]
    assert endings[-1] == ""
    assert len(set(endings)) == len(endings)


def test_a_run_is_called_by_its_name_or_what_it_is_about() -> None:
    """Name, title, file, pipeline: the first there is, on one line."""
    run = samples.a_run(name="colder\n opening")
    assert wording.run_title(run) == "colder opening"
    assert wording.run_title(run.evolve(name=None)) == "How bees sleep"
    untitled = run.evolve(name=None, document=type(run.document)())
    assert wording.run_title(untitled) == "bees"
    assert wording.run_title(untitled.evolve(uri=None)) == "blog-post"


WAITING = samples.waiting()
STREAMING = samples.six_answers()
PENDING = StepState(step_name="draft")


@pytest.mark.parametrize(
    ("step", "numbers"),
    [
        (PENDING, []),
        (STREAMING, ["1", "5"]),
        (WAITING, ["2"]),
        (samples.outline_chosen(), ["1"]),
        (samples.angles_chosen(), ["1"]),
        (samples.merged(), ["1", "2"]),
        (
            samples.merged().evolve(
                merged_from=(MergePart(response_id=None, text="x"),)
            ),
            [],
        ),
        (PENDING.evolve(status=StepStatus.SKIPPED), []),
    ],
)
def test_step_status_counts_the_answers(step: StepState, numbers: list[str]) -> None:
    """A status names how many answers there are, or which were chosen."""
    assert re.findall(r"\d+", wording.step_status_text(step)) == numbers


def test_step_statuses_differ() -> None:
    """No two states of a step have the same text."""
    edited, chosen = samples.outline_chosen(), samples.angles_chosen()
    skipped = PENDING.evolve(status=StepStatus.SKIPPED)
    steps = [PENDING, STREAMING, WAITING, edited, chosen, samples.merged(), skipped]
    assert len({wording.step_status_text(step) for step in steps}) == len(steps)


@pytest.mark.parametrize("status", [PipelineStatus.RUNNING, *PipelineStatus])
def test_run_statuses_agree(status: PipelineStatus) -> None:
    """The sentence, the label and the lens name the same status."""
    run = samples.up_to_draft(WAITING, status=status)
    label = wording.run_status_label(run)
    assert wording.run_status_text(run).startswith(label)
    step_text = wording.step_status_text(WAITING)
    expected = label.removesuffix(" at draft")
    current = wording.current_step_status_text(run)
    assert current in {step_text, expected}


def test_next_actions_differ_by_state() -> None:
    """Each state of a step has its own next action."""
    run = samples.up_to_draft(WAITING)
    steps = [
        *(StepState(step_name="polish"), PENDING, samples.angles_chosen()),
        *(WAITING, WAITING.evolve(retry_count=3), samples.merged(), STREAMING),
    ]
    assert len({wording.step_next_action(run, step) for step in steps}) == len(steps)
    assert "(1 left)" in wording.step_next_action(run, WAITING.evolve(retry_count=2))
    assert "polish" in wording.step_next_action(run, samples.merged())


def test_an_interrupted_run_says_so_before_its_next_action() -> None:
    """Paused and failed runs have a sentence about that, others do not."""
    run = samples.up_to_draft(WAITING)
    assert wording.interruption_text(run) == ""
    paused = run.evolve(status=PipelineStatus.PAUSED)
    assert wording.run_next_action(paused) == (
        f"{wording.interruption_text(paused)} {wording.run_next_action(run)}"
    )


def test_a_run_that_is_called_like_its_pipeline_is_named_once() -> None:
    """A run without title, file or name."""
    run = samples.a_run(uri=None, document=type(samples.a_run().document)())
    assert wording.run_label(run) == "blog-post"


def test_missing_answers_are_counted() -> None:
    """Answers that failed or are incomplete can be generated by themselves."""
    step = STREAMING.evolve(streaming=())
    action = wording.step_next_action(samples.up_to_draft(step), step)
    assert "3 answers are incomplete or missing" in action
