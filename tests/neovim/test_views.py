"""`writeit:` documents in Neovim, two texts as a diff, the family as a tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neovim import wording
from support.neovim_session import NOTES

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession

LINES = "vim.api.nvim_buf_get_lines(0, 0, -1, true)"
SHOWS = "table.concat(" + LINES + ", '\\n'):find(..., 1, true) ~= nil"


def test_a_view_is_opened_by_its_address(writer: NeovimSession) -> None:
    """`:edit writeit:/…` is markdown that nobody types in, and the client is there."""
    writer.do("start")
    run_id = writer.run()["pipelineRunId"]
    writer.nvim.command(f"edit writeit:/run/{run_id}.md")
    writer.nvim.until(SHOWS, wording.RUN_NOT_STARTED)
    assert writer.nvim.lua("return { vim.bo.filetype, vim.bo.modifiable }") == [
        "markdown",
        False,
    ]
    writer.nvim.until("#vim.lsp.get_clients({ name = 'writeit', bufnr = 0 }) == 1")


def test_a_view_opens_at_its_top(writer: NeovimSession) -> None:
    """Although its text comes when the empty buffer is already shown."""
    writer.do("start")
    writer.do("next openai/say-hello openai/say-goodbye")
    writer.do("choose 1")
    writer.do("rewind angles")
    writer.do("open")
    writer.nvim.until(SHOWS, "## Answer 2")
    assert writer.nvim.lua("return vim.fn.line('.')") == 1


def test_a_view_that_is_not_there_says_so(writer: NeovimSession) -> None:
    """In the buffer itself; nothing is raised."""
    writer.nvim.command("edit writeit:/run/00000000-0000-7000-8000-000000000000.md")
    writer.nvim.until(SHOWS, wording.RUN_MISSING)


def test_a_view_follows_its_run_and_the_cursor_stays(writer: NeovimSession) -> None:
    """What changed below or above the cursor does not move it off its line."""
    writer.do("start")
    writer.do("next openai/say-hello%20there openai/say-good%20evening")
    writer.beside_shows("## Answer 2")
    writer.nvim.command("wincmd l")
    writer.nvim.lua("vim.fn.search('good evening')")
    writer.nvim.command("wincmd h")
    writer.do("choose 2")
    writer.beside_shows(wording.STEP_CHOSEN.format(2))
    writer.nvim.command("wincmd l")
    assert writer.nvim.lua("return vim.api.nvim_get_current_line()") == "good evening"


def test_a_view_shows_no_line_for_machines(writer: NeovimSession) -> None:
    """No markers; the addresses that names lead to are hidden."""
    writer.do("start")
    writer.beside_shows("[angles]: writeit:/step/")
    assert "]: writeit:" not in writer.nvim.shows("1. angles")
    writer.do("next openai/say-hello%20there")
    assert "<!--" not in writer.beside_shows("hello there")


def test_lines_are_taken_from_the_answer_they_stand_in(writer: NeovimSession) -> None:
    """Also behind an answer that writes marker lines itself."""
    odd = "one%0A<!-- /writeit:answer -->%0A<!-- writeit:answer 9 x -->%0Atwo"
    writer.do("start")
    writer.do(f"next openai/say-{odd.replace(' ', '%20')} openai/say-hello%20there")
    writer.beside_shows("## Answer 2")
    writer.nvim.command("wincmd l")
    for words in ("two", "hello there"):
        writer.nvim.lua("vim.fn.search(..., 'cw')", f"^{words}$")
        writer.nvim.command("WriteIt take")
        writer.rest()
    step = writer.run()["steps"]["angles"]
    model = {a["responseId"]: a["modelName"] for a in step["aiResponses"]}
    taken = [(p["text"], model[p["responseId"]][:7]) for p in step["passages"]]
    assert taken == [("two", "say-one"), ("hello there", "say-hel")]


def test_lines_of_no_answer_are_not_taken(writer: NeovimSession) -> None:
    """Nor those of two: nothing is taken that she did not point at."""
    writer.do("start")
    writer.do("next openai/say-hello openai/say-goodbye")
    writer.beside_shows("## Answer 2")
    writer.nvim.command("wincmd l")
    for lines in ("1", "/^hello$/,/^goodbye$/"):
        writer.nvim.command("messages clear")
        writer.nvim.keys(f":{lines}WriteIt take<CR>")
        writer.said(wording.NOT_ONE_ANSWER)
        writer.rest()
    assert writer.run()["steps"]["angles"]["passages"] == []


def test_two_answers_are_compared_as_neovim_compares(writer: NeovimSession) -> None:
    """In a tab page of their own, in diff mode; `q` closes it."""
    writer.do("start")
    writer.do("next openai/say-hello%20there openai/say-hello%20you")
    writer.do("compare")
    assert writer.nvim.lua(
        "return vim.tbl_map(function(win) return vim.wo[win].diff end,"
        " vim.api.nvim_tabpage_list_wins(0))"
    ) == [True, True]
    screen = writer.nvim.shows("hello you")
    assert "hello there" in screen
    writer.nvim.keys("q")
    writer.nvim.until("#vim.api.nvim_list_tabpages() == 1")


def test_the_tree_opens_branches_and_compares(writer: NeovimSession) -> None:
    """<CR> opens, b branches, d compares with where a run came from."""
    writer.do("start")
    writer.do("next openai/say-hello openai/say-goodbye")
    writer.do("choose 1")
    run_id = writer.run()["pipelineRunId"]
    writer.do("branch angles the other way")
    writer.do("choose 2")
    writer.do("tree")
    lines = writer.beside().split("\n")
    assert lines[3] == "└─ from angles: the other way · at outline  ← this run"
    writer.nvim.keys("d")
    writer.nvim.shows("goodbye")
    writer.nvim.until("vim.wo.diff")
    writer.nvim.keys("q")
    writer.nvim.until("not vim.wo.diff")
    writer.nvim.keys("ggjjb")
    writer.rest()
    tree = writer.ask("run.tree", runId=run_id)
    assert [child["branchPoint"] for child in tree["children"]] == ["angles"] * 2
    writer.beside_shows("├─ from angles: the other way")
    writer.nvim.keys("gg3j<CR>")
    writer.nvim.until(SHOWS, wording.RUN_BRANCHED.format("angles"))


def test_going_back_to_the_run_it_branched_off_is_told(writer: NeovimSession) -> None:
    """As the server offers it; commands are about that run again."""
    writer.do("start")
    writer.do("next openai/say-hello openai/say-goodbye")
    run_id = writer.run()["pipelineRunId"]
    writer.do("branch angles the other way")
    writer.nvim.keys(":WriteIt<CR>")
    screen = writer.nvim.shows(wording.RETURN_TO_PARENT)
    (number,) = re.findall(rf"^(\d+): {wording.RETURN_TO_PARENT}", screen, re.MULTILINE)
    writer.nvim.keys(f"{number}<CR>")
    path = f"{writer.workspace.name}/{writer.notes.name}"
    writer.said(wording.ACTIVE_RUN.format(path, "the other run"))
    writer.rest()
    writer.do("choose 2")
    run = writer.ask("run.show", runId=run_id)
    assert run["steps"]["angles"]["userSelection"] == 1


def test_steps_to_go_back_to_are_in_the_runs_order(writer: NeovimSession) -> None:
    """Whether they were asked or skipped, and wherever they are listed."""
    writer.do("start")
    writer.do("next openai/say-hello")
    writer.do("choose 1")
    writer.do("skip")
    writer.do("next openai/say-hello")
    writer.do("choose 1")
    writer.do("next openai/say-hello")
    asked = ["angles", "draft", "polish"]
    for keys, steps in (
        (":WriteIt rewind<CR>", ["angles", "outline", "draft"]),
        (":WriteIt branch<CR>", asked),
        (":WriteIt tree<CR>", asked),
    ):
        writer.nvim.keys(keys)
        if "tree" in keys:
            writer.nvim.until(SHOWS, "this run")
            writer.nvim.keys("b")
        screen = writer.nvim.shows(f"{len(steps)}: {steps[-1]}")
        assert re.findall(r"^\d+: (\w+)", screen, re.MULTILINE) == steps
        writer.nvim.keys("<Esc>")
        writer.rest()


def test_the_exact_prompt_and_the_usage_are_views(writer: NeovimSession) -> None:
    """`preview` sends nothing."""
    writer.do("start")
    writer.do("usage")
    writer.beside_shows("# Usage")
    writer.ask("preferences.set", defaultModels={"angles": "openai/say-x"})
    writer.do("preview")
    writer.beside_shows("A river is moving water.")
    writer.ask("preferences.set", defaultModels={})
    assert writer.run()["steps"]["angles"]["status"] == "PENDING"


def test_an_answer_is_reworded_before_it_is_chosen(writer: NeovimSession) -> None:
    """`edit` opens it as a text of hers; writing it chooses it."""
    writer.do("start")
    writer.do("next openai/say-hello%20there")
    writer.do("edit")
    writer.nvim.until(SHOWS, "hello there")
    writer.nvim.keys("A, you<Esc>:write<CR>")
    writer.said(wording.EDITED_CHOSEN.format("angles"))
    angles = writer.run()["steps"]["angles"]
    assert angles["content"] == "hello there, you"
    assert angles["aiResponses"][0]["rawOutput"] == "hello there"
    assert writer.nvim.lua("return vim.api.nvim_get_current_buf()") == writer.buffer()


def test_lenses_stand_at_their_headings_when_a_view_has_grown(
    writer: NeovimSession,
) -> None:
    """They are asked for anew when the text has come, not only before."""
    headed = """(function()
      local buf = require('writeit.window').buffer()
      local space = vim.api.nvim_get_namespaces()['writeit.code_lens']
      local marks = vim.api.nvim_buf_get_extmarks(buf, space, 0, -1, {})
      return #marks > 3 and vim.iter(marks):all(function(mark)
        local line = vim.api.nvim_buf_get_lines(buf, mark[2], mark[2] + 1, true)[1]
        return line:match('^#') ~= nil
      end)
    end)()"""
    writer.do("start")
    writer.do("next openai/say-one%0A%0Atwo%0A%0Athree openai/say-hello")
    writer.beside_shows("## Answer 2")
    writer.nvim.command("wincmd l")
    for words in ("one", "two", "three", "hello"):
        writer.nvim.lua("vim.fn.search(..., 'w')", f"^{words}$")
        writer.do("take")
        writer.nvim.until(headed)


def test_the_lenses_of_an_answer_are_chosen_from_with_return(
    writer: NeovimSession,
) -> None:
    """On its heading <CR> asks which, and the choice has its turn like any command."""
    writer.do("start")
    writer.do("next openai/say-hello openai/slow-20")
    writer.beside_shows("## Answer 2")
    writer.nvim.command("wincmd l")
    writer.nvim.lua("vim.fn.search('## Answer 2')")
    writer.nvim.until("#vim.lsp.codelens.get(0) > 3")
    writer.take_lens(wording.CHOOSE_THIS)
    writer.said(wording.CHOSEN_BY_ACTION.format(2))
    assert writer.run()["steps"]["angles"]["userSelection"] == 1


def test_an_earlier_run_is_found_again(writer: NeovimSession) -> None:
    """`history` offers them; the one she takes is what commands are about."""
    writer.open_notes(NOTES.replace("rivers", "owls"))
    writer.do("start")
    first = writer.run()["pipelineRunId"]
    writer.do("start")
    writer.nvim.keys(":WriteIt history owls<CR>")
    screen = writer.nvim.shows(wording.HISTORY_QUESTION)
    assert "not started" in screen
    writer.nvim.keys("2<CR>")
    writer.beside_shows(wording.RUN_NOT_STARTED)
    writer.rest()
    writer.do("next openai/say-x")
    assert writer.ask("run.show", runId=first)["steps"]["angles"]["aiResponses"]


def test_a_run_of_another_document_is_told_as_such(writer: NeovimSession) -> None:
    """`history` says what commands are about now, and where to go."""
    writer.open_notes(NOTES.replace("rivers", "newts"))
    writer.do("start")
    first = writer.run()["pipelineRunId"]
    name = f"{writer.workspace.name}/{writer.notes.name}"
    writer.nvim.keys(":WriteIt history newts<CR>")
    writer.nvim.shows(wording.HISTORY_QUESTION)
    writer.nvim.keys("1<CR>")
    writer.said(wording.ACTIVE_RUN.format(name, "Notes on newts"))
    writer.rest()
    other = writer.open_notes()
    writer.nvim.keys(":WriteIt history newts<CR>")
    writer.nvim.shows(wording.HISTORY_QUESTION)
    writer.nvim.keys("1<CR>")
    writer.said(wording.OTHER_ACTIVE_RUN.format("Notes on newts", name, name))
    writer.rest()
    assert writer.notes == other
    writer.nvim.command(f"edit {name}")
    writer.do("next openai/say-x")
    assert writer.ask("run.show", runId=first)["steps"]["angles"]["aiResponses"]


def test_a_definition_leads_from_the_first_line_to_the_step(
    writer: NeovimSession,
) -> None:
    """By Neovim's own key; the key that goes back goes back."""
    writer.do("start")
    writer.beside_shows("[angles]: writeit:/step/")
    article = writer.nvim.lua("return vim.api.nvim_buf_get_name(0)")
    writer.nvim.lua(
        "vim.api.nvim_win_set_cursor(0, { 1, 2 }); vim.lsp.buf.definition()"
    )
    writer.nvim.until("vim.api.nvim_buf_get_name(0):match('angles.md$') ~= nil")
    writer.nvim.until(SHOWS, wording.STEP_NOT_STARTED)
    writer.nvim.keys("<C-o>")
    writer.nvim.until("vim.api.nvim_buf_get_name(0) == ...", article)
