"""The files of pages under `.writeit`: where they are, read, made and replaced whole.

What stands there is the writer's as well as ours. So a file is never half written, not
on a full disk either, and never one that a link in a folder from elsewhere leads to.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from writeit.core.errors import NotTrusted, StoreError
from writeit.lsp.convert import uri_of
from writeit.lsp.documents import open_document
from writeit.lsp.files import NO_ROOM, put, replace_text
from writeit.views import uris

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.uris import View

HOUSE = ".writeit"
SAVING = 1.0
"""Seconds in which an editor has written what it is about to save."""


def file_of(folder: Folder, view: View) -> Path:
    """Return where a view's file is."""
    return home_of(folder) / uris.path_of(view)


def home_of(folder: Folder) -> Path:
    """Return the folder whose `.writeit` has the pages."""
    return folder.path or Path.home()


def view_at(folder: Folder, path: Path) -> View | None:
    """Return the view that a file of a folder holds, if it holds one.

    Raises:
        NotFound: the file is among the views, but no view has that name.
    """
    home = home_of(folder)
    if not path.is_relative_to(home / uris.FOLDER):
        return None
    return uris.view_at(path.relative_to(home))


def text_at(connection: Connection, path: Path) -> str | None:
    """Return a view file's text, as the editor has it if it is open.

    None if there is no such file.

    Raises:
        StoreError: there is one and it cannot be read.
    """
    document = open_document(connection, uri_of(path))
    if document is not None:
        return str(document.source)
    try:
        return _text(path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{path} cannot be read: {error}. It stays as it is.",
            reason="corrupt",
            hint="Save it as UTF-8 text, or delete it and open the view again.",
        ) from error


def read(path: Path) -> str | None:
    """Return a file's text if it has one."""
    try:
        return _text(path)
    except (OSError, UnicodeDecodeError):
        return None


def is_being_saved(path: Path) -> bool:
    """Say whether a file became empty just now: many editors empty it and then write.

    A page that is empty, and stays so, is made anew.
    """
    try:
        found = path.stat()
    except OSError:
        return False
    return found.st_size == 0 and abs(time.time() - found.st_mtime) < SAVING


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def replace(path: Path, now: str, goal: str) -> bool:
    """Put `goal` in place of `now`; False if the file has changed, or is gone.

    Raises:
        StoreError: it could not be written; it is as it was.
    """
    try:
        return replace_text(path, now, goal)
    except FileNotFoundError:
        return False  # gone this moment: the next look says so
    except OSError as error:
        raise _unwritable(path, error) from error


def make(folder: Folder, path: Path, text: str) -> None:
    """Make a file, or another of what is there; pages are not for git.

    Raises:
        StoreError: it could not be written; what was there is as it was.
        NotTrusted: a link leads elsewhere.
    """
    check_no_link(folder, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A page may be made before the store, which hides the folder itself.
        with (
            suppress(FileExistsError),
            (home_of(folder) / HOUSE / ".gitignore").open(
                "x", encoding="utf-8"
            ) as ignore,
        ):
            ignore.write("*\n")
        put(path, text)
    except OSError as error:
        raise _unwritable(path, error) from error


def check_no_link(folder: Folder, path: Path) -> None:
    """Refuse a page that a link inside `.writeit` puts somewhere else.

    Raises:
        NotTrusted: it would be written over what the link leads to.
    """
    house = home_of(folder) / HOUSE
    there = os.path.realpath(path)
    if there != str(Path(os.path.realpath(house)) / path.relative_to(house)):
        raise NotTrusted(
            f"{path} is a link to {there}; nothing was written there.",
            hint="Remove the link, and open the view again.",
            path=str(path),
        )


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror}. What was there is as it was.",
        reason="full" if error.errno in NO_ROOM else "read_only",
        hint="writeit.view.read returns the text without a file.",
    )
