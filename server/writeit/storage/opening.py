"""Opening a store: made whole or not at all, checked, and shared within a process.

LMDB must not have one environment open twice in a process, and there must be one
writer thread for each; so whoever opens a folder that is open already shares both.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import lmdb

from writeit.storage import errors, keys, location, migrations, page_check, provenance
from writeit.storage.environment import INITIAL_MAP_SIZE, LmdbEnvironment
from writeit.storage.location import fsync_path, opening_lock
from writeit.storage.snapshot import DATA_FILE
from writeit.storage.writer import Writer


@dataclass(slots=True)
class SharedEnvironment:
    """An environment, its writer, and how many have them open."""

    environment: LmdbEnvironment
    writer: Writer
    user_count: int = 0


_environments_lock = threading.Lock()
_environments: dict[Path, SharedEnvironment] = {}
"""By resolved folder. LMDB's own rule is about the process, hence a global."""


def open_environment(
    folder: Path, map_size: int = INITIAL_MAP_SIZE, *, existing: bool = False
) -> SharedEnvironment:
    """Open the store in `folder`, or join those who have it open.

    With `existing` none is made if it is gone meanwhile.

    Raises:
        StoreError: it cannot be made or read, is damaged, or is too new.
    """
    with _environments_lock:
        path = folder.resolve()
        shared = _environments.get(path)
        if shared is None:
            environment = _open_checked(path, map_size, existing=existing)
            shared = _environments[path] = SharedEnvironment(
                environment, Writer(environment)
            )
        shared.user_count += 1
        return shared


def close_environment(shared: SharedEnvironment) -> None:
    """Let go; the last one writes what waits and closes the files."""
    with _environments_lock:
        shared.user_count -= 1
        if shared.user_count == 0:
            del _environments[shared.environment.folder]
            if shared.writer.close():
                shared.environment.close()
            # Else the writer still waits for another process, and needs the files.


def _open_checked(folder: Path, map_size: int, *, existing: bool) -> LmdbEnvironment:
    try:
        location.create_store_folder(folder)
        with opening_lock(folder):
            _prepare_files(folder, existing=existing)
            # Within the lock: a store that is moved is not opened halfway.
            environment = LmdbEnvironment(folder, map_size)
    except (lmdb.Error, OSError) as error:
        raise errors.to_store_error(error, folder) from error
    try:
        _check_length(environment)
        _migrate_if_needed(environment)
    except lmdb.Error as error:
        environment.close()
        raise errors.to_store_error(error, folder) from error
    except BaseException:
        environment.close()
        raise
    return environment


def _prepare_files(folder: Path, *, existing: bool) -> None:
    """Make a store, or see to it that the one that is there may be mapped.

    Raises:
        StoreError: it may not.
    """
    provenance.check_plain_files(folder)
    data = folder / DATA_FILE
    if not data.exists():
        if existing:
            raise errors.locked_error(folder, "it was moved or removed just now")
        _create_store(folder)
        provenance.record_as_own(folder)
    if data.stat().st_size == 0:
        raise errors.corrupt_error(folder, "its data file is empty")
    if not provenance.is_own_store(folder):
        provenance.adopt_store(folder)


def _create_store(folder: Path) -> None:
    """Make a store aside and put it in place in one step.

    A store that is there was therefore finished once: an empty file is damage.
    """
    aside = tempfile.mkdtemp(prefix=".new-", dir=folder)
    try:
        with (
            lmdb.Environment(aside, mode=0o700) as made,
            made.begin(write=True) as txn,
        ):
            txn.put(keys.SCHEMA, migrations.schema_value(migrations.SCHEMA_VERSION))
        _link_into_place(f"{aside}/{DATA_FILE}", folder / DATA_FILE)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _link_into_place(made: str, place: Path) -> None:
    try:
        os.link(made, place)
    except FileExistsError:
        return  # another process was quicker; its store is as good as ours
    except OSError:
        if not place.exists():  # a filesystem without hard links
            Path(made).rename(place)
    fsync_path(place.parent)


def _check_length(environment: LmdbEnvironment) -> None:
    """Refuse a data file from which something was cut off.

    One that is short may still be whole, if its last writer was killed before the end
    was filled up (see `Environment`): only then every page is looked at.
    """
    if not environment.missing_bytes():
        return
    problems = page_check.find_file_damage(environment.folder)
    # Whoever writes meanwhile makes it look damaged, and then long enough.
    if problems and environment.missing_bytes():
        what = f"its data file was cut short ({problems[0]})"
        raise errors.corrupt_error(environment.folder, what)


def _migrate_if_needed(environment: LmdbEnvironment) -> None:
    with environment.read_transaction() as snapshot:
        if migrations.read_schema_version(snapshot) == migrations.SCHEMA_VERSION:
            return
    environment.write_once(migrations.migrate)
