"""Answers as they come, beside an article that nobody touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neovim import wording

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession

ARTICLE = """
local win = vim.fn.bufwinid(...)
return vim.api.nvim_win_call(win, function()
  return {
    text = vim.api.nvim_buf_get_lines(0, 0, -1, true),
    tick = vim.b.changedtick,
    undo = vim.fn.undotree().seq_last,
    view = vim.fn.winsaveview(),
    registers = vim.tbl_map(vim.fn.getreg, { '"', '0', '1', '-', '.', ':', '/', '+' }),
    marks = vim.api.nvim_buf_get_mark(0, '.'),
    jumps = vim.fn.getjumplist(win),
  }
end)
"""
STREAMING = (
    "(require('writeit.window').buffer() and vim.api.nvim_buf_get_name("
    "require('writeit.window').buffer()):match('writeit%-stream') ~= nil)"
)


def _article(writer: NeovimSession) -> Any:
    """Everything about the article that a stream has to leave alone."""
    return writer.nvim.lua(ARTICLE, writer.buffer())


def _into_the_stream(writer: NeovimSession) -> None:
    """Go into the window of the stream; it is there as long as the answers come."""
    writer.nvim.until(STREAMING)
    writer.nvim.command("wincmd l")
    assert "stream" in writer.nvim.lua("return vim.api.nvim_buf_get_name(0)")


def test_the_article_is_not_touched_while_answers_come(writer: NeovimSession) -> None:
    """Text, undo tree, cursor, scroll, registers, marks and jumps stay as they were."""
    writer.do("start")
    writer.nvim.lua("vim.fn.cursor(7, 4)")
    writer.nvim.keys("yiwAmine<Esc>3h")
    writer.nvim.until("vim.api.nvim_get_current_line():find('mine') ~= nil")
    before = _article(writer)
    writer.do("next openai/slow-30 openai/fast-300")
    assert writer.run()["steps"]["angles"]["aiResponses"]
    assert _article(writer) == before


def test_three_thousand_chunks_arrive_whole(writer: NeovimSession) -> None:
    """What stands in the window is the answer, byte for byte."""
    writer.do("start")
    writer.nvim.command("WriteIt next openai/paced-1000-3000")
    _into_the_stream(writer)
    writer.rest()
    (answer,) = writer.run()["steps"]["angles"]["aiResponses"]
    shown = writer.beside().split("\n\n", 2)
    assert shown[1] == "## openai/paced-1000-3000"
    assert shown[2] == answer["rawOutput"] + "\n"
    assert answer["rawOutput"].split() == [f"word{n}" for n in range(3000)]


def test_each_answer_has_its_section(writer: NeovimSession) -> None:
    """Two answers that come at once do not run into each other."""
    writer.do("start")
    writer.nvim.command("WriteIt next openai/slow-150 openai/say-one%0Atwo")
    _into_the_stream(writer)
    writer.rest()
    lines = [line for line in writer.beside().split("\n") if line]
    assert lines == [
        "# angles",
        "## openai/slow-150",
        "".join(f"word{n} " for n in range(150)),
        "## openai/say-one%0Atwo",
        "one",
        "two",
    ]


def test_control_c_stops_and_what_came_is_kept(writer: NeovimSession) -> None:
    """The key works in the stream; the answer is there to choose, marked as cut."""
    writer.do("start")
    writer.nvim.command("WriteIt next openai/slow-2000")
    _into_the_stream(writer)
    writer.nvim.until("vim.api.nvim_buf_get_lines(0, 4, 5, false)[1] ~= ''")
    writer.nvim.keys("<C-c>")
    writer.rest()
    run = writer.run()
    (answer,) = run["steps"]["angles"]["aiResponses"]
    assert run["status"] == "PAUSED"
    assert answer["partial"]
    assert writer.beside().split("\n\n", 2)[2].startswith(answer["rawOutput"])
    writer.said(wording.STOPPED)


def test_the_key_q_closes_the_stream(writer: NeovimSession) -> None:
    """The answers go on coming, and nothing of them is lost."""
    writer.do("start")
    writer.nvim.command("WriteIt next openai/slow-150")
    _into_the_stream(writer)
    writer.nvim.keys("q")
    writer.nvim.until("#vim.api.nvim_tabpage_list_wins(0) == 1")
    writer.rest()
    (answer,) = writer.run()["steps"]["angles"]["aiResponses"]
    assert len(answer["rawOutput"].split()) == 150


def test_the_answers_to_choose_from_take_the_place_of_the_stream(
    writer: NeovimSession,
) -> None:
    """Unless she reads there; then <CR> does it."""
    writer.do("start")
    writer.do("next openai/slow-150")
    writer.beside_shows(wording.STEP_WAITS)
    writer.nvim.command("WriteIt regenerate more")
    _into_the_stream(writer)
    writer.rest()
    assert wording.STEP_WAITS not in writer.beside()
    writer.nvim.keys("<CR>")
    writer.beside_shows(wording.STEP_WAITS)


def test_neovims_own_progress_has_reports_only(writer: NeovimSession) -> None:
    """Our stream's pieces never reach `LspProgress` or `vim.lsp.status()`."""
    writer.do("start")
    writer.nvim.lua(
        """
        _G.kinds = {}
        vim.api.nvim_create_autocmd('LspProgress', { callback = function(event)
          _G.kinds[event.data.params.value.kind] = true
        end })
        """
    )
    writer.do("next openai/slow-40")
    kinds = writer.nvim.lua("return vim.tbl_keys(_G.kinds)")
    assert set(kinds) == {"begin", "report", "end"}
    assert "word1" not in writer.nvim.lua("return vim.lsp.status()")


def test_a_failed_answer_says_why_in_its_place(writer: NeovimSession) -> None:
    """The other answer is not disturbed, and what to do next is said."""
    writer.do("start")
    writer.do("next openai/err-401 openai/say-fine")
    writer.said(wording.ONE_FAILED)
    assert wording.KEY_REFUSED in writer.beside_shows(wording.STEP_FAILED)


def test_when_nothing_comes_it_is_said_once_and_clearly(writer: NeovimSession) -> None:
    """A step of which every call failed can be asked again."""
    writer.do("start")
    writer.do("next openai/err-401")
    writer.said("401")
    assert writer.run()["steps"]["angles"]["status"] == "PENDING"


def test_what_streams_is_stopped_from_anywhere(writer: NeovimSession) -> None:
    """Also from a buffer that has nothing to do with it."""
    writer.do("start")
    writer.nvim.command("WriteIt next openai/slow-2000")
    writer.beside_shows("word5 ")
    writer.nvim.command("enew")
    writer.nvim.command("WriteIt pause")
    writer.said(wording.STOPPED)
    assert writer.run()["status"] == "PAUSED"


def test_a_line_that_never_ends_is_not_broken_between_words(
    writer: NeovimSession,
) -> None:
    """Neovim would take seconds for every piece that comes; other texts are."""
    breaking = "vim.wo[vim.fn.bufwinid(require('writeit.window').buffer())].linebreak"
    writer.do("start")
    writer.do("next openai/fast-100")
    writer.nvim.until(breaking)
    writer.do("regenerate more")
    writer.nvim.until(breaking)
    writer.do("choose 1")
    writer.do("next openai/fast-2000")
    writer.nvim.until(f"not {breaking}")
