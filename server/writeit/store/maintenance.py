"""The care of an open store: `writeit.ports.Maintenance` for LMDB.

All of it runs on threads of its own, so that the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from writeit.core.errors import NotFound
from writeit.ports import Deleted, StoreStatus, Verified
from writeit.store import backing_up, compacting, keys, pruning, schema, verifying
from writeit.store.unmade import UnmadeStore

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from writeit.ports import Maintenance
    from writeit.store.environment import Environment
    from writeit.store.lmdb_store import LmdbStore


def care_of(store: LmdbStore | UnmadeStore) -> Maintenance:
    """Return the care of a store as it is now: there, or not made yet.

    Raises:
        StoreError: another process has made it, and it cannot be opened.
    """
    if not isinstance(store, UnmadeStore):
        return LmdbMaintenance(store)
    made = store.made()
    return NothingToCareFor(store.folder) if made is None else LmdbMaintenance(made)


class NothingToCareFor:
    """The care of a store that is not made yet; it does not make it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def status(self) -> StoreStatus:
        """Count nothing; the schema is the one that it will have."""
        return StoreStatus(
            path=self._folder,
            schema=schema.SCHEMA,
            map_bytes=0,
            used_bytes=0,
            file_bytes=0,
            runs=0,
            responses=0,
            texts=0,
            events=0,
        )

    async def verify(self) -> Verified:
        """Nothing can be wrong with nothing."""
        return Verified(checked=0, problems=[])

    async def compact(self) -> StoreStatus:
        """Nothing takes no room."""
        return await self.status()

    async def backup(self, path: Path) -> Path:
        """Refuse: a copy of nothing would be taken for a backup.

        Raises:
            NotFound: always.
        """
        raise NotFound(
            f"There is no store to copy to {path}: the first run makes it, in"
            f" {self._folder}.",
            hint="Start a run, then make the backup.",
        )

    async def prune(self, before: datetime, *, dry_run: bool = True) -> Deleted:
        """Nothing goes, whatever it was touched `before`, dry or not."""
        del before, dry_run
        return Deleted(runs=0, responses=0)


class LmdbMaintenance:
    """The care of one open store."""

    def __init__(self, store: LmdbStore) -> None:
        self._environment, self._writer = store.engine

    async def status(self) -> StoreStatus:
        """Count what is there.

        Raises:
            StoreError: the store cannot be read.
        """
        return await asyncio.to_thread(_status, self._environment)

    async def verify(self) -> Verified:
        """Check structure, text hashes, and every entity against its events.

        Damage is reported, not raised.

        Raises:
            StoreError: there is no room for the copy that is checked.
        """
        return await asyncio.to_thread(verifying.verify, self._environment)

    async def compact(self) -> StoreStatus:
        """Drop texts nobody refers to and give free pages back to the disk.

        Raises:
            Busy: another process has the store open.
            StoreError: it could not be written; nothing is lost.
        """
        await asyncio.to_thread(compacting.compact, self._environment)
        return await self.status()

    async def backup(self, path: Path) -> Path:
        """Copy a consistent store to a new folder, while it is in use.

        Raises:
            InvalidParams: there is something at `path` already.
            StoreError: it could not be written; nothing half done is left.
        """
        return await asyncio.to_thread(backing_up.back_up, self._environment, path)

    async def prune(self, before: datetime, *, dry_run: bool = True) -> Deleted:
        """Delete finished runs last touched before a moment; count them if dry.

        Raises:
            StoreError: it could not be written; what was deleted stays deleted.
        """
        if dry_run:
            return await asyncio.to_thread(pruning.count, self._environment, before)
        return await asyncio.to_thread(
            pruning.prune, self._environment, self._writer, before
        )


def _status(environment: Environment) -> StoreStatus:
    map_bytes, used_bytes, file_bytes = environment.figures()
    with environment.read_long() as snapshot:

        def count(prefix: bytes) -> int:
            return sum(1 for _ in snapshot.keys(prefix))

        return StoreStatus(
            path=environment.folder,
            schema=schema.version_of(snapshot),
            map_bytes=map_bytes,
            used_bytes=used_bytes,
            file_bytes=file_bytes,
            runs=count(keys.RUNS),
            responses=count(keys.RESPONSES),
            texts=count(keys.TEXTS),
            events=count(keys.EVENTS),
        )
