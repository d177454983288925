"""Answers while they are generated; the document is not touched."""

from typing import Any

from neovim import wording
from support.neovim_session import NeovimSession

DOCUMENT_STATE = """
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
STREAM_IS_SHOWN = (
    "(require('writeit.window').buffer() and vim.api.nvim_buf_get_name("
    "require('writeit.window').buffer()):match('writeit%-stream') ~= nil)"
)


def _document_state(session: NeovimSession) -> Any:
    """Return what a stream must not change in the document."""
    return session.nvim.lua(DOCUMENT_STATE, session.buffer())


def _enter_stream(session: NeovimSession) -> None:
    """Go to the window of the stream, which is there while answers are generated."""
    session.nvim.wait_until(STREAM_IS_SHOWN)
    session.nvim.command("wincmd l | normal! G")
    assert "stream" in session.nvim.lua("return vim.api.nvim_buf_get_name(0)")


def test_stream_does_not_touch_the_document(session: NeovimSession) -> None:
    """Text, undo tree, cursor, scroll position, registers, marks and jumps."""
    session.run("start")
    session.nvim.lua("vim.fn.cursor(7, 4)")
    session.nvim.keys("yiwAmine<Esc>3h")
    session.nvim.wait_until("vim.api.nvim_get_current_line():find('mine') ~= nil")
    before = _document_state(session)
    session.run("next openai/slow-30 openai/fast-300")
    assert session.newest_run()["steps"]["angles"]["aiResponses"]
    assert _document_state(session) == before


def test_three_thousand_chunks_are_complete(session: NeovimSession) -> None:
    """The buffer has the answer, byte for byte."""
    session.run("start")
    session.nvim.command("WriteIt next openai/paced-1000-3000")
    _enter_stream(session)
    session.wait_until_idle()
    (answer,) = session.newest_run()["steps"]["angles"]["aiResponses"]
    shown = session.side_text().split("\n\n", 2)
    assert shown[1] == "## Answer 1 · openai/paced-1000-3000"
    assert shown[2] == answer["rawOutput"] + "\n"
    assert answer["rawOutput"].split() == [f"word{n}" for n in range(3000)]


def test_each_answer_has_its_section(session: NeovimSession) -> None:
    """Two answers that arrive together are not mixed."""
    session.run("start")
    session.nvim.command("WriteIt next openai/slow-150 openai/say-one+0Atwo")
    _enter_stream(session)
    session.wait_until_idle()
    lines = [line for line in session.side_text().split("\n") if line]
    assert lines == [
        "# angles",
        "## Answer 1 · openai/slow-150",
        "".join(f"word{n} " for n in range(150)),
        "## Answer 2 · openai/say-one+0Atwo",
        "one",
        "two",
    ]


def test_control_c_stops_the_stream(session: NeovimSession) -> None:
    """The partial answer is kept and can be chosen."""
    session.run("start")
    session.nvim.command("WriteIt next openai/slow-2000")
    _enter_stream(session)
    session.nvim.wait_until("vim.api.nvim_buf_get_lines(0, 4, 5, false)[1] ~= ''")
    session.nvim.keys("<C-c>")
    session.wait_until_idle()
    run = session.newest_run()
    (answer,) = run["steps"]["angles"]["aiResponses"]
    assert run["status"] == "PAUSED"
    assert answer["partial"]
    assert session.side_text().split("\n\n", 2)[2].startswith(answer["rawOutput"])
    session.wait_for_message(wording.STOPPED)


def test_q_closes_the_stream(session: NeovimSession) -> None:
    """The answers are still generated, and complete."""
    session.run("start")
    session.nvim.command("WriteIt next openai/slow-150")
    _enter_stream(session)
    session.nvim.keys("q")
    session.nvim.wait_until("#vim.api.nvim_tabpage_list_wins(0) == 1")
    session.wait_until_idle()
    (answer,) = session.newest_run()["steps"]["angles"]["aiResponses"]
    assert len(answer["rawOutput"].split()) == 150


def test_step_view_replaces_the_stream(session: NeovimSession) -> None:
    """Unless the cursor is in the stream; then <CR> opens the view."""
    session.run("start")
    session.run("next openai/slow-150")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("WriteIt regenerate more")
    _enter_stream(session)
    session.wait_until_idle()
    assert wording.STEP_WAITS not in session.side_text()
    session.nvim.keys("<CR>")
    session.wait_for_side_text(wording.STEP_WAITS)


def test_neovims_own_progress_has_reports_only(session: NeovimSession) -> None:
    """Streamed text does not reach `LspProgress` or `vim.lsp.status()`."""
    session.run("start")
    session.nvim.lua(
        """
        _G.kinds = {}
        vim.api.nvim_create_autocmd('LspProgress', { callback = function(event)
          _G.kinds[event.data.params.value.kind] = true
        end })
        """
    )
    session.run("next openai/slow-40")
    kinds = session.nvim.lua("return vim.tbl_keys(_G.kinds)")
    assert set(kinds) == {"begin", "report", "end"}
    assert "word1" not in session.nvim.lua("return vim.lsp.status()")


def test_words_in_pieces_are_counted_once(session: NeovimSession) -> None:
    """A piece may begin or end inside a word."""
    words = session.nvim.lua(
        """
        local answers = require('writeit.stream_buffer').new('RUN', 'angles')
        answers:add({ responseId = 'x', model = 'openai/x', number = 1 })
        for _, piece in ipairs({ 'ri', 'ver', ' ', 'run', 's.\\n', '', 'On' }) do
          answers:append('x', piece)
        end
        return answers.answers.x.words
        """
    )
    assert words == len(["river", "runs.", "On"])


def test_failed_answer_shows_its_error(session: NeovimSession) -> None:
    """The other answer is complete."""
    session.run("start")
    session.run("next openai/err-401 openai/say-fine")
    session.wait_for_message(wording.ONE_FAILED)
    assert wording.KEY_REFUSED in session.wait_for_side_text(wording.STEP_FAILED)


def test_pause_works_from_any_buffer(session: NeovimSession) -> None:
    """Also from a buffer without a workspace."""
    session.run("start")
    session.nvim.command("WriteIt next openai/slow-2000")
    session.wait_for_side_text("word5 ")
    session.nvim.command("enew")
    session.nvim.command("WriteIt pause")
    session.wait_for_message(wording.STOPPED)
    assert session.newest_run()["status"] == "PAUSED"


def test_very_long_lines_are_broken_anywhere(session: NeovimSession) -> None:
    """Neovim would take seconds for every chunk; other texts are broken at words."""
    breaking = "vim.wo[vim.fn.bufwinid(require('writeit.window').buffer())].linebreak"
    session.run("start")
    session.run("next openai/fast-100")
    session.nvim.wait_until(breaking)
    session.run("regenerate more")
    session.nvim.wait_until(breaking)
    session.run("choose 1")
    session.run("next openai/fast-2000")
    session.nvim.wait_until(f"not {breaking}")
