"""A provider that records times, and servers with an editor that records them."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.editor import Editor, Json
from support.provider import Provider, environment_of
from support.replies import Call, Reply

Hear = Callable[[str, dict[str, Any], float], None]
"""Gets a stream's token, a value of it, and when it arrived."""


@dataclass(slots=True)
class Interval:
    """When a provider worked on a call; `ended` is None while it works."""

    key: str
    """The API key of the call, which identifies the server."""
    prompt: str
    began: float
    ended: float | None = None


class TimedProvider(Provider):
    """A provider that records when each call started and ended."""

    def __init__(self) -> None:
        super().__init__()
        self.intervals: list[Interval] = []

    async def _answer(self, call: Call, reply: Reply) -> None:
        key = call.headers.get("authorization", "")
        interval = Interval(key, call.prompt, time.monotonic())
        self.intervals.append(interval)
        try:
            await super()._answer(call, reply)
        finally:
            interval.ended = time.monotonic()


@asynccontextmanager
async def providing() -> AsyncIterator[TimedProvider]:
    """Run a provider for as long as the context is open."""
    provider = TimedProvider()
    server = await provider.start()
    try:
        yield provider
    finally:
        await provider.stop(server)


def environment(provider: Provider, home: Path, key: str = "one") -> dict[str, str]:
    """Return the environment of a server: a key, and no access to remote providers."""
    home.mkdir(exist_ok=True)
    return environment_of(provider.base_url, home) | {"OPENAI_API_KEY": f"sk-{key}"}


class Witness(Editor):
    """An editor that records when streamed text arrived, and the server's log."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        super().__init__(process)
        self.hear: Hear = lambda _token, _value, _at: None
        self.settings = {"maxConcurrentPipelines": 10}
        self._log = log

    def _take(self, message: Json) -> None:
        if message.get("method") == "$/progress":
            params = message["params"]
            self.hear(str(params["token"]), params["value"], time.monotonic())
        super()._take(message)

    async def drained(self) -> None:
        """Wait until all messages of a dead server are received."""
        await self.process.wait()
        await asyncio.wait({self._reader})

    def logged(self) -> str:
        """Return what the server has written to stderr."""
        return self._log.read_text(encoding="utf-8")


@asynccontextmanager
async def witnessing(
    workspace: Path, variables: dict[str, str], log: Path
) -> AsyncIterator[Witness]:
    """A server process on a workspace, with a connected witness."""
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "writeit", "serve"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, **variables},
            limit=2**26,
        )
    witness = Witness(process, log)
    try:
        await witness.open([workspace], "neovim")
        yield witness
    finally:
        await witness.end()
