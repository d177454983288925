"""Texts in her words: handed in as she wrote them, kept when she leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neovim import wording
from support.neovim_session import IDLE

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession

LINES = "table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')"


def _reword(writer: NeovimSession, words: str) -> None:
    """Open answer 1 as a text of hers and add to it."""
    writer.do("start")
    writer.do("next openai/say-hello%20there")
    writer.beside_shows("## Answer 1")
    writer.do("edit 1")
    writer.nvim.until(f"{LINES} == 'hello there'")
    writer.nvim.keys(f"A{words}<Esc>")
    writer.nvim.until("vim.bo.modified")


def _content(writer: NeovimSession) -> str | None:
    """What was handed on from the first step."""
    content: str | None = writer.run()["steps"]["angles"].get("content")
    return content


def test_a_text_that_is_left_is_kept_and_opened_again(writer: NeovimSession) -> None:
    """By `q` as by `:quit`; neither `:wall` nor `:qall` is about it meanwhile."""
    _reword(writer, ", you")
    for leaving in ("q", ":quit<CR>"):
        writer.nvim.keys(leaving)
        writer.said(wording.EDITED_KEPT.format("angles"))
        writer.nvim.until("vim.fn.getbufinfo({ bufmodified = 1 })[1] == nil")
        writer.nvim.command("wall")
        writer.nvim.until(IDLE, writer.buffer())
        assert _content(writer) is None
        writer.nvim.command("messages clear")
        writer.do("edit 1")
        writer.nvim.until(f"{LINES} == 'hello there, you' and vim.bo.modified")
    writer.nvim.keys(":wq<CR>")
    writer.said(wording.EDITED_CHOSEN.format("angles"))
    assert _content(writer) == "hello there, you"


def test_a_text_she_has_not_written_stays_in_sight(writer: NeovimSession) -> None:
    """What streams meanwhile gets a window of its own."""
    _reword(writer, ", you")
    draft = writer.nvim.lua("return vim.api.nvim_get_current_buf()")
    writer.nvim.command("wincmd t")
    writer.do("regenerate again")
    shown = "return vim.tbl_map(vim.api.nvim_win_get_buf, vim.api.nvim_list_wins())"
    buffers = writer.nvim.lua(shown)
    assert draft in buffers
    assert len(set(buffers)) == 3


def test_what_is_handed_in_is_what_was_written(writer: NeovimSession) -> None:
    """Words typed while it waits for its turn stay in the buffer."""
    _reword(writer, ", you")
    root = "require('writeit.server').root_of(0)"
    writer.nvim.lua(
        f"require('writeit.task').enqueue({root}, 'a pause',"
        " function() require('writeit.task').sleep(500) end)"
    )
    writer.nvim.keys(":write<CR>A and me<Esc>")
    writer.said(wording.EDITED_CHOSEN.format("angles"))
    writer.rest()
    assert _content(writer) == "hello there, you"
    assert writer.nvim.lua(f"return {LINES}") == "hello there, you and me"
    writer.nvim.keys(":write<CR>")
    writer.nvim.until(f"{LINES} ~= 'hello there, you and me'")
    assert _content(writer) == "hello there, you and me"


def test_a_text_that_is_refused_is_still_there(writer: NeovimSession) -> None:
    """Also after `:wq`, which closes its window first."""
    _reword(writer, ", you")
    run_id = writer.run()["pipelineRunId"]
    writer.ask("step.select", runId=run_id, step="angles", response=0)
    writer.ask("step.skip", runId=run_id, step="outline")
    writer.nvim.keys(":wq<CR>")
    writer.said(wording.DECISION_FIXED)
    writer.rest()
    shown = writer.beside()
    assert shown == "hello there, you\n"
