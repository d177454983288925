"""Front matter in any state, the cursor anywhere: an answer, and never an error."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from support.documents import documents_of
from support.front_matter_document import add_pipeline, writeit_block
from writeit.library.catalog import Library, read_library
from writeit.library.front_matter import split_front_matter
from writeit.library.front_matter_check import check_front_matter
from writeit.lsp.convert import to_lsp_range, to_offset
from writeit.lsp.documents import Documents, cursor_context_at, find_word_at
from writeit.lsp.features.completion import SuggestionSources, suggest
from writeit.lsp.pygls_fixes import WriteItWorkspace
from writeit.text.lines import split_lines

URI = "untitled:a"
ENCODINGS = tuple(types.PositionEncodingKind)
WHOLE = writeit_block(
    "  pipeline: post\n  primer: 'academic'\n  models:\n    draft: [a/b, c/d:e]\n"
    '    polish:\n    - x/y\n  inputs: {readers: \N{FISH} and é, tone: "dry"}\n'
    "  output_path: ../x.md\n  providers: [a,\n    c]\n"
)
PIECES = st.sampled_from(
    [
        *"{}[],:#'\"-|>&*!?~",
        "\n",
        "\r\n",
        "  ",
        "---\n",
        "\N{FISH}",
        "x",
        "\ud83d",
        "\t",
    ]
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """What is within reach of a workspace with one pipeline."""
    folder: Path = tmp_path_factory.mktemp("workspace")
    add_pipeline(folder)
    return read_library(folder)[0]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The whole block with some stretches of it replaced."""
    text = WHOLE
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        new = draw(st.lists(PIECES, max_size=3).map("".join))
        text = text[:start] + new + text[end:]
    return text


def open_document(text: str, encoding: types.PositionEncodingKind) -> Documents:
    """Return the documents of a client with this one open."""
    workspace = WriteItWorkspace(None, position_encoding=encoding)
    item = types.TextDocumentItem(uri=URI, language_id="markdown", version=1, text=text)
    workspace.put_text_document(item)
    return documents_of(workspace)


@settings(deadline=None, max_examples=400)
@given(
    text=damaged(),
    encoding=st.sampled_from(ENCODINGS),
    line=st.integers(0, 20) | st.just(2**31 - 1),
    character=st.integers(0, 60) | st.just(2**31 - 1),
)
def test_wherever_the_cursor_is_something_can_be_said(
    library: Library,
    text: str,
    encoding: types.PositionEncodingKind,
    line: int,
    character: int,
) -> None:
    """Suggestions replace a stretch of the cursor's own line, and around it."""
    documents = open_document(text, encoding)
    position = types.Position(line=line, character=character)
    find_word_at(documents, URI, position)
    found = cursor_context_at(documents, URI, position)
    if found is None:
        return
    head, spot = found
    suggest(spot, SuggestionSources(library=library, models={}))
    offset = to_offset(head, position, encoding)
    assert spot.word.start <= offset <= spot.word.end
    assert not set("\r\n") & set(head[spot.word.start : spot.word.end])


@settings(deadline=None, max_examples=400)
@given(text=damaged(), encoding=st.sampled_from(ENCODINGS))
def test_whatever_stands_there_its_problems_have_places(
    library: Library, text: str, encoding: types.PositionEncodingKind
) -> None:
    """Within the front matter, the end not before the beginning."""
    documents = open_document(text, encoding)
    head = documents.front_matter_text(URI)
    for problem in check_front_matter(split_front_matter(head, URI), library):
        where = to_lsp_range(head, problem.range.start, problem.range.end, encoding)
        start, end = where.start, where.end
        assert (start.line, start.character) <= (end.line, end.character)
        assert end.line < max(len(split_lines(head)), 1)
