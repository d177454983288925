"""Open a store: created atomically, checked, and shared within a process.

LMDB must not have one environment open twice in a process, and there must be one
writer thread for each, so all users of a folder share both.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import lmdb

from writeit.storage import errors, integrity, keys, location, migrations, provenance
from writeit.storage.environment import INITIAL_MAP_SIZE, LmdbEnvironment
from writeit.storage.location import fsync_path, opening_lock
from writeit.storage.search_index import SearchIndex
from writeit.storage.snapshot import DATA_FILE
from writeit.storage.writer import Writer


@dataclass(slots=True)
class SharedEnvironment:
    """An environment, its writer, its index, and the number of their users."""

    environment: LmdbEnvironment
    writer: Writer
    index: SearchIndex
    user_count: int = 0


_environments_lock = threading.Lock()
_environments: dict[Path, SharedEnvironment] = {}
"""By resolved folder. LMDB's rule is about the process, hence a global."""


def open_environment(
    folder: Path, map_size: int = INITIAL_MAP_SIZE, *, existing: bool = False
) -> SharedEnvironment:
    """Open the store in `folder`, or share it if this process has it open.

    It is created if there is none, unless `existing` is set.

    Raises:
        StoreError: it cannot be created or read, is damaged, or is too new.
    """
    with _environments_lock:
        path = folder.resolve()
        shared = _environments.get(path)
        if shared is None:
            environment = _open_checked(path, map_size, existing=existing)
            prepare = partial(_prepare_files, path, existing=False)
            writer = Writer(environment, prepare)
            writer.reopener.store_abandoned()
            shared = SharedEnvironment(environment, writer, SearchIndex(environment))
            _environments[path] = shared
        shared.user_count += 1
        return shared


def close_environment(shared: SharedEnvironment) -> None:
    """Close an environment; the last user writes what is queued and closes files."""
    with _environments_lock:
        shared.user_count -= 1
        if shared.user_count == 0:
            del _environments[shared.environment.folder]
            shared.index.close()
            if shared.writer.close():
                shared.writer.reopener.known.close()
                shared.environment.close()
            # Otherwise the writer still waits for another process and needs the files.


def _open_checked(folder: Path, map_size: int, *, existing: bool) -> LmdbEnvironment:
    try:
        location.create_store_folder(folder)
        with opening_lock(folder):
            _prepare_files(folder, existing=existing)
            # Within the lock, so that the store is not moved meanwhile.
            environment = LmdbEnvironment(folder, map_size)
    except (lmdb.Error, OSError) as error:
        raise errors.to_store_error(error, folder) from error
    try:
        _check_length(environment)
        _migrate_if_needed(environment)
        environment.check_schema = migrations.read_schema_version
    except lmdb.Error as error:
        environment.close()
        raise errors.to_store_error(error, folder) from error
    except BaseException:
        environment.close()
        raise
    return environment


def _prepare_files(
    folder: Path,
    is_overwritten: bool = False,
    *,
    existing: bool,
) -> None:
    """Create a store, or make sure that the existing one is safe to map.

    Raises:
        StoreError: it is not.
    """
    provenance.check_plain_files(folder)
    data = folder / DATA_FILE
    if not data.exists():
        if existing:
            raise errors.locked_error(folder, "it was just moved or removed")
        _create_store(folder)
        provenance.record_as_own(folder)
    if data.stat().st_size == 0:
        raise errors.corrupt_error(folder, "its data file is empty")
    if is_overwritten:
        provenance.adopt_store(folder, errors.overwritten_error)
    elif not provenance.is_own_store(folder):
        provenance.adopt_store(folder)


def _create_store(folder: Path) -> None:
    """Create a store in a temporary folder, then link its data file into `folder`.

    So an existing store was complete once, and an empty data file is damage.
    """
    temporary = tempfile.mkdtemp(prefix=".new-", dir=folder)
    try:
        with (
            lmdb.Environment(temporary, mode=0o600) as created,
            created.begin(write=True) as txn,
        ):
            txn.put(keys.SCHEMA, migrations.schema_value(migrations.SCHEMA_VERSION))
        _link_into_place(f"{temporary}/{DATA_FILE}", folder / DATA_FILE)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _link_into_place(created: str, target: Path) -> None:
    try:
        os.link(created, target)
    except FileExistsError:
        return  # another process created it first
    except OSError:
        if not target.exists():  # a filesystem without hard links
            Path(created).rename(target)
    fsync_path(target.parent)


def _check_length(environment: LmdbEnvironment) -> None:
    """Refuse a data file that was truncated.

    A short one may still be complete, if its last writer was killed before it extended
    the file (see `LmdbEnvironment`). Then every page is checked.
    """
    if not environment.missing_bytes():
        return
    problems = integrity.find_file_damage(environment.folder)
    # A process that writes meanwhile makes it look damaged, and then long enough.
    if problems and environment.missing_bytes():
        damage = f"its data file was cut short ({problems[0]})"
        raise errors.corrupt_error(environment.folder, damage)


def _migrate_if_needed(environment: LmdbEnvironment) -> None:
    with environment.read_transaction() as snapshot:
        if migrations.read_schema_version(snapshot) == migrations.SCHEMA_VERSION:
            return
    environment.write_once(migrations.migrate)
