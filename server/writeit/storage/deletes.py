"""Delete runs in one transaction.

A run's own keys are deleted. An answer is kept while another run of the same tree has
it: only branches share answers. A run that has children leaves a tombstone, which is
deleted with the last of them. Usage is kept. `compact` deletes texts that no record
refers to.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from writeit.domain.errors import Busy, NotFound
from writeit.domain.run import PipelineStatus
from writeit.domain.session import LOCAL_USER
from writeit.ports.store import DeletionCounts
from writeit.storage import changes, keys, mapping, reads, writes
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.records import (
    ActiveDocumentRecord,
    RunRecord,
    RunSummaryRecord,
    SessionRecord,
)
from writeit.storage.snapshot import Batch, Snapshot
from writeit.storage.writer import Writer


def delete_run(batch: Batch, run_id: UUID, *, descendants: bool) -> DeletionCounts:
    """Delete a run, or the run and all of its descendants.

    Raises:
        NotFound: there is no such run.
        Busy: answers of one of them are streaming.
    """
    exists = batch.get(keys.run(run_id)) is not None
    if not exists and not (descendants and batch.get(keys.tombstone(run_id))):
        raise unknown_run_error(run_id)
    run_ids = list(reads.walk_subtree(batch, run_id)) if descendants else [run_id]
    existing = {i for i in run_ids if batch.get(keys.run(i)) is not None}
    for existing_id in existing:
        if batch.get(keys.streaming(existing_id)) is not None:
            raise Busy(
                f"Run {existing_id} is still generating answers. Nothing was deleted.",
                hint="Wait, or stop generating, then delete it.",
                runId=str(existing_id),
            )
    responses = _delete_runs(batch, run_ids, existing)
    return DeletionCounts(runs=len(existing), responses=responses)


def unknown_run_error(run_id: UUID) -> NotFound:
    """Return the error for a run that does not exist."""
    return NotFound(
        f"There is no run {run_id} to delete.",
        hint="List runs with: writeit log",
    )


def _delete_runs(batch: Batch, run_ids: Sequence[UUID], existing: set[UUID]) -> int:
    """Delete runs and return how many answers were deleted with them.

    `existing` are those that are not tombstones.
    """
    responses = _exclusive_responses(batch, existing)
    for run_id in reversed(run_ids):
        _delete_one_run(batch, run_id)
    for response_id in responses:
        batch.delete(keys.response(response_id))
    return len(responses)


def _exclusive_responses(snapshot: Snapshot, run_ids: Collection[UUID]) -> set[UUID]:
    """Return the answers that no other run has; only runs of one tree share some."""
    responses = {
        response
        for run_id in run_ids
        for response in reads.response_ids(snapshot, run_id)
    }
    if not responses:
        return responses
    for root in {reads.find_root(snapshot, run_id) for run_id in run_ids}:
        for relative in reads.walk_subtree(snapshot, root):
            if relative not in run_ids:
                responses.difference_update(reads.response_ids(snapshot, relative))
    return responses


def _delete_one_run(batch: Batch, run_id: UUID) -> None:
    """Delete a run, and leave a tombstone if it has children."""
    raw = batch.get(keys.run(run_id))
    if raw is not None:
        _delete_run_keys(batch, run_id, raw)
    _delete_unneeded_tombstones(batch, run_id)


def _delete_run_keys(batch: Batch, run_id: UUID, raw: bytes) -> None:
    key = keys.run(run_id)
    run = reads.decode_stored(batch, RunRecord, key, raw, lambda _: "")
    summary = reads.decode_stored(batch, RunSummaryRecord, key, raw)
    for uri in mapping.document_uris(summary):
        active = keys.active_document(uri)
        about = reads.read_record(batch, ActiveDocumentRecord, active)
        if about is not None and about.run_id == run_id:
            batch.delete(active)
    for entry in writes.index_entries(batch, summary):
        if not entry.startswith(b"branch_"):
            batch.delete(entry)
    if run.primer is not None:
        uses = keys.primer_usage(run.primer.primer_id)
        batch.delete(keys.index_entry(uses, run.created_at, run_id))
    for prefix in keys.run_prefixes(run_id):
        writes.delete_prefix(batch, prefix)
    batch.delete(keys.lease(run_id))
    batch.delete(key)
    changes.log_change(batch, run_id)
    writes.write_record(batch, keys.tombstone(run_id), summary)
    _deactivate_in_sessions(batch, run_id)


def _delete_unneeded_tombstones(batch: Batch, run_id: UUID) -> None:
    """Delete the tombstone of a run without children, then its parent's, and so on."""
    deleted: UUID | None = run_id
    while deleted is not None and not reads.read_children(batch, deleted):
        parent = reads.read_parent(batch, deleted)
        batch.delete(keys.tombstone(deleted))
        batch.delete(keys.branch_parent(deleted))
        if parent is None:
            return
        batch.delete(keys.branch_child(parent, deleted))
        deleted = parent if batch.get(keys.tombstone(parent)) else None


def _deactivate_in_sessions(batch: Batch, run_id: UUID) -> None:
    """Reset the active run of sessions that have the deleted one."""
    for key, raw in list(batch.scan(keys.SESSIONS)):
        if str(run_id).encode() not in raw:
            continue
        session = reads.decode_stored(batch, SessionRecord, key, raw).session
        if session.active_pipeline_run_id == run_id:
            changed = session.evolve(active_pipeline_run_id=None)
            writes.write_record(batch, key, SessionRecord(session=changed))


# Pruning

_PRUNE_BATCH_RUNS = 100
"""Runs that are deleted in one transaction, so that commits do not wait for all."""


def prune_runs(
    environment: LmdbEnvironment, writer: Writer, cutoff: datetime
) -> DeletionCounts:
    """Delete completed runs that were last updated before `cutoff`.

    Raises:
        StoreError: it could not be written; runs deleted before stay deleted.
    """
    runs = responses = 0
    with environment.long_read_transaction() as snapshot:
        run_ids = _prunable_runs(snapshot, cutoff)
    for start in range(0, len(run_ids), _PRUNE_BATCH_RUNS):
        some = run_ids[start : start + _PRUNE_BATCH_RUNS]
        deleted = writer.submit_and_wait(
            partial(_prune_batch, run_ids=some, cutoff=cutoff)
        )
        runs, responses = runs + deleted.runs, responses + deleted.responses
    return DeletionCounts(runs=runs, responses=responses)


def count_prunable(environment: LmdbEnvironment, cutoff: datetime) -> DeletionCounts:
    """Count what `prune_runs` would delete.

    Raises:
        StoreError: it cannot be read.
    """
    with environment.long_read_transaction() as snapshot:
        run_ids = set(_prunable_runs(snapshot, cutoff))
        responses = _exclusive_responses(snapshot, run_ids)
        return DeletionCounts(runs=len(run_ids), responses=len(responses))


def _prunable_runs(snapshot: Snapshot, cutoff: datetime) -> list[UUID]:
    index = keys.completed_runs(LOCAL_USER)
    end = keys.index_entry(index, cutoff, keys.MIN_ID)  # completed, so updated later
    run_ids = [keys.trailing_id(k) for k in snapshot.scan_keys(index + b":") if k < end]
    return [run_id for run_id in run_ids if _is_prunable(snapshot, run_id, cutoff)]


def _is_prunable(snapshot: Snapshot, run_id: UUID, cutoff: datetime) -> bool:
    run = reads.read_record(snapshot, RunSummaryRecord, keys.run(run_id))
    return (
        run is not None
        and run.status is PipelineStatus.COMPLETED
        and run.updated_at < cutoff
        and snapshot.get(keys.streaming(run_id)) is None
    )


def _prune_batch(
    batch: Batch, run_ids: Sequence[UUID], cutoff: datetime
) -> DeletionCounts:
    """Delete the runs that are still to prune: one may have been updated meanwhile."""
    still = {run_id for run_id in run_ids if _is_prunable(batch, run_id, cutoff)}
    responses = _delete_runs(batch, [i for i in run_ids if i in still], still)
    return DeletionCounts(runs=len(still), responses=responses)
