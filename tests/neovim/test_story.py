"""A whole run through `:WriteIt`, in a real Neovim with a real server."""

from neovim import wording
from support.neovim_session import NOTES, NeovimSession


def _edit_and_choose(session: NeovimSession, words: str) -> None:
    """Edit the step's answer and choose it."""
    session.run("edit")
    session.nvim.keys(f"A{words}<Esc>ZZ")
    session.wait_for_message(wording.EDITED_CHOSEN.format("draft"))
    session.wait_until_idle()


def _compare_with_parent(session: NeovimSession, words: str) -> list[str]:
    """Return the texts that the run tree compares: the parent's and this run's."""
    session.run("tree")
    session.nvim.keys("d")
    session.nvim.wait_for_screen(words)
    texts = session.diff_texts()
    session.nvim.keys("q")
    session.nvim.wait_until("not vim.wo.diff")
    return texts


def _take(session: NeovimSession, passage: str) -> None:
    """Add a line of the step's view to the merge."""
    session.wait_for_side_text(passage)
    nvim = session.nvim
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
    session.wait_until_idle()


def test_from_notes_to_an_article_and_back(session: NeovimSession) -> None:
    """Every kind of command; no branch or restore loses anything."""
    notes = session.text()
    session.run("start")
    run_id = session.newest_run()["pipelineRunId"]
    session.run("next openai/say-first+20angle openai/say-second+20angle")
    assert "second angle" in session.wait_for_side_text(wording.STEP_WAITS)
    session.run("choose 2 for beginners")
    angles = session.newest_run()["steps"]["angles"]
    assert angles["status"] == "COMPLETED"
    assert angles["userFeedback"] == "for beginners"

    session.run("next openai/say-an+20outline")
    session.run("regenerate fewer parts")
    outline = session.newest_run()["steps"]["outline"]
    assert "fewer parts" in outline["aiResponses"][1]["promptUsed"]
    session.run("choose 2")

    session.run("next openai/say-Rivers+20run. openai/say-Water+20moves.")
    _take(session, "Rivers run.")
    _take(session, "Water moves.")
    session.run("merge")
    session.run("merge")
    session.wait_until_idle()
    draft = session.newest_run()["steps"]["draft"]
    assert draft["mergedContent"] == "Rivers run.\n\nWater moves."

    session.run("next openai/say-Rivers+20run+20and+20water+20moves.")
    session.run("choose")
    assert session.newest_run()["status"] == "COMPLETED"
    session.run("apply replace")
    assert session.text().endswith("---\nRivers run and water moves.\n")
    session.run("restore")
    assert session.text() == notes

    session.run("rewind outline")
    other = session.newest_run()
    assert other["pipelineRunId"] != run_id
    assert other["parentPipelineRunId"] == run_id
    session.run("choose 1")
    session.run("next openai/say-Another+20draft.")
    session.run("choose")
    session.run("branch draft the mills")
    tree = session.execute("run.tree", runId=run_id)
    assert {child["branchPoint"] for child in tree["children"]} == {"outline"}
    assert tree["children"][0]["children"][0]["name"] == "the mills"

    _edit_and_choose(session, " And mills turn.")
    assert _compare_with_parent(session, "And mills turn.") == [
        "Another draft.\n",
        "Another draft. And mills turn.\n",
    ]

    session.run("export yaml story.yaml")
    assert "Another draft." in (session.workspace / "story.yaml").read_text("utf-8")
    assert session.notes.read_text("utf-8") == NOTES
