"""Which data files this user's WriteIt created, and adopting one that it did not.

A workspace may come with a store in it: git even replaces ignored files when it has
others of that name. LMDB trusts what it maps, so it maps only a data file that was
created here. The user's data folder records that file for each store: its inode, and
the inode's generation or birth, because inode numbers are reused.

Any other file is copied and verified, and the verified copy replaces it. Keys and
values are checked as they are read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from writeit.domain.errors import StoreError
from writeit.storage import errors, integrity, location
from writeit.storage.location import store_notes_folder, temporary_folder
from writeit.storage.snapshot import DATA_FILE

MAX_FOREIGN_BYTES = 4 * 1024**3
"""The largest data file of another machine or user that is copied and verified."""
MIN_SPARSE_BYTES = 64 * 1024**2
"""A larger data file of another user must not be mostly holes."""
_FS_IOC_GETVERSION = 0x80087601
"""Linux: FS_IOC_GETVERSION."""


def check_plain_files(folder: Path) -> None:
    """Refuse links and pipes in the place of a store's files.

    Raises:
        StoreError: there is one, and LMDB would write to its target.
    """
    for name in (DATA_FILE, location.LOCK_FILE):
        with suppress(FileNotFoundError):
            if not stat.S_ISREG((folder / name).lstat().st_mode):
                raise errors.corrupt_error(folder, f"{name} in it is not a plain file")


def is_own_store(folder: Path) -> bool:
    """Return whether this user's WriteIt created the data file in `folder`."""
    try:
        known = json.loads(record_path(folder).read_text(encoding="utf-8"))
        return bool(known == file_identity(folder))
    except (OSError, ValueError):
        return False


def record_as_own(folder: Path) -> None:
    """Record the data file in `folder` as created here."""
    note = record_path(folder)
    # Without a record the store is verified each time it is opened.
    with suppress(OSError):
        location.make_private_folder(note.parent)
        written = note.with_suffix(f".{os.getpid()}")
        written.touch(mode=0o600)
        written.write_text(json.dumps(file_identity(folder)), encoding="utf-8")
        written.replace(note)


def remove_record(folder: Path) -> None:
    """Remove the record of the data file in `folder`, which was deleted."""
    with suppress(OSError):
        record_path(folder).unlink()


def adopt_store(
    folder: Path,
    describe: Callable[[Path, str], StoreError] = errors.foreign_store_error,
) -> None:
    """Verify a store that was not created here, and replace it by a copy.

    `describe` returns the error for its damage.

    Raises:
        StoreError: it is damaged; it was not opened or changed.
        OSError: it could not be copied.
    """
    try:
        with (
            location.exclusive_lock(folder),
            temporary_folder(folder, ".foreign-") as temporary,
        ):
            _check_size(folder)
            copy = temporary / DATA_FILE
            shutil.copyfile(folder / DATA_FILE, copy)
            if problems := integrity.find_file_damage(temporary):
                raise describe(folder, problems[0])
            replace_data_file(copy, folder)
    except errors.StoreInUse:
        # A WriteIt on this machine has it mapped and verified it before. What it
        # writes now would look like damage.
        return


def _check_size(folder: Path) -> None:
    """Look at a data file before it is copied.

    Raises:
        StoreError: it is very large, or mostly holes.
    """
    status = (folder / DATA_FILE).stat()
    if status.st_size > MAX_FOREIGN_BYTES:
        size = f"its data file has more than {MAX_FOREIGN_BYTES // 1024**3} GB"
        raise errors.foreign_store_error(folder, size)
    if (
        status.st_size > MIN_SPARSE_BYTES
        and status.st_blocks * 512 < status.st_size // 2
    ):
        raise errors.foreign_store_error(folder, "its data file is mostly empty")


def replace_data_file(copy: Path, folder: Path) -> None:
    """Make `copy` the data file of the store in `folder`, which no process has open."""
    copy.chmod(0o600)
    location.fsync_path(copy)
    copy.replace(folder / DATA_FILE)
    location.fsync_path(folder)
    record_as_own(folder)


def record_path(folder: Path) -> Path:
    """Return the path of the record of the store in `folder`."""
    path = os.fsencode(folder.resolve())
    name = hashlib.sha256(path).hexdigest()[:32]
    return store_notes_folder() / f"{name}.json"


def file_identity(folder: Path) -> dict[str, Any]:
    """Return what identifies the data file in `folder`.

    Raises:
        OSError: there is none, or it is a link.
    """
    descriptor = os.open(folder / DATA_FILE, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        return {
            "folder": str(folder.resolve()),
            "inode": status.st_ino,
            "generation": _inode_generation(descriptor),
            "birth": getattr(status, "st_birthtime", None),
        }
    finally:
        os.close(descriptor)


def _inode_generation(descriptor: int) -> int | None:
    try:
        answer = fcntl.ioctl(descriptor, _FS_IOC_GETVERSION, bytes(8))
    except OSError:
        return None  # not supported by every system and filesystem
    return int(struct.unpack("=I", answer[:4])[0])
