"""Maintenance of an open store: the port `Maintenance` for LMDB.

All of it runs on threads, so that it does not block the event loop.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from datetime import datetime
from functools import partial
from pathlib import Path

from writeit.domain.errors import NotFound
from writeit.ports.store import DeletionCounts, StoreStatus, VerifyResult
from writeit.storage import deletes, errors, keys, migrations, provenance
from writeit.storage.backup import backup_store
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.location import temporary_folder
from writeit.storage.snapshot import DATA_FILE, Batch, Snapshot
from writeit.storage.store import LmdbStore
from writeit.storage.verify import verify_store

_COMPACT_PREFIX = ".compact-"
_CONCURRENT_ATTEMPTS = 2
"""Attempts that allow writes meanwhile; the next one blocks them."""
_TEXT_REFERENCE = re.compile(rb'\{"text":"([0-9a-f]{64})"\}')
"""Quotes in a user's text are escaped, so only a reference matches."""


def compact_store(environment: LmdbEnvironment) -> None:
    """Delete texts that no record refers to, and give free pages back to the disk.

    Raises:
        Busy: another process has the store open; nothing was changed.
        StoreError: it could not be written; nothing is lost.
    """
    folder = environment.folder
    with errors.as_store_errors(folder):
        with environment.exclusive_access():
            for leftover in folder.glob(f"{_COMPACT_PREFIX}*"):  # of a killed process
                shutil.rmtree(leftover, ignore_errors=True)
        _delete_unused_texts(environment)
        _replace_data_file(environment)


def _replace_data_file(environment: LmdbEnvironment) -> None:
    """Replace the data file by a copy without free pages.

    Raises:
        StoreInUse: another process keeps writing.
    """
    for _ in range(_CONCURRENT_ATTEMPTS):
        if _try_replace_data_file(environment):
            return
    with environment.block_writes():
        if not _try_replace_data_file(environment):
            raise errors.StoreInUse


def _try_replace_data_file(environment: LmdbEnvironment) -> bool:
    """Replace the data file by a copy; return False if there were writes meanwhile."""
    # Within a transaction: LMDB writes the meta page of a commit before readers see it,
    # and the copy would lack a commit that is under way.
    meta_pages = environment.write_once(lambda _: environment.meta_pages())
    with temporary_folder(environment.folder, _COMPACT_PREFIX) as temporary:
        environment.copy_to(temporary, compact=True)
        # The old file is kept open, so that it is freed after the lock is released.
        with (
            (environment.folder / DATA_FILE).open("rb"),
            environment.exclusive_access(),
        ):
            if environment.meta_pages() != meta_pages:
                return False
            provenance.replace_data_file(temporary / DATA_FILE, environment.folder)
            return True


def _delete_unused_texts(environment: LmdbEnvironment) -> None:
    """Delete texts that no record refers to, in a transaction that follows the scan."""
    for _ in range(_CONCURRENT_ATTEMPTS):
        with environment.long_read_transaction() as snapshot:
            delete = partial(
                _delete_texts,
                unused=_unused_text_keys(snapshot),
                snapshot_id=snapshot.transaction_id,
            )
        if environment.write_once(delete):
            return
    environment.write_once(lambda batch: _delete_texts(batch, _unused_text_keys(batch)))


def _delete_texts(
    batch: Batch, unused: list[bytes], snapshot_id: int | None = None
) -> bool:
    """Delete texts, unless a write since the snapshot may refer to them."""
    if snapshot_id is not None and batch.transaction_id != snapshot_id + 1:
        return False
    for key in unused:
        batch.delete(key)
    return True


def _unused_text_keys(snapshot: Snapshot) -> list[bytes]:
    """Return the keys of texts that no record refers to."""
    used: set[bytes] = set()
    for kind in keys.RECORD_PREFIXES:
        for _, raw in snapshot.scan(kind):
            used.update(_TEXT_REFERENCE.findall(raw))
    length = len(keys.TEXTS)
    return [key for key in snapshot.scan_keys(keys.TEXTS) if key[length:] not in used]


class LmdbMaintenance:
    """Maintenance of one store; it does not create one.

    Raises:
        StoreError: another process has created it, and it cannot be opened.
    """

    def __init__(self, store: LmdbStore) -> None:
        self._folder = store.folder
        self._opened = store.environment_and_writer
        self._index = store.search_index

    async def status(self) -> StoreStatus:
        """Return counts and sizes.

        Raises:
            StoreError: the store cannot be read.
        """
        if self._opened is None:
            return StoreStatus(path=self._folder, schema=migrations.SCHEMA_VERSION)
        return await asyncio.to_thread(_read_status, self._opened[0])

    async def verify(self) -> VerifyResult:
        """Check structure, text hashes, and every entity against its events.

        Damage is reported, not raised.

        Raises:
            StoreError: there is no room for the copy that is checked.
        """
        if self._opened is None:
            return VerifyResult(checked=0, problems=[])
        return await asyncio.to_thread(verify_store, self._opened[0])

    async def compact(self) -> StoreStatus:
        """Delete texts that no record refers to, and give free pages back to the disk.

        Raises:
            Busy: another process has the store open.
            StoreError: it could not be written; nothing is lost.
        """
        if self._opened is not None:
            await asyncio.to_thread(compact_store, self._opened[0])
        if self._index is not None:
            await asyncio.to_thread(self._index.remove_deleted, compact=True)
        return await self.status()

    async def backup(self, path: Path) -> Path:
        """Copy a consistent store to a new folder, while it is in use.

        Raises:
            InvalidParams: `path` exists already.
            NotFound: no store was created yet.
            StoreError: it could not be written; no partial copy is left.
        """
        if self._opened is None:
            raise NotFound(
                "There is nothing to back up: the first run creates the run history, in"
                f" {self._folder}.",
                hint="Start a run, then make the backup.",
            )
        return await asyncio.to_thread(backup_store, self._opened[0], path)

    async def prune(self, cutoff: datetime, *, dry_run: bool = True) -> DeletionCounts:
        """Delete completed runs last updated before `cutoff`, or only count them.

        Raises:
            StoreError: it could not be written; what was deleted stays deleted.
        """
        if self._opened is None:
            return DeletionCounts(runs=0, responses=0)
        if dry_run:
            return await asyncio.to_thread(
                deletes.count_prunable, self._opened[0], cutoff
            )
        counts = await asyncio.to_thread(deletes.prune_runs, *self._opened, cutoff)
        if self._index is not None:
            await asyncio.to_thread(self._index.remove_deleted)
        return counts


def _read_status(environment: LmdbEnvironment) -> StoreStatus:
    map_bytes, used_bytes, file_bytes = environment.sizes()
    with environment.long_read_transaction() as snapshot:

        def count(prefix: bytes) -> int:
            return sum(1 for _ in snapshot.scan_keys(prefix))

        return StoreStatus(
            path=environment.folder,
            schema=migrations.read_schema_version(snapshot),
            map_bytes=map_bytes,
            used_bytes=used_bytes,
            file_bytes=file_bytes,
            runs=count(keys.RUNS),
            responses=count(keys.RESPONSES),
            texts=count(keys.TEXTS),
            events=count(keys.EVENTS),
        )
