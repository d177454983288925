"""Families of runs, read from the store: who branched off whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.ports import RunSummary, Store

DEPTH = 100
"""How deep a family is read."""


@dataclass(frozen=True, slots=True)
class Kin:
    """A run among its family."""

    summary: RunSummary
    children: tuple[Kin, ...] = ()
    more: bool = False
    """Whether it has branches that were not read."""


def root_of(store: Store, run_id: UUID) -> UUID:
    """Return the run that a family began with."""
    while (summary := store.summary(run_id)) and summary.parent_run_id:
        run_id = summary.parent_run_id
    return run_id


def family_of(store: Store, run_id: UUID, depth: int = DEPTH) -> Kin:
    """Return a run and all that branched off it.

    Raises:
        LookupError: the store contradicts itself; `store verify` says where.
    """
    summary = store.summary(run_id)
    if summary is None:
        msg = f"run {run_id} is listed as a child and has no summary"
        raise LookupError(msg)
    children = store.children(run_id)
    below = (family_of(store, child, depth - 1) for child in children) if depth else ()
    return Kin(summary, tuple(below), more=bool(children) and not depth)
