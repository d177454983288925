"""A copy of a store in a new folder: whole, or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from writeit.domain.errors import InvalidParams
from writeit.storage import errors, location
from writeit.storage.environment import LmdbEnvironment


def backup_store(environment: LmdbEnvironment, path: Path) -> Path:
    """Copy a consistent store to the new folder `path`, while it is in use.

    Raises:
        InvalidParams: there is something at `path` already.
        StoreError: it could not be written; nothing half done is left.
    """
    if os.path.lexists(path):
        raise _path_exists_error(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(path.parent, f".{path.name}-") as made:
            environment.copy_to(made, compact=True)
            if os.path.lexists(path):
                raise _path_exists_error(path)
            made.rename(path)
        location.fsync_path(path.parent)
    except (lmdb.Error, OSError) as error:
        raise errors.to_store_error(error, path) from error
    return path


@contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder of our own in `parent`; gone afterwards, unless it was renamed."""
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _path_exists_error(path: Path) -> InvalidParams:
    return InvalidParams(
        f"There is something at {path} already; nothing was copied.",
        hint="Name a folder that is not there yet.",
        problems=[{"path": "path", "message": "is there already"}],
    )
