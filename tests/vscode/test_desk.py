"""The pages of runs and steps in a real VS Code, with keys, clicks and pictures."""

import pytest

from vscode import tools
from vscode.conftest import SERVER, Build, Sandbox
from vscode.scripted_models import register_models
from vscode.stories import run_story


@pytest.mark.timeout(tools.TIMEOUT_SECONDS + 60)
async def test_the_full_story_takes_nine_acts(
    build: Build, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From notes to article on the pages, with pictures of each."""
    gate = sandbox.workspace.with_name("may-end")
    gate.mkdir()
    register_models(monkeypatch, gate)
    sandbox.profile.write_user_settings({})
    sandbox.profile.write_machine_settings({"writeit.server.path": str(SERVER)})
    await run_story("desk.mjs", build, sandbox, sandbox.environment, gate=gate)
