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

from writeit.store import failures, keys, location, locks, provenance, schema, structure
from writeit.store.environment import MAP_SIZE, Environment
from writeit.store.snapshot import DATA_FILE
from writeit.store.writer import Writer


@dataclass(slots=True)
class Shared:
    """An environment, its writer, and how many have them open."""

    environment: Environment
    writer: Writer
    users: int = 0


_lock = threading.Lock()
_open: dict[Path, Shared] = {}
"""By resolved folder. LMDB's own rule is about the process, hence a global."""


def acquire(
    folder: Path, map_size: int = MAP_SIZE, *, existing: bool = False
) -> Shared:
    """Open the store in `folder`, or join those who have it open.

    With `existing` none is made if it is gone meanwhile.

    Raises:
        StoreError: it cannot be made or read, is damaged, or is too new.
    """
    with _lock:
        path = folder.resolve()
        shared = _open.get(path)
        if shared is None:
            environment = _opened(path, map_size, existing=existing)
            shared = _open[path] = Shared(environment, Writer(environment))
        shared.users += 1
        return shared


def release(shared: Shared) -> None:
    """Let go; the last one writes what waits and closes the files."""
    with _lock:
        shared.users -= 1
        if shared.users == 0:
            del _open[shared.environment.folder]
            if shared.writer.close():
                shared.environment.close()
            # Else the writer still waits for another process, and needs the files.


def _opened(folder: Path, map_size: int, *, existing: bool) -> Environment:
    try:
        location.prepare(folder)
        with locks.one_at_a_time(folder):
            _make_ready(folder, existing=existing)
            # Within the lock: a store that is moved is not opened halfway.
            environment = Environment(folder, map_size)
    except (lmdb.Error, OSError) as error:
        raise failures.store_error(error, folder) from error
    try:
        _check_length(environment)
        _check_schema(environment)
    except lmdb.Error as error:
        environment.close()
        raise failures.store_error(error, folder) from error
    except BaseException:
        environment.close()
        raise
    return environment


def _make_ready(folder: Path, *, existing: bool) -> None:
    """Make a store, or see to it that the one that is there may be mapped.

    Raises:
        StoreError: it may not.
    """
    provenance.check_files(folder)
    data = folder / DATA_FILE
    if not data.exists():
        if existing:
            raise failures.locked(folder, "it was moved or removed just now")
        _create(folder)
        provenance.remember(folder)
    if data.stat().st_size == 0:
        raise failures.corrupt(folder, "its data file is empty")
    if not provenance.is_ours(folder):
        provenance.adopt(folder)


def _create(folder: Path) -> None:
    """Make a store aside and put it in place in one step.

    A store that is there was therefore finished once: an empty file is damage.
    """
    aside = tempfile.mkdtemp(prefix=".new-", dir=folder)
    try:
        with (
            lmdb.Environment(aside, mode=0o700) as made,
            made.begin(write=True) as txn,
        ):
            txn.put(keys.SCHEMA, schema.stamp(schema.SCHEMA))
        _put_in_place(f"{aside}/{DATA_FILE}", folder / DATA_FILE)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put_in_place(made: str, place: Path) -> None:
    try:
        os.link(made, place)
    except FileExistsError:
        return  # another process was quicker; its store is as good as ours
    except OSError:
        if not place.exists():  # a filesystem without hard links
            Path(made).rename(place)
    locks.sync(place.parent)


def _check_length(environment: Environment) -> None:
    """Refuse a data file from which something was cut off.

    One that is short may still be whole, if its last writer was killed before the end
    was filled up (see `Environment`): only then every page is looked at.
    """
    if not environment.missing_bytes():
        return
    problems = structure.faults(environment.folder)
    # Whoever writes meanwhile makes it look damaged, and then long enough.
    if problems and environment.missing_bytes():
        what = f"its data file was cut short ({problems[0]})"
        raise failures.corrupt(environment.folder, what)


def _check_schema(environment: Environment) -> None:
    with environment.read() as snapshot:
        if schema.version_of(snapshot) == schema.SCHEMA:
            return
    environment.write_once(schema.migrate)
