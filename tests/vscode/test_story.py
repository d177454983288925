"""One story of a user: from notes to article, with keys and clicks."""

import os
from pathlib import Path

import pytest

from vscode import tools
from vscode.browser_script import WORDING
from vscode.conftest import SERVER, Build, Sandbox
from vscode.scripted_models import register_models
from vscode.stories import run_story


@pytest.mark.timeout(tools.TIMEOUT_SECONDS + 60)
async def test_from_notes_to_article(
    build: Build, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start, stream, choose, cancel, polish, conflict, apply, undo, branch, compare.

    No setting names a server: the extension finds the one on PATH, and the log says so.
    """
    gate = sandbox.workspace.with_name("may-end")
    gate.mkdir()
    register_models(monkeypatch, gate)
    sandbox.profile.write_user_settings({"writeit.view": "markdown"})
    environment = with_server_on_path(sandbox.environment)
    await run_story("story.mjs", build, sandbox, environment, gate=gate)
    log = sandbox.log()
    assert f"{SERVER} (PATH)" in log
    assert f"{WORDING['log']['rejected']}the active Python environment: " in log
    cancelled = await sandbox.provider.call("otter-outline")
    assert cancelled.disconnected.is_set()


def with_server_on_path(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment whose PATH has the server, also in a login shell.

    VS Code asks the shell, which may start with a PATH of its own.
    """
    folder = SERVER.parent
    profile = Path(environment["HOME"]) / ".profile"
    profile.write_text(f'PATH="{folder}:$PATH"\n', encoding="utf-8")
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return environment | {"PATH": path, "SHELL": "/bin/sh"}
