"""Deleting what is finished and old: which runs, by family, and what goes with them.

A run goes if it is COMPLETED, nothing of it streams, and it was last touched before a
moment. Its family decides nothing about that: where a younger or unfinished run
branched off it, it leaves a tombstone, as if it had been deleted by hand.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from writeit.core.run import PipelineStatus
from writeit.core.session import LOCAL_USER
from writeit.ports import Deleted
from writeit.store import deleting, keys, kinship, reading
from writeit.store.records import Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from writeit.store.environment import Environment
    from writeit.store.snapshot import Batch, Snapshot
    from writeit.store.writer import Writer

_RUNS_AT_ONCE = 100
"""Runs that are deleted in one piece, so that decisions need not wait for all."""

Family = list["UUID"]


def prune(environment: Environment, writer: Writer, before: datetime) -> Deleted:
    """Delete the runs that are due, some families at a time.

    Raises:
        StoreError: it could not be written; what was deleted before stays deleted.
    """
    with environment.read_long() as snapshot:
        families = _families(snapshot, before)
    gone = [
        writer.finish(lambda batch, some=some: _delete(batch, some, before))  # type: ignore[misc]
        for some in _portions(families)
    ]
    return _sum(gone)


def count(environment: Environment, before: datetime) -> Deleted:
    """Count what `prune` would delete.

    Raises:
        StoreError: it cannot be read.
    """
    with environment.read_long() as snapshot:
        return _sum(
            Deleted(
                runs=len(family),
                responses=len(deleting.held_only_by(snapshot, set(family))),
            )
            for family in _families(snapshot, before)
        )


def _families(snapshot: Snapshot, before: datetime) -> list[Family]:
    """The runs that are due, each family's oldest first."""
    roots: dict[UUID, UUID] = {}
    found = defaultdict(list)
    for run_id in _due(snapshot, before):
        found[_root(snapshot, run_id, roots)].append(run_id)
    return list(found.values())


def _due(snapshot: Snapshot, before: datetime) -> Iterator[UUID]:
    index = keys.completed_runs(LOCAL_USER)
    end = keys.at(index, before, keys.NO_ID)
    for key in snapshot.keys(index + b":"):
        if key >= end:
            return  # begun later, so touched later
        run_id = keys.id_at_end(key)
        if _is_due(snapshot, run_id, before):
            yield run_id


def _is_due(snapshot: Snapshot, run_id: UUID, before: datetime) -> bool:
    run = reading.record(snapshot, Listing, keys.run(run_id), reading.no_text)
    return (
        run is not None
        and run.status is PipelineStatus.COMPLETED
        and run.updated_at < before
        and snapshot.get(keys.streaming(run_id)) is None
    )


def _root(snapshot: Snapshot, run_id: UUID, roots: dict[UUID, UUID]) -> UUID:
    """The first run of a family; `roots` remembers whose it is."""
    way, each = [run_id], run_id
    while each not in roots and (above := kinship.parent(snapshot, each)) is not None:
        way.append(above)
        each = above
    root = roots.get(each, each)
    roots.update(dict.fromkeys(way, root))
    return root


def _portions(families: Iterable[Family]) -> Iterator[list[Family]]:
    some: list[Family] = []
    for family in families:
        some.append(family)
        if sum(map(len, some)) >= _RUNS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _delete(batch: Batch, families: Sequence[Family], before: datetime) -> Deleted:
    return _sum(_delete_one(batch, family, before) for family in families)


def _delete_one(batch: Batch, family: Family, before: datetime) -> Deleted:
    """Delete what is still due: a run may have been touched meanwhile."""
    doomed = [run_id for run_id in family if _is_due(batch, run_id, before)]
    responses = deleting.bury(batch, doomed, set(doomed)) if doomed else 0
    return Deleted(runs=len(doomed), responses=responses)


def _sum(parts: Iterable[Deleted]) -> Deleted:
    runs = responses = 0
    for part in parts:
        runs += part.runs
        responses += part.responses
    return Deleted(runs=runs, responses=responses)
