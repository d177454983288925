"""The front matter of open documents; what stands behind it is never looked at."""

from __future__ import annotations

from functools import lru_cache

from lsprotocol import types

from writeit.library.front_matter import (
    FrontMatter,
    split_front_matter,
)
from writeit.library.yaml_cursor import (
    CursorContext,
    YamlWord,
    cursor_context,
    find_word,
)
from writeit.lsp.documents import Documents
from writeit.text.lines import split_lines

MAX_UNCLOSED_CHARACTERS = 10_000
"""Characters looked at while nobody has written the second fence yet."""


@lru_cache(maxsize=16)
def parse_front_matter(front_matter: str, uri: str) -> FrontMatter:
    """Read front matter; the same words are read once."""
    return split_front_matter(front_matter, uri)


def can_take_front_matter(documents: Documents, uri: str) -> bool:
    """Whether a document says nothing to WriteIt yet, and could."""
    if uri.startswith("writeit:") or documents.find_open(uri) is None:
        return False
    found = parse_front_matter(documents.front_matter_text(uri), uri)
    return found.source is None and not found.problems


# --- where the cursor is ------------------------------------------------------------


def cursor_context_at(
    documents: Documents, uri: str, position: types.Position
) -> tuple[str, CursorContext] | None:
    """Return a text that begins as the document does, and what is typed there.

    None outside the front matter. While its second fence is not written, only what
    stands under `writeit:`, or right below the first fence, is in it.
    """
    text = documents.front_matter_text(uri)
    if text:
        if not 0 < position.line < len(split_lines(text)) - 1:
            return None
        found = cursor_context(text, documents.to_offset(text, position))
        return (text, found) if found and not _is_prose(found) else None
    text = _unclosed_front_matter(documents, uri, position)
    if not text:
        return None
    found = cursor_context(text, documents.to_offset(text, position))
    if found is None or not (found.word.path or position.line == 1):
        return None
    return text, found


def _unclosed_front_matter(
    documents: Documents, uri: str, position: types.Position
) -> str:
    """Return the lines up to the position's of a document that begins with a fence."""
    if not documents.has_opening_fence(uri):
        return ""
    lines = split_lines(documents.first_characters(uri, MAX_UNCLOSED_CHARACTERS))
    if not 0 < position.line < max(len(lines), 2):
        return ""
    return "".join(lines[: position.line + 1])


def _is_prose(context: CursorContext) -> bool:
    """Whether text between two thematic breaks only looks like front matter."""
    return not context.word.path and bool(context.values_at(()))


def find_word_at(
    documents: Documents, uri: str, position: types.Position
) -> tuple[str, YamlWord, list[YamlWord]] | None:
    """Return the front matter, the word in it at a position, and all its words."""
    text = documents.front_matter_text(uri)
    if not 0 < position.line < len(split_lines(text)) - 1:
        return None
    found = find_word(text, documents.to_offset(text, position))
    return None if found is None else (text, *found)
