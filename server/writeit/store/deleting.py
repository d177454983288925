"""Deleting runs: what goes, what stays for the sake of others, in one transaction.

A run's own keys go. An answer stays while another run holds it; only a run's family
can, for answers are shared by branching alone. A run that has children leaves a
tombstone, so that the tree stays whole; it goes with the last of them. What calls cost
stays. Texts that nobody refers to any more are left to `compact`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core.errors import Busy, NotFound
from writeit.ports import Deleted
from writeit.store import keys, kinship, reading, writing
from writeit.store.codec import Texts, encode
from writeit.store.records import Listing, RunRecord
from writeit.store.seal import sealed
from writeit.store.side_records import SessionRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from writeit.store.snapshot import Batch, Snapshot


def delete(batch: Batch, run_id: UUID, *, descendants: bool) -> Deleted:
    """Delete a run, or all of its family from it down.

    Raises:
        NotFound: there is no such run.
        Busy: answers of one of them are streaming.
    """
    there = batch.get(keys.run(run_id)) is not None
    if not there and not (descendants and batch.get(keys.tombstone(run_id))):
        raise no_run(run_id)
    doomed = list(kinship.down_from(batch, run_id)) if descendants else [run_id]
    living = [i for i in doomed if batch.get(keys.run(i)) is not None]
    for each in living:
        if batch.get(keys.streaming(each)) is not None:
            raise streaming(each)
    responses = bury(batch, doomed, set(living))
    return Deleted(runs=len(living), responses=responses)


def bury(batch: Batch, doomed: Sequence[UUID], living: set[UUID]) -> int:
    """Take runs of one family away; return how many answers went with them.

    `living` are those of `doomed` that are more than a tombstone.
    """
    responses = held_only_by(batch, living)
    for each in reversed(doomed):
        _bury(batch, each)
    for response_id in responses:
        batch.delete(keys.response(response_id))
    return len(responses)


def no_run(run_id: UUID) -> NotFound:
    """Build the refusal for a run that is not there."""
    return NotFound(
        f"There is no run {run_id} to delete.",
        hint="writeit.run.list names the runs that are here.",
    )


def streaming(run_id: UUID) -> Busy:
    """Build the refusal for a run whose answers are on their way."""
    return Busy(
        f"Answers of run {run_id} are streaming, so nothing was deleted.",
        hint="Wait for them, or stop them with writeit.run.pause.",
        runId=str(run_id),
    )


def held_only_by(snapshot: Snapshot, doomed: set[UUID]) -> set[UUID]:
    """The answers that no other run of the family holds."""
    held = {
        response for run_id in doomed for response in kinship.answers(snapshot, run_id)
    }
    if not held:
        return held
    for relative in kinship.down_from(
        snapshot, kinship.root(snapshot, next(iter(doomed)))
    ):
        if relative not in doomed:
            held.difference_update(kinship.answers(snapshot, relative))
    return held


def _bury(batch: Batch, run_id: UUID) -> None:
    """Take a run away; its children, if any are left, keep a tombstone of it."""
    raw = batch.get(keys.run(run_id))
    if raw is not None:
        _clear(batch, run_id, raw)
    _forget(batch, run_id)


def _clear(batch: Batch, run_id: UUID, raw: bytes) -> None:
    key = keys.run(run_id)
    run = reading.decoded(batch, RunRecord, key, raw, lambda _: "")
    listing = reading.decoded(batch, Listing, key, raw, reading.no_text)
    for entry in writing.index_entries(listing):
        if not entry.startswith(b"branch_"):
            batch.delete(entry)
    if run.primer is not None:
        uses = keys.primer_usage(run.primer.primer_id)
        batch.delete(keys.at(uses, run.created_at, run_id))
    for prefix in keys.all_of(run_id):
        writing.drop(batch, prefix)
    batch.delete(keys.lease(run_id))
    batch.delete(key)
    grave = keys.tombstone(run_id)
    batch.put(grave, sealed(grave, encode(listing, Texts())))
    _clear_sessions(batch, run_id)


def _forget(batch: Batch, run_id: UUID) -> None:
    """Drop what is left of a run without children, then of its parent, and so on."""
    gone: UUID | None = run_id
    while gone is not None and not kinship.children(batch, gone):
        above = kinship.parent(batch, gone)
        batch.delete(keys.tombstone(gone))
        batch.delete(keys.branch_parent(gone))
        if above is None:
            return
        batch.delete(keys.branch_child(above, gone))
        gone = above if batch.get(keys.tombstone(above)) else None


def _clear_sessions(batch: Batch, run_id: UUID) -> None:
    """Leave no session with an active run that is gone."""
    for key, raw in list(batch.scan(keys.SESSIONS)):
        if str(run_id).encode() not in raw:
            continue
        session = reading.decoded(
            batch, SessionRecord, key, raw, reading.no_text
        ).session
        if session.active_pipeline_run_id == run_id:
            changed = session.evolve(active_pipeline_run_id=None)
            value = encode(SessionRecord(session=changed), Texts())
            batch.replace(key, raw, sealed(key, value))
