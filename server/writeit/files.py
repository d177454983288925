"""Write files whole or not at all, for the language server and the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from itertools import count
from pathlib import Path
from shutil import copymode
from tempfile import mkstemp

from writeit.domain.errors import StoreError


def write_error(path: Path, error: OSError, hint: str) -> StoreError:
    """Return the `full` or `read_only` error of a file that could not be written."""
    is_full = error.errno in {EDQUOT, EFBIG, ENOSPC}
    return StoreError(
        f"{path} could not be written: {error.strerror}. Nothing was changed.",
        reason="full" if is_full else "read_only",
        hint=hint,
    )


def write_whole_file(path: Path, data: bytes) -> None:
    """Create or replace a file; a replaced file keeps its mode.

    Raises:
        OSError: it could not be written; what was there is unchanged.
    """
    with temporary_file(path, data) as temporary:
        with suppress(FileNotFoundError):
            copymode(path, temporary)
        temporary.replace(path)


@contextmanager
def temporary_file(path: Path, data: bytes) -> Iterator[Path]:
    """Write `data` to a synced file in the folder of `path`; remove it at the end."""
    handle, name = mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 -- a descriptor
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def create_file(path: Path, text: str) -> None:
    """Create a file, line breaks as they are.

    Raises:
        FileExistsError: there is one already.
        OSError: it could not be written; no part of it is left.
    """
    with path.open("x", encoding="utf-8", newline="") as file:
        try:
            file.write(text)
            file.flush()
        except OSError:
            path.unlink()
            raise


def numbered_paths(path: Path) -> Iterator[Path]:
    """Yield `path`, then `stem-2`, `stem-3` and so on."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
