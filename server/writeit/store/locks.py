"""Who has a store's files: this process alone, or others too.

LMDB keeps a shared lock on the first byte of its lock file for as long as it has an
environment open, and waits for one before it opens the data file. Whoever has that
byte for himself is therefore alone, and stays so until he lets go.

Such locks belong to a process and are gone when it closes the file once: this must
not be used on a folder that this process itself has open.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_FILE = "lock.mdb"
_TAKEN = frozenset({errno.EACCES, errno.EAGAIN})


class InUse(Exception):
    """Another process has the store open."""


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Keep all other processes from opening the store in `folder`.

    Raises:
        InUse: one has it open.
        OSError: the lock file cannot be made or is not a plain file.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(folder / LOCK_FILE, flags, 0o600)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        except OSError as error:
            if error.errno in _TAKEN:
                raise InUse from error
            raise
        yield
    finally:
        os.close(descriptor)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait for other processes that are about to open, make or check this store."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
