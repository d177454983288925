"""Runs the scripts of `drive/`, which drive VS Code in a browser."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vscode import tools

if TYPE_CHECKING:
    from collections.abc import Callable

DRIVE = Path(__file__).with_name("drive")


@dataclass(frozen=True)
class Ended:
    """How a script ended."""

    code: int
    complaints: str


async def drive(
    script: str,
    heard: Callable[[dict[str, Any]], None],
    *,
    within: float,
    **told: str | Path,
) -> Ended:
    """Run a script and hand on each event it tells.

    `told` are the variables it is told, in capitals.
    """
    process = await asyncio.create_subprocess_exec(
        *(str(tools.node()), str(DRIVE / script)),
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "BROWSER": str(tools.browser()),
            "PLAYWRIGHT": str(tools.PLAYWRIGHT),
            **{name.upper(): str(value) for name, value in told.items()},
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,  # one line of a log may be long
    )
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(within):
            async for line in process.stdout:
                heard(json.loads(line))
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(code, (await complaints).decode(errors="replace"))
