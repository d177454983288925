"""A family of runs, from the store to the tree that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.engine.family import Kin, family_of, root_of
from writeit.views.tree import TreeNode

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.ports import RunSummary, Store


def family_node(store: Store, run_id: UUID) -> TreeNode:
    """Return a run's whole family, from its root."""
    return node_of(family_of(store, root_of(store, run_id)))


def node_of(kin: Kin) -> TreeNode:
    """Return a run and what branched off it as the tree shows them."""
    run = kin.summary
    title = "" if run.parent_run_id else run.title
    return TreeNode(
        run_id=run.run_id,
        name=run.name or title,
        status=run.status,
        current_step=run.current_step,
        branch_point=run.branch_point,
        cost_usd=run.cost_usd,
        deleted=run.deleted,
        children=tuple(node_of(child) for child in kin.children),
        more=kin.more,
    )


def summaries_in(kin: Kin) -> dict[UUID, RunSummary]:
    """Return the lines of all runs of a family, by id."""
    found = {kin.summary.run_id: kin.summary}
    for child in kin.children:
        found |= summaries_in(child)
    return found
