"""Answers and merges edited in a buffer."""

from collections.abc import Callable
from pathlib import Path

from neovim import wording
from support.neovim_session import IDLE, NeovimSession
from support.nvim import Nvim

LINES = "table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')"


def _edit_answer(session: NeovimSession, words: str) -> None:
    """Edit answer 1 and add to it."""
    session.run("start")
    session.run("next openai/say-hello+20there")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.run("edit 1")
    session.nvim.wait_until(f"{LINES} == 'hello there'")
    session.nvim.keys(f"A{words}<Esc>")
    session.nvim.wait_until(f"{LINES} == ...", f"hello there{words}")


def _content(session: NeovimSession) -> str | None:
    """Return the chosen text of the first step."""
    content: str | None = session.newest_run()["steps"]["angles"].get("content")
    return content


def test_closed_editor_keeps_the_text(session: NeovimSession) -> None:
    """With `q` and `:quit`; `:wall` decides nothing, `:wq` does."""
    _edit_answer(session, ", you")
    for leaving in ("q", ":quit<CR>"):
        session.nvim.keys(leaving)
        session.wait_for_message(wording.EDITED_KEPT.format("angles"))
        session.nvim.wait_until("vim.fn.getbufinfo({ bufmodified = 1 })[1] == nil")
        session.nvim.command("wall")
        session.nvim.wait_until(IDLE, session.buffer())
        assert _content(session) is None
        session.nvim.command("messages clear")
        session.run("edit 1")
        session.nvim.wait_until(f"{LINES} == 'hello there, you'")
    session.nvim.keys(":wq<CR>")
    session.wait_for_message(wording.EDITED_CHOSEN.format("angles"))
    session.wait_until_idle()
    angles = session.newest_run()["steps"]["angles"]
    assert angles["content"] == "hello there, you"
    assert angles["aiResponses"][0]["rawOutput"] == "hello there"
    buffer = session.nvim.lua("return vim.api.nvim_get_current_buf()")
    assert buffer == session.buffer()


def test_unsaved_editor_stays_visible(session: NeovimSession) -> None:
    """A stream opens another window."""
    _edit_answer(session, ", you")
    draft = session.nvim.lua("return vim.api.nvim_get_current_buf()")
    session.nvim.command("wincmd t")
    session.run("regenerate again")
    shown = "return vim.tbl_map(vim.api.nvim_win_get_buf, vim.api.nvim_list_wins())"
    buffers = session.nvim.lua(shown)
    assert draft in buffers
    assert len(set(buffers)) == 3


def test_refused_text_stays_in_the_editor(session: NeovimSession) -> None:
    """Also after `:wq`, which closes its window first."""
    _edit_answer(session, ", you")
    run_id = session.newest_run()["pipelineRunId"]
    session.execute("step.select", runId=run_id, step="angles", response=0)
    session.execute("step.skip", runId=run_id, step="outline")
    session.nvim.keys(":wq<CR>")
    session.wait_for_message(wording.DECISION_FIXED)
    session.wait_until_idle()
    shown = session.side_text()
    assert shown == "hello there, you\n"


AUTO_SAVE = """
vim.api.nvim_create_autocmd({ 'QuitPre', 'InsertLeave', 'FocusLost' }, {
  group = vim.api.nvim_create_augroup('auto_save', {}),
  nested = true,
  command = 'silent! wall',
})
"""
"""What a plug-in that saves by itself does."""


def test_writing_keeps_the_text_and_decides_nothing(session: NeovimSession) -> None:
    """Nor does a plug-in that saves by itself, also when the window is quit."""
    _edit_answer(session, ", you")
    session.nvim.keys(":write<CR>")
    session.wait_for_message(wording.KEPT)
    assert not session.nvim.lua("return vim.bo.modified")
    session.nvim.lua(AUTO_SAVE)
    session.nvim.keys("A again<Esc>:quit<CR>")
    session.wait_for_message(wording.EDITED_KEPT.format("angles"))
    session.nvim.command("autocmd! auto_save")
    session.wait_until_idle()
    assert _content(session) is None


def test_a_verb_in_its_window_decides(session: NeovimSession) -> None:
    """With the text as it stands and the words behind the verb."""
    _edit_answer(session, ", you")
    session.run("choose for beginners")
    session.wait_for_message(wording.EDITED_CHOSEN.format("angles"))
    assert _content(session) == "hello there, you"
    feedback = session.newest_run()["steps"]["angles"]["userFeedback"]
    assert feedback == "for beginners"


def test_exit_decides_with_a_text_that_was_kept(session: NeovimSession) -> None:
    """`:x` writes no unmodified buffer, so `:w` before it must not matter."""
    _edit_answer(session, ", you")
    session.nvim.keys(":write<CR>")
    session.wait_for_message(wording.KEPT)
    session.nvim.keys(":x<CR>")
    session.wait_for_message(wording.EDITED_CHOSEN.format("angles"))
    assert _content(session) == "hello there, you"


def test_a_restart_opens_the_kept_text(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """Of an answer and of the merge; undo leads to the original."""
    workspace = tmp_path / "workspace"
    (workspace / "pipelines").mkdir(parents=True)
    session = NeovimSession(start(), workspace)
    session.open_notes()
    _edit_answer(session, ", you")
    session.nvim.keys("q")
    session.run("merge")
    session.nvim.keys("iOf my own.")  # and quits in insert mode
    session.nvim.wait_until(f"{LINES} == 'Of my own.'")
    assert session.nvim.quit() == 0
    session.nvim, notes = start(), session.notes
    session.nvim.command(f"edit {notes}")
    session.wait_for_client()
    session.run("merge")
    session.nvim.command("wincmd b")  # a slow window does not take the focus
    session.nvim.wait_until(f"{LINES} == 'Of my own.'")
    session.nvim.keys("q")
    session.run("edit 1")
    session.wait_for_message(wording.OPENED_KEPT.format("angles, answer 1"))
    session.wait_until_idle()
    session.nvim.command("wincmd b")
    session.nvim.wait_until(f"{LINES} == 'hello there, you'")
    session.nvim.keys("u")
    session.nvim.wait_until(f"{LINES} == 'hello there'")
    session.nvim.keys("<C-r>ZZ")
    session.wait_for_message(wording.EDITED_CHOSEN.format("angles"))
    assert _content(session) == "hello there, you"
