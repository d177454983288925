"""What front matter costs: nothing of the text behind it is looked at."""

from collections.abc import Sequence

import pytest
from lsprotocol import types

from support.documents import documents_of
from support.front_matter_document import writeit_block
from writeit.lsp.documents import (
    SEARCH_LENGTHS,
    Documents,
    can_take_front_matter,
    cursor_context_at,
    find_word_at,
)
from writeit.lsp.pygls_fixes import WriteItDocument, WriteItWorkspace

URI = "untitled:a"
BODY = "A line of prose: not of keys.\n" * 10_000


class Sealed(WriteItDocument):
    """A document that must not be read to its end."""

    @property
    def source(self) -> str:
        """Refuse the whole text."""
        raise AssertionError

    @property
    def lines(self) -> Sequence[str]:
        """Refuse to be cut into lines."""
        raise AssertionError


def open_document(text: str) -> Documents:
    """Return the documents of a client with this one open."""
    workspace = WriteItWorkspace(
        None, position_encoding=types.PositionEncodingKind.Utf8
    )
    workspace._text_documents[URI] = Sealed(URI, source=text)  # noqa: SLF001 -- a document of our own making
    return documents_of(workspace)


@pytest.mark.parametrize("line", [1, 3, 5, 5_000])
def test_the_text_behind_it_is_not_looked_at(line: int) -> None:
    """Wherever the cursor is, in the block or far behind it."""
    documents = open_document(writeit_block("  pipeline: post\n", BODY))
    position = types.Position(line=line, character=3)
    assert documents.front_matter_text(URI) == writeit_block("  pipeline: post\n", "")
    for look in (cursor_context_at, find_word_at):
        assert (look(documents, URI, position) is not None) is (line < 4)


def test_a_document_without_a_fence_is_not_looked_at() -> None:
    """Four characters say that there is no front matter."""
    documents = open_document(BODY)
    assert documents.front_matter_text(URI) == ""
    assert (
        cursor_context_at(documents, URI, types.Position(line=1, character=0)) is None
    )
    assert can_take_front_matter(documents, URI)


@pytest.mark.parametrize("characters", SEARCH_LENGTHS)
@pytest.mark.parametrize("more", [-30, -1, 0, 1, 30])
def test_where_the_looking_ends_no_fence_is_made_up(characters: int, more: int) -> None:
    """Three dashes that go on are none, wherever the text is cut."""
    start = "---\nwriteit: {}\n# "
    text = start + "x" * (characters + more - len(start) - 4) + "\n---"
    assert open_document(f"{text}-\n{BODY}").front_matter_text(URI) == ""
    found = open_document(f"{text}\n{BODY}").front_matter_text(URI)
    is_within = len(text) + 1 < SEARCH_LENGTHS[-1]
    assert found == (f"{text}\n" if is_within else "")
