"""Code lenses, the status line, and both on Neovim 0.12."""

from collections.abc import Callable
from pathlib import Path

from neovim import wording
from support.answers import chosen_number
from support.neovim_session import NOTES, NeovimSession
from support.nvim import Nvim

NEOVIM_0_12 = """
local codelens = vim.lsp.codelens
codelens.enable = function() end
codelens.save = function() error('save is gone') end
codelens.get = function() return {} end
codelens.run = function() error('there is nothing to run') end
"""


def test_statusline_shows_the_state_of_the_run(session: NeovimSession) -> None:
    """It is empty if there is no run."""
    status = "require('writeit').statusline()"
    session.open_notes("# Nothing bound\n")
    assert session.nvim.lua(f"return {status}") == ""
    session.open_notes()
    session.run("start")
    session.nvim.wait_until(f"{status}:find(..., 1, true)", wording.LENS_NOT_STARTED)


def test_lens_runs_with_neovims_own_function(session: NeovimSession) -> None:
    """`vim.lsp.codelens.run()` knows the lenses and asks for one."""
    session.run("start")
    status = "require('writeit').statusline()"
    session.nvim.wait_until(f"{status}:find(..., 1, true)", wording.LENS_NOT_STARTED)
    session.nvim.lua("vim.fn.cursor(1, 1)")
    session.nvim.keys(":lua vim.lsp.codelens.run()<CR>")
    session.nvim.wait_for_screen(wording.LENS_QUESTION)
    session.execute("preferences.set", defaultModels={"angles": "openai/say-lens"})
    session.select_item(wording.GENERATE_STEP.format("angles"))
    session.wait_for_message(wording.ONE_ANSWER.format("angles"))
    session.execute("preferences.set", defaultModels={})


def test_lenses_on_neovim_0_12(start: Callable[..., Nvim], tmp_path: Path) -> None:
    """Its `save` does nothing, and its `get` returns nothing."""
    session = NeovimSession(start(NEOVIM_0_12), tmp_path)
    session.nvim.attach_screen(100, 30)
    session.notes.write_text(NOTES, encoding="utf-8")
    session.nvim.command(f"edit {session.notes}")
    session.wait_for_client()
    session.run("start")
    status = "require('writeit').statusline()"
    session.nvim.wait_until(f"{status}:find(..., 1, true)", wording.LENS_NOT_STARTED)
    session.run("next openai/say-hello openai/say-goodbye")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("wincmd l")
    session.nvim.lua("vim.fn.search('## Answer 2')")
    session.nvim.wait_for_screen(wording.CHOOSE_THIS)
    session.run_lens(wording.CHOOSE_THIS)
    session.wait_for_message(wording.CHOSEN.format(2, "angles"))
    assert chosen_number(session.newest_run()["steps"]["angles"]) == 2


def test_lenses_stay_at_their_headings(session: NeovimSession) -> None:
    """They are requested again when the text has changed."""
    headed = """(function()
      local buf = require('writeit.window').buffer()
      local space = vim.api.nvim_get_namespaces()['writeit.code_lens']
      local marks = vim.api.nvim_buf_get_extmarks(buf, space, 0, -1, {})
      return #marks > 3 and vim.iter(marks):all(function(mark)
        local line = vim.api.nvim_buf_get_lines(buf, mark[2], mark[2] + 1, true)[1]
        return line:match('^#') ~= nil
      end)
    end)()"""
    session.run("start")
    session.run("next openai/say-one+0A+0Atwo+0A+0Athree openai/say-hello")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("wincmd l")
    for words in ("one", "two", "three", "hello"):
        session.nvim.lua("vim.fn.search(..., 'w')", f"^{words}$")
        session.run("take")
        session.nvim.wait_until(headed)


def test_return_on_a_heading_runs_a_lens(session: NeovimSession) -> None:
    """It asks for one and puts it into the queue."""
    session.run("start")
    session.run("next openai/say-hello openai/say-goodbye")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("wincmd l")
    session.nvim.lua("vim.fn.search('## Answer 2')")
    session.nvim.wait_until("#vim.lsp.codelens.get(0) > 3")
    session.run_lens(wording.CHOOSE_THIS)
    session.wait_for_message(wording.CHOSEN.format(2, "angles"))
    assert chosen_number(session.newest_run()["steps"]["angles"]) == 2
