"""Views as files under `.writeit/views`, for editors that cannot open `writeit:` URIs.

What the writer typed into her sections of a step's view stays, whatever is rendered
anew around it. To know what she typed, the page as it was rendered last is kept in
`.writeit/rendered`, so that an edit made while no server ran is hers as well. An open
page changes in the editor only: if she closes it unsaved, the file is of an older
rendering, which is kept beside the last one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import DocumentChanged, StoreError
from writeit.core.merge3 import merge
from writeit.core.placing import with_ends_of
from writeit.lsp.convert import uri_of
from writeit.lsp.documents import open_document
from writeit.lsp.files import replace_text
from writeit.lsp.landing import Landing
from writeit.views import uris
from writeit.views.edits import (
    StepEdits,
    is_edited_from,
    merge_edits,
    read_back,
    without_later,
)
from writeit.views.uris import StepView

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.edits import Problem
    from writeit.views.uris import View

RENDERED = ".writeit/rendered"
IGNORE = ".writeit/.gitignore"
"""Pages are not for git; one may be made before the store, which hides itself."""


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
        _settle(folder, view)
        while (now := text_at(connection, path)) is not None:
            hers = _hers(connection, folder, view, now, text)
            if hers.problems:
                _complain(connection, folder, view, hers.problems[0])
                return path
            folder.damaged.discard(view)
            goal = with_ends_of(now, merge_edits(text, hers) if hers else text)
            unsaved = open_document(connection, uri_of(path)) is not None
            if await _changed(connection, path, now, goal):
                if unsaved:
                    _remember_unsaved(folder, view, text, now)
                else:
                    _remember(folder, view, text)
                return path
            if open_document(connection, uri_of(path)) is not None:
                connection.news.waits(folder, view)
                return path
        _make(folder, path, text)
        _remember(folder, view, text)
    return path


def _hers(
    connection: Connection, folder: Folder, view: View, now: str, fresh: str
) -> StepEdits:
    """Return what she wrote in a page; only in a step's does she write."""
    if isinstance(view, StepView) and now.strip():
        return read_back(base_of(connection, folder, view, now, fresh), now)
    return StepEdits()


def _complain(
    connection: Connection, folder: Folder, view: View, problem: Problem
) -> None:
    """Tell her where a page is damaged; once, until it is put right."""
    if view in folder.damaged:
        return
    folder.damaged.add(view)
    path = file_of(folder, view)
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
    landing = Landing(
        connection, uri, lambda newest: merge(now, newest, goal), patient=True
    )
    try:
        return (await landing.land()).landed
    except DocumentChanged:  # closed meanwhile
        return False


def take_note(folder: Folder, view: StepView, taken: StepEdits, base: str) -> None:
    """Take note that a command has taken over what she wrote: it is no edit now.

    `base` is what the command compared the page with; see `base_of`. It is put down
    when the page is next in hand: an edit on its way would write over it.
    """
    folder.taken.setdefault(view, []).append((taken, base))


def _settle(folder: Folder, view: View) -> None:
    if not isinstance(view, StepView):
        return
    newest, older = _memory_of(folder, view), _older_of(folder, view)
    for taken, base in folder.taken.pop(view, ()):
        _make(folder, newest, merge_edits(_read(newest) or base, taken))
        if (text := _read(older)) is not None:
            _make(folder, older, merge_edits(text, taken))
        if (text := folder.rendered.get(view)) is not None:
            folder.rendered[view] = merge_edits(text, taken)


def base_of(
    connection: Connection, folder: Folder, view: StepView, now: str, fresh: str
) -> str:
    """Return the page as it was before she changed it.

    It is the last that was rendered, here or by another server, or the older one if
    that is what she has. Where nobody knows any more, what differs from a fresh
    rendering counts as hers. What commands have taken over stands in it.
    """
    known = [_read(_memory_of(folder, view)), _read(_older_of(folder, view))]
    if open_document(connection, uri_of(file_of(folder, view))) is not None:
        known.insert(0, folder.rendered.get(view))
    there = [text for text in known if text is not None]
    base = next((text for text in there if is_edited_from(text, now)), None)
    if base is None:
        base = there[0] if there else without_later(fresh, now)
    for taken, _ in folder.taken.get(view, ()):
        base = merge_edits(base, taken)
    return base


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


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _read(path: Path) -> str | None:
    """Return a file's text if it has one."""
    try:
        return _text(path)
    except (OSError, UnicodeDecodeError):
        return None


def _replace(path: Path, now: str, goal: str) -> bool:
    try:
        return replace_text(path, now, goal)
    except FileNotFoundError:
        return False  # gone this moment: the next look says so
    except OSError as error:
        raise _unwritable(path, error) from error


def _make(folder: Folder, path: Path, text: str) -> None:
    ignore = (folder.path or Path.home()) / IGNORE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
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


def _older_of(folder: Folder, view: View) -> Path:
    """Return where the rendering before the last is, or before those not saved yet."""
    return _memory_of(folder, view).with_suffix(".older.md")


def _remember(folder: Folder, view: View, text: str) -> None:
    """Note what was rendered, and what before it: an editor may have read that file."""
    if isinstance(view, StepView):  # only there she writes
        newest = _memory_of(folder, view)
        if (known := _read(newest)) not in {None, text}:
            _make(folder, _older_of(folder, view), known or "")
        _make(folder, newest, text)


def _remember_unsaved(folder: Folder, view: View, text: str, before: str) -> None:
    """Note what was rendered into an open page, which was `before`.

    Its file is of the last rendering if it was saved since, or never changed.
    """
    if not isinstance(view, StepView):
        return
    newest, older = _memory_of(folder, view), _older_of(folder, view)
    saved = _read(file_of(folder, view)) == before
    if (saved or not older.exists()) and (known := _read(newest)) is not None:
        _make(folder, older, known)
    _make(folder, newest, text)
    folder.rendered[view] = text
