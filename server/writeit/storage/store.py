"""`writeit.ports.Store` on LMDB, in one folder.

No environment is created before there is something to keep: until then the store reads
as an empty one. It is created by the first write, or opened as soon as another process
has created it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run_summary import RunSummary
from writeit.domain.session import LOCAL_USER, UserPreferences, UserSession
from writeit.ports.store import (
    DeletionCounts,
    Lease,
    RunCommit,
    RunPage,
    RunQuery,
    StoredRun,
    UsageRecord,
)
from writeit.storage import deletes, errors, keys, opening, reads, writes
from writeit.storage.cache import Caches
from writeit.storage.environment import INITIAL_MAP_SIZE, LmdbEnvironment
from writeit.storage.location import store_exists
from writeit.storage.opening import SharedEnvironment
from writeit.storage.reads import SnapshotReader
from writeit.storage.snapshot import Batch, Counters, EmptySnapshot, Snapshot
from writeit.storage.writer import WRITE_TIMEOUT, Journal, Writer, write_timeout_error
from writeit.storage.writes import CommittedRun

T = TypeVar("T")

_USAGE_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class _OpenEnvironment:
    """An open environment and what this store alone has of it."""

    shared: SharedEnvironment
    journal: Journal

    @property
    def environment(self) -> LmdbEnvironment:
        return self.shared.environment

    @property
    def writer(self) -> Writer:
        return self.shared.writer


class LmdbStore:
    """Runs in an LMDB environment, which a process has open once."""

    def __init__(self, folder: Path, *, map_size: int = INITIAL_MAP_SIZE) -> None:
        self.folder = folder
        self._map_size = map_size
        self._lock = threading.Lock()
        self._opened: _OpenEnvironment | None = None
        self._caches = Caches()
        self._closed = False

    @classmethod
    def open(cls, folder: Path, *, map_size: int = INITIAL_MAP_SIZE) -> Self:
        """Open the store in `folder`; create it if there is none.

        Raises:
            StoreError: it cannot be created or read, is damaged, or is too new.
        """
        store = cls(folder, map_size=map_size)
        store._open_or_create()
        return store

    def open_existing(self) -> None:
        """Open the environment if there is one.

        Raises:
            StoreError: there is one, and it cannot be opened.
        """
        self._open_if_exists()

    @property
    def counters(self) -> Counters:
        """What the environment has read and written since it was opened."""
        opened = self._open_if_exists()
        return Counters() if opened is None else opened.environment.counters

    @property
    def environment_and_writer(self) -> tuple[LmdbEnvironment, Writer] | None:
        """The environment and its writer, for maintenance; None if there is none.

        Raises:
            StoreError: there is one, and it cannot be opened.
        """
        opened = self._open_if_exists()
        return None if opened is None else (opened.environment, opened.writer)

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Read keys and values as they are, for maintenance and for tests.

        Raises:
            StoreError: the environment cannot be opened or read.
        """
        opened = self._open_if_exists()
        if opened is None:
            return nullcontext(EmptySnapshot(self.folder))
        return opened.environment.read_transaction()

    def last_transaction_id(self) -> int:
        """Return a number that rises with every write, by whichever process."""
        opened = self._open_if_exists()
        return 0 if opened is None else opened.environment.last_transaction_id()

    def _open_if_exists(self) -> _OpenEnvironment | None:
        """Return the open environment, or None while none was created."""
        opened = self._opened
        if opened is not None or self._closed or not store_exists(self.folder):
            return opened
        return self._open_or_create(existing=True)

    def _open_or_create(self, *, existing: bool = False) -> _OpenEnvironment:
        """Return the open environment; create it if there is none, or open it only.

        Raises:
            StoreError: it cannot be created or opened.
        """
        with self._lock:
            if self._opened is None:
                if self._closed:
                    raise errors.locked_error(self.folder, "it was closed")
                shared = opening.open_environment(
                    self.folder, self._map_size, existing=existing
                )
                self._opened = _OpenEnvironment(shared, Journal(shared.writer))
            return self._opened

    async def commit(self, commit: RunCommit) -> int:
        """Write a decision and return the run's new seq, once it is on the disk.

        A decision that was handed over is written even if the caller is cancelled.

        Raises:
            StaleDecision: `expected_seq` is no longer the run's.
            StoreError: it could not be written; nothing of it was.
            InvalidParams: a name in it is too long for a key.
        """
        opened = self._open_or_create()
        journal = opened.journal
        journal.schedule_write()

        def write(batch: Batch) -> CommittedRun:
            written = writes.write_commit(batch, commit, self._caches.runs)
            run_id = commit.run.pipeline_run_id
            journal.mark_ended(run_id, writes.ended_response_ids(commit.events))
            return written

        future = opened.writer.submit(write)
        future.add_done_callback(lambda done: self._after_commit(journal, commit, done))
        return (await self._wait_for_result(future)).stored.seq

    def append_journal(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Append streamed text; it is on the disk at most 50 ms later.

        Text that could not be written stays in memory, is shown by `run`, and is tried
        again with the next text or decision, which then fails for the same reason.

        Raises:
            StoreError: no environment could be created.
        """
        self._open_or_create().journal.append(run_id, response_id, text)

    def get_run(self, run_id: UUID) -> StoredRun | None:
        """Read a run with its answers; what streams stands with its journaled text."""
        # Before the snapshot: what is written in between is seen twice, not missed.
        waiting = self._opened.journal.pending_text(run_id) if self._opened else {}
        with self.snapshot() as snapshot:
            return SnapshotReader(snapshot, self._caches).run(run_id, waiting)

    def list_runs(self, query: RunQuery) -> RunPage:
        """List runs, newest first.

        Raises:
            NotFound: there is no run `query.before`.
        """
        with self.snapshot() as snapshot:
            return reads.read_page(snapshot, query)

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first; their place + 1 is their seq."""
        with self.snapshot() as snapshot:
            return SnapshotReader(snapshot, self._caches).events(run_id)

    def streaming_runs(self) -> list[UUID]:
        """List the runs that have answers on their way (or had, when all went dark)."""
        with self.snapshot() as snapshot:
            return [keys.trailing_id(key) for key, _ in snapshot.scan(keys.STREAMING)]

    def summary(self, run_id: UUID) -> RunSummary | None:
        """Read the summary of a run, or of the tombstone it left."""
        with self.snapshot() as snapshot:
            return reads.read_summary(snapshot, run_id)

    def children(self, run_id: UUID) -> list[UUID]:
        """List the runs that branched off a run, oldest first; tombstones too."""
        with self.snapshot() as snapshot:
            return reads.read_children(snapshot, run_id)

    def lease(self, run_id: UUID) -> Lease | None:
        """Read who is asking models for a run."""
        with self.snapshot() as snapshot:
            return SnapshotReader(snapshot, self._caches).lease(run_id)

    async def renew_leases(self, leases: Mapping[UUID, Lease]) -> None:
        """Write new heartbeats, by run id, of leases that are still the owner's.

        Raises:
            StoreError: they could not be written.
        """
        if self._open_if_exists() is not None:
            await self._submit(lambda batch: writes.renew_leases(batch, leases))

    async def delete_run(
        self, run_id: UUID, *, descendants: bool = False
    ) -> DeletionCounts:
        """Delete a run, or its whole family below it.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of them are streaming; nothing was deleted.
            StoreError: nothing was deleted.
        """
        if self._open_if_exists() is None:
            raise deletes.unknown_run_error(run_id)
        return await self._submit(
            lambda batch: deletes.delete_run(batch, run_id, descendants=descendants)
        )

    def usage_records(self, since: datetime | None = None) -> Iterator[UsageRecord]:
        """Read what calls used, oldest first; each answer counts once."""
        start = keys.USAGE if since is None else keys.usage_since(since)
        while True:
            # Read by the thousand, so that no snapshot stays open for long.
            with self.snapshot() as snapshot:
                found = reads.read_usage(snapshot, start, _USAGE_PAGE_SIZE)
            for _, used in found:
                yield used
            if len(found) < _USAGE_PAGE_SIZE:
                return
            start = keys.next_key(found[-1][0])

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        with self.snapshot() as snapshot:
            return SnapshotReader(snapshot, self._caches).configuration(
                configuration_id
            )

    def primer(self, primer_id: str, version: str | None = None) -> StylePrimer | None:
        """Read a primer: the version asked for, else the one used last."""
        with self.snapshot() as snapshot:
            return SnapshotReader(snapshot, self._caches).primer(primer_id, version)

    async def save_session(self, session: UserSession) -> None:
        """Write a session and list it as active.

        Raises:
            StoreError: it could not be written.
            InvalidParams: the user's id is too long for a key.
        """
        await self._submit(lambda batch: writes.write_session(batch, session))

    async def end_session(self, session_id: UUID) -> None:
        """Take a session off the list of active ones; the session itself stays."""
        if self._open_if_exists() is not None:
            await self._submit(lambda batch: writes.end_session(batch, session_id))

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        with self.snapshot() as snapshot:
            return SnapshotReader(snapshot, self._caches).session(session_id)

    def preferences(self) -> UserPreferences | None:
        """Read the preferences that were saved last, whatever session saved them."""
        with self.snapshot() as snapshot:
            return SnapshotReader(snapshot, self._caches).preferences(LOCAL_USER)

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Keep preferences for the sessions to come.

        Raises:
            StoreError: they could not be written.
        """
        await self._submit(
            lambda batch: writes.write_preferences(batch, LOCAL_USER, preferences)
        )

    def active_sessions(self) -> list[UserSession]:
        """Read the sessions that are active now."""
        with self.snapshot() as snapshot:
            sessions = SnapshotReader(snapshot, self._caches)
            found = [
                sessions.session(keys.trailing_id(key))
                for key, _ in snapshot.scan(keys.active_sessions_prefix(LOCAL_USER))
            ]
        return [session for session in found if session is not None]

    def close(self) -> None:
        """Write what is still waiting, then let go of the store.

        Raises:
            StoreError: streamed text could not be written; the store is closed.
        """
        with self._lock:
            opened = None if self._closed else self._opened
            self._closed = True
        if opened is None:
            return
        try:
            opened.journal.close()
        finally:
            opening.close_environment(opened.shared)

    async def _submit(self, work: Callable[[Batch], T]) -> T:
        return await self._wait_for_result(self._open_or_create().writer.submit(work))

    async def _wait_for_result(self, future: Future[T]) -> T:
        """Wait for a piece of work; give up only while it has not begun."""
        waiter = asyncio.wrap_future(future)
        waiter.add_done_callback(_retrieve_exception)
        await asyncio.wait({waiter}, timeout=WRITE_TIMEOUT)
        if not waiter.done() and future.cancel():
            raise write_timeout_error(self.folder)
        return await waiter

    def _after_commit(
        self, journal: Journal, commit: RunCommit, done: Future[CommittedRun]
    ) -> None:
        """Take note, on the writer's thread, of what is on the disk now, or is not."""
        run_id, ended = (
            commit.run.pipeline_run_id,
            writes.ended_response_ids(commit.events),
        )
        if done.cancelled() or done.exception():
            journal.unmark_ended(run_id, ended)
            return
        written = done.result()
        self._caches.runs.add(written.record, written.stored)
        journal.discard(run_id, ended)


def _retrieve_exception(waiter: asyncio.Future[T]) -> None:
    """Take note of an outcome that a cancelled caller will not fetch."""
    if not waiter.cancelled():
        waiter.exception()
