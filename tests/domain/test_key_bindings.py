"""The spelling of chords, and the editors' default bindings."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from writeit.domain.key_bindings import SYSTEM_BINDINGS, is_chord_conflict, parse_chord


@pytest.mark.rule("settled-22")
@pytest.mark.parametrize(
    ("spellings", "strokes"),
    [
        (("ctrl+shift+p", "Shift+Control+P", "<C-S-p>", "<S-C-P>"), "ctrl+shift+p"),
        (("<C-w>", "<C-W>", "<c-w>", "ctrl+W"), "ctrl+w"),
        (("G", "<S-g>", "shift+g"), "shift+g"),
        (("<M-x>", "<A-x>", "alt+x", "Option+X"), "alt+x"),
        (("<D-s>", "cmd+s", "Meta+S", "win+s"), "cmd+s"),
        (("<CR>", "<Enter>", "enter", "Return"), "enter"),
        (("<C-k>v", "ctrl+k v", "<C-K> v"), "ctrl+k v"),
        (("ctrl++", "ctrl+plus", "<C-+>"), "ctrl++"),
        (("ctrl+-", "<C-->"), "ctrl+-"),
        (("<lt>", "<"), "<"),
        (("g+",), "g +"),
        (("<Leader>w",), "leader w"),
    ],
)
def test_a_chord_is_the_same_however_it_is_spelled(
    spellings: tuple[str, ...], strokes: str
) -> None:
    """As VS Code spells it and as Neovim does."""
    assert {" ".join(parse_chord(one)) for one in spellings} == {strokes}


@pytest.mark.rule("settled-22")
def test_both_editors_have_their_well_known_bindings() -> None:
    """A few dozen each, all of them valid and different."""
    assert set(SYSTEM_BINDINGS) == {"vscode", "neovim"}
    for chords in SYSTEM_BINDINGS.values():
        strokes = {parse_chord(chord) for chord in chords}
        assert len(strokes) == len(chords) > 36


@given(st.text(max_size=12))
def test_any_text_is_a_chord_or_is_refused(text: str) -> None:
    """With one kind of error; what is a chord stays the same spelled anew."""
    try:
        strokes = parse_chord(text)
    except ValueError:
        return
    assert strokes
    assert is_chord_conflict(strokes, strokes)
    assert is_chord_conflict(strokes, (*strokes, "x"))
    assert is_chord_conflict((*strokes, "x"), strokes)
    assert not is_chord_conflict((*strokes, "x"), (*strokes, "y"))
