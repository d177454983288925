"""Screens kept as text files.

`WRITEIT_RENEW_SCREENS=1 pytest tests/neovim/test_screens.py` writes the files; read
each of them before you commit it.
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neovim import wording
from support.model_words import escape
from support.neovim_session import EDIT_AT_STREAM_START, NeovimSession
from support.nvim import Nvim

SCREENS = Path(__file__).parent / "screens"
WRITE_SCREENS = os.environ.get("WRITEIT_RENEW_SCREENS") == "1"
NOTES = """\
---
writeit:
  pipeline: tech-article
  inputs: {target_audience: people who walk along rivers}
---
# Notes on rivers

- A river is moving water.
- It begins at a source and ends at a mouth.
- In between it looks for the shortest way, and seldom finds it.
"""
ANGLES = (
    "openai/say-1.+20The+20source.+0A2.+20The+20mouth.+0A3.+20All+20in+20between.",
    "openai/slow-40",  # it ends last: answers are numbered in the order they end
)
VARIABLE = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-\s", "ID… "),
    (r"^(.*│)[0-9a-f]{12}/", r"\1…/"),
    (r"\d{1,2} \w+ \d{4}, \d\d:\d\d UTC", "THEN"),
    (r"\([0-9a-f]{12}\)", "(VERSION)"),
    (r"\d{4}-\d\d-\d\d", "YYYY-MM-DD"),
    (r"\d+\.\d s\b", "T s"),
    (rf"{wording.STREAMING}\d+ words", f"{wording.STREAMING}N words"),
    (r"\S*?/notes-\d+\.md *", "…/notes.md   "),
    (r"\bnotes-\d+\.md", "notes.md"),
    (r"(\[\+\]) +(?=\d)", r"\1  "),  # the path leaves less room for blanks
    (r" [\w/]*/\w*/ID.md", " …/ID.md"),
    (r" +X$", " X"),
    (r"<[-0-9a-f]{20,34}\.md", "<ID.md"),
)
"""What differs between runs, and its replacement."""
KEEP_MESSAGES = """
_G.defer = _G.defer or vim.defer_fn
vim.defer_fn = function(work, after)
  return _G.defer(work, after < 4000 and after or 600000)
end
"""
"""Keeps messages in the corner until a slow machine has compared the screen."""
MAX_WAIT = 10.0
"""Seconds after which a stable screen is final."""


@pytest.fixture(scope="module")
def wide_session(shared: NeovimSession) -> Iterator[NeovimSession]:
    """The shared Neovim with a screen of 110 columns."""
    shared.nvim.request("nvim_ui_try_resize", 110, 32)
    yield shared
    shared.nvim.request("nvim_ui_try_resize", 100, 30)


@pytest.fixture
def notes(wide_session: NeovimSession) -> NeovimSession:
    """The shared Neovim with the notes of these tests open."""
    wide_session.open_notes(NOTES)
    return wide_session


def _compare(name: str, nvim: Nvim) -> None:
    """Compare the screen with its file, or write the file.

    A screen that differs may still wait for a slow server.
    """
    file, end = SCREENS / f"{name}.txt", time.monotonic() + MAX_WAIT
    if WRITE_SCREENS:
        file.write_text(_stable_screen(nvim), encoding="utf-8")
    kept = file.read_text("utf-8")
    while (screen := _stable_screen(nvim)) != kept and time.monotonic() < end:
        continue
    assert screen == kept, f"read it, then renew {file.name}"


def _stable_screen(nvim: Nvim) -> str:
    """Return the screen once it is stable, without what differs between runs."""
    screen = nvim.stable_screen(quiet=0.5)
    for pattern, words in VARIABLE:
        screen = re.sub(pattern, words, screen, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in screen.split("\n"))


def test_started_run(notes: NeovimSession) -> None:
    """The status line has the state; the page has the next command."""
    notes.run("start")
    notes.wait_for_side_text(wording.RUN_NOT_STARTED)
    notes.nvim.wait_until(
        "require('writeit').statusline():find('not generated yet') ~= nil"
    )
    _compare("ready", notes.nvim)


def test_two_answers_while_they_stream(notes: NeovimSession) -> None:
    """A heading for each, with its number of words."""
    notes.run("start")
    notes.nvim.command(f"WriteIt next openai/held-9 {ANGLES[0]}")
    notes.wait_for_side_text("word0 word1")
    notes.wait_for_side_text("All in between.")
    assert wording.STREAMING in notes.nvim.wait_for_screen(wording.STREAMED.format(10))
    notes.nvim.command("WriteIt pause")
    notes.wait_until_idle()


def test_finished_answers(notes: NeovimSession) -> None:
    """The commands for an answer are below its heading."""
    notes.run("start")
    notes.run(" ".join(["next", *ANGLES]))
    notes.wait_for_side_text(wording.STEP_WAITS)
    _compare("answers", notes.nvim)


def test_list_of_actions(notes: NeovimSession) -> None:
    """Numbered, in Neovim's own list."""
    notes.run("start")
    notes.wait_for_side_text(wording.RUN_NOT_STARTED)
    notes.nvim.wait_until(
        "require('writeit').statusline():find('not generated yet') ~= nil"
    )
    notes.nvim.keys(":WriteIt<CR>")
    notes.nvim.wait_for_screen("Type number")
    _compare("offers", notes.nvim)
    notes.nvim.keys("<Esc>")
    notes.wait_until_idle()


def test_two_answers_compared(notes: NeovimSession) -> None:
    """In Neovim's diff mode, in a tab page of their own; `q` closes it."""
    notes.run("start")
    notes.run(" ".join(["next", *ANGLES]))
    notes.run("compare")
    _compare("compare", notes.nvim)
    notes.nvim.keys("q")
    notes.nvim.wait_until("#vim.api.nvim_list_tabpages() == 1")


CLOSE_MESSAGES = """
for _, window in ipairs(vim.api.nvim_list_wins()) do
  if vim.api.nvim_win_get_config(window).relative ~= '' then
    vim.api.nvim_win_close(window, true)
  end
end
"""


REVIEWED = (
    '{"remarks": [{"quote": "a source and ends at a mouth", "kind": "clarity",'
    ' "remark": "Two images.", "replacement": "a spring and ends in the sea"}]}'
)


def test_remarks_of_a_review(notes: NeovimSession) -> None:
    """Marked in the text; a suggestion is one change, and its page explains it."""
    before = notes.text()
    notes.run(f"review review-clarity openai/say-{escape(REVIEWED)}")
    notes.wait_for_message(wording.REMARKS.format("1 remark"))
    assert notes.text() == before
    notes.nvim.wait_until("#vim.diagnostic.get(0) == 1")
    notes.nvim.lua(CLOSE_MESSAGES)
    notes.nvim.command("9 | normal! 20|")
    notes.nvim.keys(":WriteIt<CR>")
    notes.nvim.wait_for_screen("Type number")
    _compare("remarks", notes.nvim)
    notes.select_item(wording.APPLY_SUGGESTION)
    notes.wait_for_text("It begins at a spring and ends in the sea.")
    notes.nvim.wait_until("#vim.diagnostic.get(0) == 0")
    notes.nvim.keys("u")
    notes.nvim.wait_until("#vim.diagnostic.get(0) == 1")
    assert notes.text() == before
    notes.nvim.command("9 | normal! 20|")
    notes.nvim.keys(":WriteIt<CR>")
    notes.select_item(wording.EXPLAIN)
    notes.wait_for_side_text("  Two images.")
    notes.nvim.wait_until("vim.api.nvim_get_current_line():find('clarity', 1, true)")


def test_conflict(notes: NeovimSession) -> None:
    """First as a page, then as a diff with the document."""
    notes.execute(
        "preferences.set", defaultModels={"polish": "openai/say-Water+20walks."}
    )
    notes.nvim.lua(
        EDIT_AT_STREAM_START, notes.buffer(), 7, "- A river is never the same water."
    )
    notes.nvim.lua(KEEP_MESSAGES)
    notes.run("polish", line=8)
    notes.wait_for_message(wording.ONE_CONFLICT)
    notes.wait_for_side_text("Water walks.")
    notes.wait_until_idle()
    notes.nvim.lua(CLOSE_MESSAGES)
    _compare("conflict", notes.nvim)
    notes.nvim.lua("vim.defer_fn = _G.defer")
    notes.run("compare")
    notes.nvim.wait_for_screen(wording.WITH_TEXT_OF.format("polish"))
    _compare("conflict_diff", notes.nvim)
    notes.nvim.keys("q")
    notes.execute("preferences.set", defaultModels={})


def test_list_longer_than_the_screen(notes: NeovimSession) -> None:
    """A buffer at the bottom, with its keys."""
    notes.run("start")
    notes.wait_for_side_text(wording.RUN_NOT_STARTED)
    notes.nvim.wait_until(
        "require('writeit').statusline():find('not generated yet') ~= nil"
    )
    notes.nvim.request("nvim_ui_try_resize", 110, 12)
    notes.nvim.keys(":WriteIt<CR>")
    notes.nvim.wait_for_screen(wording.LIST_HINT)
    _compare("list", notes.nvim)
    notes.nvim.keys("q")
    notes.wait_until_idle()
    notes.nvim.request("nvim_ui_try_resize", 110, 32)


def test_run_tree(notes: NeovimSession) -> None:
    """The branches, with the keys for them."""
    notes.run("start")
    notes.run(" ".join(["next", *ANGLES]))
    notes.run("choose 1")
    notes.run("branch angles the mills")
    notes.run("choose 2")
    notes.run("tree")
    _compare("tree", notes.nvim)


def test_merge_in_an_editor(notes: NeovimSession) -> None:
    """The passages, to be edited and written."""
    notes.run("start")
    notes.run(" ".join(["next", *ANGLES]))
    notes.wait_for_side_text(wording.STEP_WAITS)
    notes.nvim.command("wincmd l")
    notes.nvim.lua("vim.fn.search('The mouth')")
    notes.run("take", line=notes.nvim.lua("return vim.fn.line('.')"))
    notes.nvim.lua("vim.fn.search('word1 ')")
    notes.run("take", line=notes.nvim.lua("return vim.fn.line('.')"))
    notes.run("merge")
    _compare("merge", notes.nvim)
    notes.nvim.keys("q")


def test_error(notes: NeovimSession) -> None:
    """A long message is in the corner; Enter is not needed. The step can run again."""
    notes.run("start")
    notes.nvim.lua(KEEP_MESSAGES)
    notes.nvim.keys(":WriteIt next openai/err-401<CR>")
    notes.wait_for_message("401")
    notes.wait_until_idle()
    _compare("error", notes.nvim)
    assert notes.newest_run()["steps"]["angles"]["status"] == "PENDING"
    notes.nvim.lua("vim.defer_fn = _G.defer")


def test_prompt_preview(notes: NeovimSession) -> None:
    """The prompt and the models that would get it; nothing is sent."""
    notes.run("start")
    notes.execute("preferences.set", defaultModels={"angles": "openai/gpt-4o"})
    notes.run("preview")
    notes.wait_for_side_text("A river is moving water.")
    _compare("preview", notes.nvim)
    assert notes.newest_run()["steps"]["angles"]["status"] == "PENDING"
    notes.run("usage")
    notes.wait_for_side_text("# Usage")
    notes.execute("preferences.set", defaultModels={})


def test_narrow_screen_has_the_window_below(notes: NeovimSession) -> None:
    """80 columns are too few for two texts side by side."""
    notes.nvim.request("nvim_ui_try_resize", 80, 32)
    notes.run("start")
    notes.run(" ".join(["next", *ANGLES]))
    notes.wait_for_side_text(wording.STEP_WAITS)
    _compare("narrow", notes.nvim)
    notes.nvim.request("nvim_ui_try_resize", 110, 32)


def test_floating_window(notes: NeovimSession) -> None:
    """`vim.g.writeit.window = 'float'`."""
    notes.nvim.lua("vim.g.writeit = { window = 'float' }")
    notes.run("start")
    notes.run(" ".join(["next", *ANGLES]))
    notes.wait_for_side_text(wording.STEP_WAITS)
    _compare("float", notes.nvim)
    notes.nvim.lua("vim.g.writeit = nil")
