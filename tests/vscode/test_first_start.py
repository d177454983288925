"""The first minutes: Restricted Mode, trust, the walkthrough, high contrast."""

import json
import re

import pytest

from support import keyring_backend
from vscode import tools
from vscode.browser_script import WORDING
from vscode.conftest import SERVER, Build, Sandbox
from vscode.scripted_models import register_models
from vscode.stories import run_story

KEYLESS = {
    "OPENAI_API_KEY": "",
    "PYTHON_KEYRING_BACKEND": keyring_backend.BACKEND,
    "PYTHONPATH": keyring_backend.PATH,
}
"""What an editor started from the desktop has: a keyring, and no keys yet."""


@pytest.mark.timeout(tools.TIMEOUT_SECONDS + 60)
async def test_restricted_mode_the_walkthrough_and_high_contrast(
    build: Build, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing runs before trust, and the walkthrough shows what is completed."""
    register_models(monkeypatch)
    profile = sandbox.profile
    profile.write_user_settings(
        {
            "security.workspace.trust.startupPrompt": "never",
            "writeit.view": "markdown",
        }
    )
    profile.write_machine_settings({"writeit.server.path": str(SERVER)})
    await run_story(
        "first_start.mjs",
        build,
        sandbox,
        sandbox.environment | KEYLESS,
        is_trusted=False,
        server_home=sandbox.environment["HOME"],
    )
    log = sandbox.log()
    assert log.count(WORDING["log"]["starting"]) == 1
    assert re.search(rf"{SERVER}\b.*\bwriteit\.server\.path\), \d", log)
    assert WORDING["log"]["rejected"] not in log  # the setting is the first source


@pytest.mark.timeout(tools.TIMEOUT_SECONDS + 60)
async def test_in_a_folder_without_writeit_nothing_starts_before_a_command(
    build: Build, sandbox: Sandbox
) -> None:
    """Then the server runs, and it does from the start when the folder is known."""
    sandbox.profile.write_user_settings({})
    sandbox.profile.write_machine_settings({"writeit.server.path": str(SERVER)})
    await run_story(
        "idle.mjs",
        build,
        sandbox,
        sandbox.environment,
        notes="# Notes on mills\n",
        server_home=sandbox.environment["HOME"],
    )


def test_every_colour_is_the_themes(build: Build) -> None:
    """A fixed color would be wrong in some theme, above all in high contrast."""
    manifest = json.loads((build.bundle.parents[1] / "package.json").read_text("utf-8"))
    source = build.bundle.parents[1] / "src"
    code = "".join(file.read_text("utf-8") for file in source.rglob("*.ts"))
    assert "colors" not in manifest["contributes"]
    assert "createTextEditorDecorationType" not in code
    assert code.count("new vscode.ThemeColor(") == 1
