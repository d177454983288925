"""What front matter costs: nothing of the text behind it is looked at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types

from support.front_matter_document import writeit_block
from writeit.lsp.features import front_matter_context
from writeit.lsp.pygls_fixes import WriteItDocument, WriteItWorkspace

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def connection(text: str) -> Any:
    """What a connection has of an open document."""
    workspace = WriteItWorkspace(
        None, position_encoding=types.PositionEncodingKind.Utf8
    )
    workspace._text_documents[URI] = Sealed(URI, source=text)  # noqa: SLF001 -- a document of our own making
    return SimpleNamespace(server=SimpleNamespace(workspace=workspace))


@pytest.mark.parametrize("line", [1, 3, 5, 5_000])
def test_the_text_behind_it_is_not_looked_at(line: int) -> None:
    """Wherever the cursor is, in the block or far behind it."""
    here = connection(writeit_block("  pipeline: post\n", BODY))
    position = types.Position(line=line, character=3)
    assert front_matter_context.front_matter_text(here, URI) == writeit_block(
        "  pipeline: post\n", ""
    )
    for look in (
        front_matter_context.cursor_context_at,
        front_matter_context.find_word_at,
    ):
        assert (look(here, URI, position) is not None) is (line < 4)


def test_a_document_without_a_fence_is_not_looked_at() -> None:
    """Four characters say that there is no front matter."""
    here = connection(BODY)
    assert front_matter_context.front_matter_text(here, URI) == ""
    assert (
        front_matter_context.cursor_context_at(
            here, URI, types.Position(line=1, character=0)
        )
        is None
    )
    assert front_matter_context.can_take_front_matter(here, URI)


@pytest.mark.parametrize("characters", front_matter_context.SEARCH_LENGTHS)
@pytest.mark.parametrize("more", [-30, -1, 0, 1, 30])
def test_where_the_looking_ends_no_fence_is_made_up(characters: int, more: int) -> None:
    """Three dashes that go on are none, wherever the text is cut."""
    start = "---\nwriteit: {}\n# "
    text = start + "x" * (characters + more - len(start) - 4) + "\n---"
    assert (
        front_matter_context.front_matter_text(connection(f"{text}-\n{BODY}"), URI)
        == ""
    )
    found = front_matter_context.front_matter_text(connection(f"{text}\n{BODY}"), URI)
    is_within = len(text) + 1 < front_matter_context.SEARCH_LENGTHS[-1]
    assert found == (f"{text}\n" if is_within else "")
