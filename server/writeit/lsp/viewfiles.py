"""Views as files under `.writeit/views`, for editors that cannot open `writeit:` URIs.

What the writer typed into her sections of a step's view stays, whatever is rendered
anew around it. To know what she typed, the page as it was rendered last is kept in
`.writeit/rendered`, so that an edit made while no server ran is hers as well.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import DocumentChanged, StoreError
from writeit.core.merge3 import merge
from writeit.lsp.convert import uri_of
from writeit.lsp.documents import open_document
from writeit.lsp.files import replace_text
from writeit.lsp.landing import Landing
from writeit.views import uris
from writeit.views.edits import StepEdits, merge_edits, read_back
from writeit.views.uris import StepView

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.edits import Problem
    from writeit.views.uris import View

logger = logging.getLogger(__name__)

RENDERED = ".writeit/rendered"


async def as_file(
    connection: Connection, folder: Folder, view: View, text: str
) -> Path:
    """Bring a view's file up to date; the writer's own sections of it are kept.

    A page whose markers she damaged stays as it is, and she is told.

    Raises:
        StoreError: the file cannot be written.
    """
    folder.shown.add(view)
    path = file_of(folder, view)
    async with connection.desk.hand_on(uri_of(path)):
        while (now := text_at(connection, path)) is not None:
            hers = _hers(folder, view, now, text)
            if hers.problems:
                _complain(connection, path, hers.problems[0])
                return path
            goal = merge_edits(text, hers) if hers else text
            if await _changed(connection, path, now, goal):
                _remember(folder, view, text)
                return path
            if open_document(connection, uri_of(path)) is not None:
                logger.info("the page %s waits: its document changes", path)
                return path
        _make(path, text)
        _remember(folder, view, text)
    return path


def _hers(folder: Folder, view: View, now: str, fresh: str) -> StepEdits:
    """Return what she wrote in a page; only in a step's does she write."""
    if isinstance(view, StepView):
        return edits_of(folder, view, now, fresh)
    return StepEdits()


def _complain(connection: Connection, path: Path, problem: Problem) -> None:
    connection.show(
        f"{path.name}, line {problem.line + 1}: {problem.message} The page stays as you"
        " left it, and is not brought up to date.",
        types.MessageType.Warning,
    )


async def _changed(connection: Connection, path: Path, now: str, goal: str) -> bool:
    """Write the page, or change it where it is open; say whether it stands there."""
    if now == goal:
        return True
    uri = uri_of(path)
    if open_document(connection, uri) is None:
        return _replace(path, now, goal)
    landing = Landing(connection, uri, lambda newest: merge(now, newest, goal))
    try:
        return (await landing.land()).landed
    except DocumentChanged:  # closed meanwhile
        return False


def settle(folder: Folder, view: StepView, taken: StepEdits, fresh: str) -> None:
    """Take note that a command has taken over what she wrote: it is no edit now.

    `fresh` is the page as she had it before her, where nobody knows any more.
    """
    before = _rendered(folder, view)
    page = merge_edits(fresh if before is None else before, taken)
    _remember(folder, view, page)


def edits_of(folder: Folder, view: StepView, now: str, fresh: str) -> StepEdits:
    """Return what the writer changed in a step's view.

    Where nobody knows any more how it was rendered last, what differs from a fresh
    rendering counts as hers.
    """
    before = _rendered(folder, view)
    return read_back(fresh if before is None else before, now)


def file_of(folder: Folder, view: View) -> Path:
    """Return where a view's file is."""
    return (folder.path or Path.home()) / uris.path_of(view)


def view_at(folder: Folder, path: Path) -> View | None:
    """Return the view that a file of a folder holds, if it holds one.

    Raises:
        NotFound: the file is among the views, but no view has that name.
    """
    home = folder.path or Path.home()
    if not path.is_relative_to(home / uris.FOLDER):
        return None
    return uris.view_at(path.relative_to(home))


def text_at(connection: Connection, path: Path) -> str | None:
    """Return a view file's text, as the editor has it if it is open; else None."""
    document = open_document(connection, uri_of(path))
    if document is not None:
        return str(document.source)
    return _read(path)


def _read(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def _replace(path: Path, now: str, goal: str) -> bool:
    try:
        return replace_text(path, now, goal)
    except FileNotFoundError:
        return False  # gone this moment: the next look says so
    except OSError as error:
        raise _unwritable(path, error) from error


def _make(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror}.",
        reason="read_only",
        hint="writeit.view.read returns the text without a file.",
    )


# --- what was rendered last -----------------------------------------------------------


def _memory_of(folder: Folder, view: View) -> Path:
    tail = uris.path_of(view).relative_to(uris.FOLDER)
    return (folder.path or Path.home()) / RENDERED / tail


def _rendered(folder: Folder, view: View) -> str | None:
    return _read(_memory_of(folder, view))


def _remember(folder: Folder, view: View, text: str) -> None:
    if isinstance(view, StepView):  # only there she writes
        _make(_memory_of(folder, view), text)
