"""A step's text in the user's documents, as the run records it."""

from collections.abc import Callable
from typing import Any

import pytest

from support.runs import (
    START,
    answered,
    asked,
    broken,
    child_of,
    chosen,
    completed,
    done,
    new_run,
    paused,
)
from writeit.domain.errors import InvalidTransition, NotFound
from writeit.domain.operations import lifecycle, select
from writeit.domain.run import PipelineRun


def put(run: PipelineRun, step: str, uri: str = "file:///a.md") -> PipelineRun:
    """Return the run with a step's text in a document."""
    fields: dict[str, Any] = {"mode": "replace", "replaced": "old", "text": "new"}
    return done(run, lifecycle.record_applied(step, START, uri=uri, **fields))


STANDING: dict[str, Callable[[], PipelineRun]] = {
    "RUNNING": lambda: chosen(new_run()),
    "PAUSED": lambda: paused(chosen(new_run())),
    "ERROR": lambda: broken(chosen(new_run())),
    "COMPLETED": completed,
    "streaming": lambda: asked(chosen(new_run()))[0],
}


@pytest.mark.parametrize("standing", STANDING)
def test_applying_moves_nothing(standing: str) -> None:
    """It is a fact about the document, so it does not resume a stopped run."""
    run = STANDING[standing]()
    after = put(run, "angles")
    assert after.evolve(applied=()) == run
    assert [(a.uri, a.step) for a in after.applied] == [("file:///a.md", "angles")]
    (applied,) = after.applied
    assert done(after, lifecycle.record_restored(applied, START)) == run


def test_only_a_completed_step_has_a_text() -> None:
    """Running, pending and skipped ones are refused."""
    run = answered(new_run())
    with pytest.raises(InvalidTransition):
        put(run, "angles")
    with pytest.raises(InvalidTransition):
        lifecycle.find_applicable_step(run, "angles")
    run = chosen(new_run())
    run = done(run, select.skip_step(run, run.steps["outline"], START))
    with pytest.raises(InvalidTransition):
        put(run, "outline")


def test_without_a_step_the_last_completed_one_is_meant() -> None:
    """Also of a run that has reached later steps."""
    run = chosen(chosen(new_run()))
    assert lifecycle.find_applicable_step(run, None).step_name == "outline"
    with pytest.raises(InvalidTransition):
        lifecycle.find_applicable_step(new_run(), None)


def test_each_document_is_listed_once_for_a_step_the_newest_last() -> None:
    """A text that is applied again becomes the last one."""
    run = put(put(put(completed(), "angles"), "draft"), "polish", "file:///b.md")
    run = put(run, "angles")
    assert [a.step for a in run.applied] == ["draft", "polish", "angles"]
    assert lifecycle.find_restorable(run, None).step == "angles"
    assert lifecycle.find_restorable(run, "polish").uri == "file:///b.md"
    with pytest.raises(NotFound):
        lifecycle.find_restorable(run, "outline")


def test_a_branch_was_applied_nowhere() -> None:
    """The documents of its parent are not its own."""
    assert child_of(put(completed(), "angles"), "outline").applied == ()
