"""Text files that the user names on the command line."""

from __future__ import annotations

from pathlib import Path

import click

from writeit.domain.errors import InvalidParams, StoreError
from writeit.files import create_file, write_error, write_whole_file

_EXPORT_HINT = "The run is kept. Export it to another path; `writeit log` lists it."


def read_text_file(path: Path) -> str:
    """Return a file's text, line breaks as they are.

    Raises:
        InvalidParams: it cannot be read, or is not text.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParams(
            f"{path} cannot be read: {error}.", hint="Name a text file in UTF-8."
        ) from error


def require_output_path(path: Path | None, *, force: bool) -> None:
    """Check an output path before any work is done for it.

    Raises:
        click.UsageError: the file exists already, or its folder does not.
    """
    if path is None:
        return
    if path.exists() and not force:
        raise click.UsageError(f"{path} exists already. Replace it with --force.")
    if not path.parent.is_dir():
        raise click.UsageError(f"There is no folder {path.parent}. Create it first.")


def write_text_file(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a run's text, line breaks as they are; replace a file only if allowed.

    Raises:
        StoreError: it could not be written; what was there is unchanged.
    """
    try:
        if path.exists() and not path.is_file():  # such as /dev/stdout
            path.write_text(text, encoding="utf-8", newline="")
        elif replace and path.is_file():
            with path.open("r+b"):  # a read-only file must not be replaced
                pass
            write_whole_file(path.resolve(), text.encode())
        else:
            create_file(path, text)
    except FileExistsError as error:
        raise StoreError(
            f"{path} was created meanwhile, so it was not replaced.",
            reason="read_only",
            hint=_EXPORT_HINT,
        ) from error
    except OSError as error:
        raise write_error(path, error, _EXPORT_HINT) from error
