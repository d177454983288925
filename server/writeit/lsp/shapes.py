"""Runs and steps in the wire's shape: as they are kept, and what follows from that.

A client is sent what the rules allow (`can`) and how a run stands in words, so that it
compares no statuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.core import decide
from writeit.core.run import DONE, PipelineStatus
from writeit.lsp import protocol as p
from writeit.views import words

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun, StepState
    from writeit.engine.family import Kin
    from writeit.ports import RunSummary


class _With:
    """An object with further attributes; pydantic reads the shapes from it."""

    def __init__(self, source: object, **more: object) -> None:
        self._source = source
        self.__dict__.update(more)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the source has
        return getattr(self._source, name)


def as_run(run: PipelineRun) -> p.PipelineRun:
    """Return a run in the wire's shape."""
    return p.PipelineRun.model_validate(
        _With(
            run,
            steps={name: as_step(run, step) for name, step in run.steps.items()},
            can=decide.permitted_on_run(run),
            **_standing(run),
        )
    )


def as_step(run: PipelineRun, step: StepState) -> p.StepState:
    """Return a step of `run` in the wire's shape."""
    can = decide.permitted_on_step(run, step)
    return p.StepState.model_validate(_With(step, is_done=step.status in DONE, can=can))


def as_summary(summary: RunSummary) -> p.RunSummary:
    """Return a line of the list of runs in the wire's shape."""
    return p.RunSummary.model_validate(_With(summary, **_standing(summary)))


def as_tree(kin: Kin) -> p.RunTree:
    """Return a run and what branched off it in the wire's shape."""
    children = [as_tree(child) for child in kin.children]
    return p.RunTree.model_validate(
        _With(kin.summary, children=children, more=kin.more, **_standing(kin.summary))
    )


def _standing(run: PipelineRun | RunSummary) -> dict[str, object]:
    """Return what both a run and a line of the list say of its status."""
    return {
        "is_done": run.status is PipelineStatus.COMPLETED,
        "status_text": words.run_status(run.status, run.current_step),
    }
