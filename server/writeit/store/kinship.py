"""Who branched off whom, and which answers a run holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

from writeit.store import keys
from writeit.store.codec import EMPTY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.store.snapshot import Snapshot


def children(snapshot: Snapshot, run_id: UUID) -> list[UUID]:
    """The runs that branched off a run, oldest first: later ids sort later."""
    prefix = keys.branch_children(run_id)
    return [keys.id_at_end(key) for key, _ in snapshot.scan(prefix)]


def parent(snapshot: Snapshot, run_id: UUID) -> UUID | None:
    """The run that a run branched off, be it a tombstone."""
    raw = snapshot.get(keys.branch_parent(run_id))
    return None if raw is None else UUID(json.loads(raw))


def root(snapshot: Snapshot, run_id: UUID) -> UUID:
    """The run that a run's family began with."""
    while (above := parent(snapshot, run_id)) is not None:
        run_id = above
    return run_id


def down_from(snapshot: Snapshot, run_id: UUID) -> Iterator[UUID]:
    """A run and all that branched off it, each before its children."""
    waiting = [run_id]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += children(snapshot, each)


def family(snapshot: Snapshot, run_id: UUID) -> Iterator[UUID]:
    """A run's whole family, the run among them."""
    return down_from(snapshot, root(snapshot, run_id))


def answers(snapshot: Snapshot, run_id: UUID) -> Iterator[UUID]:
    """The answers that a run holds."""
    for key, _ in snapshot.scan(keys.step_responses(run_id)):
        yield keys.id_at_end(key)


def entries(run_id: UUID, parent_id: UUID) -> dict[bytes, bytes]:
    """The index keys that join a run to its parent, and their values."""
    return {
        keys.branch_parent(run_id): f'"{parent_id}"'.encode(),
        keys.branch_child(parent_id, run_id): EMPTY,
    }
