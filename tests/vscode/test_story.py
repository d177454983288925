"""One story as a writer sees it: from notes to article, by keys and clicks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vscode import tools, voices
from vscode.conftest import SERVER
from vscode.driving import drive
from vscode.serving import install, serving

if TYPE_CHECKING:
    from vscode.conftest import Built, World

NOTES = """\
---
writeit:
  pipeline: tech-article
  inputs: {target_audience: people who live by a river}
  models:
    angles: [openai/heron-angles, openai/otter-angles]
    outline: [openai/otter-outline]
    draft: [openai/heron-draft, openai/otter-draft]
    polish: [openai/heron-polish]
---
# Notes on rivers

The river is cold in the morning, and nobody swims.

The mills stand further down, and their wheels turn.

A bridge of stone leads over it to the old town.
"""


@pytest.mark.timeout(tools.PATIENCE + 60)
async def test_from_notes_to_article(
    built: Built, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start, stream, choose, cancel, polish, conflict, apply, undo, branch, compare.

    No setting names a server: the one on PATH is taken, and the log says why.
    """
    gate = world.workspace.with_name("may-end")
    gate.mkdir()
    voices.teach(monkeypatch, gate)
    (world.workspace / "notes.md").write_text(NOTES, encoding="utf-8")
    world.place.prefer({})
    await install(world.place, built.vsix, world.environment)
    heard: list[dict[str, Any]] = []
    log = world.artefacts / "code-server.log"
    async with serving(world.place, on_path(world.environment), log) as address:
        ended = await drive(
            "story.mjs",
            heard.append,
            within=tools.PATIENCE,
            address=address,
            workspace=world.workspace,
            artefacts=world.artefacts,
            gate=gate,
        )
    assert ended.code == 0, told(heard) + ended.complaints
    assert f"Server: {SERVER}, from PATH" in world.log()
    assert "Not taken: the active Python environment: no Python" in world.log()
    print(told(heard))  # noqa: T201 -- how long each step took, for who runs with -s
    cancelled = await world.provider.call("otter-outline")
    assert cancelled.disconnected.is_set()


def on_path(environment: dict[str, str]) -> dict[str, str]:
    """An environment whose PATH has the server, also as its login shell makes it.

    VS Code asks the shell, which may begin with a PATH of its own.
    """
    folder = SERVER.parent
    profile = Path(environment["HOME"]) / ".profile"
    profile.write_text(f'PATH="{folder}:$PATH"\n', encoding="utf-8")
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return environment | {"PATH": path, "SHELL": "/bin/sh"}


def told(heard: list[dict[str, Any]]) -> str:
    """How far the story went, a line for each step, and what broke it off."""
    return "".join(f"{line(event)}\n" for event in heard)


def line(event: dict[str, Any]) -> str:
    """One event in words."""
    if "step" in event:
        return f"{event['seconds']:6.1f} s  {event['step']}"
    return str(event.get("error") or event)
