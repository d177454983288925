"""The care of an open store: `writeit.ports.Maintenance` for LMDB.

All of it runs on threads of its own, so that the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from datetime import datetime
from functools import partial
from pathlib import Path

import lmdb

from writeit.domain.errors import Busy, NotFound
from writeit.ports.store import DeletionCounts, StoreStatus, VerifyResult
from writeit.storage import deletes, errors, keys, location, migrations, provenance
from writeit.storage.backup import backup_store, temporary_folder
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.snapshot import DATA_FILE, Batch, Snapshot
from writeit.storage.store import LmdbStore
from writeit.storage.verify import verify_store

# --- Giving space back: texts that nobody refers to any more, and free pages ----------

_COMPACT_PREFIX = ".compact-"
_CONCURRENT_ATTEMPTS = 2
"""Attempts that let others write; the next one does not."""
_TEXT_REFERENCE = re.compile(rb'\{"text":"([0-9a-f]{64})"\}')
"""Quotes within a writer's words are escaped: only a reference looks like this."""


def compact_store(environment: LmdbEnvironment) -> None:
    """Drop texts nobody refers to, and give free pages back to the disk.

    Raises:
        Busy: another process has the store open; nothing was changed.
        StoreError: it could not be written; nothing is lost.
    """
    folder = environment.folder
    try:
        with environment.exclusive_access():
            for left in folder.glob(f"{_COMPACT_PREFIX}*"):  # by one who was killed
                shutil.rmtree(left, ignore_errors=True)
        _delete_unused_texts(environment)
        _replace_data_file(environment)
    except location.StoreInUse as error:
        raise Busy(
            f"Another program has the store in {folder} open, so it was not compacted."
            " Nothing is lost.",
            hint="Close other editors on this workspace, then try again.",
        ) from error
    except (lmdb.Error, OSError) as error:
        raise errors.to_store_error(error, folder) from error


def _replace_data_file(environment: LmdbEnvironment) -> None:
    """Put a copy without free pages in the data file's place.

    Raises:
        InUse: another process keeps writing.
    """
    for _ in range(_CONCURRENT_ATTEMPTS):
        if _try_replace_data_file(environment):
            return
    with environment.block_writes():
        if not _try_replace_data_file(environment):
            raise location.StoreInUse


def _try_replace_data_file(environment: LmdbEnvironment) -> bool:
    """Put a copy in the data file's place; False if something was written meanwhile."""
    head = environment.meta_pages()
    with temporary_folder(environment.folder, _COMPACT_PREFIX) as made:
        environment.copy_to(made, compact=True)
        # An old file that is still open is freed later, when nobody waits for it.
        with (
            (environment.folder / DATA_FILE).open("rb"),
            environment.exclusive_access(),
        ):
            if environment.meta_pages() != head:
                return False
            provenance.replace_data_file(made / DATA_FILE, environment.folder)
            return True


def _delete_unused_texts(environment: LmdbEnvironment) -> None:
    """Delete texts nobody refers to, unless something was written since they were."""
    for _ in range(_CONCURRENT_ATTEMPTS):
        with environment.long_read_transaction() as snapshot:
            found = partial(
                _delete_texts,
                unused=_unused_text_keys(snapshot),
                snapshot_id=snapshot.transaction_id,
            )
        if environment.write_once(found):
            return
    environment.write_once(lambda batch: _delete_texts(batch, _unused_text_keys(batch)))


def _delete_texts(
    batch: Batch, unused: list[bytes], snapshot_id: int | None = None
) -> bool:
    """Delete texts; not if more was written since `moment`, which may refer to them."""
    if snapshot_id is not None and batch.transaction_id != snapshot_id + 1:
        return False
    for key in unused:
        batch.delete(key)
    return True


def _unused_text_keys(snapshot: Snapshot) -> list[bytes]:
    """The keys of texts that no record refers to."""
    used: set[bytes] = set()
    for kind in keys.RECORD_PREFIXES:
        for _, raw in snapshot.scan(kind):
            used.update(_TEXT_REFERENCE.findall(raw))
    length = len(keys.TEXTS)
    return [key for key in snapshot.scan_keys(keys.TEXTS) if key[length:] not in used]


# --- The care of an open store: `writeit.ports.Maintenance` for LMDB ------------------


class LmdbMaintenance:
    """The care of one store; one that was not created yet stays so.

    Raises:
        StoreError: another process has created it, and it cannot be opened.
    """

    def __init__(self, store: LmdbStore) -> None:
        self._folder = store.folder
        self._engine = store.environment_and_writer

    async def status(self) -> StoreStatus:
        """Count what is there.

        Raises:
            StoreError: the store cannot be read.
        """
        if self._engine is None:
            return _empty_status(self._folder)
        return await asyncio.to_thread(_read_status, self._engine[0])

    async def verify(self) -> VerifyResult:
        """Check structure, text hashes, and every entity against its events.

        Damage is reported, not raised.

        Raises:
            StoreError: there is no room for the copy that is checked.
        """
        if self._engine is None:
            return VerifyResult(checked=0, problems=[])
        return await asyncio.to_thread(verify_store, self._engine[0])

    async def compact(self) -> StoreStatus:
        """Drop texts nobody refers to and give free pages back to the disk.

        Raises:
            Busy: another process has the store open.
            StoreError: it could not be written; nothing is lost.
        """
        if self._engine is not None:
            await asyncio.to_thread(compact_store, self._engine[0])
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
        return await asyncio.to_thread(backup_store, self._engine[0], path)

    async def prune(self, cutoff: datetime, *, dry_run: bool = True) -> DeletionCounts:
        """Delete finished runs last touched before a moment; count them if dry.

        Raises:
            StoreError: it could not be written; what was deleted stays deleted.
        """
        if self._engine is None:
            return DeletionCounts(runs=0, responses=0)
        if dry_run:
            return await asyncio.to_thread(
                deletes.count_prunable, self._engine[0], cutoff
            )
        return await asyncio.to_thread(deletes.prune_runs, *self._engine, cutoff)


def _empty_status(folder: Path) -> StoreStatus:
    return StoreStatus(
        path=folder,
        schema=migrations.SCHEMA_VERSION,
        map_bytes=0,
        used_bytes=0,
        file_bytes=0,
        runs=0,
        responses=0,
        texts=0,
        events=0,
    )


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
