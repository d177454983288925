"""Runs and steps in the wire's shape: as they are kept, and what follows from that.

A client is sent what the rules allow (`can`) and how a run stands in words, so that it
compares no statuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.domain.operations import permitted
from writeit.domain.run import DONE_STATUSES, PipelineStatus
from writeit.lsp import protocol as p
from writeit.views import wording

if TYPE_CHECKING:
    from writeit.domain.run import PipelineRun, StepState
    from writeit.domain.run_summary import RunNode, RunSummary


class _ExtendedSource:
    """An object with further attributes; pydantic reads the shapes from it."""

    def __init__(self, source: object, **extra: object) -> None:
        self._source = source
        self.__dict__.update(extra)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the source has
        return getattr(self._source, name)


def run_to_wire(run: PipelineRun) -> p.WirePipelineRun:
    """Return a run in the wire's shape."""
    return p.WirePipelineRun.model_validate(
        _ExtendedSource(
            run,
            steps={name: step_to_wire(run, step) for name, step in run.steps.items()},
            can=permitted.run_permissions(run),
            **_status_fields(run),
        )
    )


def step_to_wire(run: PipelineRun, step: StepState) -> p.WireStepState:
    """Return a step of `run` in the wire's shape."""
    can = permitted.step_permissions(run, step)
    return p.WireStepState.model_validate(
        _ExtendedSource(step, is_done=step.status in DONE_STATUSES, can=can)
    )


def summary_to_wire(summary: RunSummary) -> p.WireRunSummary:
    """Return a line of the list of runs in the wire's shape."""
    return p.WireRunSummary.model_validate(
        _ExtendedSource(summary, **_status_fields(summary))
    )


def tree_to_wire(node: RunNode) -> p.RunTree:
    """Return a run and what branched off it in the wire's shape."""
    children = [tree_to_wire(child) for child in node.children]
    return p.RunTree.model_validate(
        _ExtendedSource(
            node.summary,
            children=children,
            more=node.more,
            **_status_fields(node.summary),
        )
    )


def _status_fields(run: PipelineRun | RunSummary) -> dict[str, object]:
    """Return what both a run and a line of the list say of its status."""
    return {
        "is_done": run.status is PipelineStatus.COMPLETED,
        "status_text": wording.run_status_label(run.status, run.current_step),
    }
