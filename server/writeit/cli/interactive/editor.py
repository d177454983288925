"""Edit a text in the user's editor, without losing what was typed.

The text is a temporary file. It is removed when the edited text was used, or nothing
was changed. After any failure or Ctrl-C it is kept, and a message says where.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from writeit.cli.console import InputStopped
from writeit.cli.interactive.loop import LeaveRun, Shell
from writeit.domain.errors import InvalidParams

BACKDATE_SECONDS = 2
"""Seconds; more than the resolution of any file system's times."""


@contextmanager
def edit_text(shell: Shell, text: str) -> Iterator[str | None]:
    """Yield the edited text, or None after a message if there is nothing to use.

    Raises:
        InvalidParams: there is no editor, or the file is not UTF-8 text.
        click.ClickException: the editor cannot be started, or failed.
        InputStopped: the user pressed Ctrl-C.
    """
    if not shell.console.has_editor:
        raise InvalidParams(
            "No editor is set.", hint="Set EDITOR to the command of your editor."
        )
    path = _create_draft(text)
    mtime, original = path.stat().st_mtime, path.read_bytes()
    try:
        shell.console.edit_file(path)
        yield _read_saved_text(shell, path, mtime)
    except LeaveRun:  # the text was used, and the run is finished
        path.unlink(missing_ok=True)
        raise
    except BaseException as error:
        # After Ctrl-C the editor may still be open and save the file later.
        if isinstance(error, InputStopped) or _read_bytes_or_none(path) not in {
            None,
            original,
        }:
            shell.console.write(f"Your text was kept in {path}.")
        else:
            path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)


def _create_draft(text: str) -> Path:
    handle, name = mkstemp(prefix="writeit-", suffix=".md")
    with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 -- a descriptor
        file.write(text if text.endswith("\n") or not text else f"{text}\n")
    path = Path(name)
    earlier = path.stat().st_mtime - BACKDATE_SECONDS
    os.utime(path, (earlier, earlier))  # so that an immediate save changes it
    return path


def _read_bytes_or_none(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _read_saved_text(shell: Shell, path: Path, created_mtime: float) -> str | None:
    """Return the saved text, or None after a message if there is none."""
    if not path.exists() or path.stat().st_mtime == created_mtime:
        shell.console.write("Nothing was saved, so nothing was changed.")
        return None
    try:
        edited = path.read_text(encoding="utf-8-sig").rstrip("\n")
    except UnicodeDecodeError as error:
        raise InvalidParams(
            "The saved file is not UTF-8 text, so nothing was changed.",
            hint="Save it as UTF-8.",
        ) from error
    if not edited.strip():
        shell.console.write("The text is empty, so nothing was changed.")
        return None
    return edited
