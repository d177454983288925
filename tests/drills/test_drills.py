"""Short drills; `make drill-kill`, `drill-two` and `drill-replace` run long ones."""

import random

import pytest

from drills.book import Heard
from drills.checks import contradictions, missing_seconds
from drills.kill import ANY_MACHINE, Tally, kill_drill
from drills.replace import replace_drill
from drills.scene import Interval
from drills.two import asked_twice, two_drill

ROUNDS = 4
SECONDS = 5.0


@pytest.mark.timeout(900)
def test_a_kill_loses_nothing_that_was_acknowledged() -> None:
    """At most the end of streamed text is lost; the store and all runs are valid."""
    tally = Tally(margin=ANY_MACHINE)
    while not tally.cut and tally.rounds < 5 * ROUNDS and not tally.problems:
        seed = random.randrange(10**6)  # noqa: S311 -- not a secret
        tally.add(kill_drill(ROUNDS, lanes=2, seed=seed, margin=ANY_MACHINE))
    assert tally.passed, tally.report()


@pytest.mark.timeout(900)
def test_two_servers_on_one_workspace_lose_no_update() -> None:
    """No step is generated twice, and the run of a dead owner is recovered."""
    seed = random.randrange(10**6)  # noqa: S311 -- not a secret
    report = two_drill(SECONDS, seed, patience=3.0)
    assert report.passed, report.report()


@pytest.mark.timeout(900)
def test_a_store_that_is_replaced_loses_nothing_that_was_acknowledged() -> None:
    """Renamed over, overwritten, deleted, damaged, newer: with two servers on it."""
    seed = random.randrange(10**6)  # noqa: S311 -- not a secret
    report = replace_drill(1, servers=2, seed=seed)
    assert not report.problems, f"seed {seed}\n{report.report()}"


def test_the_drill_measures_missing_text_by_its_arrival() -> None:
    """From the first incomplete piece; 0 if nothing is missing."""
    heard = Heard("run", "step", [(1.0, "one "), (1.2, "two "), (1.4, "three")])
    assert missing_seconds(heard, 8, died_at=1.5) == pytest.approx(0.1)
    assert missing_seconds(heard, 7, died_at=1.5) == pytest.approx(0.3)
    assert missing_seconds(heard, 13, died_at=1.5) == 0


def test_the_drill_finds_a_run_that_violates_rules() -> None:
    """The check of a drill can fail."""
    step = {
        "stepName": "angles",
        "status": "COMPLETED",
        "aiResponses": [],
        "userSelection": 0,
        "content": None,
        "streaming": [],
        "startedAt": None,
        "completedAt": None,
    }
    run = {"currentStep": "outline", "status": "RUNNING", "steps": {"angles": step}}
    found = "; ".join(contradictions(run))
    for what in ("currentStep", "nothing left", "out of range", "without answers"):
        assert what in found


def test_the_drill_finds_a_run_that_two_servers_generate() -> None:
    """Calls for one run with two keys at the same time."""
    calls = [
        Interval("one", "words 1", began=0, ended=2),
        Interval("two", "words 1", began=1, ended=3),
        Interval("two", "words 2", began=0, ended=3),
    ]
    assert len(asked_twice(calls, ["words 1", "words 2"])) == 1
