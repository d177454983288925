"""The store as LMDB keeps it: `writeit.ports.Store` on one folder."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self, TypeVar

from writeit.core.session import LOCAL_USER
from writeit.store import (
    deleting,
    keys,
    kinship,
    listing,
    reading,
    sharing,
    writer,
    writing,
)
from writeit.store.cache import Caches
from writeit.store.environment import MAP_SIZE
from writeit.store.journal import Journal
from writeit.store.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.session import UserPreferences, UserSession
    from writeit.ports import (
        Decision,
        Deleted,
        Lease,
        RunPage,
        RunQuery,
        RunSummary,
        StoredRun,
        UsageRecord,
    )
    from writeit.store.environment import Environment
    from writeit.store.sharing import Shared
    from writeit.store.snapshot import Batch, Counters, Snapshot
    from writeit.store.writer import Writer
    from writeit.store.writing import Written

T = TypeVar("T")

_USAGE_AT_ONCE = 1000


class LmdbStore:
    """Runs, kept in an LMDB environment that a process has open once."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._environment = shared.environment
        self._writer = shared.writer
        self._journal = Journal(shared.writer)
        self._caches = Caches()
        self._closed = False

    @classmethod
    def open(cls, folder: Path, *, map_size: int = MAP_SIZE) -> Self:
        """Open the store in `folder`, making it if there is none.

        Raises:
            StoreError: it cannot be made or read, is damaged, or is too new.
        """
        return cls(sharing.acquire(folder, map_size))

    @property
    def counters(self) -> Counters:
        """What the environment has read and written since it was opened."""
        return self._environment.counters

    @property
    def engine(self) -> tuple[Environment, Writer]:
        """The environment and its writer, for the care of the store."""
        return self._environment, self._writer

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Read keys and values as they are, for maintenance and for tests."""
        return self._environment.read()

    def last_write(self) -> int:
        """Return a number that rises with every write, by whichever process."""
        return self._environment.last_write()

    async def commit(self, decision: Decision) -> int:
        """Write a decision and return the run's new seq, once it is on the disk.

        A decision that was handed over is written even if the caller is cancelled.

        Raises:
            StaleDecision: `expected_seq` is no longer the run's.
            StoreError: it could not be written; nothing of it was.
            InvalidParams: a name in it is too long for a key.
        """
        self._journal.hurry()

        def write(batch: Batch) -> Written:
            written = writing.write_decision(batch, decision, self._caches.runs)
            run_id = decision.run.pipeline_run_id
            self._journal.end(run_id, writing.ended(decision.events))
            return written

        future = self._writer.submit(write)
        future.add_done_callback(lambda done: self._settle(decision, done))
        return (await self._result(future)).stored.seq

    def journal(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Append streamed text; it is on the disk at most 50 ms later.

        Text that could not be written stays in memory, is shown by `run`, and is tried
        again with the next text or decision, which then fails for the same reason.
        """
        self._journal.append(run_id, response_id, text)

    def run(self, run_id: UUID) -> StoredRun | None:
        """Read a run with its answers; what streams stands with its journaled text."""
        # Before the snapshot: what is written in between is seen twice, not missed.
        waiting = self._journal.waiting(run_id)
        with self.snapshot() as snapshot:
            return Reading(snapshot, self._caches).run(run_id, waiting)

    def runs(self, query: RunQuery) -> RunPage:
        """List runs, newest first.

        Raises:
            NotFound: there is no run `query.before`.
        """
        with self.snapshot() as snapshot:
            return listing.page(snapshot, query)

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first; their place + 1 is their seq."""
        with self.snapshot() as snapshot:
            return Reading(snapshot, self._caches).events(run_id)

    def streaming_runs(self) -> list[UUID]:
        """List the runs that have answers on their way (or had, when all went dark)."""
        with self.snapshot() as snapshot:
            return [keys.id_at_end(key) for key, _ in snapshot.scan(keys.STREAMING)]

    def summary(self, run_id: UUID) -> RunSummary | None:
        """Read the summary of a run, or of the tombstone it left."""
        with self.snapshot() as snapshot:
            return listing.summary(snapshot, run_id)

    def children(self, run_id: UUID) -> list[UUID]:
        """List the runs that branched off a run, oldest first; tombstones too."""
        with self.snapshot() as snapshot:
            return kinship.children(snapshot, run_id)

    def lease(self, run_id: UUID) -> Lease | None:
        """Read who is asking models for a run."""
        with self.snapshot() as snapshot:
            return Reading(snapshot, self._caches).lease(run_id)

    async def renew(self, leases: Mapping[UUID, Lease]) -> None:
        """Write new heartbeats, by run id, of leases that are still the owner's.

        Raises:
            StoreError: they could not be written.
        """
        await self._write(lambda batch: writing.renew(batch, leases))

    async def delete(self, run_id: UUID, *, descendants: bool = False) -> Deleted:
        """Delete a run, or its whole family below it.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of them are streaming; nothing was deleted.
            StoreError: nothing was deleted.
        """
        return await self._write(
            lambda batch: deleting.delete(batch, run_id, descendants=descendants)
        )

    def usage(self, since: datetime | None = None) -> Iterator[UsageRecord]:
        """Read what calls used, oldest first; each answer counts once."""
        start = keys.USAGE if since is None else keys.usage_since(since)
        while True:
            # Read by the thousand, so that no snapshot stays open for long.
            with self.snapshot() as snapshot:
                found = reading.usage(snapshot, start, _USAGE_AT_ONCE)
            for _, used in found:
                yield used
            if len(found) < _USAGE_AT_ONCE:
                return
            start = keys.after(found[-1][0])

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        with self.snapshot() as snapshot:
            return Reading(snapshot, self._caches).configuration(configuration_id)

    def primer(self, primer_id: str, version: str | None = None) -> StylePrimer | None:
        """Read a primer: the version asked for, else the one used last."""
        with self.snapshot() as snapshot:
            return Reading(snapshot, self._caches).primer(primer_id, version)

    async def save_session(self, session: UserSession) -> None:
        """Write a session and list it as active.

        Raises:
            StoreError: it could not be written.
            InvalidParams: the user's id is too long for a key.
        """
        await self._write(lambda batch: writing.write_session(batch, session))

    async def end_session(self, session_id: UUID) -> None:
        """Take a session off the list of active ones; the session itself stays."""
        await self._write(lambda batch: writing.end_session(batch, session_id))

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        with self.snapshot() as snapshot:
            return Reading(snapshot, self._caches).session(session_id)

    def preferences(self) -> UserPreferences | None:
        """Read the preferences that were saved last, whatever session saved them."""
        with self.snapshot() as snapshot:
            return Reading(snapshot, self._caches).preferences(LOCAL_USER)

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Keep preferences for the sessions to come.

        Raises:
            StoreError: they could not be written.
        """
        await self._write(
            lambda batch: writing.write_preferences(batch, LOCAL_USER, preferences)
        )

    def active_sessions(self) -> list[UserSession]:
        """Read the sessions that are active now."""
        with self.snapshot() as snapshot:
            sessions = Reading(snapshot, self._caches)
            found = [
                sessions.session(keys.id_at_end(key))
                for key, _ in snapshot.scan(keys.active_sessions(LOCAL_USER))
            ]
        return [session for session in found if session is not None]

    def close(self) -> None:
        """Write what is still waiting, then let go of the store.

        Raises:
            StoreError: streamed text could not be written; the store is closed.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._journal.close()
        finally:
            sharing.release(self._shared)

    async def _write(self, work: Callable[[Batch], T]) -> T:
        return await self._result(self._writer.submit(work))

    async def _result(self, future: Future[T]) -> T:
        """Wait for a piece of work; give up only while it has not begun."""
        waiter = asyncio.wrap_future(future)
        waiter.add_done_callback(_seen)
        await asyncio.wait({waiter}, timeout=writer.PATIENCE)
        if not waiter.done() and future.cancel():
            raise writer.no_turn(self._environment.folder)
        return await waiter

    def _settle(self, decision: Decision, done: Future[Written]) -> None:
        """Take note, on the writer's thread, of what is on the disk now, or is not."""
        run_id, ended = decision.run.pipeline_run_id, writing.ended(decision.events)
        if done.cancelled() or done.exception():
            self._journal.keep(run_id, ended)
            return
        written = done.result()
        self._caches.runs.add(written.record, written.stored)
        self._journal.forget(run_id, ended)


def _seen(waiter: asyncio.Future[T]) -> None:
    """Take note of an outcome that a cancelled caller will not fetch."""
    if not waiter.cancelled():
        waiter.exception()
