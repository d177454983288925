"""Where the user's keys go while windows open, and what a session file opens again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from neovim import wording
from support.neovim_session import NeovimSession
from support.nvim import Nvim


@pytest.mark.parametrize(
    "commands",
    [
        ":WriteIt next openai/slow-90 openai/say-b<CR>",
        ":WriteIt next openai/slow-90<CR>:WriteIt merge<CR>",
        ":WriteIt next openai/slow-90<CR>:WriteIt edit 1<CR>",
    ],
)
def test_keys_typed_on_go_into_the_document(
    session: NeovimSession, commands: str
) -> None:
    """Also those that change a text without moving the cursor."""
    session.run("start")
    session.nvim.keys(commands)
    for keys in ("Go", *"More words.", "<Esc>", "0", *"xxxx", "~", "u", "."):
        session.nvim.keys(keys)
    session.wait_until_idle()
    session.nvim.keys("A.<Esc>")
    session.nvim.wait_until("vim.api.nvim_get_current_line() == ' words..'")
    assert session.text().endswith("a mouth.\n words..\n")


def test_an_article_in_which_the_user_writes_keeps_its_window(
    session: NeovimSession,
) -> None:
    """A page that opens meanwhile gets another one, and a question waits."""
    session.run("start blog-post target_audience=you")
    for _ in range(3):
        session.run("skip")
    session.run("next openai/say-Article")
    session.run("choose 1")
    session.run("apply new_file")
    session.nvim.keys("<C-w>loMore")
    session.nvim.command("WriteIt rewind draft")
    session.nvim.command("WriteIt regenerate")
    session.wait_for_message(wording.QUESTION_WAITS)
    session.nvim.keys(" words<Esc>")
    session.nvim.wait_for_screen(wording.REGENERATE_QUESTION)
    session.nvim.keys("<Esc>")
    session.wait_until_idle()
    assert session.nvim.lua("return vim.api.nvim_get_current_line()") == "More words"


def test_a_session_file_opens_the_pages_again(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """In side windows; an editor becomes the page of its step."""
    workspace = tmp_path / "workspace"
    (workspace / "pipelines").mkdir(parents=True)
    session = NeovimSession(start(), workspace)
    session.open_notes()
    session.run("start")
    session.run("next openai/say-hello")
    session.nvim.keys(":WriteIt edit 1<CR>")
    session.wait_for_text("hello")
    session.nvim.command(f"mksession {tmp_path}/Session.vim")
    session.nvim.quit()
    with_pages = start()
    with_pages.command(f"source {tmp_path}/Session.vim")
    name = "vim.api.nvim_buf_get_name(0)"
    with_pages.wait_until(f"{name}:match('^writeit:/step/.*/angles%.md$') ~= nil")
    with_pages.wait_until("vim.fn.search('^hello$', 'w') > 0")
    assert with_pages.lua("return vim.wo.statusline:find('g? keys') ~= nil")
    assert "writeit-" not in with_pages.lua("return vim.fn.execute('ls!')")
