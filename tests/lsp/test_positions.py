"""Places in a text: lines and units as LSP counts them, in every encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from support.text_strategies import edited, texts
from writeit.lsp.convert import to_lsp_edits, to_offset
from writeit.lsp.pygls_fixes import WriteItDocument, WriteItWorkspace
from writeit.lsp.shapes import Position
from writeit.text.diff import compute_edits
from writeit.text.lines import split_lines

ENCODINGS = tuple(types.PositionEncodingKind)
ODD = st.text(alphabet=st.sampled_from("ab \n\ré\u0301👩\u200d\u2028\x0c\x85日"))
UNITS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def offset(
    text: str, position: types.Position, encoding: types.PositionEncodingKind
) -> int:
    """The place of a position, found the slow way: by encoding the line."""
    before = split_lines(text)[: position.line]
    rest = text[len("".join(before)) :]
    name = "utf-8" if encoding == "utf-8" else f"{encoding.value}-le"
    units = rest.encode(name)[: position.character * UNITS[encoding]]
    return len("".join(before)) + len(units.decode(name))


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.one_of(texts(), ODD), data=st.data())
def test_edits_mean_the_same_in_every_encoding(
    encoding: types.PositionEncodingKind, text: str, data: st.DataObject
) -> None:
    """Applied from the last to the first, as editors do, they make the target."""
    target = data.draw(st.one_of(edited(text, 8), ODD))
    result = text
    for edit in reversed(to_lsp_edits(text, compute_edits(text, target), encoding)):
        start = offset(text, edit.range.start, encoding)
        end = offset(text, edit.range.end, encoding)
        result = result[:start] + edit.new_text + result[end:]
    assert result == target


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.one_of(texts(), ODD), data=st.data())
def test_a_position_is_found_again(
    encoding: types.PositionEncodingKind, text: str, data: st.DataObject
) -> None:
    """From an edit's place to its position and back."""
    target = data.draw(edited(text, 4))
    for edit, sent in zip(
        compute_edits(text, target),
        to_lsp_edits(text, compute_edits(text, target), encoding),
        strict=True,
    ):
        for place, position in (
            (edit.start, sent.range.start),
            (edit.end, sent.range.end),
        ):
            wire = Position(line=position.line, character=position.character)
            assert to_offset(text, wire, encoding) == place


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.one_of(texts(), ODD), data=st.data())
def test_the_server_has_the_text_that_the_editor_has(
    encoding: types.PositionEncodingKind, text: str, data: st.DataObject
) -> None:
    """Changes are applied where the editor means them, whatever stands in the text."""
    workspace = WriteItWorkspace(None, position_encoding=encoding)
    item = types.TextDocumentItem(
        uri="untitled:a", language_id="markdown", version=1, text=text
    )
    workspace.put_text_document(item)
    here = types.VersionedTextDocumentIdentifier(uri="untitled:a", version=2)
    target = data.draw(st.one_of(edited(text, 8), ODD))
    for edit in reversed(to_lsp_edits(text, compute_edits(text, target), encoding)):
        change = types.TextDocumentContentChangePartial(
            range=edit.range, text=edit.new_text
        )
        workspace.update_text_document(here, change)
    document = workspace.get_text_document("untitled:a")
    assert document.source == target


def test_two_halves_of_a_character_that_come_apart_are_one_in_the_end() -> None:
    """An editor may send them as two changes; a half alone reads as a replacement."""
    document = WriteItDocument("file:///a.md", source="a \ud83d b", version=1)
    assert document.source == "a \ufffd b"
    behind = types.Position(0, 3)
    document.apply_change(
        types.TextDocumentContentChangePartial(types.Range(behind, behind), "\udd8a")
    )
    assert document.source == "a \U0001f58a b"
