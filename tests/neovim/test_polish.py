"""A passage in better words, in its place, while its writer types elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from neovim import wording

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession

FRONT = "---\nwriteit: {{models: {{polish: openai/{model}}}}}\n---\n"
BODY = """\
# Notes on rivers

A river is moving water.

It begins at a source, and it ends at a mouth.

This paragraph is the one to be rewritten.

The last one stays.
"""
PASSAGE = "This paragraph is the one to be rewritten."
SLOW = " ".join(f"word{number}" for number in range(150))
WINDOWS = """
return #vim.tbl_filter(function(win)
  return vim.api.nvim_win_get_config(win).relative == ''
end, vim.api.nvim_list_wins())
"""
TYPED = (
    "The brook was loud that day<CR>and nobody could hear the mill<CR><CR>"
    "so we walked on<CR>along the water<CR>past the old weir<CR>"
    "to the bridge<CR>where the road to town<CR>begins again, as ever."
)


def _open(writer: NeovimSession, model: str) -> str:
    """Notes whose passages go to `model`; returns their text."""
    writer.open_notes(FRONT.format(model=model) + BODY)
    return writer.text()


def _line_of(writer: NeovimSession, words: str) -> int:
    return writer.text().split("\n").index(words) + 1


def test_a_polish_through_neovims_own_code_action(writer: NeovimSession) -> None:
    """`vim.lsp.buf.code_action` on a selection: one edit, one undo."""
    before = _open(writer, "say-In%20better%20words.")
    writer.nvim.command(f"normal! {_line_of(writer, PASSAGE)}GV")
    writer.nvim.lua(
        "vim.lsp.buf.code_action({ apply = true, filter = function(action)"
        " return action.kind == 'refactor.rewrite.writeit.polish-passage' end })"
    )
    writer.said(wording.UNDO)
    assert writer.text() == before.replace(PASSAGE, "In better words.")
    writer.nvim.keys("<Esc>u")
    writer.nvim.until("vim.fn.undotree().seq_cur == 0")
    assert writer.text() == before


def test_a_polish_leaves_no_window_behind(writer: NeovimSession) -> None:
    """The stream's window goes when the passage is in its place."""
    before = _open(writer, "say-In%20better%20words.")
    writer.do("polish", line=_line_of(writer, PASSAGE))
    assert writer.text() == before.replace(PASSAGE, "In better words.")
    assert writer.nvim.lua(WINDOWS) == 1


def test_of_several_answers_she_chooses_and_applies(writer: NeovimSession) -> None:
    """Nothing is put into the text before she said which."""
    writer.open_notes(
        "---\nwriteit: {models: {polish: [openai/say-one, openai/say-two]}}\n---\n"
        + BODY
    )
    before = writer.text()
    writer.do("polish", line=_line_of(writer, PASSAGE))
    writer.beside_shows("## Answer 2")
    assert writer.text() == before
    writer.nvim.command("wincmd l")
    writer.do("choose 2")
    writer.do("apply")
    assert writer.text() != before
    assert PASSAGE not in writer.text()


def test_typing_while_a_rewrite_of_a_later_paragraph_comes_and_is_applied(
    writer: NeovimSession,
) -> None:
    """170 keys at 20 a second: all of them there, one undo takes the rewrite back."""
    before = _open(writer, "slow-150")
    nvim = writer.nvim
    nvim.command(f"{_line_of(writer, PASSAGE)}WriteIt polish")
    nvim.command("3normal! j")
    nvim.lua("vim.fn.cursor(6, 1)")
    keys = _keys("o" + TYPED)
    assert sum(key == "<CR>" for key in keys) == 8
    assert len(keys) == 170
    for key in keys:
        nvim.keys(key)
        time.sleep(0.05)
    nvim.until("vim.fn.execute('messages'):find(...) ~= nil", wording.GENERATING)
    nvim.keys("<Esc>")
    writer.said(wording.UNDO)
    writer.rest()
    lines = before.split("\n")
    typed = "\n".join([*lines[:6], *TYPED.split("<CR>"), *lines[6:]])
    assert writer.text() == typed.replace(PASSAGE, SLOW)
    nvim.keys("u")
    nvim.until(
        "not vim.iter(vim.api.nvim_buf_get_lines(0, 0, -1, true)):any("
        "function(line) return line:find('word149') end)"
    )
    assert writer.text() == typed
    nvim.keys("u")
    nvim.until("vim.fn.undotree().seq_cur == 0")
    assert writer.text() == before


def _keys(typed: str) -> list[str]:
    """The single keys of what is typed."""
    keys: list[str] = []
    while typed:
        key = "<CR>" if typed.startswith("<CR>") else typed[0]
        keys.append(key)
        typed = typed.removeprefix(key)
    return keys


def test_a_block_of_columns_is_not_polished(writer: NeovimSession) -> None:
    """Lines would be rewritten that she did not select."""
    before = _open(writer, "say-nothing")
    writer.nvim.keys(f"{_line_of(writer, PASSAGE)}Gk<C-v>jjl:WriteIt polish<CR>")
    writer.said(wording.BLOCK_SELECTION)
    writer.rest()
    assert writer.text() == before
