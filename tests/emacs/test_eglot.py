"""What only a real Emacs shows: its questions, its timers, its idea of a project."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from emacs.conftest import documented
from emacs.texts import FIRST, notes_in
from emacs.writer import LEAVE, NEXT_LINE, UNDO, Writer
from support.waiting import PATIENCE, waited

if TYPE_CHECKING:
    from pathlib import Path

POLISHED = " ".join(f"word{number}" for number in range(60))


def polished(emacs: Writer, model: str = "say-Rivers%20run.") -> None:
    """A passage is on its way to a model."""
    emacs.open(notes_in(emacs.folder, polish=model))
    emacs.select_line(FIRST)
    emacs.take("Polish this passage$")


def test_what_she_types_while_an_answer_lands_stays(
    emacs: Writer,
) -> None:
    """It tells of changes when she rests, and refuses edits of an older text."""
    polished(emacs, "slow-60")
    emacs.lisp("(progn (deactivate-mark) (goto-char (point-max)))")
    words = [f"fish{number} " for number in range(40)]
    for word in words:
        emacs.type(word)
    emacs.told("The answer is in")
    text = emacs.text()
    assert "".join(words) in text
    assert POLISHED in text
    assert FIRST not in text


def test_one_undo_takes_an_answer_out(emacs: Writer) -> None:
    """An edit of the server is one step back, as if she had typed it."""
    polished(emacs)
    emacs.told("The answer is in")
    emacs.sees("Rivers run.")
    emacs.keys(UNDO)
    emacs.sees(FIRST)
    assert "Rivers run." not in emacs.text()


def test_a_polished_passage_is_taken_back_by_its_offer(
    emacs: Writer,
) -> None:
    """And she is told."""
    polished(emacs)
    emacs.told("The answer is in")
    emacs.take("Take the last polish back")
    emacs.told("is as it was")
    emacs.sees(FIRST)


def test_the_word_at_the_cursor_is_no_passage_first_of_all(
    emacs: Writer,
) -> None:
    """Without a mark eglot sends that word; RET takes the first offer."""
    emacs.open(notes_in(emacs.folder))
    emacs.goto("river is moving")
    assert emacs.offered()[0].startswith("WriteIt: Start ")
    emacs.leave_question()
    emacs.goto("Notes on")
    assert "WriteIt: Polish this passage (this section)" in emacs.offered()
    emacs.leave_question()


def test_settings_come_from_eglots_workspace_configuration(
    emacs: Writer,
) -> None:
    """The model she names there is asked."""
    emacs.open(notes_in(emacs.folder))
    emacs.lisp(
        "(setq-default eglot-workspace-configuration"
        ' \'(:writeit (:models (:default "openai/say-From%20settings."))))'
    )
    emacs.command("eglot-signal-didChangeConfiguration")
    emacs.take("Start tech-article")
    emacs.take("Run angles")
    emacs.told("angles has 1 answer")
    assert any("From settings." in offer for offer in emacs.offered())
    emacs.leave_question()


def test_she_is_asked_about_an_edit_once_and_may_think(
    emacs: Writer,
) -> None:
    """As eglot comes it asks before each edit of a server."""
    emacs.open(notes_in(emacs.folder, polish="say-Rivers%20run."))
    emacs.lisp("(setq eglot-confirm-server-initiated-edits 'confirm)")
    try:
        emacs.select_line(FIRST)
        emacs.take("Polish this passage$")
        emacs.until('(and (active-minibuffer-window) (string-match "edit" (prompt)) t)')
        time.sleep(4)  # longer than the server waits for a reply before it goes on
        emacs.keys("y")
        emacs.until("(not (active-minibuffer-window))")
        emacs.keys(NEXT_LINE)
        emacs.told("The answer is in")
        assert "require version" not in emacs.messages()
        assert "Rivers run." in emacs.text()
    finally:
        emacs.lisp("(setq eglot-confirm-server-initiated-edits nil)")


def test_a_page_is_one_of_its_notes_even_if_its_folder_is_taken_for_a_project(
    plain_emacs: Writer,
) -> None:
    """Emacs starts a server there if nothing marks a project; it knows the run."""
    plain_emacs.open(notes_in(plain_emacs.folder, angles="say-The%20flood"))
    plain_emacs.take("Start tech-article")
    plain_emacs.take("Run angles")
    plain_emacs.told("angles has 1 answer")
    plain_emacs.open_page("Open the step angles")
    folder = plain_emacs.lisp("(project-root (eglot--project (eglot-current-server)))")
    assert ".writeit" in folder, "the case that this is about"
    assert (
        "WriteIt: Choose answer 1 for angles (openai/say-The%20flood: The flood)"
        in (plain_emacs.offered())
    )
    plain_emacs.leave_question()


def test_leaving_emacs_pauses_what_runs(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    """Nobody says goodbye to the server; what it had is kept all the same."""
    notes = notes_in(tmp_path, angles="hang-after-headers")
    with Writer(tmp_path / "home", surroundings, documented()) as emacs:
        emacs.open(notes)
        emacs.take("Start tech-article")
        emacs.take("Run angles")
        emacs.told("angles is asked")
        emacs.keys(LEAVE)
        assert emacs.process.wait(PATIENCE) == 0

    def statuses() -> list[str]:
        said = subprocess.run(
            [sys.executable, "-m", "writeit", "log", "--json"],
            cwd=tmp_path,
            env=surroundings,
            capture_output=True,
            check=True,
        )
        return [run["status"] for run in json.loads(said.stdout)]

    assert waited(lambda: statuses() == ["PAUSED"])
