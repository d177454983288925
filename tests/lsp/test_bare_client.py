"""The example that docs/protocol.md points to is a client that works."""

import asyncio
import os
import sys
from pathlib import Path

from support.workspace import new_workspace

EXAMPLE = Path(__file__).parents[2] / "examples" / "bare_client.py"


async def test_the_bare_client_streams_an_answer_and_chooses_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """It prints the answer as it comes, and where the run stands then."""
    notes = new_workspace(tmp_path / "rivers") / "notes.md"
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, EXAMPLE, notes, "openai/say-Bees+20sleep"),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await client.communicate()
    assert printed.decode() == "Bees sleep\nat outline\n"
    assert client.returncode == 0
