"""Copies of a store in a new folder: complete, or not created."""

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
        InvalidParams: `path` exists already.
        StoreError: it could not be written; no partial copy is left.
    """
    if os.path.lexists(path):
        raise _path_exists_error(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(path.parent, f".{path.name}-") as temporary:
            environment.copy_to(temporary, compact=True)
            if os.path.lexists(path):
                raise _path_exists_error(path)
            temporary.rename(path)
        location.fsync_path(path.parent)
    except (lmdb.Error, OSError) as error:
        raise errors.to_store_error(error, path) from error
    return path


@contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a folder in `parent` and delete it afterwards, unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _path_exists_error(path: Path) -> InvalidParams:
    return InvalidParams(
        f"{path} exists already; nothing was copied.",
        hint="Name a folder that does not exist yet.",
        problems=[{"path": "path", "message": "exists already"}],
    )
