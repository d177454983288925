"""What soak and benchmarks share: a provider, an editor, a server that is counted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.editor import Editor  # noqa: E402 -- found since the line above
from support.workspace import new_workspace  # noqa: E402 -- as above

OBSERVED = Path(__file__).with_name("observed.py")
SETTINGS = {"maxConcurrentPipelines": 10}


@dataclass
class Scene:
    """An editor with its server, and a provider in a process of its own."""

    editor: Editor
    base_url: str
    counts: Path

    @property
    def server(self) -> psutil.Process:
        """The server's process."""
        return psutil.Process(self.editor.process.pid)

    @property
    def host(self) -> psutil.Process | None:
        """The model host's process, if it runs."""
        for child in self.server.children():
            with suppress(psutil.NoSuchProcess):  # it was killed this moment
                if child.cmdline()[-1:] == ["model-host"]:
                    return child
        return None


@asynccontextmanager
async def provider() -> AsyncIterator[str]:
    """Run the provider of the tests by itself; hand out its base URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "support.provider"),
        cwd=ROOT / "tests",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Set everything up in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        folder = new_workspace(home / "workspace")
        (home / "counts").mkdir()
        async with provider() as base_url:
            environment = {
                **os.environ,
                "HOME": name,
                "OBSERVED_FOLDER": str(home / "counts"),
                "OPENAI_API_KEY": "sk-bench",
                "OPENAI_BASE_URL": base_url,
                "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
                "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",
            }
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(OBSERVED), "serve"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                limit=2**26,
            )
            editor = Editor(process)
            editor.settings = dict(SETTINGS)
            try:
                await editor.open([folder], "visual_studio_code")
                editor.notes = editor.open_document(folder / "notes.md")
                yield Scene(editor, base_url, home / "counts")
                await editor.quit()
            finally:
                await editor.end()


async def counts_of(
    scene: Scene, process: psutil.Process, told: signal.Signals
) -> dict[str, int]:
    """Let a process count itself, and add what can be seen from outside."""
    path = scene.counts / str(process.pid)
    path.unlink(missing_ok=True)
    process.send_signal(told)
    async with asyncio.timeout(60):
        while not path.exists():  # noqa: ASYNC110 -- another process writes it
            await asyncio.sleep(0.02)
    counts: dict[str, int] = json.loads(path.read_text("ascii"))
    return {**counts, "descriptors": process.num_fds(), "kilobytes": anonymous(process)}


def anonymous(process: psutil.Process) -> int:
    """Return a process's own memory in kB; the store's file mapping is not counted."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return process.memory_info().rss // 1024
    line = next(x for x in status.read_text().splitlines() if x.startswith("RssAnon"))
    return int(line.split()[1])
