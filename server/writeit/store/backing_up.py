"""A copy of a store in a new folder: whole, or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import lmdb

from writeit.core.errors import InvalidParams
from writeit.store import failures, locks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.store.environment import Environment


def back_up(environment: Environment, path: Path) -> Path:
    """Copy a consistent store to the new folder `path`, while it is in use.

    Raises:
        InvalidParams: there is something at `path` already.
        StoreError: it could not be written; nothing half done is left.
    """
    if os.path.lexists(path):
        raise _taken(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(path.parent, f".{path.name}-") as made:
            environment.copy(made, compact=True)
            if os.path.lexists(path):
                raise _taken(path)
            made.rename(path)
        locks.sync(path.parent)
    except (lmdb.Error, OSError) as error:
        raise failures.store_error(error, path) from error
    return path


@contextmanager
def aside(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder of our own in `parent`; gone afterwards, unless it was renamed."""
    made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _taken(path: Path) -> InvalidParams:
    return InvalidParams(
        f"There is something at {path} already; nothing was copied.",
        hint="Name a folder that is not there yet.",
        problems=[{"path": "path", "message": "is there already"}],
    )
