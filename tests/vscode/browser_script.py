"""Runs the scripts of `drive/`, which control VS Code in a browser."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vscode import tools

DRIVE = Path(__file__).with_name("drive")

WORDING: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("wording.json").read_text("utf-8")
)
"""The words that tests look for, of which the scripts read the same file."""


@dataclass(frozen=True)
class ScriptResult:
    """How a script ended."""

    code: int
    stderr: str


async def run_script(
    script: str,
    on_event: Callable[[dict[str, Any]], None],
    *,
    timeout: float,  # noqa: ASYNC109 -- the caller's limit is for the script alone
    **variables: str | Path,
) -> ScriptResult:
    """Run a script and pass on each event that it reports.

    `timeout` is in seconds. `variables` become its environment, with names in capitals.
    """
    process = await asyncio.create_subprocess_exec(
        *(str(tools.node()), str(DRIVE / script)),
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "BROWSER": str(tools.browser()),
            "EXTENSION": str(tools.EXTENSION),
            "PLAYWRIGHT": str(tools.PLAYWRIGHT),
            "RENEW_PICTURES": tools.RENEW_PICTURES,
            **{name.upper(): str(value) for name, value in variables.items()},
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,  # one line of a log may be long
    )
    assert process.stdout is not None
    assert process.stderr is not None
    stderr = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(timeout):
            async for line in process.stdout:
                on_event(json.loads(line))
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return ScriptResult(code, (await stderr).decode(errors="replace"))
