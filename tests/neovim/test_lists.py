"""Lists that do not fit the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from neovim import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.neovim_session import NeovimSession

WINDOWS = "#vim.api.nvim_tabpage_list_wins(0)"
LISTED = "vim.bo.filetype == 'writeit-list'"


@pytest.fixture
def low(writer: NeovimSession) -> Iterator[NeovimSession]:
    """A Neovim of few lines."""
    writer.nvim.request("nvim_ui_try_resize", 100, 12)
    writer.nvim.until("vim.o.lines == 12")
    yield writer
    writer.nvim.request("nvim_ui_try_resize", 100, 30)
    writer.nvim.until("vim.o.lines == 30")


def test_a_long_list_is_a_buffer_to_search_in(low: NeovimSession) -> None:
    """Models, without "-- More --": found, taken, and the list is gone."""
    nvim = low.nvim
    nvim.keys(":WriteIt model<CR>")
    nvim.until(LISTED)
    screen = nvim.shows(wording.MODEL_QUESTION)
    assert "More" not in screen
    assert wording.LIST_HINT in screen
    nvim.keys("/embedded<CR>")
    nvim.until("vim.fn.getline('.'):match('^embedded/') ~= nil")
    nvim.keys("gg/openai<CR>")
    nvim.until("vim.fn.getline('.'):match('^openai/') ~= nil")
    model = nvim.lua("return vim.fn.getline('.')")
    nvim.keys("<CR>")
    low.said(wording.DEFAULT_MODEL.format(model))
    assert nvim.lua(f"return {WINDOWS}") == 1
    low.rest()
    preferred = low.ask("preferences.get")["defaultModels"]
    low.ask("preferences.set", defaultModels={})
    assert set(preferred.values()) == {model}


def test_to_leave_a_long_list_is_to_take_nothing(low: NeovimSession) -> None:
    """By a key, by closing it or by going elsewhere; nothing waits for it any more."""
    nvim = low.nvim
    for keys in ("q", "<Esc>", ":close<CR>", "<C-w>k"):
        nvim.keys(":WriteIt model<CR>")
        nvim.until(LISTED)
        nvim.keys(keys)
        low.rest()
        nvim.until(f"{WINDOWS} == 1")
    assert low.ask("preferences.get")["defaultModels"] == {}


def test_a_list_of_hers_gets_lists_of_any_length(low: NeovimSession) -> None:
    """Who replaced `vim.ui.select` has her own way with them."""
    nvim = low.nvim
    nvim.lua(
        "_G.kept = vim.ui.select; vim.ui.select = function(items, _, done)"
        " _G.offered = #items; done(nil) end"
    )
    low.do("model")
    nvim.lua("vim.ui.select = _G.kept")
    assert nvim.lua("return _G.offered") > 12
