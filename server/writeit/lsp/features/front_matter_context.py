"""The front matter of open documents; what stands behind it is never looked at."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from writeit.library.front_matter import BOM, find_front_matter, split_front_matter
from writeit.library.yaml_cursor import (
    CursorContext,
    YamlWord,
    cursor_context,
    find_word,
)
from writeit.library.yaml_source import MAX_YAML_BYTES
from writeit.lsp.convert import to_offset
from writeit.lsp.documents import find_open_document
from writeit.lsp.pygls_fixes import WriteItDocument
from writeit.text.lines import split_lines

if TYPE_CHECKING:
    from lsprotocol import types

    from writeit.library.front_matter import FrontMatter
    from writeit.lsp.session import Session

SEARCH_LENGTHS = (4_000, MAX_YAML_BYTES + 100)
"""Characters within which front matter mostly ends, and has to end."""

MAX_UNCLOSED_CHARACTERS = 10_000
"""Characters looked at while nobody has written the second fence yet."""


def front_matter_text(session: Session, uri: str) -> str:
    """Return an open document's front matter with its fences, "" if it has none."""
    document = find_open_document(session, uri)
    if not isinstance(document, WriteItDocument):
        return ""
    return document.front_matter(lambda: _find_front_matter(document))


def _find_front_matter(document: WriteItDocument) -> str:
    if not _has_opening_fence(document):
        return ""
    for characters in SEARCH_LENGTHS:
        found = find_front_matter(document.first_characters(characters))
        if 0 < len(found) < characters:  # else its end may be one of our making
            return found
    return ""


def _has_opening_fence(document: WriteItDocument) -> bool:
    return document.first_characters(4).removeprefix(BOM).startswith("---")


@lru_cache(maxsize=16)
def parse_front_matter(front_matter: str, uri: str) -> FrontMatter:
    """Read front matter; the same words are read once."""
    return split_front_matter(front_matter, uri)


def can_take_front_matter(session: Session, uri: str) -> bool:
    """Whether a document says nothing to WriteIt yet, and could."""
    if uri.startswith("writeit:") or find_open_document(session, uri) is None:
        return False
    found = parse_front_matter(front_matter_text(session, uri), uri)
    return found.source is None and not found.problems


def position_encoding(session: Session) -> str:
    """Return how the client counts the characters of a line."""
    return session.server.workspace.position_encoding or "utf-16"


# --- where the cursor is ------------------------------------------------------------


def cursor_context_at(
    session: Session, uri: str, position: types.Position
) -> tuple[str, CursorContext] | None:
    """Return a text that begins as the document does, and what is typed there.

    None outside the front matter. While its second fence is not written, only what
    stands under `writeit:`, or right below the first fence, is in it.
    """
    text = front_matter_text(session, uri)
    if text:
        if not 0 < position.line < len(split_lines(text)) - 1:
            return None
        found = cursor_context(
            text, to_offset(text, position, position_encoding(session))
        )
        return (text, found) if found and not _is_prose(found) else None
    text = _unclosed_front_matter(session, uri, position)
    if not text:
        return None
    found = cursor_context(text, to_offset(text, position, position_encoding(session)))
    if found is None or not (found.word.path or position.line == 1):
        return None
    return text, found


def _unclosed_front_matter(session: Session, uri: str, position: types.Position) -> str:
    """Return the lines up to the position's of a document that begins with a fence."""
    document = find_open_document(session, uri)
    if not isinstance(document, WriteItDocument) or not _has_opening_fence(document):
        return ""
    found = split_lines(document.first_characters(MAX_UNCLOSED_CHARACTERS))
    if not 0 < position.line < max(len(found), 2):
        return ""
    return "".join(found[: position.line + 1])


def _is_prose(context: CursorContext) -> bool:
    """Whether text between two thematic breaks only looks like front matter."""
    return not context.word.path and bool(context.values_at(()))


def find_word_at(
    session: Session, uri: str, position: types.Position
) -> tuple[str, YamlWord, list[YamlWord]] | None:
    """Return the front matter, the word in it at a position, and all its words."""
    text = front_matter_text(session, uri)
    if not 0 < position.line < len(split_lines(text)) - 1:
        return None
    found = find_word(text, to_offset(text, position, position_encoding(session)))
    return None if found is None else (text, *found)
