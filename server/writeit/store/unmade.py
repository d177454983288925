"""A store that is not made before there is something to keep in it.

While there is none on the disk it reads as an empty one. It becomes the real one with
the first write, or as soon as another process has made it. What a real store would
have to say (no room, no permission, damage, a newer version) is said by the call that
opens it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from writeit.store import failures
from writeit.store.lmdb_store import LmdbStore
from writeit.store.memory import MemoryStore
from writeit.store.snapshot import DATA_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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
        Store,
        StoredRun,
        UsageRecord,
    )


def is_made(folder: Path) -> bool:
    """Whether there is a store in `folder`, sound or not, ours or somebody else's.

    Raises:
        StoreError: nobody lets us look.
    """
    try:
        (folder / DATA_FILE).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise failures.store_error(error, folder) from error
    return True


class UnmadeStore:
    """The store that will be in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._real: LmdbStore | None = None
        self._empty = MemoryStore()
        """What there is to read until then; nothing is ever put into it."""
        self._closed = False

    def made(self) -> LmdbStore | None:
        """Return the real store, once there is one.

        Raises:
            StoreError: there is one, and it cannot be opened.
        """
        with self._lock:
            if self._real is None and not self._closed and is_made(self.folder):
                self._real = LmdbStore.open(self.folder)
            return self._real

    def _read(self) -> Store:
        return self.made() or self._empty

    def _write(self) -> LmdbStore:
        """Return the real store; it is made if there is none.

        Raises:
            StoreError: it cannot be made or opened.
        """
        with self._lock:
            if self._real is None:
                if self._closed:
                    raise failures.locked(self.folder, "it was closed")
                self._real = LmdbStore.open(self.folder)
            return self._real

    # --- what is kept: with it the store is made --------------------------------------

    async def commit(self, decision: Decision) -> int:
        """Write a decision and return the run's new seq, once it is on the disk.

        Raises:
            StaleDecision: `expected_seq` is no longer the run's.
            StoreError: it could not be written, or no store be made.
        """
        return await self._write().commit(decision)

    def journal(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Append streamed text; it is on the disk at most 50 ms later.

        Raises:
            StoreError: no store could be made.
        """
        self._write().journal(run_id, response_id, text)

    async def save_session(self, session: UserSession) -> None:
        """Write a session and list it as active.

        Raises:
            StoreError: it could not be written, or no store be made.
        """
        await self._write().save_session(session)

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Keep preferences for the sessions to come.

        Raises:
            StoreError: they could not be written, or no store be made.
        """
        await self._write().save_preferences(preferences)

    # --- what changes only what is there ----------------------------------------------

    async def renew(self, leases: Mapping[UUID, Lease]) -> None:
        """Write new heartbeats, by run id, of leases that are still the owner's."""
        await self._read().renew(leases)

    async def delete(self, run_id: UUID, *, descendants: bool = False) -> Deleted:
        """Delete a run, or its whole family below it.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of them are streaming; nothing was deleted.
            StoreError: nothing was deleted.
        """
        return await self._read().delete(run_id, descendants=descendants)

    async def end_session(self, session_id: UUID) -> None:
        """Take a session off the list of active ones; the session itself stays."""
        await self._read().end_session(session_id)

    # --- what is read -----------------------------------------------------------------

    def last_write(self) -> int:
        """Return a number that rises with every write, by whichever process."""
        return self._read().last_write()

    def run(self, run_id: UUID) -> StoredRun | None:
        """Read a run with its answers; what streams stands with its journaled text."""
        return self._read().run(run_id)

    def runs(self, query: RunQuery) -> RunPage:
        """List runs, newest first.

        Raises:
            NotFound: there is no run `query.before`.
        """
        return self._read().runs(query)

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first; their place + 1 is their seq."""
        return self._read().events(run_id)

    def streaming_runs(self) -> list[UUID]:
        """List the runs that have answers on their way (or had, when all went dark)."""
        return self._read().streaming_runs()

    def summary(self, run_id: UUID) -> RunSummary | None:
        """Read the summary of a run, or of the tombstone it left."""
        return self._read().summary(run_id)

    def children(self, run_id: UUID) -> list[UUID]:
        """List the runs that branched off a run, oldest first; tombstones too."""
        return self._read().children(run_id)

    def lease(self, run_id: UUID) -> Lease | None:
        """Read who is asking models for a run."""
        return self._read().lease(run_id)

    def usage(self, since: datetime | None = None) -> Iterator[UsageRecord]:
        """Read what calls used, oldest first; each answer counts once."""
        return self._read().usage(since)

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        return self._read().configuration(configuration_id)

    def primer(self, primer_id: str, version: str | None = None) -> StylePrimer | None:
        """Read a primer: the version asked for, else the one used last."""
        return self._read().primer(primer_id, version)

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        return self._read().session(session_id)

    def preferences(self) -> UserPreferences | None:
        """Read the preferences that were saved last, whatever session saved them."""
        return self._read().preferences()

    def active_sessions(self) -> list[UserSession]:
        """Read the sessions that are active now."""
        return self._read().active_sessions()

    def close(self) -> None:
        """Write what is still waiting, then let go of the store, if there is one.

        Raises:
            StoreError: streamed text could not be written; the store is closed.
        """
        with self._lock:
            self._closed = True
        if self._real is not None:
            self._real.close()
