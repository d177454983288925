"""From what LMDB and the system report to the one error a person meets."""

from __future__ import annotations

import errno
from pathlib import Path

import lmdb

from writeit.domain.errors import StoreError

_DISK_FULL_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EIO}
)
"""LMDB reports a write that the disk took only half of as an I/O error."""
_READ_ONLY_ERRNOS = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.EEXIST}
)
_CORRUPTION_ERRORS = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.InvalidError,
    lmdb.PanicError,
    lmdb.PageFullError,
    lmdb.CursorFullError,
    lmdb.IncompatibleError,
    lmdb.BadDbiError,
)


def to_store_error(error: lmdb.Error | OSError, folder: Path) -> StoreError:
    """Say what happened to the store in `folder`, what was kept, what to do."""
    # py-lmdb's own complaints have neither.
    code = getattr(error, "errno", None) or getattr(error, "code", None)
    if (
        isinstance(error, lmdb.MapFullError | lmdb.DiskError)
        or code in _DISK_FULL_ERRNOS
    ):
        return disk_full_error(folder, error)
    if isinstance(error, lmdb.ReadonlyError) or code in _READ_ONLY_ERRNOS:
        return read_only_error(folder, error)
    if isinstance(error, lmdb.VersionMismatchError):
        return too_new_error(folder, str(error))
    if isinstance(error, _CORRUPTION_ERRORS):
        return corrupt_error(folder, str(error))
    return locked_error(folder, str(error))


def disk_full_error(folder: Path, error: object) -> StoreError:
    """The disk has no room, or did not take what was written."""
    return StoreError(
        f"The store in {folder} could not be written: the disk is full or fails"
        f" ({error}). Nothing of this step was stored; all that was stored before"
        " is safe.",
        reason="full",
        hint="Free some space on that disk, then try again.",
    )


def read_only_error(folder: Path, error: object) -> StoreError:
    """The folder cannot be written."""
    return StoreError(
        f"The store in {folder} cannot be written ({error}). Nothing was changed.",
        reason="read_only",
        hint="Allow writing to that folder, or set WRITEIT_DATA_DIR to another one.",
    )


def locked_error(folder: Path, error: object) -> StoreError:
    """Another process is in the way."""
    return StoreError(
        f"The store in {folder} is in use in a way that does not let us in ({error})."
        " Nothing of this step was stored; all that was stored before is safe.",
        reason="locked",
        hint="Close other programs that use this workspace, then try again.",
    )


def corrupt_error(folder: Path, what: str) -> StoreError:
    """The data is damaged."""
    return StoreError(
        f"The store in {folder} is damaged: {what}. It was left as it is.",
        reason="corrupt",
        hint="Keep a copy of that folder, then put a backup in its place or remove it;"
        " your documents do not depend on it.",
    )


def foreign_store_error(folder: Path, what: str) -> StoreError:
    """Somebody else's data, which is damaged or made to do damage."""
    return StoreError(
        f"The store in {folder} was not made by you on this machine, and it is damaged:"
        f" {what}. It was not opened; all of it is still in {folder}, as it came.",
        reason="corrupt",
        hint="If it came with a copied or cloned folder, ask whoever it came from for a"
        " backup, or remove it; your documents do not depend on it.",
    )


def too_new_error(folder: Path, what: str) -> StoreError:
    """A newer WriteIt, or a newer LMDB, wrote this."""
    return StoreError(
        f"The store in {folder} was written by a newer version ({what})."
        " It was left as it is.",
        reason="too_new",
        hint="Update WriteIt, or use another folder.",
    )
