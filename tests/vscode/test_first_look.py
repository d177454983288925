"""The first minutes: a folder that nobody trusts yet, the walkthrough, other eyes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from support import vault
from vscode import tools, voices
from vscode.conftest import SERVER
from vscode.driving import drive
from vscode.serving import install, serving
from vscode.test_story import NOTES, told

if TYPE_CHECKING:
    from vscode.conftest import Built, World


KEYLESS = {
    "OPENAI_API_KEY": "",
    "PYTHON_KEYRING_BACKEND": vault.BACKEND,
    "PYTHONPATH": vault.PATH,
}
"""What an editor started from the desktop has: a keyring, and no keys yet."""


@pytest.mark.timeout(tools.PATIENCE + 60)
async def test_restricted_mode_the_walkthrough_and_high_contrast(
    built: Built, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing runs before trust; the walkthrough ticks itself off; then pictures."""
    voices.teach(monkeypatch)
    (world.workspace / "notes.md").write_text(NOTES, encoding="utf-8")
    world.place.prefer({"security.workspace.trust.startupPrompt": "never"})
    world.place.prefer_here({"writeit.server.path": str(SERVER)})
    await install(world.place, built.vsix, world.environment)
    heard: list[dict[str, Any]] = []
    environment = world.environment | KEYLESS
    async with serving(
        world.place,
        environment,
        world.artefacts / "code-server.log",
        trusting=False,
    ) as address:
        ended = await drive(
            "first.mjs",
            heard.append,
            within=tools.PATIENCE,
            address=address,
            workspace=world.workspace,
            artefacts=world.artefacts,
            server_home=world.environment["HOME"],
        )
    assert ended.code == 0, told(heard) + ended.complaints
    log = world.log()
    assert log.count("The WriteIt server is starting.") == 1
    assert f"Server: {SERVER}, from setting writeit.server.path" in log
    assert re.search(rf"Ready: {SERVER} \(setting writeit\.server\.path\), \d", log)
    assert "Not taken" not in log  # it is the first place that is looked at
    print(told(heard))  # noqa: T201 -- how long each step took, for who runs with -s


def test_every_colour_is_the_themes(built: Built) -> None:
    """Ours would be wrong in some theme, in high contrast for sure."""
    manifest = json.loads((built.bundle.parents[1] / "package.json").read_text("utf-8"))
    source = built.bundle.parents[1] / "src"
    code = "".join(file.read_text("utf-8") for file in source.rglob("*.ts"))
    assert "colors" not in manifest["contributes"]
    assert "createTextEditorDecorationType" not in code
    assert code.count("new vscode.ThemeColor(") == 1
