"""Starts the embedded model's server when it is needed, and again when it died."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import secrets
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from writeit.core.errors import ModelError
from writeit.models.embedded import MODEL, WINDOW, check_usable, weights_path
from writeit.models.providers import EMBEDDED

if TYPE_CHECKING:
    from asyncio.subprocess import Process

COMMAND: Final = (sys.executable, "-P", "-m", "writeit", "embedded-server")
"""-P: the folder we stand in is the writer's; modules in it are not ours."""
_NEWS: Final = 0.25
_PATIENCE: Final = 60
"""Seconds that loading may take on a slow disk."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the server listens and the key it wants."""

    url: str
    key: str


class EmbeddedRunner:
    """The one server of the embedded model."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._starting = asyncio.Lock()
        self._process: Process | None = None
        self._endpoint: Endpoint | None = None

    @property
    def running(self) -> Endpoint | None:
        """Where the server listens, if it is up."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._endpoint

    async def endpoint(self) -> Endpoint:
        """Return where the server listens, starting it if need be.

        Raises:
            ModelError: it cannot be started.
        """
        async with self._starting:
            if (running := self.running) is not None:
                return running
            check_usable(MODEL)
            return await self._start()

    async def _start(self) -> Endpoint:
        key = secrets.token_urlsafe(24)
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                url = await _introduce(self._process, key)
        except (OSError, TimeoutError, ValueError, KeyError) as error:
            await self.stop()
            raise ModelError(
                "The embedded model did not start.",
                reason="unavailable",
                hint="Run `writeit doctor`; installing the model again may help.",
                provider=EMBEDDED,
            ) from error
        self._endpoint = Endpoint(url, key)
        return self._endpoint

    async def settle(self) -> None:
        """After a failed call, wait a moment: its end may be news on the way.

        Without this the next call would be sent to a server that is no more.
        """
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _NEWS)

    async def stop(self) -> None:
        """End the server."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _introduce(process: Process, key: str) -> str:
    """Tell a fresh server what to serve, and hear where."""
    assert process.stdin is not None  # noqa: S101 -- it was started with pipes
    assert process.stdout is not None  # noqa: S101 -- as above
    settings = {
        "weights": str(weights_path()),
        "key": key,
        "threads": max(1, (os.cpu_count() or 2) - 1),
        "window": WINDOW,
    }
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    await process.stdin.drain()
    return str(json.loads(await process.stdout.readline())["url"])


def count_tokens(endpoint: Endpoint, text: str) -> int:
    """Let the server count the tokens of `text`; blocks for about a millisecond.

    Raises:
        OSError: it does not answer.
        ValueError: it answers something else.
    """
    connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=5)
    try:
        headers = {"Authorization": f"Bearer {endpoint.key}"}
        connection.request("POST", "/tokenize", json.dumps({"content": text}), headers)
        tokens = json.loads(connection.getresponse().read()).get("tokens")
    finally:
        connection.close()
    if not isinstance(tokens, list):
        raise ValueError("not a list of tokens")  # noqa: TRY004 -- of the answer, not of an argument
    return len(tokens)
