"""Views as files under `.writeit/views`, for editors that cannot open `writeit:` URIs.

What the writer typed into her sections of a step's view stays, whatever is rendered
anew around it. To know what she typed, the page as it was rendered last is kept in
`.writeit/rendered`, so that an edit made while no server ran is hers as well. An open
page changes in the editor only: if she closes it unsaved, the file is of an older
rendering, which is kept beside the last one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import DocumentChanged
from writeit.core.merge3 import merge
from writeit.lsp.convert import uri_of
from writeit.lsp.documents import open_document
from writeit.lsp.files import one_at_a_time
from writeit.lsp.landing import Landing
from writeit.lsp.pagefiles import (
    HOUSE,
    check_no_link,
    file_of,
    home_of,
    is_being_saved,
    make,
    read,
    replace,
    text_at,
)
from writeit.views import uris
from writeit.views.edits import StepEdits, merge_edits, read_back
from writeit.views.markers import with_ends_of
from writeit.views.renderings import (
    is_edited_from,
    is_whole,
    with_later,
    without_later,
)
from writeit.views.uris import StepView

if TYPE_CHECKING:
    from pathlib import Path

    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.edits import Problem
    from writeit.views.uris import View

RENDERED = ".writeit/rendered"
A_MOMENT = 0.05
"""Seconds after which a page is looked at again that somebody else had in hand."""


async def as_file(
    connection: Connection, folder: Folder, view: View, text: str
) -> Path:
    """Bring a view's file up to date; the writer's own sections of it are kept.

    A page whose markers she damaged stays as it is, and she is told.

    Raises:
        StoreError: the file cannot be written.
        NotTrusted: it is a link.
    """
    folder.shown.add(view)
    path = file_of(folder, view)
    check_no_link(folder, path)
    async with connection.desk.hand_on(uri_of(path)):
        done = False
        while not done:
            if open_document(connection, uri_of(path)) is None:
                with one_at_a_time(home_of(folder) / HOUSE):
                    done = _on_the_disk(connection, folder, view, text)
            else:
                done = await _in_the_editor(connection, folder, view, text)
            if not done:
                await asyncio.sleep(A_MOMENT)
    return path


def _on_the_disk(connection: Connection, folder: Folder, view: View, text: str) -> bool:
    """Bring a page that is not open up to date; False if it changed meanwhile."""
    path = file_of(folder, view)
    _settle(folder, view)
    if (now := text_at(connection, path)) is None:
        _remember(folder, view, text)
        make(folder, path, text)
        return True
    if not now and is_being_saved(path):
        return False
    hers, base = _hers(connection, folder, view, now, text)
    if _damaged(connection, folder, view, hers):
        return True
    _remember(folder, view, text, base)
    goal = _goal(now, text, hers)
    return now == goal or replace(path, now, goal)


async def _in_the_editor(
    connection: Connection, folder: Folder, view: View, text: str
) -> bool:
    """Bring an open page up to date, now or later; False if she closed it meanwhile."""
    path = file_of(folder, view)
    _settle(folder, view)
    if (now := text_at(connection, path)) is None:
        return False
    hers, _ = _hers(connection, folder, view, now, text)
    if _damaged(connection, folder, view, hers):
        return True
    if await _changed(connection, path, now, _goal(now, text, hers)):
        _remember_unsaved(folder, view, text, now)
        return True
    if open_document(connection, uri_of(path)) is None:
        return False
    connection.news.waits(folder, view)
    return True


def _hers(
    connection: Connection, folder: Folder, view: View, now: str, fresh: str
) -> tuple[StepEdits, str]:
    """Return what she wrote in a page, and what it was; she writes in a step's only."""
    if isinstance(view, StepView) and now.strip():
        base = base_of(connection, folder, view, now, fresh)
        return read_back(base, now), base
    return StepEdits(), ""


def _goal(now: str, fresh: str, hers: StepEdits) -> str:
    return with_ends_of(now, merge_edits(fresh, hers) if hers else fresh)


def _damaged(
    connection: Connection, folder: Folder, view: View, hers: StepEdits
) -> bool:
    if hers.problems:
        _complain(connection, folder, view, hers.problems[0])
        return True
    folder.damaged.discard(view)
    return False


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
    """Change an open page; say whether it stands there."""
    if now == goal:
        return True
    landing = Landing(
        connection, uri_of(path), lambda newest: merge(now, newest, goal), patient=True
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
    waiting = folder.taken.get(view, [])
    while waiting:
        taken, base = waiting[0]
        make(folder, newest, merge_edits(_rendering(newest) or base, taken))
        if (text := _rendering(older)) is not None:
            make(folder, older, merge_edits(text, taken))
        if (text := folder.rendered.get(view)) is not None:
            folder.rendered[view] = merge_edits(text, taken)
        del waiting[0]


def base_of(
    connection: Connection, folder: Folder, view: StepView, now: str, fresh: str
) -> str:
    """Return the page as it was before she changed it.

    It is the last that was rendered, here or by another server, or the older one if
    that is what she has. Where nobody knows any more, what differs from a fresh
    rendering counts as hers; so it does in sections that came after the last that is
    known. What commands have taken over stands in it.
    """
    known = [_rendering(_memory_of(folder, view)), _rendering(_older_of(folder, view))]
    if open_document(connection, uri_of(file_of(folder, view))) is not None:
        known.insert(0, folder.rendered.get(view))
    there = [text for text in known if text is not None]
    base = next((text for text in there if is_edited_from(text, now)), None)
    if base is None:
        last = there[0] if there else without_later(fresh, now)
        base = with_later(last, fresh, now)
    for taken, _ in folder.taken.get(view, ()):
        base = merge_edits(base, taken)
    return base


# --- what was rendered last -----------------------------------------------------------


def _memory_of(folder: Folder, view: View) -> Path:
    tail = uris.path_of(view).relative_to(uris.FOLDER)
    return home_of(folder) / RENDERED / tail


def _older_of(folder: Folder, view: View) -> Path:
    """Return where the rendering before the last is, or before those not saved yet."""
    return _memory_of(folder, view).with_suffix(".older.md")


def _rendering(path: Path) -> str | None:
    """Return what was rendered, if all of it is there."""
    text = read(path)
    return text if text is not None and is_whole(text) else None


def _remember(folder: Folder, view: View, text: str, base: str = "") -> None:
    """Note what is to be rendered over `base`, which an editor may have read.

    Before it stands there: a server that is killed between the two knows both.
    """
    if isinstance(view, StepView):  # only there she writes
        if base not in {"", text}:
            make(folder, _older_of(folder, view), base)
        if read(newest := _memory_of(folder, view)) != text:
            make(folder, newest, text)


def _remember_unsaved(folder: Folder, view: View, text: str, before: str) -> None:
    """Note what was rendered into an open page, which was `before`.

    Its file is of the last rendering if it was saved since, or never changed.
    """
    if not isinstance(view, StepView):
        return
    newest, older = _memory_of(folder, view), _older_of(folder, view)
    saved = read(file_of(folder, view)) == before
    if (saved or not older.exists()) and (known := _rendering(newest)) is not None:
        make(folder, older, known)
    make(folder, newest, text)
    folder.rendered[view] = text
