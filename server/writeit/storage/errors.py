"""Errors of LMDB and of the system as `StoreError`s with a message and a hint."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from writeit.domain.errors import Busy, StoreError

_DISK_FULL_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EIO}
)
"""LMDB reports a partial write to a full disk as an I/O error."""
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


class StoreReplaced(lmdb.Error):
    """The files are no longer those that were opened; nothing was acknowledged."""


class StoreInUse(Exception):
    """Another process has the store open."""


@contextmanager
def as_store_errors(folder: Path) -> Iterator[None]:
    """Raise errors of work on the store in `folder` as errors to show.

    Raises:
        Busy: another process has it open.
        StoreError: LMDB or the system failed.
    """
    try:
        yield
    except StoreInUse as error:
        raise Busy(
            f"Another program has the run history in {folder} open. It is unchanged.",
            hint="Close your editors on this workspace, then try again.",
        ) from error
    except (lmdb.Error, OSError) as error:
        raise to_store_error(error, folder) from error


def to_store_error(error: lmdb.Error | OSError, folder: Path) -> StoreError:
    """Return the error to show for `error` in the store in `folder`."""
    # py-lmdb's own errors have neither.
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


def replaced_error(
    folder: Path, error: StoreError | lmdb.Error | OSError
) -> StoreError:
    """Return the error for a store that was replaced by one that cannot be opened."""
    if not isinstance(error, StoreError):
        error = to_store_error(error, folder)
    return StoreError(
        f"Another program replaced or deleted the run history in {folder}."
        f" What is there now cannot be used. {error.message}",
        reason=error.reason,
        hint=error.hint,
    )


def disk_full_error(folder: Path, error: object) -> StoreError:
    """Return the error for a disk that is full or does not accept writes."""
    return StoreError(
        f"The run history in {folder} could not be written: the disk is full or"
        f" fails ({error}). Nothing was saved.",
        reason="full",
        hint="Free some space on that disk, then try again.",
    )


def read_only_error(folder: Path, error: object) -> StoreError:
    """Return the error for a folder that cannot be written to."""
    return StoreError(
        f"The run history in {folder} cannot be opened for reading and writing"
        f" ({error}). Nothing was changed.",
        reason="read_only",
        hint="Allow yourself to read and write that folder and its files.",
    )


def locked_error(folder: Path, error: object) -> StoreError:
    """Return the error for a store that another process blocks."""
    return StoreError(
        f"The run history in {folder} cannot be used now ({error}). Nothing was saved.",
        reason="locked",
        hint="Close other programs that use this workspace, then try again.",
    )


def corrupt_error(folder: Path, damage: str) -> StoreError:
    """Return the error for damaged data."""
    return StoreError(
        f"The run history in {folder} is damaged: {damage}. It was not changed.",
        reason="corrupt",
        hint="Copy that folder, then remove it or restore a backup: writeit store"
        " restore BACKUP. Your documents do not depend on it.",
    )


def overwritten_error(folder: Path, damage: str) -> StoreError:
    """Return the error for a data file that was overwritten while it was open."""
    return StoreError(
        f"The run history in {folder} was overwritten while it was open, and is"
        f" damaged: {damage}.",
        reason="corrupt",
        hint="Restore a backup: writeit store restore BACKUP. Your documents do not"
        " depend on it.",
    )


def foreign_store_error(folder: Path, damage: str) -> StoreError:
    """Return the error for a damaged store that came from another machine or user."""
    return StoreError(
        f"The run history in {folder} was not made by you on this machine, and it is"
        f" damaged: {damage}. It was not opened and not changed.",
        reason="corrupt",
        hint="If it came with a copied or cloned folder, ask its owner for a backup,"
        " or remove it. Your documents do not depend on it.",
    )


def too_new_error(folder: Path, newer: str) -> StoreError:
    """Return the error for data that a newer WriteIt or LMDB wrote."""
    return StoreError(
        f"The run history in {folder} was written by a newer version ({newer})."
        " This one does not change it.",
        reason="too_new",
        hint="Update WriteIt, then restart your editor.",
    )
