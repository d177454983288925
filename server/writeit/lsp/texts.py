"""Open documents with lines as LSP has them, in place of pygls' own.

pygls cuts lines as Python does: at form feeds, at the separators of Unicode, at NEL. An
editor does not; after one such character all edits would land in a wrong line, and the
server's text would no longer be the writer's. (Seen in pygls 2.1.1.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

from pygls.workspace import TextDocument, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lsprotocol import types

    from writeit.library.markdown import Section


class WriteItDocument(TextDocument):
    """A document whose changes are applied where the editor means them."""

    _sections: tuple[int | None, Sequence[Section]] | None = None
    _head: tuple[int | None, str] | None = None

    @property
    def source(self) -> str:
        """The text; half a character, which an editor may hold, is a replacement."""
        from writeit.core.text import whole  # noqa: PLC0415 -- after initialize

        text = super().source
        return text if text.isascii() else whole(text)

    def beginning(self, characters: int) -> str:
        """The first characters of the text; nothing behind them is looked at."""
        from writeit.core.text import whole  # noqa: PLC0415 -- after initialize

        text = super().source[:characters]
        return text if text.isascii() else whole(text)

    def head(self, look: Callable[[], str]) -> str:
        """The front matter as `look` finds it, which is asked once a version."""
        if self._head is None or self._head[0] != self.version:
            self._head = (self.version, look())
        return self._head[1]

    def sections(self) -> Sequence[Section]:
        """The sections of the body, its lines counted from the text's first.

        They are looked for once a version, and only if somebody asks.
        """
        from writeit.core.alignment import lines  # noqa: PLC0415 -- after initialize
        from writeit.library.frontmatter import split  # noqa: PLC0415 -- the same
        from writeit.library.markdown import sections_of  # noqa: PLC0415 -- the same

        if self._sections is None or self._sections[0] != self.version:
            text = self.source
            head = split(text).head
            blank = ["\n"] * len(lines(head))
            found = sections_of([*blank, *lines(text[len(head) :])])
            self._sections = (self.version, found)
        return self._sections[1]

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends: LF, CRLF or CR."""
        from writeit.core.alignment import lines  # noqa: PLC0415 -- after initialize

        return lines(self.source)

    def _apply_incremental_change(
        self, change: types.TextDocumentContentChangePartial
    ) -> None:
        from writeit.lsp.convert import to_offset  # noqa: PLC0415 -- after initialize

        encoding = self.position_codec.encoding or "utf-16"
        text = super().source  # whose other half may come with the next change
        start = to_offset(text, change.range.start, encoding)
        end = to_offset(text, change.range.end, encoding)
        self._source = text[:start] + change.text + text[max(start, end) :]


class WriteItWorkspace(Workspace):
    """A workspace of such documents."""

    def update_text_document(
        self,
        text_doc: types.VersionedTextDocumentIdentifier,
        change: types.TextDocumentContentChangeEvent,
    ) -> None:
        """Change an open document.

        VS Code changes a text that is thrown away once more after it closed it.
        """
        if unquote(text_doc.uri) in self.text_documents:  # the key pygls keeps it by
            super().update_text_document(text_doc, change)

    @classmethod
    def like(cls, other: Workspace) -> Self:
        """Make one with the folders and the encoding of another, nothing open yet."""
        return cls(
            other.root_uri,
            workspace_folders=list(other.folders.values()),
            position_encoding=other.position_encoding,
        )

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> WriteItDocument:
        return WriteItDocument(
            doc_uri,
            source=source,
            version=version,
            language_id=language_id,
            sync_kind=self._sync_kind,
            position_codec=self._position_codec,
        )
