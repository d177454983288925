"""Runs a story: a script that uses the packaged extension in a browser."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vscode import tools
from vscode.browser_script import run_script
from vscode.code_server import install_extension, running_code_server
from vscode.conftest import Build, Sandbox

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


async def run_story(
    script: str,
    build: Build,
    sandbox: Sandbox,
    environment: Mapping[str, str],
    *,
    is_trusted: bool = True,
    notes: str = NOTES,
    **variables: str | Path,
) -> None:
    """Install the extension, open a folder with notes, and run the script in it."""
    (sandbox.workspace / "notes.md").write_text(notes, encoding="utf-8")
    await install_extension(sandbox.profile, build.vsix, sandbox.environment)
    events: list[dict[str, Any]] = []
    log = sandbox.artefacts / "code-server.log"
    async with running_code_server(
        sandbox.profile, environment, log, is_trusted=is_trusted
    ) as address:
        result = await run_script(
            script,
            events.append,
            timeout=tools.TIMEOUT_SECONDS,
            address=address,
            workspace=sandbox.workspace,
            artefacts=sandbox.artefacts,
            **variables,
        )
    report = "".join(f"{format_event(event)}\n" for event in events)
    assert result.code == 0, report + result.stderr
    print(report)  # noqa: T201 -- the seconds of each step, for runs with -s


def format_event(event: dict[str, Any]) -> str:
    """Return one event as a line."""
    if "step" in event:
        return f"{event['seconds']:6.1f} s  {event['step']}"
    return str(event.get("error") or event)
