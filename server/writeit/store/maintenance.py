"""The care of an open store: `writeit.ports.Maintenance` for LMDB.

All of it runs on threads of its own, so that the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from writeit.ports import Deleted, StoreStatus, Verified
from writeit.store import backing_up, compacting, keys, pruning, schema, verifying

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from writeit.store.environment import Environment
    from writeit.store.lmdb_store import LmdbStore


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
