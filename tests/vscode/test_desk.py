"""The pages of runs and steps in a real VS Code, with keys, clicks and pictures."""

import pytest

from vscode import tools
from vscode.conftest import SERVER, Build, Sandbox
from vscode.scripted_models import register_models
from vscode.stories import run_story

NOTES = """\
---
writeit:
  pipeline: tech-article
  inputs: {target_audience: people who live by a river}
  models:
    angles: [openai/gpt-4.1-mini, openai/gpt-4o-mini]
    outline: [openai/gpt-3.5-turbo]
    draft: [openai/gpt-4.1, openai/gpt-4.1,
            openai/gpt-4o, openai/gpt-4o]
    polish: [openai/gpt-4.1-nano]
---
# Notes on rivers

The river is cold in the morning, and nobody swims.
"""
AXE = tools.EXTENSION / "node_modules/axe-core/axe.min.js"


@pytest.mark.timeout(tools.TIMEOUT_SECONDS + 60)
async def test_the_full_story_takes_at_most_nine_acts(
    build: Build, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two models with two answers, feedback, a merge; words survive what is killed."""
    gate = sandbox.workspace.with_name("may-end")
    gate.mkdir()
    register_models(monkeypatch, gate)
    sandbox.profile.write_user_settings({})
    sandbox.profile.write_machine_settings({"writeit.server.path": str(SERVER)})
    await run_story(
        "desk.mjs",
        build,
        sandbox,
        sandbox.environment,
        notes=NOTES,
        gate=gate,
        axe=AXE,
        most_acts="9",
        data=sandbox.environment["WRITEIT_DATA_DIR"],
    )
