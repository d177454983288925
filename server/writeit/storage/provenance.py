"""Which stores this user made, and taking over one that somebody else did.

A workspace may come from anywhere, with a store in it: git even replaces ignored
files when it has others of that name. LMDB trusts what it maps, so a data file is
mapped only if it is the very file that was made here. The user's data folder remembers
which that is, for each store: its inode, and the generation or birth of that inode,
because numbers of inodes are used again.

Any other file is copied aside and verified; the copy that was found to be sound then
takes its place. All that is left to be wrong then are keys and values, which are
checked as they are read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

from writeit.storage import errors, location, page_check
from writeit.storage.backup import temporary_folder
from writeit.storage.location import store_notes_folder
from writeit.storage.snapshot import DATA_FILE

_FS_IOC_GETVERSION = 0x80087601
"""Linux: FS_IOC_GETVERSION."""


def check_plain_files(folder: Path) -> None:
    """Refuse links and pipes where a store's files should be.

    Raises:
        StoreError: LMDB would write to a place that a link names.
    """
    for name in (DATA_FILE, location.LOCK_FILE):
        with suppress(FileNotFoundError):
            if not stat.S_ISREG((folder / name).lstat().st_mode):
                raise errors.corrupt_error(folder, f"{name} in it is not a plain file")


def is_own_store(folder: Path) -> bool:
    """Whether this user's WriteIt made the data file in `folder`."""
    try:
        known = json.loads(_record_path(folder).read_text(encoding="utf-8"))
        return bool(known == file_identity(folder))
    except (OSError, ValueError):
        return False


def record_as_own(folder: Path) -> None:
    """Take note that the data file in `folder` is ours."""
    note = _record_path(folder)
    # Where nothing can be noted, the store is verified again each time.
    with suppress(OSError):
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = note.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(file_identity(folder)), encoding="utf-8")
        written.replace(note)


def remove_record(folder: Path) -> None:
    """Remove the note about the data file in `folder`, which is gone."""
    with suppress(OSError):
        _record_path(folder).unlink()


def adopt_store(folder: Path) -> None:
    """Verify a store that was not made here, and make it ours.

    Raises:
        StoreError: it is damaged; it was not opened and is left as it is.
        OSError: it could not be copied.
    """
    try:
        with (
            location.exclusive_lock(folder),
            temporary_folder(folder, ".foreign-") as made,
        ):
            copy = made / DATA_FILE
            shutil.copyfile(folder / DATA_FILE, copy)
            if faults := page_check.find_file_damage(made):
                raise errors.foreign_store_error(folder, faults[0])
            replace_data_file(copy, folder)
    except location.StoreInUse:
        # A WriteIt of this machine has it mapped: it looked at it before, and what
        # it writes right now would look like damage.
        return


def replace_data_file(copy: Path, folder: Path) -> None:
    """Make `copy` the data file of the store in `folder`, which nobody has open."""
    copy.chmod(0o600)
    location.fsync_path(copy)
    copy.replace(folder / DATA_FILE)
    location.fsync_path(folder)
    record_as_own(folder)


def _record_path(folder: Path) -> Path:
    path = os.fsencode(folder.resolve())
    name = hashlib.sha256(path).hexdigest()[:32]
    return store_notes_folder() / f"{name}.json"


def file_identity(folder: Path) -> dict[str, Any]:
    """Return what no other data file has.

    Raises:
        OSError: there is none, or it is a link.
    """
    descriptor = os.open(folder / DATA_FILE, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        return {
            "folder": str(folder.resolve()),
            "inode": found.st_ino,
            "generation": _inode_generation(descriptor),
            "birth": getattr(found, "st_birthtime", None),
        }
    finally:
        os.close(descriptor)


def _inode_generation(descriptor: int) -> int | None:
    try:
        answer = fcntl.ioctl(descriptor, _FS_IOC_GETVERSION, bytes(8))
    except OSError:
        return None  # not every system or filesystem tells
    return int(struct.unpack("=I", answer[:4])[0])
