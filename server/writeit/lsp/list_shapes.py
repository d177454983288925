"""Wire models of runs in lists and trees, and of what is out of date in them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from writeit.domain.run import PipelineStatus
from writeit.domain.run_summary import RunNode, RunSummary, StaleKind
from writeit.lsp.shapes import ExtendedSource, WireModel, status_fields


class WireRunEntry(WireModel):
    """What lists and trees show of a run."""

    run_id: UUID
    name: str | None
    title: str
    """The name of its document."""
    status: PipelineStatus
    current_step: str
    branch_point: str | None
    created_at: datetime
    cost_usd: float | None
    is_blind: bool
    """Whether its cost should not be shown: it could tell models before the choice."""
    is_done: bool
    status_text: str
    label: str
    """What tells it from other runs: its name, its passage or its title; plain text."""
    passage: str
    """The first words of the passage that it is about; "" of a whole document."""


class WireRunSummary(WireRunEntry):
    """An entry of the list of runs."""

    pipeline: str
    uri: str | None
    parent_run_id: UUID | None
    updated_at: datetime
    document_run_id: UUID | None
    """Of a run about a passage, the newest run on its document: show it there."""


class RunTree(WireRunEntry):
    """A run with its branches."""

    deleted: bool
    children: list[RunTree]
    passages: list[RunTree]
    """The runs about passages of its documents, newest first; only of a root."""
    more: bool
    """Whether `children` or `passages` is cut."""


class WireStaleReason(WireModel):
    """What has changed: a file, the pipeline, the style primer or an earlier step."""

    kind: StaleKind
    name: str


class WireStaleStep(WireModel):
    """A step that would get another prompt today."""

    step: str
    reasons: list[WireStaleReason]


def summary_to_wire(
    summary: RunSummary, document_run_id: UUID | None
) -> WireRunSummary:
    """Return the wire shape of an entry of the list of runs."""
    return WireRunSummary.model_validate(
        ExtendedSource(
            summary, document_run_id=document_run_id, **status_fields(summary)
        )
    )


def tree_to_wire(node: RunNode) -> RunTree:
    """Return the wire shape of a run with its branches."""
    return RunTree.model_validate(
        ExtendedSource(
            node.summary,
            children=[tree_to_wire(child) for child in node.children],
            passages=[tree_to_wire(passage) for passage in node.passages],
            more=node.more,
            **status_fields(node.summary),
        )
    )
