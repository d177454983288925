"""What the user typed in this editor, and so has seen: pipelines and front matter.

An editor also sends a change when it reads a file again that something else wrote. What
the user types is in the editor before it is on the disk; the other is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from writeit.domain.entity import text_digest
from writeit.library.catalog import Library
from writeit.library.pipelines import read_pipeline
from writeit.lsp.convert import uri_to_path
from writeit.lsp.documents import SEARCH_LENGTHS, Documents, parse_front_matter
from writeit.lsp.pygls_fixes import WriteItDocument
from writeit.text.front_matter import BOM, find_front_matter
from writeit.text.lines import LINE_END
from writeit.trust import FolderTrust, pipeline_wants

LIBRARY_FOLDERS = ("pipelines", "primers")


def is_library_file(path: Path | None) -> bool:
    """Return whether a file is in a place for pipelines or primers."""
    return (
        path is not None
        and path.parent.name in LIBRARY_FOLDERS
        and path.suffix in {".yaml", ".yml"}
    )


class TypedText:
    """Tells what the user typed from what other programs wrote."""

    def __init__(
        self,
        documents: Documents,
        trust: FolderTrust,
        load_library: Callable[[], Awaitable[Library]],
    ) -> None:
        self._documents = documents
        self._trust = trust
        self._load_library = load_library

    def note_change(self, uri: str) -> None:
        """Look whether an open document was read again from its file."""
        document = self._documents.find_open(uri)
        if not isinstance(document, WriteItDocument):
            return
        part = self._part(uri, document)
        if _digest(uri, part) == _digest(uri, document.base_text):
            return
        saved = _read_part(uri)
        if saved is None or _digest(uri, saved) == _digest(uri, part):
            if document.is_saving and document.base_before_save is None:
                document.base_before_save = document.base_text
            document.base_text = part

    def note_saving(self, uri: str) -> None:
        """Note that the editor is about to save; it may send the last changes later."""
        document = self._documents.find_open(uri)
        if isinstance(document, WriteItDocument):
            document.is_saving, document.base_before_save = True, None

    def is_typed(self, uri: str | None) -> bool:
        """Return whether the user typed this into a text that names nothing unseen."""
        document = None if uri is None else self._documents.find_open(uri)
        if uri is None or not isinstance(document, WriteItDocument):
            return False
        base, part = document.base_text, self._part(uri, document)
        return _digest(uri, base) != _digest(uri, part) and self._is_seen(uri, base)

    def note_saved(self, uri: str) -> None:
        """Remember what the user typed, once it is on the disk as it was typed."""
        document = self._documents.find_open(uri)
        if not isinstance(document, WriteItDocument):
            return
        if document.base_before_save is not None:  # eglot sends changes after saving
            document.base_text = document.base_before_save
        document.is_saving, document.base_before_save = False, None
        part, saved = self._part(uri, document), _read_part(uri)
        if saved is not None and _digest(uri, part) == _digest(uri, saved):
            if self.is_typed(uri):
                self._remember(uri, saved)
            document.base_text = part

    def note_written(self, uri: str, before: str, after: str) -> None:
        """Remember what a command wrote to a file that is not open."""
        if self._is_seen(uri, _part_of(uri, before)):
            self._remember(uri, _part_of(uri, after))

    def _part(self, uri: str, document: WriteItDocument) -> str:
        if is_library_file(uri_to_path(uri)):
            return document.source
        return self._documents.front_matter_text(uri)

    def _is_seen(self, uri: str, part: str) -> bool:
        """Return whether a part names nothing, or nothing that is new to the user."""
        part = _part_of(uri, part)
        if not is_library_file(uri_to_path(uri)):
            digest = _front_matter_digest(uri, part)
            return not digest or self._trust.allows(digest)
        crlf = LINE_END.sub("\r\n", part)
        if any(self._trust.allows(text_digest(text)) for text in (part, crlf)):
            return True
        if not part.strip():
            return True
        configuration, _ = read_pipeline(part, uri, created=datetime.now(UTC))
        return configuration is not None and not pipeline_wants(configuration, uri)

    def _remember(self, uri: str, part: str) -> None:
        path = uri_to_path(uri)
        if path is None:
            return
        if is_library_file(path):
            digest = text_digest(part)
        else:
            digest = _front_matter_digest(uri, part)
        if digest and not self._trust.allows(digest):
            self._trust.note_typed(path, digest)
            self._documents.client.spawn_task(self._store(path, digest))

    async def _store(self, path: Path, digest: str) -> None:
        library = await self._load_library()
        await asyncio.to_thread(self._trust.note_seen, path, digest, library)


def _part_of(uri: str, text: str) -> str:
    """Return what of a text may name models: a library file, else front matter."""
    if is_library_file(uri_to_path(uri)):
        return text
    found = find_front_matter(text)
    return found.head if found else ""


def _digest(uri: str, part: str) -> str:
    """Return a digest that does not depend on line ends, a mark or a last line."""
    if is_library_file(uri_to_path(uri)):
        return text_digest(LINE_END.sub("\n", part.removeprefix(BOM)).rstrip("\n"))
    return _front_matter_digest(uri, part)


def _front_matter_digest(uri: str, part: str) -> str:
    """Return the digest of what front matter names; with an error, of all of it."""
    found = parse_front_matter(part, uri)
    return found.config.digest_of_names if found.is_valid else text_digest(part)


def _read_part(uri: str) -> str | None:
    """Return this part of a file; "" if there is none, None if it is no text."""
    path = uri_to_path(uri)
    if path is None or not path.is_file():
        return ""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _part_of(uri, file.read(SEARCH_LENGTHS[1]))
    except (OSError, UnicodeDecodeError):
        return None
