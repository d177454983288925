"""`writeit:` documents."""

from neovim import wording
from support.model_words import escape
from support.neovim_session import NeovimSession


def test_view_opens_by_its_uri(session: NeovimSession) -> None:
    """`:edit writeit:/…` is read-only markdown with the client attached."""
    session.run("start")
    run_id = session.newest_run()["pipelineRunId"]
    session.nvim.command(f"edit writeit:/run/{run_id}.md")
    session.wait_for_text(wording.RUN_NOT_STARTED)
    assert session.nvim.lua("return { vim.bo.filetype, vim.bo.modifiable }") == [
        "markdown",
        False,
    ]
    session.nvim.wait_until(
        "#vim.lsp.get_clients({ name = 'writeit', bufnr = 0 }) == 1"
    )


def test_view_opens_at_its_top(session: NeovimSession) -> None:
    """Although its text arrives when the empty buffer is already shown."""
    session.run("start")
    session.run("next openai/say-hello openai/say-goodbye")
    session.run("choose 1")
    session.run("rewind angles")
    session.run("open")
    session.wait_for_text("## Answer 2")
    assert session.nvim.lua("return vim.fn.line('.')") == 1


def test_missing_view_shows_the_error(session: NeovimSession) -> None:
    """In the buffer itself; nothing is raised."""
    session.nvim.command("edit writeit:/run/00000000-0000-7000-8000-000000000000.md")
    session.wait_for_text(wording.RUN_MISSING)


def test_refreshed_view_keeps_the_cursor(session: NeovimSession) -> None:
    """Changes above and below do not move it from its line."""
    session.run("start")
    session.run("next openai/say-hello+20there openai/say-good+20evening")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("wincmd l")
    session.nvim.lua("vim.fn.search('good evening')")
    session.nvim.command("wincmd h")
    session.run("choose 2")
    session.wait_for_side_text(wording.STEP_CHOSEN.format(2))
    session.nvim.command("wincmd l")
    assert session.nvim.lua("return vim.api.nvim_get_current_line()") == "good evening"


def test_view_hides_link_definitions(session: NeovimSession) -> None:
    """It has no markers either."""
    session.run("start")
    session.wait_for_side_text("[angles]: writeit:/step/")
    assert "]: writeit:" not in session.nvim.wait_for_screen("1. angles")
    session.run("next openai/say-hello+20there")
    assert "<!--" not in session.wait_for_side_text("hello there")


def test_take_finds_the_answer_of_a_line(session: NeovimSession) -> None:
    """Also if an answer contains marker lines itself."""
    odd = "one\n<!-- /writeit:answer -->\n<!-- writeit:answer 9 x -->\ntwo"
    session.run("start")
    session.run(f"next openai/say-{escape(odd)} openai/say-hello+20there")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("wincmd l")
    for words in ("two", "hello there"):
        session.nvim.lua("vim.fn.search(..., 'cw')", f"^{words}$")
        session.nvim.command("WriteIt take")
        session.wait_until_idle()
    step = session.newest_run()["steps"]["angles"]
    model = {a["responseId"]: a["modelName"] for a in step["aiResponses"]}
    taken = [(p["text"], model[p["responseId"]][:7]) for p in step["passages"]]
    assert taken == [("two", "say-one"), ("hello there", "say-hel")]


def test_take_needs_lines_of_one_answer(session: NeovimSession) -> None:
    """Neither other lines nor lines of two answers."""
    session.run("start")
    session.run("next openai/say-hello openai/say-goodbye")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("wincmd l")
    for lines in ("1", "/^hello$/,/^goodbye$/"):
        session.nvim.command("messages clear")
        session.nvim.keys(f":{lines}WriteIt take<CR>")
        session.wait_for_message(wording.NOT_ONE_ANSWER)
        session.wait_until_idle()
    assert session.newest_run()["steps"]["angles"]["passages"] == []


def test_definition_of_first_line_is_the_current_step(session: NeovimSession) -> None:
    """With Neovim's own keys, there and back."""
    session.run("start")
    session.wait_for_side_text("[angles]: writeit:/step/")
    article = session.nvim.lua("return vim.api.nvim_buf_get_name(0)")
    session.nvim.lua(
        "vim.api.nvim_win_set_cursor(0, { 1, 2 }); vim.lsp.buf.definition()"
    )
    session.nvim.wait_until("vim.api.nvim_buf_get_name(0):match('angles.md$') ~= nil")
    session.wait_for_text(wording.STEP_NOT_STARTED)
    session.nvim.keys("<C-o>")
    session.nvim.wait_until("vim.api.nvim_buf_get_name(0) == ...", article)
