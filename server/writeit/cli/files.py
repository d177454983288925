"""Files that the writer names on the command line, wherever they are."""

from __future__ import annotations

import os
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from shutil import copymode
from tempfile import mkstemp

import click

from writeit.domain.errors import InvalidParams, StoreError

DISK_FULL_ERRNOS = frozenset({EDQUOT, EFBIG, ENOSPC})
"""What the system says when there is no room for a file."""


def read_text_file(path: Path) -> str:
    """Return a file's text, its line breaks as they are.

    Raises:
        InvalidParams: it cannot be read, or is no text.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParams(
            f"{path} cannot be read: {error}.", hint="Name a text file in UTF-8."
        ) from error


def require_output_path(path: Path | None, *, force: bool) -> None:
    """Refuse a place to write to before anything is done for it.

    Raises:
        click.UsageError: something is there, or nothing could be.
    """
    if path is None:
        return
    if path.exists() and not force:
        raise click.UsageError(f"{path} is there already; --force replaces it.")
    if not path.parent.is_dir():
        raise click.UsageError(f"There is no folder {path.parent} to write into.")


def write_text_file(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a text, its line breaks as they are; over another only to `replace` it.

    Raises:
        StoreError: it could not be written; what it is of is kept in the store, and
            what was there is as it was.
    """
    try:
        if replace and path.is_file():
            _replace_file(path.resolve(), text)
        else:
            _create_file(path, text)
    except FileExistsError as error:
        raise StoreError(
            f"{path} came to be there meanwhile, and stays. The run is kept.",
            reason="read_only",
            hint="Export it to another place: `writeit log` names it.",
        ) from error
    except OSError as error:
        raise StoreError(
            f"{path} could not be written: {error.strerror}. The run is kept.",
            reason="full" if error.errno in DISK_FULL_ERRNOS else "read_only",
            hint="Export it to another place: `writeit log` names it.",
        ) from error


def _create_file(path: Path, text: str) -> None:
    """Make a file; what came to be there since it was asked for stays."""
    if path.exists() and not path.is_file():  # such as /dev/stdout
        path.write_text(text, encoding="utf-8", newline="")
        return
    with path.open("x", encoding="utf-8", newline="") as file:
        try:
            file.write(text)
            file.flush()
        except OSError:
            path.unlink()
            raise


def _replace_file(path: Path, text: str) -> None:
    """Put a file in place of another, whole or not at all."""
    with path.open("r+b"):  # what is read-only is not to be replaced
        pass
    handle, name = mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 -- a descriptor
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        copymode(path, name)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
