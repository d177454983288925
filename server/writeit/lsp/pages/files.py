"""The files of pages under `.writeit`: where they are, read, made and replaced whole.

What stands there is the writer's as well as ours. So a file is never half written, not
on a full disk either, and never one that a link in a folder from elsewhere leads to.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

from writeit.domain.errors import DocumentChanged, NotTrusted, StoreError
from writeit.files import write_error, write_whole_file
from writeit.lsp.convert import path_to_uri
from writeit.lsp.documents import Documents
from writeit.lsp.edits.edit_retry import EditRetry
from writeit.lsp.edits.files import (
    folder_lock,
    replace_file_text,
)
from writeit.lsp.folder import DATA_FOLDER, WorkspaceFolder
from writeit.text.merge3 import merge
from writeit.views import uris
from writeit.views.editable_page import (
    SectionProblem,
    StepEdits,
    has_all_markers,
    has_same_sections,
    merge_edits,
    read_edits,
    with_newer_sections,
    without_newer_answers,
)
from writeit.views.section_markers import with_page_line_ends
from writeit.views.uris import StepView, View

# --- The files of pages under `.writeit`: where they are, read, made and replaced whole

SAVE_SECONDS = 1.0
"""Seconds in which an editor has written what it is about to save."""


def read_page_text(documents: Documents, path: Path) -> str | None:
    """Return a view file's text, as the editor has it if it is open.

    None if there is no such file.

    Raises:
        StoreError: there is one and it cannot be read.
    """
    document = documents.find_open(path_to_uri(path))
    if document is not None:
        return str(document.source)
    try:
        return _read_text(path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{path} cannot be read: {error}. It stays as it is.",
            reason="corrupt",
            hint="Save it as UTF-8 text, or delete it and open the view again.",
        ) from error


def read_text_or_none(path: Path) -> str | None:
    """Return a file's text if it has one."""
    try:
        return _read_text(path)
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
    return found.st_size == 0 and abs(time.time() - found.st_mtime) < SAVE_SECONDS


def _read_text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def replace_page_text(path: Path, current_text: str, new_text: str) -> bool:
    """Put `goal` in place of `now`; False if the file has changed, or is gone.

    Raises:
        StoreError: it could not be written; it is as it was.
    """
    try:
        return replace_file_text(path, current_text, new_text)
    except FileNotFoundError:
        return False  # gone this moment: the next look says so
    except OSError as error:
        raise _write_error(path, error) from error


def write_page_file(folder: WorkspaceFolder, path: Path, text: str) -> None:
    """Make a file, or another of what is there; pages are not for git.

    Raises:
        StoreError: it could not be written; what was there is as it was.
        NotTrusted: a link leads elsewhere.
    """
    require_no_link(folder, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A page may be made before the store, which hides the folder itself.
        with (
            suppress(FileExistsError),
            (folder.pages_root / DATA_FOLDER / ".gitignore").open(
                "x", encoding="utf-8"
            ) as ignore,
        ):
            ignore.write("*\n")
        write_whole_file(path, text.encode())
    except OSError as error:
        raise _write_error(path, error) from error


def require_no_link(folder: WorkspaceFolder, path: Path) -> None:
    """Refuse a page that a link inside `.writeit` puts somewhere else.

    Raises:
        NotTrusted: it would be written over what the link leads to.
    """
    house = folder.pages_root / DATA_FOLDER
    there = os.path.realpath(path)
    if there != str(Path(os.path.realpath(house)) / path.relative_to(house)):
        raise NotTrusted(
            f"{path} is a link to {there}; nothing was written there.",
            hint="Remove the link, and open the view again.",
            path=str(path),
        )


def _write_error(path: Path, error: OSError) -> StoreError:
    hint = "writeit.view.read returns the text without a file."
    return write_error(path, error, hint)


# --- Views as files under `.writeit/views`, for editors that cannot open `writeit:` URI

RENDERED_FOLDER = ".writeit/rendered"
RETRY_SECONDS = 0.05
"""Seconds after which a page is looked at again that somebody else had in hand."""


async def update_page_file(
    documents: Documents, folder: WorkspaceFolder, view: View, text: str
) -> Path:
    """Bring a view's file up to date; the writer's own sections of it are kept.

    A page whose markers she damaged stays as it is, and she is told.

    Raises:
        StoreError: the file cannot be written.
        NotTrusted: it is a link.
    """
    folder.file_views.add(view)
    path = folder.page_path(view)
    require_no_link(folder, path)
    async with documents.document_lock(path_to_uri(path)):
        done = False
        while not done:
            if documents.find_open(path_to_uri(path)) is None:
                with folder_lock(folder.pages_root / DATA_FOLDER):
                    done = _update_closed_page(documents, folder, view, text)
            else:
                done = await _update_open_page(documents, folder, view, text)
            if not done:
                await asyncio.sleep(RETRY_SECONDS)
    return path


def _update_closed_page(
    documents: Documents, folder: WorkspaceFolder, view: View, text: str
) -> bool:
    """Bring a page that is not open up to date; False if it changed meanwhile."""
    path = folder.page_path(view)
    _write_consumed_edits(folder, view)
    if (now := read_page_text(documents, path)) is None:
        _store_rendered_text(folder, view, text)
        write_page_file(folder, path, text)
        return True
    if not now and is_being_saved(path):
        return False
    hers, base = _read_user_edits(documents, folder, view, now, text)
    if _report_if_damaged(documents, folder, view, hers):
        return True
    _store_rendered_text(folder, view, text, base)
    goal = _updated_text(now, text, hers)
    return now == goal or replace_page_text(path, now, goal)


async def _update_open_page(
    documents: Documents, folder: WorkspaceFolder, view: View, text: str
) -> bool:
    """Bring an open page up to date, now or later; False if she closed it meanwhile."""
    path = folder.page_path(view)
    _write_consumed_edits(folder, view)
    if (now := read_page_text(documents, path)) is None:
        return False
    hers, _ = _read_user_edits(documents, folder, view, now, text)
    if _report_if_damaged(documents, folder, view, hers):
        return True
    if await _edit_open_page(documents, path, now, _updated_text(now, text, hers)):
        _store_open_page_text(folder, view, text, now)
        return True
    if documents.find_open(path_to_uri(path)) is None:
        return False
    folder.listener.retry_page_when_idle(folder, view)
    return True


def _read_user_edits(
    documents: Documents,
    folder: WorkspaceFolder,
    view: View,
    current_text: str,
    fresh_text: str,
) -> tuple[StepEdits, str]:
    """Return what she wrote in a page, and what it was; she writes in a step's only."""
    if isinstance(view, StepView) and current_text.strip():
        base = find_base_text(documents, folder, view, current_text, fresh_text)
        return read_edits(base, current_text), base
    return StepEdits(), ""


def _updated_text(current_text: str, fresh_text: str, user_edits: StepEdits) -> str:
    return with_page_line_ends(
        current_text, merge_edits(fresh_text, user_edits) if user_edits else fresh_text
    )


def _report_if_damaged(
    documents: Documents, folder: WorkspaceFolder, view: View, user_edits: StepEdits
) -> bool:
    if user_edits.problems:
        _warn_about_damage(documents, folder, view, user_edits.problems[0])
        return True
    folder.damaged_views.discard(view)
    return False


def _warn_about_damage(
    documents: Documents, folder: WorkspaceFolder, view: View, problem: SectionProblem
) -> None:
    """Tell her where a page is damaged; once, until it is put right."""
    if view in folder.damaged_views:
        return
    folder.damaged_views.add(view)
    path = folder.page_path(view)
    documents.client.show_warning(
        f"{path.name}, line {problem.line + 1}: {problem.message} The page stays as you"
        " left it, and is not brought up to date."
    )


async def _edit_open_page(
    documents: Documents, path: Path, current_text: str, new_text: str
) -> bool:
    """Change an open page; say whether it stands there."""
    if current_text == new_text:
        return True
    landing = EditRetry(
        documents,
        path_to_uri(path),
        lambda newest: merge(current_text, newest, new_text),
        wait_for_user=True,
    )
    try:
        return (await landing.apply()).is_applied
    except DocumentChanged:  # closed meanwhile
        return False


def record_consumed_edits(
    folder: WorkspaceFolder, view: StepView, consumed: StepEdits, base_text: str
) -> None:
    """Take note that a command has taken over what she wrote: it is no edit now.

    `base` is what the command compared the page with; see `base_of`. It is put down
    when the page is next in hand: an edit on its way would write over it.
    """
    folder.consumed_edits.setdefault(view, []).append((consumed, base_text))


def _write_consumed_edits(folder: WorkspaceFolder, view: View) -> None:
    if not isinstance(view, StepView):
        return
    newest, older = _rendered_path(folder, view), _older_rendered_path(folder, view)
    waiting = folder.consumed_edits.get(view, [])
    while waiting:
        taken, base = waiting[0]
        write_page_file(
            folder, newest, merge_edits(_read_rendered_text(newest) or base, taken)
        )
        if (text := _read_rendered_text(older)) is not None:
            write_page_file(folder, older, merge_edits(text, taken))
        if (text := folder.open_page_texts.get(view)) is not None:
            folder.open_page_texts[view] = merge_edits(text, taken)
        del waiting[0]


def find_base_text(
    documents: Documents,
    folder: WorkspaceFolder,
    view: StepView,
    current_text: str,
    fresh_text: str,
) -> str:
    """Return the page as it was before she changed it.

    It is the last that was rendered, here or by another server, or the older one if
    that is what she has. Where nobody knows any more, what differs from a fresh
    rendering counts as hers; so it does in sections that came after the last that is
    known. What commands have taken over stands in it.
    """
    known = [
        _read_rendered_text(_rendered_path(folder, view)),
        _read_rendered_text(_older_rendered_path(folder, view)),
    ]
    if documents.find_open(path_to_uri(folder.page_path(view))) is not None:
        known.insert(0, folder.open_page_texts.get(view))
    there = [text for text in known if text is not None]
    base = next((text for text in there if has_same_sections(text, current_text)), None)
    if base is None:
        last = there[0] if there else without_newer_answers(fresh_text, current_text)
        base = with_newer_sections(last, fresh_text, current_text)
    for taken, _ in folder.consumed_edits.get(view, ()):
        base = merge_edits(base, taken)
    return base


# --- what was rendered last -----------------------------------------------------------


def _rendered_path(folder: WorkspaceFolder, view: View) -> Path:
    tail = uris.view_path(view).relative_to(uris.VIEWS_FOLDER)
    return folder.pages_root / RENDERED_FOLDER / tail


def _older_rendered_path(folder: WorkspaceFolder, view: View) -> Path:
    """Return where the rendering before the last is, or before those not saved yet."""
    return _rendered_path(folder, view).with_suffix(".older.md")


def _read_rendered_text(path: Path) -> str | None:
    """Return what was rendered, if all of it is there."""
    text = read_text_or_none(path)
    return text if text is not None and has_all_markers(text) else None


def _store_rendered_text(
    folder: WorkspaceFolder, view: View, text: str, base_text: str = ""
) -> None:
    """Note what is to be rendered over `base`, which an editor may have read.

    Before it stands there: a server that is killed between the two knows both.
    """
    if isinstance(view, StepView):  # only there she writes
        if base_text not in {"", text}:
            write_page_file(folder, _older_rendered_path(folder, view), base_text)
        if read_text_or_none(newest := _rendered_path(folder, view)) != text:
            write_page_file(folder, newest, text)


def _store_open_page_text(
    folder: WorkspaceFolder, view: View, text: str, previous_text: str
) -> None:
    """Note what was rendered into an open page, which was `before`.

    Its file is of the last rendering if it was saved since, or never changed.
    """
    if not isinstance(view, StepView):
        return
    newest, older = _rendered_path(folder, view), _older_rendered_path(folder, view)
    saved = read_text_or_none(folder.page_path(view)) == previous_text
    if (saved or not older.exists()) and (
        known := _read_rendered_text(newest)
    ) is not None:
        write_page_file(folder, older, known)
    write_page_file(folder, newest, text)
    folder.open_page_texts[view] = text
