"""Files that the writer names on the command line, wherever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from writeit.core.errors import InvalidParams, StoreError

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path) -> str:
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


def check_output(path: Path | None, *, force: bool) -> None:
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


def write_text(path: Path, text: str) -> None:
    """Write a text, its line breaks as they are.

    Raises:
        StoreError: it could not be written; what it is of is kept in the store.
    """
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise StoreError(
            f"{path} could not be written: {error.strerror}. The run is kept.",
            reason="read_only",
            hint="Export it to another place: `writeit log` names it.",
        ) from error
