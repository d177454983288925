"""What only a real Emacs shows: its questions, its timers, its projects."""

import json
import subprocess
import sys
import time
from pathlib import Path

from emacs import wording
from emacs.conftest import documented_init
from emacs.notes import FIRST, create_notes
from emacs.process import lisp_string
from emacs.session import LEAVE, NEXT_LINE, UNDO, EmacsSession
from support.waiting import TIMEOUT, wait_until

DEFINITION, BACK = "\x1b.", "\x1b,"
POLISHED = " ".join(f"word{number}" for number in range(60))


def polish_first_passage(emacs: EmacsSession, model: str = "say-Rivers+20run.") -> None:
    """Send a passage to a model."""
    emacs.open(create_notes(emacs.folder, polish=model))
    emacs.select_line(FIRST)
    emacs.run_action(wording.POLISH)


def test_typing_during_an_apply_is_kept(emacs: EmacsSession) -> None:
    """Eglot reports changes when idle, and rejects edits of an older version."""
    polish_first_passage(emacs, "slow-60")
    emacs.lisp("(progn (deactivate-mark) (goto-char (point-max)))")
    words = [f"fish{number} " for number in range(40)]
    for word in words:
        emacs.type(word)
    emacs.wait_for_message(wording.INSERTED)
    text = emacs.text()
    assert "".join(words) in text
    assert POLISHED in text
    assert FIRST not in text


def test_one_undo_removes_an_answer(emacs: EmacsSession) -> None:
    """An edit of the server is one undo step."""
    polish_first_passage(emacs)
    emacs.wait_for_message(wording.INSERTED)
    emacs.wait_for_text("Rivers run.")
    emacs.keys(UNDO)
    emacs.wait_for_text(FIRST)
    assert "Rivers run." not in emacs.text()


def test_action_restores_a_polished_passage(emacs: EmacsSession) -> None:
    """A message confirms it."""
    polish_first_passage(emacs)
    emacs.wait_for_message(wording.INSERTED)
    emacs.run_action(wording.RESTORE_POLISH)
    emacs.wait_for_message(wording.RESTORED)
    emacs.wait_for_text(FIRST)


def test_actions_about_the_word_at_the_cursor_are_last(emacs: EmacsSession) -> None:
    """Without a mark eglot sends that word as the selection."""
    emacs.open(create_notes(emacs.folder))
    emacs.move_before("river is moving")
    assert emacs.actions()[0].startswith(wording.START_PREFIX)
    emacs.close_question()
    emacs.move_before("Notes on")
    assert wording.POLISH_SECTION in emacs.actions()
    emacs.close_question()


def test_settings_come_from_eglots_workspace_configuration(emacs: EmacsSession) -> None:
    """The model in the settings generates the answer."""
    emacs.open(create_notes(emacs.folder))
    emacs.lisp(
        "(setq-default eglot-workspace-configuration"
        ' \'(:writeit (:models (:default "openai/say-From+20settings."))))'
    )
    emacs.command("eglot-signal-didChangeConfiguration")
    emacs.run_action(wording.START)
    emacs.run_action(wording.GENERATE.format("angles"))
    emacs.wait_for_message(wording.ANSWERS.format("angles", 1))
    assert any("From settings." in title for title in emacs.actions())
    emacs.close_question()


def test_edit_is_confirmed_once_however_long_it_takes(emacs: EmacsSession) -> None:
    """By default eglot asks before each edit of a server."""
    emacs.open(create_notes(emacs.folder, polish="say-Rivers+20run."))
    emacs.lisp("(setq eglot-confirm-server-initiated-edits 'confirm)")
    try:
        emacs.select_line(FIRST)
        emacs.run_action(wording.POLISH)
        emacs.until('(and (active-minibuffer-window) (string-match "edit" (prompt)) t)')
        time.sleep(4)  # longer than the server waits for a reply before it goes on
        emacs.keys("y")
        emacs.until("(not (active-minibuffer-window))")
        emacs.keys(NEXT_LINE)
        emacs.wait_for_message(wording.INSERTED)
        assert wording.EDIT_REFUSED not in emacs.messages()
        assert "Rivers run." in emacs.text()
    finally:
        emacs.lisp("(setq eglot-confirm-server-initiated-edits nil)")


def test_page_belongs_to_its_notes_though_its_folder_is_a_project(
    minimal_emacs: EmacsSession,
) -> None:
    """Without a project Emacs starts a server for the page; it knows the run."""
    minimal_emacs.open(create_notes(minimal_emacs.folder, angles="say-The+20flood"))
    minimal_emacs.run_action(wording.START)
    minimal_emacs.run_action(wording.GENERATE.format("angles"))
    minimal_emacs.wait_for_message(wording.ANSWERS.format("angles", 1))
    minimal_emacs.open_page(wording.OPEN_STEP.format("angles"))
    folder = minimal_emacs.lisp(
        "(project-root (eglot--project (eglot-current-server)))"
    )
    assert ".writeit" in folder, "Emacs started no server of its own there"
    assert wording.CHOOSE_TITLE.format("openai/say-The+20flood", "The flood") in (
        minimal_emacs.actions()
    )
    minimal_emacs.close_question()


def test_exit_of_emacs_pauses_the_run(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Emacs sends no shutdown request; what was received is kept all the same."""
    notes = create_notes(tmp_path, angles="hang-after-headers")
    with EmacsSession(tmp_path / "home", environment, documented_init()) as emacs:
        emacs.open(notes)
        emacs.run_action(wording.START)
        emacs.run_action(wording.GENERATE.format("angles"))
        emacs.wait_for_message(wording.GENERATING.format("angles"))
        emacs.keys(LEAVE)
        assert emacs.process.wait(TIMEOUT) == 0

    def statuses() -> list[str]:
        log = subprocess.run(
            [sys.executable, "-m", "writeit", "log", "--json"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=True,
        )
        return [run["status"] for run in json.loads(log.stdout)]

    assert wait_until(lambda: statuses() == ["PAUSED"])


def test_runs_follow_a_file_that_was_renamed(emacs: EmacsSession) -> None:
    """Eglot tells of no rename and closes nothing, so the runs are offered."""
    notes = create_notes(emacs.folder)
    notes.write_text("# Herons\n\nHerons stand on one leg.\n", "utf-8")
    emacs.open(notes)
    emacs.run_action(wording.START)
    emacs.wait_for_message(wording.STARTED)
    new = notes.with_name("renamed notes.md")
    both = f"{lisp_string(str(notes))} {lisp_string(str(new))}"
    emacs.lisp(f"(progn (require 'dired-aux) (dired-rename-file {both} nil))")
    emacs.run_action(wording.MOVE_RUNS.format(notes.name))
    emacs.wait_for_message(wording.MOVED.format(notes.name, new.name))
    new.unlink()


def test_definition_of_first_line_is_the_current_step(emacs: EmacsSession) -> None:
    """`M-.` opens the page of the step, `M-,` returns to the notes."""
    notes = create_notes(emacs.folder)
    emacs.open(notes)
    emacs.run_action(wording.START)
    emacs.wait_for_message(wording.STARTED)
    emacs.move_before("Notes on rivers")
    emacs.keys(DEFINITION)
    emacs.until('(string-match "/views/step/.*angles.md$" (or buffer-file-name ""))')
    emacs.wait_for_text(wording.NOT_STARTED)
    emacs.keys(BACK)
    emacs.wait_for_server(notes)
