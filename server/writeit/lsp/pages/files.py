"""Pages as files under `.writeit/views`, for clients that cannot open `writeit:` URIs.

The user types into these files, too. So a file is replaced whole or not at all, also
when the disk is full, and never written through a link.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

from writeit.domain.errors import DocumentChanged, NotTrusted, StoreError
from writeit.engine.sessions import WORKSPACE_DATA_FOLDER
from writeit.files import folder_lock, write_error, write_whole_file
from writeit.lsp.convert import path_to_uri
from writeit.lsp.edits.edit_retry import EditRetry
from writeit.lsp.edits.files import replace_file_text
from writeit.lsp.folder import WorkspaceFolder
from writeit.text.merge3 import merge
from writeit.views import uris
from writeit.views.editable_page import (
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

RETRY_SECONDS = 0.05
SAVE_SECONDS = 1.0
"""Seconds an editor takes to save: many empty the file first."""


class PageFile:
    """The file of one view, and what was rendered into it before.

    Rendered texts are kept as files, so that user edits are recognized after a restart
    and by other servers.
    """

    def __init__(self, folder: WorkspaceFolder, view: View) -> None:
        self._folder = folder
        self._view = view
        self.path = folder.page_path(view)
        self.uri = path_to_uri(self.path)
        tail = uris.view_path(view).relative_to(uris.VIEWS_FOLDER)
        self._rendered_path = folder.pages_root / uris.RENDERED_FOLDER / tail
        self._older_rendered_path = self._rendered_path.with_suffix(".older.md")
        """The rendering before the last, or the last that the editor has saved."""

    @property
    def is_open(self) -> bool:
        """Whether the client has the file open."""
        return self._folder.documents.find_open(self.uri) is not None

    def read_text(self) -> str | None:
        """Return the page's text, from the editor if it is open; None without a file.

        Raises:
            StoreError: the file cannot be read.
        """
        document = self._folder.documents.find_open(self.uri)
        if document is not None:
            return str(document.source)
        try:
            return _read_text(self.path)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{self.path} cannot be read: {error}. It was not changed.",
                reason="corrupt",
                hint="Save it as UTF-8 text, or delete it and open the view again.",
            ) from error

    # --- updates ---

    async def update(self, text: str) -> None:
        """Bring the page up to date with a rendered text; user edits are kept.

        A page with damaged markers stays as it is, and the user is warned.

        Raises:
            StoreError: the file cannot be written.
            NotTrusted: it is a link.
        """
        self._folder.file_views.add(self._view)
        self._require_no_link(self.path)
        async with self._folder.documents.document_lock(self.uri):
            done = False
            while not done:
                if self.is_open:
                    done = await self._update_open(text)
                else:
                    with folder_lock(self._folder.pages_root / WORKSPACE_DATA_FOLDER):
                        done = self._update_closed(text)
                if not done:
                    await asyncio.sleep(RETRY_SECONDS)

    def _update_closed(self, text: str) -> bool:
        """Update the file; return False if it changed meanwhile."""
        self._write_consumed_edits()
        if (current := self.read_text()) is None:
            self._store_rendered_text(text)
            self._write(self.path, text)
            return True
        if not current and _is_being_saved(self.path):
            return False
        edits, base = self._read_user_edits(current, text)
        if self._is_damaged(edits):
            return True
        self._store_rendered_text(text, base)
        goal = _updated_text(current, text, edits)
        return current == goal or self._replace_text(current, goal)

    async def _update_open(self, text: str) -> bool:
        """Update the open page, now or later; return False if it was closed."""
        self._write_consumed_edits()
        if (current := self.read_text()) is None:
            return False
        edits, _ = self._read_user_edits(current, text)
        if self._is_damaged(edits):
            return True
        if await self._edit_open(current, _updated_text(current, text, edits)):
            self._store_open_page_text(text, current)
            return True
        if not self.is_open:
            return False
        self._folder.listener.retry_page_when_idle(self._folder, self._view)
        return True

    async def _edit_open(self, current: str, goal: str) -> bool:
        if current == goal:
            return True
        retry = EditRetry(
            self._folder.documents,
            self.uri,
            lambda newest: merge(current, newest, goal),
            wait_for_user=True,
        )
        try:
            return (await retry.apply()).is_applied
        except DocumentChanged:  # closed meanwhile
            return False

    def _is_damaged(self, edits: StepEdits) -> bool:
        """Return whether markers are damaged; warn once, until they are repaired."""
        damaged = self._folder.damaged_views
        if not edits.problems:
            damaged.discard(self._view)
            return False
        if self._view not in damaged:
            damaged.add(self._view)
            problem = edits.problems[0]
            self._folder.documents.client.show_warning(
                f"{self.path.name}, line {problem.line + 1}: {problem.message} The page"
                " stays as you left it, and is not updated."
            )
        return True

    # --- user edits ---

    def find_base_text(self, current: str, fresh: str) -> str:
        """Return the page as it was before the user changed it.

        It is the last rendered text, by this or another server, or an older one if
        that has the sections of `current`. If none is known, it is made of `fresh`.
        Edits that commands have consumed are part of it.
        """
        texts = [
            _read_rendered_text(self._rendered_path),
            _read_rendered_text(self._older_rendered_path),
        ]
        if self.is_open:
            texts.insert(0, self._folder.open_page_texts.get(self._view))
        known = [text for text in texts if text is not None]
        base = next((text for text in known if has_same_sections(text, current)), None)
        if base is None:
            last = known[0] if known else without_newer_answers(fresh, current)
            base = with_newer_sections(last, fresh, current)
        for consumed, _ in self._consumed_edits():
            base = merge_edits(base, consumed)
        return base

    def _read_user_edits(self, current: str, fresh: str) -> tuple[StepEdits, str]:
        """Return the user's edits and the base text; only step pages are editable."""
        if not isinstance(self._view, StepView) or not current.strip():
            return StepEdits(), ""
        base = self.find_base_text(current, fresh)
        return read_edits(base, current), base

    def record_consumed_edits(self, consumed: StepEdits, base_text: str) -> None:
        """Record that a command has used edits of a page: they are text now.

        They are written with the next update, as an edit may be under way now.
        `base_text` is what `find_base_text` returned to the command.
        """
        if isinstance(self._view, StepView):
            edits = self._folder.consumed_edits.setdefault(self._view, [])
            edits.append((consumed, base_text))

    def _consumed_edits(self) -> list[tuple[StepEdits, str]]:
        if not isinstance(self._view, StepView):
            return []
        return self._folder.consumed_edits.get(self._view, [])

    def _write_consumed_edits(self) -> None:
        newest, older = self._rendered_path, self._older_rendered_path
        pending, open_texts = self._consumed_edits(), self._folder.open_page_texts
        while pending:
            consumed, base = pending[0]
            text = _read_rendered_text(newest) or base
            self._write(newest, merge_edits(text, consumed))
            if (older_text := _read_rendered_text(older)) is not None:
                self._write(older, merge_edits(older_text, consumed))
            if (open_text := open_texts.get(self._view)) is not None:
                open_texts[self._view] = merge_edits(open_text, consumed)
            del pending[0]

    # --- rendered texts ---

    def _store_rendered_text(self, text: str, base_text: str = "") -> None:
        """Store the text that is about to replace `base_text` in the file.

        It is stored first: a server killed between the two writes leaves both.
        """
        if not isinstance(self._view, StepView):
            return
        if base_text not in {"", text}:
            self._write(self._older_rendered_path, base_text)
        if _read_text_or_none(self._rendered_path) != text:
            self._write(self._rendered_path, text)

    def _store_open_page_text(self, text: str, previous_text: str) -> None:
        """Store the text that has replaced `previous_text` in the open page.

        The file has the last rendering if it was saved since or never changed.
        """
        if not isinstance(self._view, StepView):
            return
        is_saved = _read_text_or_none(self.path) == previous_text
        if is_saved or not self._older_rendered_path.exists():
            last = _read_rendered_text(self._rendered_path)
            if last is not None:
                self._write(self._older_rendered_path, last)
        self._write(self._rendered_path, text)
        self._folder.open_page_texts[self._view] = text

    # --- writing ---

    def _replace_text(self, current: str, goal: str) -> bool:
        """Replace the file's text; return False if it has changed or is gone."""
        try:
            return replace_file_text(self.path, current, goal)
        except FileNotFoundError:
            return False  # just deleted: the caller reads it again
        except OSError as error:
            raise _page_write_error(self.path, error) from error

    def _write(self, path: Path, text: str) -> None:
        """Create or replace a file under `.writeit`.

        Raises:
            StoreError: it could not be written; what was there is unchanged.
            NotTrusted: it is a link.
        """
        self._require_no_link(path)
        ignore = self._folder.pages_root / WORKSPACE_DATA_FOLDER / ".gitignore"
        try:
            ignore.parent.mkdir(mode=0o700, exist_ok=True)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A page may be written before the store, which hides the folder itself.
            with (
                suppress(FileExistsError),
                ignore.open("x", encoding="utf-8") as file,
            ):
                file.write("*\n")
            write_whole_file(path, text.encode())
        except OSError as error:
            raise _page_write_error(path, error) from error

    def _require_no_link(self, path: Path) -> None:
        """Refuse a file that a link inside `.writeit` puts somewhere else.

        Raises:
            NotTrusted: the link's target would be overwritten.
        """
        data_folder = self._folder.pages_root / WORKSPACE_DATA_FOLDER
        target = Path(os.path.realpath(path))
        real_folder = Path(os.path.realpath(data_folder.parent)) / WORKSPACE_DATA_FOLDER
        if target != real_folder / path.relative_to(data_folder):
            raise NotTrusted(
                f"{path} is a link to {target}; nothing was written there.",
                hint="Remove the link, and open the view again.",
                path=str(path),
            )


def _read_text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _read_text_or_none(path: Path) -> str | None:
    try:
        return _read_text(path)
    except (OSError, UnicodeDecodeError):
        return None


def _read_rendered_text(path: Path) -> str | None:
    """Return a rendered text if it is complete."""
    text = _read_text_or_none(path)
    return text if text is not None and has_all_markers(text) else None


def _is_being_saved(path: Path) -> bool:
    """Return whether a file was emptied just now; one that stays empty is replaced."""
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_size == 0 and abs(time.time() - status.st_mtime) < SAVE_SECONDS


def _updated_text(current: str, fresh: str, edits: StepEdits) -> str:
    return with_page_line_ends(current, merge_edits(fresh, edits) if edits else fresh)


def _page_write_error(path: Path, error: OSError) -> StoreError:
    hint = "writeit.view.read returns the text without a file."
    return write_error(path, error, hint)
