"""Answers and merges edited in a buffer."""

from neovim import wording
from support.neovim_session import IDLE, NeovimSession

LINES = "table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')"


def _edit_answer(session: NeovimSession, words: str) -> None:
    """Edit answer 1 and add to it."""
    session.run("start")
    session.run("next openai/say-hello+20there")
    session.wait_for_side_text("## Answer 1")
    session.run("edit 1")
    session.nvim.wait_until(f"{LINES} == 'hello there'")
    session.nvim.keys(f"A{words}<Esc>")
    session.nvim.wait_until("vim.bo.modified")


def _content(session: NeovimSession) -> str | None:
    """Return the chosen text of the first step."""
    content: str | None = session.newest_run()["steps"]["angles"].get("content")
    return content


def test_closed_editor_keeps_the_text(session: NeovimSession) -> None:
    """With `q` and `:quit`; it does not hold up `:wall` or `:qall`."""
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
        session.nvim.wait_until(f"{LINES} == 'hello there, you' and vim.bo.modified")
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


def test_text_typed_during_a_submit_stays_in_the_editor(session: NeovimSession) -> None:
    """The text of `:write` is submitted."""
    _edit_answer(session, ", you")
    root = "require('writeit.server').root_of(0)"
    session.nvim.lua(
        f"require('writeit.task').enqueue({root}, 'sleep',"
        " function() require('writeit.task').sleep(500) end)"
    )
    session.nvim.keys(":write<CR>A and me<Esc>")
    session.wait_for_message(wording.EDITED_CHOSEN.format("angles"))
    session.wait_until_idle()
    assert _content(session) == "hello there, you"
    assert session.nvim.lua(f"return {LINES}") == "hello there, you and me"
    session.nvim.keys(":write<CR>")
    session.nvim.wait_until(f"{LINES} ~= 'hello there, you and me'")
    assert _content(session) == "hello there, you and me"


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
