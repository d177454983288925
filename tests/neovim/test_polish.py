"""A passage rewritten in its place while the user types elsewhere."""

import time

from neovim import wording
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
GENERATED = " ".join(f"word{number}" for number in range(150))
WINDOWS = """
return #vim.tbl_filter(function(win)
  return vim.api.nvim_win_get_config(win).relative == ''
end, vim.api.nvim_list_wins())
"""
TYPE_WHILE_CONNECTING = """
local rpc = require('writeit.rpc')
local ensure_client = rpc.ensure_client
rpc.ensure_client = function(buf)
  rpc.ensure_client = ensure_client
  vim.api.nvim_buf_set_lines(buf, 3, 3, false, { 'Typed meanwhile.' })
  return ensure_client(buf)
end
"""
TYPED = (
    "The brook was loud that day<CR>and nobody could hear the mill<CR><CR>"
    "so we walked on<CR>along the water<CR>past the old weir<CR>"
    "to the bridge<CR>where the road to town<CR>begins again, as ever."
)


def _open_notes(session: NeovimSession, model: str) -> str:
    """Open notes whose passages are rewritten by `model`; return their text."""
    session.open_notes(FRONT.format(model=model) + BODY)
    return session.text()


def _line_of(session: NeovimSession, words: str) -> int:
    return session.text().split("\n").index(words) + 1


def _keys(typed: str) -> list[str]:
    """Return the single keys of a typed text."""
    keys: list[str] = []
    while typed:
        key = "<CR>" if typed.startswith("<CR>") else typed[0]
        keys.append(key)
        typed = typed.removeprefix(key)
    return keys


def test_a_selection_follows_what_is_typed_while_the_server_starts(
    session: NeovimSession,
) -> None:
    """The range is sent when the server is ready."""
    before = _open_notes(session, "say-In+20better+20words.")
    session.nvim.lua(TYPE_WHILE_CONNECTING)
    session.run("polish", line=_line_of(session, PASSAGE))
    after = before.replace("# Notes", "Typed meanwhile.\n# Notes")
    assert session.text() == after.replace(PASSAGE, "In better words.")


def test_polish_with_neovims_own_code_action(session: NeovimSession) -> None:
    """`vim.lsp.buf.code_action` on a selection: one edit, one undo step."""
    before = _open_notes(session, "say-In+20better+20words.")
    session.nvim.command(f"normal! {_line_of(session, PASSAGE)}GV")
    session.nvim.lua(
        "vim.lsp.buf.code_action({ apply = true, filter = function(action)"
        " return action.kind == 'refactor.rewrite.writeit.polish-passage' end })"
    )
    session.wait_for_message(wording.UNDO)
    assert session.text() == before.replace(PASSAGE, "In better words.")
    session.nvim.keys("<Esc>u")
    session.nvim.wait_until("vim.fn.undotree().seq_cur == 0")
    assert session.text() == before


def test_polish_closes_the_stream(session: NeovimSession) -> None:
    """The stream's window closes when the passage is replaced."""
    before = _open_notes(session, "say-In+20better+20words.")
    session.run("polish", line=_line_of(session, PASSAGE))
    assert session.text() == before.replace(PASSAGE, "In better words.")
    assert session.nvim.lua(WINDOWS) == 1


def test_typing_during_a_polish(session: NeovimSession) -> None:
    """170 keys at 20 a second: all arrive, and one undo removes the rewrite."""
    before = _open_notes(session, "slow-150")
    nvim = session.nvim
    nvim.command(f"{_line_of(session, PASSAGE)}WriteIt polish")
    nvim.command("3normal! j")
    nvim.lua("vim.fn.cursor(6, 1)")
    keys = _keys("o" + TYPED)
    assert sum(key == "<CR>" for key in keys) == 8
    assert len(keys) == 170
    for key in keys:
        nvim.keys(key)
        time.sleep(0.05)
    nvim.wait_until("vim.fn.execute('messages'):find(...) ~= nil", wording.GENERATING)
    nvim.keys("<Esc>")
    session.wait_for_message(wording.UNDO)
    session.wait_until_idle()
    lines = before.split("\n")
    typed = "\n".join([*lines[:6], *TYPED.split("<CR>"), *lines[6:]])
    assert session.text() == typed.replace(PASSAGE, GENERATED)
    nvim.keys("u")
    nvim.wait_until(
        "not vim.iter(vim.api.nvim_buf_get_lines(0, 0, -1, true)):any("
        "function(line) return line:find('word149') end)"
    )
    assert session.text() == typed
    nvim.keys("u")
    nvim.wait_until("vim.fn.undotree().seq_cur == 0")
    assert session.text() == before


def test_block_selection_is_not_polished(session: NeovimSession) -> None:
    """Lines outside of the selection would be rewritten."""
    before = _open_notes(session, "say-nothing")
    session.nvim.keys(f"{_line_of(session, PASSAGE)}Gk<C-v>jjl:WriteIt polish<CR>")
    session.wait_for_message(wording.BLOCK_SELECTION)
    session.wait_until_idle()
    assert session.text() == before


def test_a_polish_with_words_is_undone_at_the_cursor_and_kept(
    session: NeovimSession,
) -> None:
    """The words are in the prompt. What was kept cannot be undone any more."""
    before = _open_notes(session, "say-In+20better+20words.")
    line = _line_of(session, PASSAGE)
    session.run("polish mind the mills", line=line)
    prompt = session.newest_run()["steps"]["polish"]["aiResponses"][0]["promptUsed"]
    assert "mind the mills" in prompt
    session.nvim.lua(f"vim.fn.cursor({line}, 1)")
    session.run("undo")
    session.nvim.wait_until(f"vim.fn.getline({line}) == '{PASSAGE}'")
    assert session.text() == before
    session.nvim.lua("vim.cmd('undo')")
    session.run("keep all")
    session.run("undo all")
    session.wait_for_message(wording.NO_CHANGE)
    assert session.text() == before.replace(PASSAGE, "In better words.")
