"""What can be asked of `:WriteIt`: in order, completed, offered, on a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from neovim import wording
from support.neovim_session import CLIENT, NOTES, NeovimSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.nvim import Nvim


def _completed(writer: NeovimSession, line: str) -> list[str]:
    found: list[str] = writer.nvim.lua(
        "return vim.fn.getcompletion(..., 'cmdline')", line
    )
    return found


def _number_of(screen: str, words: str) -> str:
    """The keys that choose `words` from a list on the screen."""
    (number,) = re.findall(rf"^(\d+): .*{words}", screen, re.MULTILINE)
    return f"{number}<CR>"


def test_commands_wait_in_order_and_before_the_server_is_ready(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """Given all at once, in the moment the file is opened."""
    writer = NeovimSession(start(), tmp_path)
    writer.notes.write_text(NOTES, encoding="utf-8")
    writer.nvim.command(f"edit {writer.notes}")
    for words in ("start", "skip", "skip", "export yaml so-far.yaml", "skip"):
        writer.nvim.command(f"WriteIt {words}")
    writer.rest()
    assert writer.run()["currentStep"] == "polish"
    exported = (tmp_path / "so-far.yaml").read_text("utf-8")
    assert "current_step: draft" in exported


def test_a_bang_drops_what_waits(writer: NeovimSession) -> None:
    """`:WriteIt! pause` does not wait behind what it stops."""
    writer.do("start")
    writer.nvim.command("WriteIt next openai/slow-2000")
    writer.beside_shows("word5 ")
    writer.nvim.command("WriteIt choose 1")
    writer.said(wording.QUEUED.format("choose", "next"))
    writer.nvim.command("WriteIt! pause")
    writer.nvim.until(
        "vim.iter(vim.lsp.codelens.get(0)):any(function(lens)"
        " return lens.command.title:find('paused') end)"
    )
    assert writer.run()["steps"]["angles"].get("userSelection") is None


def test_a_pause_of_nothing_is_told(writer: NeovimSession) -> None:
    """The run is paused all the same, and the way on is named."""
    writer.do("start")
    writer.do("next openai/say-a openai/say-b")
    writer.nvim.command("WriteIt pause")
    writer.said(wording.PAUSED)
    assert writer.run()["status"] == "PAUSED"


def test_start_asks_for_what_nobody_said(writer: NeovimSession) -> None:
    """Inputs with a default are offered filled in."""
    writer.open_notes("# Notes\n\n- One note.\n")
    writer.nvim.keys(":WriteIt start tech-article<CR>")
    writer.nvim.shows(wording.AUDIENCE_DEFAULT)
    writer.nvim.keys("<C-u>gardeners<CR>")
    writer.said(wording.STARTED.format("tech-article"))
    assert writer.run()["userInputs"]["target_audience"] == "gardeners"


def test_an_input_given_with_the_command_is_not_asked_for(
    writer: NeovimSession,
) -> None:
    """`name=value` behind the pipeline."""
    writer.open_notes("# Notes\n\n- One note.\n")
    writer.do("start tech-article target_audience=gardeners")
    assert writer.run()["userInputs"]["target_audience"] == "gardeners"


def test_leaving_a_question_leaves_everything_as_it_was(writer: NeovimSession) -> None:
    """Escape ends the command without a word; the next one is not held up."""
    writer.open_notes("# Notes\n\n- One note.\n")
    writer.nvim.keys(":WriteIt start tech-article<CR>")
    writer.nvim.shows(wording.AUDIENCE_DEFAULT)
    writer.nvim.keys("<Esc>")
    writer.rest()
    assert writer.ask("run.list", uri=writer.notes.as_uri())["runs"] == []
    writer.do("info")
    writer.said(wording.INFO)


def test_the_bare_command_offers_what_fits(writer: NeovimSession) -> None:
    """The server's own offers, through `vim.ui.select`."""
    writer.do("start")
    writer.nvim.keys(":WriteIt<CR>")
    screen = writer.nvim.shows(wording.PREVIEW_STEP.format("angles"))
    writer.nvim.keys(_number_of(screen, wording.SKIP_STEP.format("angles")))
    writer.said(wording.SKIPPED.format("angles"))
    assert writer.run()["steps"]["angles"]["status"] == "SKIPPED"


def test_verbs_pipelines_inputs_and_steps_are_completed(writer: NeovimSession) -> None:
    """The server is asked for what only it knows."""
    assert _completed(writer, "WriteIt re") == [
        "regenerate",
        "rewind",
        "restore",
        "resume",
        "restart",
    ]
    assert "tech-article" in _completed(writer, "WriteIt start ")
    assert "target_audience=" in _completed(writer, "WriteIt start tech-article t")
    assert _completed(writer, "WriteIt export y") == ["yaml"]
    writer.do("start")
    steps = ["angles", "outline", "draft", "polish"]
    for verb in ("branch", "rewind"):
        assert _completed(writer, f"WriteIt {verb} ") == steps


def test_an_unknown_verb_is_said(writer: NeovimSession) -> None:
    """With the way to the known ones."""
    writer.nvim.keys(":WriteIt nxt<CR>")
    writer.said(wording.UNKNOWN_VERB.format("nxt"))


def test_nothing_is_mapped_but_what_she_prefers(writer: NeovimSession) -> None:
    """A chord of the preference `keyboard_shortcuts` works where the client is."""
    mine = "return vim.tbl_filter(function(map) return (map.desc or ''):find('WriteIt')"
    mine += " and not map.lhs:find('Plug') end, vim.api.nvim_get_keymap('n'))"
    assert writer.nvim.lua(mine) == []
    writer.ask("preferences.set", keyboardShortcuts={"start": "ctrl+alt+w s"})
    writer.nvim.lua(f"require('writeit.user_preferences').load({CLIENT})")
    writer.nvim.until("vim.fn.maparg('<C-M-w>s', 'n') ~= ''")
    writer.nvim.keys("<C-M-w>s")
    writer.said(wording.STARTED.format("tech-article"))
    writer.ask("preferences.set", keyboardShortcuts={})
    writer.nvim.lua(f"require('writeit.user_preferences').load({CLIENT})")


def test_chords_are_spelled_as_either_editor_does(writer: NeovimSession) -> None:
    """VS Code's spelling becomes Neovim's; Neovim's own stays."""
    spelled: Any = writer.nvim.lua(
        "return vim.tbl_map(require('writeit.user_preferences').to_neovim_keys, ...)",
        ["ctrl+alt+n", "<leader>wn", "ctrl+k ctrl+w", "cmd+shift+enter", "gZ"],
    )
    assert spelled == ["<C-M-n>", "<leader>wn", "<C-k><C-w>", "<D-S-CR>", "gZ"]


def test_the_status_line_says_where_the_run_stands(writer: NeovimSession) -> None:
    """The words of the first lens; none where there is no run."""
    status = "require('writeit').statusline()"
    writer.open_notes("# Nothing bound\n")
    assert writer.nvim.lua(f"return {status}") == ""
    writer.open_notes()
    writer.do("start")
    writer.nvim.until(f"{status}:find(..., 1, true)", wording.LENS_NOT_STARTED)


def test_a_lens_runs_through_neovims_own_key(writer: NeovimSession) -> None:
    """`vim.lsp.codelens.run()` knows our lenses, and asks which."""
    writer.do("start")
    writer.nvim.until("#vim.lsp.codelens.get(0) > 1")
    writer.nvim.lua("vim.fn.cursor(1, 1)")
    writer.nvim.keys(":lua vim.lsp.codelens.run()<CR>")
    screen = writer.nvim.shows(wording.LENS_QUESTION)
    writer.ask("preferences.set", defaultModels={"angles": "openai/say-lens"})
    writer.nvim.keys(_number_of(screen, wording.GENERATE_STEP.format("angles")))
    writer.said(wording.ONE_ANSWER.format("angles"))
    writer.ask("preferences.set", defaultModels={})


def test_an_answer_that_is_not_there_is_named_as_she_counts(
    writer: NeovimSession,
) -> None:
    """From 1, and with what there is instead."""
    writer.do("start")
    writer.do("next openai/say-a openai/say-b")
    for number in ("0", "3", "1.5", "-1"):
        writer.do(f"choose {number}")
        writer.said(wording.NO_SUCH_ANSWER.format("angles", number))


def test_words_of_a_choice_need_no_number(writer: NeovimSession) -> None:
    """Of a single answer they go along with it; they are never dropped."""
    writer.do("start")
    writer.do("next openai/say-a")
    writer.do("choose less of the bench, please")
    writer.said(wording.CHOSEN.format(1, "angles"))
    feedback = writer.run()["steps"]["angles"]["userFeedback"]
    assert feedback == "less of the bench, please"


def test_a_text_without_a_name_is_written_first(writer: NeovimSession) -> None:
    """Nobody could find its run again."""
    writer.nvim.command("enew")
    writer.nvim.command("setfiletype markdown")
    for verb in ("start blog-post target_audience=me", "next", "polish"):
        writer.nvim.command("messages clear")
        writer.nvim.keys(f":WriteIt {verb}<CR>")
        writer.said(wording.UNNAMED)


def test_a_run_started_from_elsewhere_says_on_what(writer: NeovimSession) -> None:
    """From a buffer that is no markdown the last article is meant."""
    writer.nvim.command("new")
    writer.do("start")
    writer.said(wording.STARTED_FOR.format("tech-article", writer.notes.name))


def test_a_refusal_names_verbs(writer: NeovimSession) -> None:
    """What the server calls `step.select` is `:WriteIt choose` here."""
    writer.do("start")
    writer.do("next openai/say-a")
    writer.do("next openai/say-a")
    writer.said(wording.REFUSED_VERBS)


def test_a_merge_of_nothing_says_so(writer: NeovimSession) -> None:
    """Without answers there is nothing to merge; without passages she writes."""
    writer.do("start")
    writer.nvim.keys(":WriteIt merge<CR>")
    writer.said(wording.NO_ANSWERS.format("angles"))
    writer.do("next openai/say-a openai/say-b")
    writer.do("merge")
    writer.said(wording.MERGE_EMPTY)
    writer.nvim.until("vim.bo.buftype == 'acwrite'")


def test_a_model_without_a_provider_is_refused(writer: NeovimSession) -> None:
    """Before any preference is touched."""
    writer.nvim.keys(":WriteIt model nonsense<CR>")
    writer.said(wording.NOT_A_MODEL.format("nonsense"))


def test_an_interrupted_question_holds_nothing_up(writer: NeovimSession) -> None:
    """<C-c> in Neovim's own list, line or password is no answer, without a word."""
    for verb, question in (
        ("start", wording.START_QUESTION),
        ("start blog-post", wording.AUDIENCE_QUESTION),
        ("key openai", wording.KEY_QUESTION.format("openai")),
    ):
        writer.open_notes("# Notes\n\nA river.\n")
        writer.nvim.keys(f":WriteIt {verb}<CR>")
        writer.nvim.shows(question)
        writer.nvim.keys("<C-c>")
        writer.rest()
        assert "nterrupt" not in writer.nvim.messages()
    writer.do("start blog-post target_audience=me")
    writer.said(wording.STARTED.format("blog-post"))


def test_a_question_that_cannot_be_asked_is_said(writer: NeovimSession) -> None:
    """What she replaced `vim.ui.select` by may be broken; the next command works."""
    writer.nvim.lua(
        "_G.kept = vim.ui.select; vim.ui.select = function() error('no picker') end"
    )
    writer.do("start")
    writer.nvim.keys(":WriteIt history<CR>")
    writer.said("no picker")
    writer.nvim.lua("vim.ui.select = _G.kept")
    writer.do("next openai/say-a")
    assert writer.run()["steps"]["angles"]["aiResponses"]


def test_names_with_blanks_and_signs_are_her_business(writer: NeovimSession) -> None:
    """Of the notes and of what is exported; a value has its blanks escaped."""
    notes = writer.workspace / "50% of # [März], it's ä.md"
    notes.write_text("# Notes\n\nA river.\n", encoding="utf-8")
    writer.nvim.lua("vim.cmd.edit(vim.fn.fnameescape(...))", str(notes))
    writer.attached()
    writer.notes = notes
    writer.do("start blog-post target_audience=who\\ walks")
    writer.do("next openai/say-a")
    writer.do("choose 1")
    writer.do("export markdown so far.md")
    writer.said(wording.EXPORTED)
    assert (writer.workspace / "so far.md").exists()
    uri = writer.nvim.lua("return vim.uri_from_bufnr(...)", writer.buffer())
    (listed,) = writer.ask("run.list", uri=uri)["runs"]
    run = writer.ask("run.show", runId=listed["runId"])
    assert run["userInputs"]["target_audience"] == "who walks"
    writer.do("apply new_file")
    made = writer.workspace / "50% of # [März], it's ä.blog-post.md"
    assert made.read_text("utf-8") == "a\n"
