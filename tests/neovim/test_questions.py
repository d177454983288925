"""Questions to the user: long lists, cancelled and failing ones."""

from collections.abc import Iterator

import pytest

from neovim import wording
from support.neovim_session import NeovimSession

WINDOWS = "#vim.api.nvim_tabpage_list_wins(0)"
LIST_IS_OPEN = "vim.bo.filetype == 'writeit-list'"


@pytest.fixture
def short_session(session: NeovimSession) -> Iterator[NeovimSession]:
    """The shared Neovim with 5 lines, too few for the list of models."""
    session.nvim.request("nvim_ui_try_resize", 100, 5)
    session.nvim.wait_until("vim.o.lines == 5")
    yield session
    session.nvim.request("nvim_ui_try_resize", 100, 30)
    session.nvim.wait_until("vim.o.lines == 30")


def test_long_list_is_a_buffer(short_session: NeovimSession) -> None:
    """It can be searched, and selecting a line closes it."""
    nvim = short_session.nvim
    nvim.keys(":WriteIt model<CR>")
    nvim.wait_until(LIST_IS_OPEN)
    screen = nvim.wait_for_screen(wording.MODEL_QUESTION)
    assert "More" not in screen
    assert wording.LIST_HINT in screen
    nvim.keys("/embedded<CR>")
    nvim.wait_until("vim.fn.getline('.'):match('^embedded/') ~= nil")
    nvim.keys("gg/openai<CR>")
    nvim.wait_until("vim.fn.getline('.'):match('^openai/') ~= nil")
    model = nvim.lua("return vim.fn.getline('.')")
    nvim.keys("<CR>")
    short_session.wait_for_message(wording.DEFAULT_MODEL.format(model))
    assert nvim.lua(f"return {WINDOWS}") == 1
    short_session.wait_until_idle()
    preferred = short_session.execute("preferences.get")["models"]
    short_session.execute("preferences.set", models=[])
    assert preferred == [{"model": model, "samples": 1}]


def test_closed_list_selects_nothing(short_session: NeovimSession) -> None:
    """By a key, by closing it or by leaving its window."""
    nvim = short_session.nvim
    for keys in ("q", "<Esc>", ":close<CR>", "<C-w>k"):
        nvim.keys(":WriteIt model<CR>")
        nvim.wait_until(LIST_IS_OPEN)
        nvim.keys(keys)
        short_session.wait_until_idle()
        nvim.wait_until(f"{WINDOWS} == 1")
    assert short_session.execute("preferences.get")["models"] == []


def test_replaced_select_gets_long_lists(short_session: NeovimSession) -> None:
    """It is called for lists of any length."""
    nvim = short_session.nvim
    nvim.lua(
        "_G.kept = vim.ui.select; vim.ui.select = function(items, _, done)"
        " _G.offered = #items; done(nil) end"
    )
    short_session.run("model")
    nvim.lua("vim.ui.select = _G.kept")
    assert nvim.lua("return _G.offered") > 1


def test_cancelled_question_ends_the_command(session: NeovimSession) -> None:
    """<C-c> and <Esc> give no message, and the next command runs."""
    for verb, question, key in (
        ("start", wording.START_QUESTION, "<C-c>"),
        ("start blog-post", wording.AUDIENCE_QUESTION, "<C-c>"),
        ("start blog-post", wording.AUDIENCE_QUESTION, "<Esc>"),
        ("key openai", wording.KEY_QUESTION.format("openai"), "<C-c>"),
    ):
        session.open_notes("# Notes\n\nA river.\n")
        session.nvim.keys(f":WriteIt {verb}<CR>")
        session.nvim.wait_for_screen(question)
        session.nvim.keys(key)
        session.wait_until_idle()
        assert "nterrupt" not in session.nvim.messages()
    assert session.execute("run.list", uri=session.notes.as_uri())["runs"] == []
    session.run("start blog-post target_audience=me")
    session.wait_for_message(wording.STARTED.format("blog-post"))


def test_failing_select_is_reported(session: NeovimSession) -> None:
    """A replaced `vim.ui.select` may fail; the next command runs."""
    session.nvim.lua(
        "_G.kept = vim.ui.select; vim.ui.select = function() error('no picker') end"
    )
    session.run("start")
    session.nvim.keys(":WriteIt history<CR>")
    session.wait_for_message("no picker")
    session.nvim.lua("vim.ui.select = _G.kept")
    session.run("next openai/say-a")
    assert session.newest_run()["steps"]["angles"]["aiResponses"]
