"""The whole story through `:WriteIt`, in a real Neovim with a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neovim import wording
from support.neovim_session import NOTES

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession

DIFFED = """
return vim.tbl_map(function(win)
  local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(win), 0, -1, true)
  return vim.wo[win].diff and table.concat(lines, '\\n')
end, vim.api.nvim_tabpage_list_wins(0))
"""


def test_from_notes_to_an_article_and_back(writer: NeovimSession) -> None:
    """Every step of the story; nothing on the way destroys what was before."""
    notes = writer.text()
    writer.do("start")
    run_id = writer.run()["pipelineRunId"]
    writer.do("next openai/say-first%20angle openai/say-second%20angle")
    assert "second angle" in writer.beside_shows("## Answer 2")
    writer.do("choose 2 for beginners")
    angles = writer.run()["steps"]["angles"]
    assert angles["status"] == "COMPLETED"
    assert angles["userFeedback"] == "for beginners"

    writer.do("next openai/say-an%20outline")
    writer.do("regenerate fewer parts")
    outline = writer.run()["steps"]["outline"]
    assert "fewer parts" in outline["aiResponses"][1]["promptUsed"]
    writer.do("choose 2")

    writer.do("next openai/say-Rivers%20run. openai/say-Water%20moves.")
    _take(writer, "Rivers run.")
    _take(writer, "Water moves.")
    writer.do("merge")
    writer.nvim.command("write")
    writer.rest()
    draft = writer.run()["steps"]["draft"]
    assert draft["mergedContent"] == "Rivers run.\n\nWater moves."

    writer.do("next openai/say-Rivers%20run%20and%20water%20moves.")
    writer.do("choose")
    assert writer.run()["status"] == "COMPLETED"
    writer.do("apply replace")
    assert writer.text().endswith("---\nRivers run and water moves.\n")
    writer.do("restore")
    assert writer.text() == notes

    writer.do("rewind outline")
    other = writer.run()
    assert other["pipelineRunId"] != run_id
    assert other["parentPipelineRunId"] == run_id
    writer.do("choose 1")
    writer.do("next openai/say-Another%20draft.")
    writer.do("choose")
    writer.do("branch draft the mills")
    tree = writer.ask("run.tree", runId=run_id)
    assert {child["branchPoint"] for child in tree["children"]} == {"outline"}
    assert tree["children"][0]["children"][0]["name"] == "the mills"

    _go_another_way(writer, " And mills turn.")
    assert _beside_its_parent(writer, "And mills turn.") == [
        "Another draft.",
        "Another draft. And mills turn.",
    ]

    writer.do("export yaml story.yaml")
    assert "Another draft." in (writer.workspace / "story.yaml").read_text("utf-8")
    assert writer.notes.read_text("utf-8") == NOTES


def _go_another_way(writer: NeovimSession, words: str) -> None:
    """Choose the step's answer in words of her own."""
    writer.do("edit")
    writer.nvim.keys(f"A{words}<Esc>:write<CR>")
    writer.said(wording.EDITED_CHOSEN.format("draft"))
    writer.rest()


def _beside_its_parent(writer: NeovimSession, words: str) -> list[str]:
    """What the tree compares: the run it came from, and this one."""
    writer.do("tree")
    writer.nvim.keys("d")
    writer.nvim.shows(words)
    writer.nvim.until("vim.wo.diff")
    both: list[str] = writer.nvim.lua(DIFFED)
    writer.nvim.keys("q")
    writer.nvim.until("not vim.wo.diff")
    return both


def _take(writer: NeovimSession, passage: str) -> None:
    """Take a line of the step's view towards the merge, as from a visual selection."""
    writer.beside_shows(passage)
    nvim = writer.nvim
    nvim.lua(
        """
        local words = ...
        local buf = require('writeit.window').buffer()
        local win = vim.fn.bufwinid(buf)
        for row, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, true)) do
          if line == words then
            vim.api.nvim_win_call(win, function()
              vim.cmd(row .. 'WriteIt take')
            end)
            return
          end
        end
        error('no such line: ' .. words)
        """,
        passage,
    )
    writer.rest()
