"""Where a text and her own words contradict each other: hers stay, and she is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neovim import wording
from support.neovim_session import TYPE_AT_STREAM_START

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession

FRONT = "---\nwriteit: {models: {polish: openai/say-MODEL}}\n---\n"
BODY = """\
# Notes on rivers

A river is moving water.

This paragraph is the one to be rewritten.

The last one stays.
"""
PASSAGE = "This paragraph is the one to be rewritten."
HERS = "Mine is quite another one."
BETTER = "In better words."

DIFFED = """
return vim.tbl_map(function(win)
  local buf = vim.api.nvim_win_get_buf(win)
  return vim.wo[win].diff and table.concat(vim.fn.getbufline(buf, 1, '$'), '\\n')
end, vim.api.nvim_tabpage_list_wins(0))
"""
DIFFS = (
    "#vim.tbl_filter(function(win) return vim.wo[win].diff end,"
    " vim.api.nvim_list_wins())"
)


def _open(writer: NeovimSession, answer: str) -> str:
    """Notes whose passages become `answer`; returns their text."""
    model = answer.replace(" ", "%20").replace("\n", "%0A")
    writer.open_notes(FRONT.replace("MODEL", model) + BODY)
    return writer.text()


def _row(writer: NeovimSession, words: str) -> int:
    return writer.text().split("\n").index(words)


def _polish_meanwhile(writer: NeovimSession, line: str) -> None:
    """Polish the passage; before the answer comes she puts `line` in its place."""
    row = _row(writer, PASSAGE)
    writer.nvim.lua(TYPE_AT_STREAM_START, writer.buffer(), row, line)
    writer.do("polish", line=row + 1)


def _diffed(writer: NeovimSession) -> list[str]:
    """The two texts that stand beside each other as a diff, hers first."""
    writer.nvim.until(f"{DIFFS} == 2")
    left, right = writer.nvim.lua(DIFFED)
    return [f"{left}\n", f"{right}\n"]


def test_a_polish_that_met_her_words_claims_nothing(writer: NeovimSession) -> None:
    """Hers stay; nothing is said to be rewritten, and nothing for `u` to take back."""
    before = _open(writer, BETTER)
    _polish_meanwhile(writer, HERS)
    writer.said(wording.PASSAGE_CONFLICT)
    assert writer.text() == before.replace(PASSAGE, HERS)
    assert wording.UNDO not in writer.nvim.messages()
    writer.beside_shows(BETTER)
    assert writer.nvim.lua("return vim.api.nvim_get_current_buf()") == writer.buffer()


def test_of_a_polish_that_met_her_words_she_takes_what_she_likes(
    writer: NeovimSession,
) -> None:
    """`compare` puts her article beside the text; `dp` brings a place of it in."""
    before = _open(writer, BETTER)
    _polish_meanwhile(writer, HERS)
    writer.do("compare")
    hers, proposed = _diffed(writer)
    assert hers == before.replace(PASSAGE, HERS)
    assert proposed == before.replace(PASSAGE, BETTER)
    writer.nvim.keys("]cdp")
    writer.nvim.until(
        "vim.fn.getbufline(..., 7)[1] == 'In better words.' or "
        "vim.fn.getbufline(..., 8)[1] == 'In better words.'",
        writer.buffer(),
    )
    writer.nvim.keys("q")
    writer.nvim.until("#vim.api.nvim_list_tabpages() == 1")
    assert writer.nvim.lua(f"return {DIFFS}") == 0
    assert writer.text() == before.replace(PASSAGE, BETTER)
    writer.do("compare")
    writer.said(wording.NO_DIFFERENCE)
    writer.do("compare")
    writer.said(wording.NO_RUN)


def test_a_polish_of_what_may_not_be_changed_says_so(writer: NeovimSession) -> None:
    """It names the reason; nothing is said to be rewritten."""
    before = _open(writer, BETTER)
    writer.nvim.command("setlocal nomodifiable")
    writer.do("polish", line=_row(writer, PASSAGE) + 1)
    writer.said(wording.READ_ONLY)
    assert writer.text() == before
    assert wording.UNDO not in writer.nvim.messages()
    writer.nvim.command("setlocal modifiable")
    writer.do("apply")
    assert writer.text() == before.replace(PASSAGE, BETTER)


def test_a_polish_that_changes_no_word_says_so(writer: NeovimSession) -> None:
    """`u` would take back something of hers."""
    before = _open(writer, PASSAGE)
    writer.do("polish", line=_row(writer, PASSAGE) + 1)
    writer.said(wording.SAME_TEXT)
    assert writer.text() == before
    assert wording.UNDO not in writer.nvim.messages()


def _finished(writer: NeovimSession, answer: str) -> None:
    """A finished run whose text is `answer`, none of it applied."""
    writer.open_notes("---\nwriteit: {inputs: {target_audience: you}}\n---\n" + BODY)
    uri = writer.notes.as_uri()
    writer.ask("run.start", pipeline="blog-post", uri=uri, output="replace")
    for _ in range(3):
        writer.do("skip")
    model = answer.replace(" ", "%20").replace("\n", "%0A").replace("#", "%23")
    writer.do(f"next openai/say-{model}")
    writer.do("choose 1")


def test_an_apply_that_met_her_words_can_be_compared(writer: NeovimSession) -> None:
    """The difference stands beside the article at once, and as a diff when she asks."""
    _finished(writer, BODY.replace(PASSAGE, BETTER))
    row = _row(writer, PASSAGE)
    writer.nvim.lua("vim.fn.setbufline(...)", str(writer.notes), row + 1, HERS)
    before = writer.text()
    writer.do("apply replace")
    writer.said(wording.ONE_CONFLICT)
    writer.beside_shows(BETTER)
    writer.do("compare")
    hers, proposed = _diffed(writer)
    assert hers == before
    assert proposed == before.replace(HERS, BETTER)


def test_what_the_text_makes_of_the_document_is_a_diff(writer: NeovimSession) -> None:
    """As the server offers it, before anything is applied; her text is not touched."""
    _finished(writer, BODY.replace(PASSAGE, BETTER))
    before = writer.text()
    writer.nvim.keys(":WriteIt<CR>")
    screen = writer.nvim.shows(wording.COMPARE_DOCUMENT)
    (number,) = re.findall(rf"^(\d+): {wording.COMPARE_DOCUMENT}", screen, re.MULTILINE)
    writer.nvim.keys(f"{number}<CR>")
    hers, proposed = _diffed(writer)
    assert hers == before
    assert proposed == before.replace(PASSAGE, BETTER)
    writer.nvim.command("tabclose")
    writer.nvim.until(f"{DIFFS} == 0")
    assert writer.text() == before


def test_an_apply_that_changed_nothing_promises_no_undo(writer: NeovimSession) -> None:
    """The second time the text is there already."""
    _finished(writer, BODY.replace(PASSAGE, BETTER))
    writer.do("apply replace")
    writer.said(wording.UNDO)
    writer.nvim.command("messages clear")
    writer.do("apply replace")
    writer.said(wording.INSERTED)
    assert wording.UNDO not in writer.nvim.messages()
