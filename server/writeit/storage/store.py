"""The port `Store` on LMDB, in one folder.

Until the first write there is no environment and the store reads as empty. It is opened
as soon as this or another process has created it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

from writeit.domain.errors import StoreError
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun
from writeit.domain.run_bundle import RunBundle
from writeit.domain.run_summary import RunSummary
from writeit.domain.session import LOCAL_USER, UserPreferences, UserSession
from writeit.ports.store import (
    DeletionCounts,
    Lease,
    RunCommit,
    RunPage,
    RunQuery,
    SearchPage,
    SearchQuery,
    StoredRun,
    UsageRecord,
)
from writeit.storage import (
    changes,
    deletes,
    errors,
    keys,
    opening,
    reads,
    search_query,
    writes,
)
from writeit.storage.cache import Caches
from writeit.storage.environment import INITIAL_MAP_SIZE, LmdbEnvironment
from writeit.storage.known_runs import RenderRun
from writeit.storage.location import store_exists
from writeit.storage.opening import SharedEnvironment
from writeit.storage.reads import SnapshotReader
from writeit.storage.search_index import SearchIndex
from writeit.storage.snapshot import Batch, Counters, MemoryBatch, Snapshot
from writeit.storage.writer import WRITE_TIMEOUT, Journal, Writer, write_timeout_error
from writeit.storage.writes import CommittedRun

T = TypeVar("T")

_USAGE_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class _OpenEnvironment:
    """A shared environment and this store's own journal."""

    shared: SharedEnvironment
    journal: Journal

    @property
    def environment(self) -> LmdbEnvironment:
        return self.shared.environment

    @property
    def writer(self) -> Writer:
        return self.shared.writer

    @property
    def is_outdated(self) -> bool:
        """Whether the files were replaced, or lack runs that this process stored."""
        return self.environment.is_replaced or self.writer.reopener.lacks_runs


class LmdbStore:
    """A store in an LMDB environment, which a process opens once.

    `Store` says what its methods do; in addition, any read or write raises StoreError
    if the environment cannot be opened, and a write raises InvalidParams for a name
    that is too long for a key.
    """

    def __init__(
        self,
        folder: Path,
        *,
        map_size: int = INITIAL_MAP_SIZE,
        render: RenderRun | None = None,
    ) -> None:
        """Use the store in `folder`.

        `render` returns a run as text that can be imported: see `KnownRuns.keep`.
        """
        self.folder = folder
        self._render = render
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
        """The environment's counters since it was opened."""
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

    @property
    def search_index(self) -> SearchIndex | None:
        """The search index of the environment; None if there is none."""
        opened = self._open_current()
        return None if opened is None else opened.shared.index

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Read raw keys and values."""
        opened = self._open_current()
        if opened is None:
            return nullcontext(MemoryBatch(self.folder))
        return opened.environment.read_transaction()

    def changed_runs(self, after: bytes | None) -> tuple[list[UUID], bytes]:
        """Return the runs changed after a change, and the newest one."""
        with self.snapshot() as snapshot:
            if after is None:
                return [], changes.newest_change(snapshot)
            try:
                found = list(changes.changes_after(snapshot, after))
            except LookupError:  # the store was replaced
                found = list(snapshot.scan_keys(keys.CHANGES))
        run_ids = dict.fromkeys(map(keys.trailing_id, found))
        return list(run_ids), found[-1] if found else after

    def _open_current(self) -> _OpenEnvironment | None:
        """Return the open environment, on the files that are in the folder now.

        If they cannot be opened, it still has the old ones.
        """
        opened = self._open_if_exists()
        if opened is not None and opened.is_outdated:
            with suppress(StoreError):  # raised by the next write
                opened.writer.submit_and_wait(lambda _: None)
        return opened

    def _open_if_exists(self) -> _OpenEnvironment | None:
        """Return the open environment, or None while none was created."""
        opened = self._opened
        if opened is not None or self._closed or not store_exists(self.folder):
            return opened
        return self._open_or_create(existing=True)

    def _open_or_create(self, *, existing: bool = False) -> _OpenEnvironment:
        """Return the open environment; create it unless `existing` is set."""
        with self._lock:
            if self._opened is None:
                if self._closed:
                    raise errors.locked_error(self.folder, "it was closed")
                shared = opening.open_environment(
                    self.folder, self._map_size, existing=existing
                )
                if self._render is not None:
                    shared.writer.reopener.known.render = self._render
                self._opened = _OpenEnvironment(shared, Journal(shared.writer))
            return self._opened

    async def commit(self, commit: RunCommit) -> int:
        """Write a commit, even if the caller is cancelled once it was submitted."""
        opened = self._open_or_create()
        journal = opened.journal
        journal.schedule_write()

        def write(batch: Batch) -> tuple[CommittedRun, RunBundle | None]:
            written = writes.write_commit(batch, commit, self._caches.runs)
            run_id = commit.run.pipeline_run_id
            changes.log_change(batch, run_id)
            journal.mark_ended(run_id, writes.ended_response_ids(commit.events))
            return written, opened.writer.reopener.known.after_write(batch, commit)

        future = opened.writer.submit(write)
        future.add_done_callback(lambda done: self._after_commit(opened, commit, done))
        return (await self._wait_for_result(future))[0].stored.seq

    def append_journal(
        self, run_id: UUID, response_id: UUID, text: str, *, is_thought: bool = False
    ) -> None:
        """Append streamed text, or a thought that is no part of it.

        Text that could not be written stays in memory, is returned by `get_run`, and is
        written with the next text or commit, which then fails for the same reason.
        """
        key = keys.thoughts_id(response_id) if is_thought else response_id
        self._open_or_create().journal.append(run_id, key, text)

    def get_run(self, run_id: UUID) -> StoredRun | None:
        """Read a run with its answers, those that stream with their text so far."""
        # Before the snapshot: text that is written in between is read twice, not lost.
        pending = self._opened.journal.pending_text(run_id) if self._opened else {}
        stored = self._read(lambda reader: reader.run(run_id, pending))
        if stored is None:
            self._forget_deleted(run_id)
        elif self._opened is not None:
            self._opened.writer.reopener.known.view(run_id, stored.seq)
        return stored

    def list_runs(self, query: RunQuery) -> RunPage:
        """List runs, newest first.

        Raises:
            NotFound: there is no run `query.older_than`.
        """
        return self._read(lambda reader: reads.read_page(reader.snapshot, query))

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first."""
        return self._read(lambda reader: reader.events(run_id))

    def streaming_runs(self) -> list[UUID]:
        """List the runs that have answers streaming, or had when their process died."""
        with self.snapshot() as snapshot:
            return [keys.trailing_id(key) for key in snapshot.scan_keys(keys.STREAMING)]

    def summary(self, run_id: UUID) -> RunSummary | None:
        """Read the summary of a run or of its tombstone."""
        summary = self._read(lambda reader: reads.read_summary(reader.snapshot, run_id))
        if summary is None or summary.deleted:
            self._forget_deleted(run_id)
        return summary

    def _forget_deleted(self, run_id: UUID) -> None:
        """Do not store a run again that another process deleted."""
        if self._opened is not None and not self._opened.is_outdated:
            self._opened.writer.reopener.known.forget([run_id])

    def children(self, run_id: UUID) -> list[UUID]:
        """List the branches of a run, oldest first, including tombstones."""
        return self._read(lambda reader: reads.read_children(reader.snapshot, run_id))

    def lease(self, run_id: UUID) -> Lease | None:
        """Read the lease of a run."""
        return self._read(lambda reader: reader.lease(run_id))

    async def renew_leases(self, leases: Mapping[UUID, Lease]) -> None:
        """Write new heartbeats, by run id, of leases that still have the same owner."""
        if self._open_if_exists() is not None:
            await self._submit(lambda batch: writes.renew_leases(batch, leases))

    async def delete_run(
        self, run_id: UUID, *, descendants: bool = False
    ) -> DeletionCounts:
        """Delete a run, or the run and all of its descendants.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of them are streaming; nothing was deleted.
        """
        if self._open_if_exists() is None:
            raise deletes.unknown_run_error(run_id)
        known = self._open_or_create().writer.reopener.known

        def delete(batch: Batch) -> tuple[DeletionCounts, list[UUID]]:
            counts = deletes.delete_run(batch, run_id, descendants=descendants)
            return counts, known.find_deleted(batch)

        counts, deleted = await self._submit(delete)
        known.forget(deleted)
        self._open_or_create().shared.index.update_soon(remove=True)
        return counts

    def usage_records(self, since: datetime | None = None) -> Iterator[UsageRecord]:
        """Read the usage of each answer once, oldest first."""
        start = keys.USAGE if since is None else keys.usage_since(since)
        while True:
            # By the thousand, so that no snapshot stays open for long.
            with self.snapshot() as snapshot:
                page = reads.read_usage(snapshot, start, _USAGE_PAGE_SIZE)
            for _, usage in page:
                yield usage
            if len(page) < _USAGE_PAGE_SIZE:
                return
            start = keys.next_key(page[-1][0])

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        return self._read(lambda reader: reader.configuration(configuration_id))

    def primer(self, primer_id: str, version: str | None = None) -> StylePrimer | None:
        """Read a version of a primer, by default the one used last."""
        return self._read(lambda reader: reader.primer(primer_id, version))

    def primer_versions(self, primer_id: str) -> list[StylePrimer]:
        """Read the stored versions of a primer, in the order of their creation."""
        return self._read(lambda reader: reader.primer_versions(primer_id))

    async def search(self, query: SearchQuery) -> SearchPage:
        """Find words in the texts of runs, those that were stored last first."""
        index = self.search_index
        if index is None:
            return SearchPage()
        return await asyncio.to_thread(search_query.search, index, query)

    def active_run_of(self, uri: str) -> UUID | None:
        """Read the run that any session last activated for a document."""
        return self._read(lambda reader: reader.active_run_of(uri))

    def drafts(self, run_id: UUID, step: str) -> Mapping[str, str]:
        """Read what the user typed in a step and no decision has taken."""
        return self._read(lambda reader: reader.drafts(run_id, step))

    async def save_draft(
        self,
        run_id: UUID,
        step: str,
        place: str,
        text: str,
        replaces: str | None = None,
    ) -> str | None:
        """Write what the user typed in a place of a step; a blank text deletes it."""
        return await self._submit(
            lambda batch: writes.write_draft(batch, run_id, step, place, text, replaces)
        )

    async def save_session(
        self, session: UserSession, activated: PipelineRun | None = None
    ) -> None:
        """Write a session and list it as active."""

        def write(batch: Batch) -> None:
            writes.write_session(batch, session)
            if activated is not None:
                writes.write_active_documents(batch, activated)

        await self._submit(write)
        self._open_or_create().writer.reopener.known.session = session

    async def end_session(self, session_id: UUID) -> None:
        """Remove a session from the list of active ones; the session is kept."""
        if self._open_if_exists() is not None:
            await self._submit(lambda batch: writes.end_session(batch, session_id))

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        return self._read(lambda reader: reader.session(session_id))

    def preferences(self) -> UserPreferences | None:
        """Read the preferences that any session saved last."""
        return self._read(lambda reader: reader.preferences(LOCAL_USER))

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Keep preferences for later sessions."""
        await self._submit(
            lambda batch: writes.write_preferences(batch, LOCAL_USER, preferences)
        )
        self._open_or_create().writer.reopener.known.preferences = preferences

    def active_sessions(self) -> list[UserSession]:
        """Read the sessions that are active now."""
        return self._read(lambda reader: reader.active_sessions(LOCAL_USER))

    def take_notices(self) -> list[str]:
        """Return new messages for the user: another program replaced the store."""
        if self._opened is None:
            return []
        notices = self._opened.writer.reopener.known.notices
        return [notices.popleft() for _ in range(len(notices))]

    def close(self) -> None:
        """Write what is queued and close the store.

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

    def _read(self, read: Callable[[SnapshotReader], T]) -> T:
        with self.snapshot() as snapshot:
            try:
                return read(SnapshotReader(snapshot, self._caches))
            except ValueError as error:  # a key that was damaged
                raise errors.corrupt_error(self.folder, str(error)) from error

    async def _submit(self, work: Callable[[Batch], T]) -> T:
        return await self._wait_for_result(self._open_or_create().writer.submit(work))

    async def _wait_for_result(self, future: Future[T]) -> T:
        """Wait for a write; give up only while it has not begun."""
        waiter = asyncio.wrap_future(future)
        waiter.add_done_callback(_retrieve_exception)
        await asyncio.wait({waiter}, timeout=WRITE_TIMEOUT)
        if not waiter.done() and future.cancel():
            raise write_timeout_error(self.folder)
        return await waiter

    def _after_commit(
        self,
        opened: _OpenEnvironment,
        commit: RunCommit,
        done: Future[tuple[CommittedRun, RunBundle | None]],
    ) -> None:
        """Update the caches and the journal, on the writer's thread."""
        journal = opened.journal
        run_id = commit.run.pipeline_run_id
        ended = writes.ended_response_ids(commit.events)
        if done.cancelled() or done.exception():
            journal.unmark_ended(run_id, ended)
            return
        written, bundle = done.result()
        opened.writer.reopener.known.add(bundle, commit)
        self._caches.runs.add(written.record, written.stored)
        journal.discard(run_id, ended)
        opened.shared.index.update_soon()


def _retrieve_exception(waiter: asyncio.Future[T]) -> None:
    """Fetch the exception that a cancelled caller does not fetch."""
    if not waiter.cancelled():
        waiter.exception()
