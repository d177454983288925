"""Texts in the writer's editor: what she made of one stays until it is somewhere else.

The text is a file. It goes away when what she wrote was taken over, or when she wrote
nothing. In all other cases (her editor failed, the step was gone on with elsewhere, the
disk is full, she pressed Ctrl-C) it stays, and she is told where.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from writeit.cli.console import InputStopped
from writeit.cli.interactive.loop import InteractiveRun, LeaveRun
from writeit.domain.errors import InvalidParams

BACKDATE_SECONDS = 2
"""Seconds; coarser than the time of a file is kept anywhere."""


@contextmanager
def edit_text(interactive: InteractiveRun, text: str) -> Iterator[str | None]:
    """Let the writer edit a text; None if nothing came of it, which is said.

    Raises:
        InvalidParams: there is no editor, or what she saved is no text.
        click.ClickException: the editor cannot be started, or failed.
        NoMore: she pressed Ctrl-C.
    """
    if not interactive.console.has_editor:
        raise InvalidParams(
            "There is no editor to edit it in.",
            hint="Set EDITOR to the command of one.",
        )
    path = _create_draft(text)
    made, begun = path.stat().st_mtime, path.read_bytes()
    try:
        interactive.console.edit_file(path)
        yield _read_saved_text(interactive, path, made)
    except LeaveRun:  # it was taken over, and with it the run is finished
        path.unlink(missing_ok=True)
        raise
    except BaseException as error:
        # Her editor may not have heard of Ctrl-C, and save the file later.
        if isinstance(error, InputStopped) or _read_bytes_or_none(path) not in {
            None,
            begun,
        }:
            interactive.console.write(f"What you wrote is kept in {path}.")
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
    os.utime(path, (earlier, earlier))  # so that saving it at once shows
    return path


def _read_bytes_or_none(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _read_saved_text(
    interactive: InteractiveRun, path: Path, created_mtime: float
) -> str | None:
    """Return what she saved since the file was made."""
    if not path.exists() or path.stat().st_mtime == created_mtime:
        interactive.console.write("You did not save it, so nothing was done.")
        return None
    try:
        edited = path.read_text(encoding="utf-8-sig").rstrip("\n")
    except UnicodeDecodeError as error:
        raise InvalidParams(
            "What you saved is no text in UTF-8, so nothing was done.",
            hint="Save it as UTF-8.",
        ) from error
    if not edited.strip():
        interactive.console.write("It is empty, so nothing was done.")
        return None
    return edited
