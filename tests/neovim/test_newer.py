"""Neovim 0.12 keeps no lenses of others: `save` does nothing there, `get` has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.writer import NOTES, Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.nvim import Nvim

NEWER = """
local codelens = vim.lsp.codelens
codelens.enable = function() end
codelens.save = function() error('save is gone') end
codelens.get = function() return {} end
codelens.run = function() error('there is nothing to run') end
"""


def test_lenses_need_nothing_of_neovims_own(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """The status line has its words, and <CR> on a heading its choices."""
    writer = Writer(start(NEWER), tmp_path)
    writer.nvim.attach_screen(100, 30)
    writer.notes.write_text(NOTES, encoding="utf-8")
    writer.nvim.command(f"edit {writer.notes}")
    writer.attached()
    writer.do("start")
    status = "require('writeit').statusline()"
    writer.nvim.until(f"{status}:find('angles (1/4), ready to run', 1, true)")
    writer.do("next openai/say-hello openai/say-goodbye")
    writer.beside_shows("## Answer 2")
    writer.nvim.command("wincmd l")
    writer.nvim.lua("vim.fn.search('## Answer 2')")
    writer.nvim.shows("Choose this answer")
    writer.take_lens("Choose this answer")
    writer.said("answer 2 chosen")
    assert writer.run()["steps"]["angles"]["userSelection"] == 1
