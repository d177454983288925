"""The care of an open store: `writeit.ports.Maintenance` for LMDB.

All of it runs on threads of its own, so that the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from writeit.core.errors import NotFound
from writeit.ports import Deleted, StoreStatus, Verified
from writeit.store import backing_up, compacting, keys, pruning, schema, verifying

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from writeit.store.environment import Environment
    from writeit.store.lmdb_store import LmdbStore


class LmdbMaintenance:
    """The care of one store; one that was not created yet stays so.

    Raises:
        StoreError: another process has created it, and it cannot be opened.
    """

    def __init__(self, store: LmdbStore) -> None:
        self._folder = store.folder
        self._engine = store.engine

    async def status(self) -> StoreStatus:
        """Count what is there.

        Raises:
            StoreError: the store cannot be read.
        """
        if self._engine is None:
            return _status_of_none(self._folder)
        return await asyncio.to_thread(_status, self._engine[0])

    async def verify(self) -> Verified:
        """Check structure, text hashes, and every entity against its events.

        Damage is reported, not raised.

        Raises:
            StoreError: there is no room for the copy that is checked.
        """
        if self._engine is None:
            return Verified(checked=0, problems=[])
        return await asyncio.to_thread(verifying.verify, self._engine[0])

    async def compact(self) -> StoreStatus:
        """Drop texts nobody refers to and give free pages back to the disk.

        Raises:
            Busy: another process has the store open.
            StoreError: it could not be written; nothing is lost.
        """
        if self._engine is not None:
            await asyncio.to_thread(compacting.compact, self._engine[0])
        return await self.status()

    async def backup(self, path: Path) -> Path:
        """Copy a consistent store to a new folder, while it is in use.

        Raises:
            InvalidParams: there is something at `path` already.
            NotFound: no store was created yet; an empty copy would pass for a backup.
            StoreError: it could not be written; nothing half done is left.
        """
        if self._engine is None:
            raise NotFound(
                f"There is no store to copy to {path}: the first run creates it, in"
                f" {self._folder}.",
                hint="Start a run, then make the backup.",
            )
        return await asyncio.to_thread(backing_up.back_up, self._engine[0], path)

    async def prune(self, before: datetime, *, dry_run: bool = True) -> Deleted:
        """Delete finished runs last touched before a moment; count them if dry.

        Raises:
            StoreError: it could not be written; what was deleted stays deleted.
        """
        if self._engine is None:
            return Deleted(runs=0, responses=0)
        if dry_run:
            return await asyncio.to_thread(pruning.count, self._engine[0], before)
        return await asyncio.to_thread(pruning.prune, *self._engine, before)


def _status_of_none(folder: Path) -> StoreStatus:
    return StoreStatus(
        path=folder,
        schema=schema.SCHEMA,
        map_bytes=0,
        used_bytes=0,
        file_bytes=0,
        runs=0,
        responses=0,
        texts=0,
        events=0,
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
