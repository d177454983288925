"""Which run a command in an article is about: its own, whatever was polished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neovim import wording

if TYPE_CHECKING:
    from typing import Any

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
BETTER = "openai/say-In%20better%20words."


def _polished(writer: NeovimSession, models: str = BETTER) -> str:
    """A run that is at its second step, then a passage polished; the run's id."""
    writer.open_notes(NOTES.replace("MODELS", models))
    writer.do("start")
    writer.do("next openai/say-an%20angle openai/say-another")
    run_id: str = writer.run()["pipelineRunId"]
    line = writer.text().split("\n").index(PASSAGE) + 1
    writer.do("polish", line=line)
    return run_id


def _shown(writer: NeovimSession, run_id: str) -> dict[str, Any]:
    run: dict[str, Any] = writer.ask("run.show", runId=run_id)
    return run


def test_after_a_polish_commands_are_about_the_articles_own_run(
    writer: NeovimSession,
) -> None:
    """Every one of them, and nothing becomes of the polish's run."""
    run_id = _polished(writer)
    polish = writer.run()
    assert polish["pipelineRunId"] != run_id
    writer.do("open")
    assert "an angle" in writer.beside_shows("## Answer 2")
    writer.nvim.command("wincmd h")
    writer.do("choose 2")
    assert _shown(writer, run_id)["steps"]["angles"]["userSelection"] == 1
    writer.do("skip")
    assert _shown(writer, run_id)["steps"]["outline"]["status"] == "SKIPPED"
    writer.do("next openai/say-a%20draft")
    assert _shown(writer, run_id)["steps"]["draft"]["aiResponses"]
    writer.do("export yaml of-the-article.yaml")
    exported = (writer.workspace / "of-the-article.yaml").read_text("utf-8")
    assert "a draft" in exported
    assert "In better words." not in exported
    writer.do("rewind angles")
    assert writer.run()["parentPipelineRunId"] == run_id
    assert writer.ask("run.tree", runId=polish["pipelineRunId"])["children"] == []


def test_restore_takes_back_what_came_in_last(writer: NeovimSession) -> None:
    """That was the polish, and the server offers it first."""
    _polished(writer)
    assert PASSAGE not in writer.text()
    writer.do("restore")
    assert PASSAGE in writer.text()
    writer.said(wording.RESTORED)


def test_a_polish_to_choose_from_is_applied_from_the_article(
    writer: NeovimSession,
) -> None:
    """Its view is where she chooses; the article's run is left alone."""
    run_id = _polished(writer, "[openai/say-one, openai/say-two]")
    writer.said(wording.CHOOSE_BESIDE)
    writer.beside_shows("# polish")
    before = writer.text()
    writer.nvim.command("wincmd l")
    writer.do("choose 2")
    writer.do("apply")
    second = writer.run()["steps"]["polish"]["aiResponses"][1]["processedContent"]
    assert writer.text() == before.replace(PASSAGE, second)
    assert _shown(writer, run_id)["steps"]["angles"].get("userSelection") is None


def test_without_a_run_of_its_own_an_article_has_none(writer: NeovimSession) -> None:
    """A passage polished makes no run of it; the next command says what does."""
    writer.open_notes(NOTES.replace("MODELS", BETTER))
    writer.do("polish", line=writer.text().split("\n").index(PASSAGE) + 1)
    writer.do("next")
    writer.said(wording.NO_RUN)
