"""Deleting runs: what goes, what stays for the sake of others, in one transaction.

A run's own keys go. An answer stays while another run holds it; only a run's family
can, for answers are shared by branching alone. A run that has children leaves a
tombstone, so that the tree stays whole; it goes with the last of them. What calls cost
stays. Texts that nobody refers to any more are left to `compact`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from writeit.domain.errors import Busy, NotFound
from writeit.domain.run import PipelineStatus
from writeit.domain.session import LOCAL_USER
from writeit.ports.store import DeletionCounts
from writeit.storage import keys, reads, writes
from writeit.storage.checksum import add_checksum
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.records import (
    RunRecord,
    RunSummaryRecord,
    SessionRecord,
    SharedTexts,
    encode_record,
)
from writeit.storage.snapshot import Batch, Snapshot
from writeit.storage.writer import Writer

# --- Deleting runs: what goes, what stays for the sake of others, in one transaction --


def delete_run(batch: Batch, run_id: UUID, *, descendants: bool) -> DeletionCounts:
    """Delete a run, or all of its family from it down.

    Raises:
        NotFound: there is no such run.
        Busy: answers of one of them are streaming.
    """
    there = batch.get(keys.run(run_id)) is not None
    if not there and not (descendants and batch.get(keys.tombstone(run_id))):
        raise unknown_run_error(run_id)
    doomed = list(reads.walk_subtree(batch, run_id)) if descendants else [run_id]
    living = [i for i in doomed if batch.get(keys.run(i)) is not None]
    for each in living:
        if batch.get(keys.streaming(each)) is not None:
            raise streaming_error(each)
    responses = delete_runs(batch, doomed, set(living))
    return DeletionCounts(runs=len(living), responses=responses)


def delete_runs(batch: Batch, run_ids: Sequence[UUID], existing: set[UUID]) -> int:
    """Take runs of one family away; return how many answers went with them.

    `living` are those of `doomed` that are more than a tombstone.
    """
    responses = exclusive_responses(batch, existing)
    for each in reversed(run_ids):
        _delete_one_run(batch, each)
    for response_id in responses:
        batch.delete(keys.response(response_id))
    return len(responses)


def unknown_run_error(run_id: UUID) -> NotFound:
    """Build the refusal for a run that is not there."""
    return NotFound(
        f"There is no run {run_id} to delete.",
        hint="writeit.run.list names the runs that are here.",
    )


def streaming_error(run_id: UUID) -> Busy:
    """Build the refusal for a run whose answers are on their way."""
    return Busy(
        f"Answers of run {run_id} are streaming, so nothing was deleted.",
        hint="Wait for them, or stop them with writeit.run.pause.",
        runId=str(run_id),
    )


def exclusive_responses(snapshot: Snapshot, run_ids: set[UUID]) -> set[UUID]:
    """The answers that no other run of the family holds."""
    held = {
        response
        for run_id in run_ids
        for response in reads.response_ids(snapshot, run_id)
    }
    if not held:
        return held
    for relative in reads.walk_subtree(
        snapshot, reads.find_root(snapshot, next(iter(run_ids)))
    ):
        if relative not in run_ids:
            held.difference_update(reads.response_ids(snapshot, relative))
    return held


def _delete_one_run(batch: Batch, run_id: UUID) -> None:
    """Take a run away; its children, if any are left, keep a tombstone of it."""
    raw = batch.get(keys.run(run_id))
    if raw is not None:
        _delete_run_keys(batch, run_id, raw)
    _delete_unneeded_tombstones(batch, run_id)


def _delete_run_keys(batch: Batch, run_id: UUID, raw: bytes) -> None:
    key = keys.run(run_id)
    run = reads.decode_stored(batch, RunRecord, key, raw, lambda _: "")
    listing = reads.decode_stored(
        batch, RunSummaryRecord, key, raw, reads.reject_text_reference
    )
    for entry in writes.index_entries(listing):
        if not entry.startswith(b"branch_"):
            batch.delete(entry)
    if run.primer is not None:
        uses = keys.primer_usage(run.primer.primer_id)
        batch.delete(keys.index_entry(uses, run.created_at, run_id))
    for prefix in keys.run_prefixes(run_id):
        writes.delete_prefix(batch, prefix)
    batch.delete(keys.lease(run_id))
    batch.delete(key)
    grave = keys.tombstone(run_id)
    batch.put(grave, add_checksum(grave, encode_record(listing, SharedTexts())))
    _deactivate_in_sessions(batch, run_id)


def _delete_unneeded_tombstones(batch: Batch, run_id: UUID) -> None:
    """Drop what is left of a run without children, then of its parent, and so on."""
    gone: UUID | None = run_id
    while gone is not None and not reads.read_children(batch, gone):
        above = reads.read_parent(batch, gone)
        batch.delete(keys.tombstone(gone))
        batch.delete(keys.branch_parent(gone))
        if above is None:
            return
        batch.delete(keys.branch_child(above, gone))
        gone = above if batch.get(keys.tombstone(above)) else None


def _deactivate_in_sessions(batch: Batch, run_id: UUID) -> None:
    """Leave no session with an active run that is gone."""
    for key, raw in list(batch.scan(keys.SESSIONS)):
        if str(run_id).encode() not in raw:
            continue
        session = reads.decode_stored(
            batch, SessionRecord, key, raw, reads.reject_text_reference
        ).session
        if session.active_pipeline_run_id == run_id:
            changed = session.evolve(active_pipeline_run_id=None)
            value = encode_record(SessionRecord(session=changed), SharedTexts())
            batch.replace(key, raw, add_checksum(key, value))


# --- Deleting what is finished and old: which runs, by family, and what goes with them

_PRUNE_BATCH_RUNS = 100
"""Runs that are deleted in one piece, so that decisions need not wait for all."""

TreeRuns = list["UUID"]


def prune_runs(
    environment: LmdbEnvironment, writer: Writer, cutoff: datetime
) -> DeletionCounts:
    """Delete the runs that are due, some families at a time.

    Raises:
        StoreError: it could not be written; what was deleted before stays deleted.
    """
    with environment.long_read_transaction() as snapshot:
        families = _prunable_by_tree(snapshot, cutoff)
    gone = [
        writer.submit_and_wait(
            lambda batch, some=some: _prune_trees(batch, some, cutoff)  # type: ignore[misc]
        )
        for some in _batch_trees(families)
    ]
    return _sum_counts(gone)


def count_prunable(environment: LmdbEnvironment, cutoff: datetime) -> DeletionCounts:
    """Count what `prune` would delete.

    Raises:
        StoreError: it cannot be read.
    """
    with environment.long_read_transaction() as snapshot:
        return _sum_counts(
            DeletionCounts(
                runs=len(family),
                responses=len(exclusive_responses(snapshot, set(family))),
            )
            for family in _prunable_by_tree(snapshot, cutoff)
        )


def _prunable_by_tree(snapshot: Snapshot, cutoff: datetime) -> list[TreeRuns]:
    """The runs that are due, each family's oldest first."""
    roots: dict[UUID, UUID] = {}
    found = defaultdict(list)
    for run_id in _prunable_runs(snapshot, cutoff):
        found[_cached_root(snapshot, run_id, roots)].append(run_id)
    return list(found.values())


def _prunable_runs(snapshot: Snapshot, cutoff: datetime) -> Iterator[UUID]:
    index = keys.completed_runs(LOCAL_USER)
    end = keys.index_entry(index, cutoff, keys.MIN_ID)
    for key in snapshot.scan_keys(index + b":"):
        if key >= end:
            return  # begun later, so touched later
        run_id = keys.trailing_id(key)
        if _is_prunable(snapshot, run_id, cutoff):
            yield run_id


def _is_prunable(snapshot: Snapshot, run_id: UUID, cutoff: datetime) -> bool:
    run = reads.read_record(
        snapshot, RunSummaryRecord, keys.run(run_id), reads.reject_text_reference
    )
    return (
        run is not None
        and run.status is PipelineStatus.COMPLETED
        and run.updated_at < cutoff
        and snapshot.get(keys.streaming(run_id)) is None
    )


def _cached_root(snapshot: Snapshot, run_id: UUID, roots: dict[UUID, UUID]) -> UUID:
    """The first run of a family; `roots` remembers whose it is."""
    way, each = [run_id], run_id
    while (
        each not in roots and (above := reads.read_parent(snapshot, each)) is not None
    ):
        way.append(above)
        each = above
    root = roots.get(each, each)
    roots.update(dict.fromkeys(way, root))
    return root


def _batch_trees(trees: Iterable[TreeRuns]) -> Iterator[list[TreeRuns]]:
    some: list[TreeRuns] = []
    for family in trees:
        some.append(family)
        if sum(map(len, some)) >= _PRUNE_BATCH_RUNS:
            yield some
            some = []
    if some:
        yield some


def _prune_trees(
    batch: Batch, trees: Sequence[TreeRuns], cutoff: datetime
) -> DeletionCounts:
    return _sum_counts(_prune_tree(batch, family, cutoff) for family in trees)


def _prune_tree(batch: Batch, tree: TreeRuns, cutoff: datetime) -> DeletionCounts:
    """Delete what is still due: a run may have been touched meanwhile."""
    doomed = [run_id for run_id in tree if _is_prunable(batch, run_id, cutoff)]
    responses = delete_runs(batch, doomed, set(doomed)) if doomed else 0
    return DeletionCounts(runs=len(doomed), responses=responses)


def _sum_counts(parts: Iterable[DeletionCounts]) -> DeletionCounts:
    runs = responses = 0
    for part in parts:
        runs += part.runs
        responses += part.responses
    return DeletionCounts(runs=runs, responses=responses)
