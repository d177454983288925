"""What a person sees, kept as text and read by people.

`WRITEIT_RENEW_SCREENS=1 pytest tests/neovim/test_screens.py` writes the files anew;
read each of them before it is committed.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from neovim import wording
from support.neovim_session import TYPE_AT_STREAM_START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.neovim_session import NeovimSession
    from support.nvim import Nvim

SCREENS = Path(__file__).parent / "screens"
RENEW = os.environ.get("WRITEIT_RENEW_SCREENS") == "1"
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
    "openai/say-1.%20The%20source.%0A2.%20The%20mouth.%0A3.%20All%20in%20between.",
    "openai/slow-40",  # it ends last: answers are numbered as they end
)
CHANGING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-\s", "ID… "),
    (r"^(.*│)[0-9a-f]{12}/", r"\1…/"),
    (r"\d{1,2} \w+ \d{4}, \d\d:\d\d UTC", "THEN"),
    (r"\([0-9a-f]{12}\)", "(VERSION)"),
    (r"\d+\.\d s\b", "T s"),
    (rf"{wording.STREAMING}\d+ words", f"{wording.STREAMING}N words"),
    (r"\S*?/notes-\d+\.md *", "…/notes.md   "),
    (r"\bnotes-\d+\.md", "notes.md"),
    (r"(\[\+\]) +(?=\d)", r"\1  "),  # as much as its path leaves room for
    (r" [\w/]*/\w*/ID.md", " …/ID.md"),
    (r" +X$", " X"),
    (r"<[-0-9a-f]{20,34}\.md", "<ID.md"),
)
"""What differs from run to run."""
WAIT = """
_G.defer = _G.defer or vim.defer_fn
vim.defer_fn = function(work, after)
  return _G.defer(work, after < 4000 and after or 600000)
end
"""
"""What goes by itself after seconds stays until a slow machine has looked at it."""
LAST = 10.0
"""Seconds after which a screen that is at rest stays as it is."""


@pytest.fixture(scope="module")
def walker(shared: NeovimSession) -> Iterator[NeovimSession]:
    """The shared Neovim with a screen of the size most terminals have."""
    shared.nvim.request("nvim_ui_try_resize", 110, 32)
    yield shared
    shared.nvim.request("nvim_ui_try_resize", 100, 30)


@pytest.fixture
def notes(walker: NeovimSession) -> NeovimSession:
    """The notes of the walk, open."""
    walker.open_notes(NOTES)
    return walker


def _kept(name: str, nvim: Nvim) -> None:
    """Compare the screen with the one that is kept, or keep it.

    One that is at rest otherwise may be waiting for a server that stands still.
    """
    file, end = SCREENS / f"{name}.txt", time.monotonic() + LAST
    if RENEW:
        file.write_text(_at_rest(nvim), encoding="utf-8")
    kept = file.read_text("utf-8")
    while (screen := _at_rest(nvim)) != kept and time.monotonic() < end:
        continue
    assert screen == kept, f"read it, then renew {file.name}"


def _at_rest(nvim: Nvim) -> str:
    """What stands on the screen when nothing moves, without what differs by the run."""
    screen = nvim.settled(quiet=0.5)
    for pattern, words in CHANGING:
        screen = re.sub(pattern, words, screen, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in screen.split("\n"))


def test_a_run_is_ready(notes: NeovimSession) -> None:
    """The notes say where the run stands; its page says what to do."""
    notes.do("start")
    notes.beside_shows(wording.RUN_NOT_STARTED)
    notes.nvim.until("require('writeit').statusline():find('not generated yet') ~= nil")
    _kept("ready", notes.nvim)


def test_two_answers_are_coming(notes: NeovimSession) -> None:
    """A section for each, with how far it is."""
    notes.do("start")
    notes.nvim.command(f"WriteIt next openai/held-9 {ANGLES[0]}")
    notes.beside_shows("word0 word1")
    notes.beside_shows("All in between.")
    assert wording.STREAMING in notes.nvim.shows(wording.STREAMED.format(1, 10))
    notes.nvim.command("WriteIt pause")
    notes.rest()


def test_the_answers_are_there(notes: NeovimSession) -> None:
    """What can be done with each stands below its heading."""
    notes.do("start")
    notes.do(" ".join(["next", *ANGLES]))
    notes.beside_shows("## Answer 2")
    _kept("answers", notes.nvim)


def test_a_question_of_the_bare_command(notes: NeovimSession) -> None:
    """The offers, numbered, in Neovim's own list."""
    notes.do("start")
    notes.beside_shows(wording.RUN_NOT_STARTED)
    notes.nvim.until("require('writeit').statusline():find('not generated yet') ~= nil")
    notes.nvim.keys(":WriteIt<CR>")
    notes.nvim.shows("Type number")
    _kept("offers", notes.nvim)
    notes.nvim.keys("<Esc>")
    notes.rest()


def test_two_answers_beside_each_other(notes: NeovimSession) -> None:
    """Neovim's own diff."""
    notes.do("start")
    notes.do(" ".join(["next", *ANGLES]))
    notes.do("compare")
    _kept("compare", notes.nvim)
    notes.nvim.command("tabclose")


def test_her_words_beside_a_text_that_met_them(notes: NeovimSession) -> None:
    """What stayed and what the text has there; then her own text, to take it into."""
    notes.ask("preferences.set", defaultModels={"polish": "openai/say-Water%20walks."})
    notes.nvim.lua(
        TYPE_AT_STREAM_START, notes.buffer(), 7, "- A river is never the same water."
    )
    notes.nvim.lua(WAIT)
    notes.do("polish", line=8)
    notes.said(wording.PASSAGE_CONFLICT)
    notes.beside_shows("Water walks.")
    notes.rest()
    _kept("contested", notes.nvim)
    notes.nvim.lua("vim.defer_fn = _G.defer")
    notes.do("compare")
    notes.nvim.shows(wording.WITH_TEXT_OF.format("polish"))
    _kept("settling", notes.nvim)
    notes.nvim.keys("q")
    notes.ask("preferences.set", defaultModels={})


def test_a_list_longer_than_the_screen(notes: NeovimSession) -> None:
    """A buffer at the bottom, with its keys."""
    notes.do("start")
    notes.beside_shows(wording.RUN_NOT_STARTED)
    notes.nvim.until("require('writeit').statusline():find('not generated yet') ~= nil")
    notes.nvim.request("nvim_ui_try_resize", 110, 12)
    notes.nvim.keys(":WriteIt<CR>")
    notes.nvim.shows(wording.LIST_HINT)
    _kept("list", notes.nvim)
    notes.nvim.keys("q")
    notes.rest()
    notes.nvim.request("nvim_ui_try_resize", 110, 32)


def test_a_family(notes: NeovimSession) -> None:
    """The tree with its keys."""
    notes.do("start")
    notes.do(" ".join(["next", *ANGLES]))
    notes.do("choose 1")
    notes.do("branch angles the mills")
    notes.do("choose 2")
    notes.do("tree")
    _kept("tree", notes.nvim)


def test_a_merge_is_a_text_of_hers(notes: NeovimSession) -> None:
    """What was taken, to be changed and written."""
    notes.do("start")
    notes.do(" ".join(["next", *ANGLES]))
    notes.beside_shows("## Answer 2")
    notes.nvim.command("wincmd l")
    notes.nvim.lua("vim.fn.search('The mouth')")
    notes.do("take", line=notes.nvim.lua("return vim.fn.line('.')"))
    notes.nvim.lua("vim.fn.search('word1 ')")
    notes.do("take", line=notes.nvim.lua("return vim.fn.line('.')"))
    notes.do("merge")
    _kept("merge", notes.nvim)
    notes.nvim.keys("q")


def test_an_error_says_what_to_do(notes: NeovimSession) -> None:
    """Long words stand in the corner; nobody has to press Enter."""
    notes.do("start")
    notes.nvim.lua(WAIT)
    notes.nvim.keys(":WriteIt next openai/err-401<CR>")
    notes.said("401")
    notes.rest()
    _kept("error", notes.nvim)
    notes.nvim.lua("vim.defer_fn = _G.defer")


def test_the_exact_prompt(notes: NeovimSession) -> None:
    """Who would get it, and the words themselves."""
    notes.do("start")
    notes.ask("preferences.set", defaultModels={"angles": "openai/gpt-4o"})
    notes.do("preview")
    notes.beside_shows("A river is moving water.")
    _kept("preview", notes.nvim)
    notes.ask("preferences.set", defaultModels={})


def test_a_narrow_screen_has_the_window_below(notes: NeovimSession) -> None:
    """80 columns are too few for two texts side by side."""
    notes.nvim.request("nvim_ui_try_resize", 80, 32)
    notes.do("start")
    notes.do(" ".join(["next", *ANGLES]))
    notes.beside_shows("## Answer 2")
    _kept("narrow", notes.nvim)
    notes.nvim.request("nvim_ui_try_resize", 110, 32)


def test_the_window_floats_if_she_likes(notes: NeovimSession) -> None:
    """`vim.g.writeit.window = 'float'`."""
    notes.nvim.lua("vim.g.writeit = { window = 'float' }")
    notes.do("start")
    notes.do(" ".join(["next", *ANGLES]))
    notes.beside_shows("## Answer 2")
    _kept("float", notes.nvim)
    notes.nvim.lua("vim.g.writeit = nil")
