"""Commands: the queue, completion, messages, arguments."""

from collections.abc import Callable
from pathlib import Path

from neovim import wording
from support.neovim_session import NOTES, NeovimSession
from support.nvim import Nvim
from support.waiting import wait_until


def _completed(session: NeovimSession, line: str) -> list[str]:
    found: list[str] = session.nvim.lua(
        "return vim.fn.getcompletion(..., 'cmdline')", line
    )
    return found


def test_commands_are_queued_until_the_server_is_ready(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """All are given while the file is being opened."""
    session = NeovimSession(start(), tmp_path)
    session.notes.write_text(NOTES, encoding="utf-8")
    session.nvim.command(f"edit {session.notes}")
    for words in ("start", "skip", "skip", "export yaml so-far.yaml", "skip"):
        session.nvim.command(f"WriteIt {words}")
    session.wait_until_idle()
    assert session.newest_run()["currentStep"] == "polish"
    exported = (tmp_path / "so-far.yaml").read_text("utf-8")
    assert "current_step: draft" in exported


def test_bang_clears_the_queue(session: NeovimSession) -> None:
    """`:WriteIt! pause` does not wait for the command that it stops."""
    session.run("start")
    session.nvim.command("WriteIt next openai/slow-2000")
    session.wait_for_side_text("word5 ")
    session.nvim.command("WriteIt choose 1")
    session.wait_for_message(wording.QUEUED.format("choose", "next"))
    session.nvim.command("WriteIt! pause")
    assert wait_until(lambda: session.newest_run()["status"] == "PAUSED")
    assert session.newest_run()["steps"]["angles"].get("userSelection") is None


def test_pause_without_a_stream_pauses_the_run(session: NeovimSession) -> None:
    """The message names the command that resumes it."""
    session.run("start")
    session.run("next openai/say-a openai/say-b")
    session.nvim.command("WriteIt pause")
    session.wait_for_message(wording.PAUSED)
    assert session.newest_run()["status"] == "PAUSED"


def test_bare_command_lists_the_actions(session: NeovimSession) -> None:
    """The server's code actions, in `vim.ui.select`."""
    session.run("start")
    session.nvim.keys(":WriteIt<CR>")
    session.nvim.wait_for_screen(wording.PREVIEW_STEP.format("angles"))
    session.select_item(wording.SKIP_STEP.format("angles"))
    session.wait_for_message(wording.SKIPPED.format("angles"))
    assert session.newest_run()["steps"]["angles"]["status"] == "SKIPPED"


def test_completion(session: NeovimSession) -> None:
    """Verbs, pipelines, inputs, formats and steps."""
    assert _completed(session, "WriteIt re") == [
        "regenerate",
        "rewind",
        "refresh",
        "review",
        "restore",
        "resume",
        "restart",
    ]
    assert "tech-article" in _completed(session, "WriteIt start ")
    assert "target_audience=" in _completed(session, "WriteIt start tech-article t")
    assert _completed(session, "WriteIt export y") == ["yaml"]
    session.run("start")
    steps = ["angles", "outline", "draft", "polish"]
    for verb in ("branch", "rewind"):
        assert _completed(session, f"WriteIt {verb} ") == steps


def test_unknown_verb_is_reported(session: NeovimSession) -> None:
    """The message names the verb."""
    session.nvim.keys(":WriteIt nxt<CR>")
    session.wait_for_message(wording.UNKNOWN_VERB.format("nxt"))


def test_missing_answer_is_reported(session: NeovimSession) -> None:
    """Numbers start at 1; the message has the valid ones."""
    session.run("start")
    session.run("next openai/say-a openai/say-b")
    for number in ("0", "3", "1.5", "-1"):
        session.run(f"choose {number}")
        session.wait_for_message(wording.NO_SUCH_ANSWER.format("angles", number))


def test_choose_takes_feedback_without_a_number(session: NeovimSession) -> None:
    """The text is saved as feedback."""
    session.run("start")
    session.run("next openai/say-a")
    session.run("choose less of the bench, please")
    session.wait_for_message(wording.CHOSEN.format(1, "angles"))
    feedback = session.newest_run()["steps"]["angles"]["userFeedback"]
    assert feedback == "less of the bench, please"


def test_comments_and_bars_are_no_feedback(session: NeovimSession) -> None:
    """Words behind a quotation mark are not lost in silence."""
    session.run("start")
    session.run("next openai/say-a")
    session.nvim.keys(':WriteIt choose 1 not "this" one<CR>')
    session.wait_for_message(wording.LOST_WORDS)
    session.nvim.keys(
        ':WriteIt choose 1 say \\"river\\" " or: edit | let g:barred = 1<CR>'
    )
    session.wait_for_message(wording.CHOSEN.format(1, "angles"))
    feedback = session.newest_run()["steps"]["angles"]["userFeedback"]
    assert feedback == 'say "river"'
    session.nvim.keys(":WriteIt feedback shorter | let g:barred = 2<CR>")
    session.nvim.wait_until("vim.g.barred == 2")
    session.wait_until_idle()
    feedback = session.newest_run()["steps"]["angles"]["userFeedback"]
    assert feedback == "shorter"


def test_refusal_names_verbs_instead_of_commands(session: NeovimSession) -> None:
    """The hint says what to do, not a command id."""
    session.run("start")
    session.run("next openai/say-a")
    session.run("next openai/say-a")
    session.wait_for_message(wording.REFUSED_VERBS)


def test_empty_merge_is_reported(session: NeovimSession) -> None:
    """Without answers it is an error; without passages the user writes the text."""
    session.run("start")
    session.nvim.keys(":WriteIt merge<CR>")
    session.wait_for_message(wording.NO_ANSWERS.format("angles"))
    session.run("next openai/say-a openai/say-b")
    session.run("merge")
    session.wait_for_message(wording.MERGE_EMPTY)
    session.nvim.wait_until("vim.api.nvim_buf_get_name(0):find('/merge$')")


def test_model_without_a_provider_is_refused(session: NeovimSession) -> None:
    """Before any preference is changed."""
    session.nvim.keys(":WriteIt model nonsense<CR>")
    session.wait_for_message(wording.NOT_A_MODEL.format("nonsense"))
