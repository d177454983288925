"""The front matter of open documents; what stands behind it is never looked at."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from writeit.core.alignment import lines
from writeit.library.frontmatter import BOM, head_of, split
from writeit.library.outline import Spot, Word, spot_at, word_at
from writeit.library.source import MAX_BYTES
from writeit.lsp.convert import to_offset
from writeit.lsp.documents import open_document
from writeit.lsp.texts import WriteItDocument

if TYPE_CHECKING:
    from lsprotocol import types

    from writeit.library.frontmatter import FrontMatter
    from writeit.lsp.connection import Connection

ENDS_WITHIN = (4_000, MAX_BYTES + 100)
"""Characters within which front matter mostly ends, and has to end."""

UNCLOSED = 10_000
"""Characters looked at while nobody has written the second fence yet."""


def head(connection: Connection, uri: str) -> str:
    """Return an open document's front matter with its fences, "" if it has none."""
    document = open_document(connection, uri)
    if not isinstance(document, WriteItDocument):
        return ""
    return document.head(lambda: _head(document))


def _head(document: WriteItDocument) -> str:
    if not _begins(document):
        return ""
    for characters in ENDS_WITHIN:
        found = head_of(document.beginning(characters))
        if 0 < len(found) < characters:  # else its end may be one of our making
            return found
    return ""


def _begins(document: WriteItDocument) -> bool:
    return document.beginning(4).removeprefix(BOM).startswith("---")


@lru_cache(maxsize=16)
def read(head: str, uri: str) -> FrontMatter:
    """Read front matter; the same words are read once."""
    return split(head, uri)


def takes_a_block(connection: Connection, uri: str) -> bool:
    """Whether a document says nothing to WriteIt yet, and could."""
    if uri.startswith("writeit:") or open_document(connection, uri) is None:
        return False
    found = read(head(connection, uri), uri)
    return found.source is None and not found.problems


def encoding_of(connection: Connection) -> str:
    """Return how the client counts the characters of a line."""
    return connection.server.workspace.position_encoding or "utf-16"


# --- where the cursor is ------------------------------------------------------------


def spot(
    connection: Connection, uri: str, position: types.Position
) -> tuple[str, Spot] | None:
    """Return a text that begins as the document does, and what is typed there.

    None outside the front matter. While its second fence is not written, only what
    stands under `writeit:`, or right below the first fence, is in it.
    """
    text = head(connection, uri)
    if text:
        if not 0 < position.line < len(lines(text)) - 1:
            return None
        found = spot_at(text, to_offset(text, position, encoding_of(connection)))
        return (text, found) if found and not _is_prose(found) else None
    text = _up_to(connection, uri, position)
    if not text:
        return None
    found = spot_at(text, to_offset(text, position, encoding_of(connection)))
    if found is None or not (found.word.path or position.line == 1):
        return None
    return text, found


def _up_to(connection: Connection, uri: str, position: types.Position) -> str:
    """Return the lines up to the position's of a document that begins with a fence."""
    document = open_document(connection, uri)
    if not isinstance(document, WriteItDocument) or not _begins(document):
        return ""
    found = lines(document.beginning(UNCLOSED))
    if not 0 < position.line < max(len(found), 2):
        return ""
    return "".join(found[: position.line + 1])


def _is_prose(found: Spot) -> bool:
    """Whether text between two thematic breaks only looks like front matter."""
    return not found.word.path and bool(found.values(()))


def word(
    connection: Connection, uri: str, position: types.Position
) -> tuple[str, Word, list[Word]] | None:
    """Return the front matter, the word in it at a position, and all its words."""
    text = head(connection, uri)
    if not 0 < position.line < len(lines(text)) - 1:
        return None
    found = word_at(text, to_offset(text, position, encoding_of(connection)))
    return None if found is None else (text, *found)
