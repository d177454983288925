"""Neovim 0.12 keeps no lenses of others: `save` does nothing there, `get` has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neovim import wording
from support.neovim_session import NOTES, NeovimSession

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
    writer = NeovimSession(start(NEWER), tmp_path)
    writer.nvim.attach_screen(100, 30)
    writer.notes.write_text(NOTES, encoding="utf-8")
    writer.nvim.command(f"edit {writer.notes}")
    writer.attached()
    writer.do("start")
    status = "require('writeit').statusline()"
    writer.nvim.until(f"{status}:find(..., 1, true)", wording.LENS_NOT_STARTED)
    writer.do("next openai/say-hello openai/say-goodbye")
    writer.beside_shows("## Answer 2")
    writer.nvim.command("wincmd l")
    writer.nvim.lua("vim.fn.search('## Answer 2')")
    writer.nvim.shows(wording.CHOOSE_THIS)
    writer.take_lens(wording.CHOOSE_THIS)
    writer.said(wording.CHOSEN_BY_ACTION.format(2))
    assert writer.run()["steps"]["angles"]["userSelection"] == 1
