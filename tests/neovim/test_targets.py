"""What a command in a document is about: the document's own run."""

from typing import Any

from neovim import wording
from support.answers import chosen_number
from support.neovim_session import NeovimSession

NOTES = """\
---
writeit:
  pipeline: tech-article
  inputs: {target_audience: editors}
  models: {polish: MODELS}
---
# Notes on rivers

This paragraph is the one to be rewritten.

It begins at a source and ends at a mouth.
"""
PASSAGE = "This paragraph is the one to be rewritten."
BETTER = "openai/say-In+20better+20words."


def _generate_and_polish(session: NeovimSession, models: str = BETTER) -> str:
    """Generate a step, polish a passage and return the run's id."""
    session.open_notes(NOTES.replace("MODELS", models))
    session.run("start")
    session.run("next openai/say-an+20angle openai/say-another")
    run_id: str = session.newest_run()["pipelineRunId"]
    line = session.text().split("\n").index(PASSAGE) + 1
    session.run("polish", line=line)
    return run_id


def _shown(session: NeovimSession, run_id: str) -> dict[str, Any]:
    run: dict[str, Any] = session.execute("run.show", runId=run_id)
    return run


def test_commands_after_a_polish_are_about_the_documents_run(
    session: NeovimSession,
) -> None:
    """No command changes the run of the polish."""
    run_id = _generate_and_polish(session)
    polish = session.newest_run()
    assert polish["pipelineRunId"] != run_id
    session.run("open")
    assert "an angle" in session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("wincmd h")
    session.run("choose 2")
    assert chosen_number(_shown(session, run_id)["steps"]["angles"]) == 2
    session.run("skip")
    assert _shown(session, run_id)["steps"]["outline"]["status"] == "SKIPPED"
    session.run("next openai/say-a+20draft")
    assert _shown(session, run_id)["steps"]["draft"]["aiResponses"]
    session.run("export yaml document-run.yaml")
    exported = (session.workspace / "document-run.yaml").read_text("utf-8")
    assert "a draft" in exported
    assert "In better words." not in exported
    session.run("rewind angles")
    assert session.newest_run()["parentPipelineRunId"] == run_id
    assert session.execute("run.tree", runId=polish["pipelineRunId"])["children"] == []


def test_restore_undoes_the_last_apply(session: NeovimSession) -> None:
    """Here that is the polish, which the server lists first."""
    _generate_and_polish(session)
    assert PASSAGE not in session.text()
    session.run("restore")
    assert PASSAGE in session.text()
    session.wait_for_message(wording.RESTORED)


def test_polish_with_several_answers(session: NeovimSession) -> None:
    """The user chooses in its view and applies from the document."""
    run_id = _generate_and_polish(session, "[openai/say-one, openai/say-two]")
    session.wait_for_message(wording.CHOOSE_BESIDE)
    assert session.nvim.messages().count("WriteIt: ") == len(
        ["started", "generating", "angles", "generating", "choose"]
    )
    session.wait_for_side_text("# polish")
    before = session.text()
    session.nvim.command("wincmd l")
    session.run("choose 2")
    session.run("apply")
    polish = session.newest_run()["steps"]["polish"]
    assert chosen_number(polish) == 2
    assert session.text() == before.replace(PASSAGE, polish["content"])
    assert _shown(session, run_id)["steps"]["angles"].get("userSelection") is None


def test_polish_gives_the_document_no_run(session: NeovimSession) -> None:
    """The next command says how to start one."""
    session.open_notes(NOTES.replace("MODELS", BETTER))
    session.run("polish", line=session.text().split("\n").index(PASSAGE) + 1)
    session.run("next")
    session.wait_for_message(wording.NO_RUN)
