"""A language model provider on loopback that does what the model's name says.

It speaks the OpenAI chat completions protocol (streamed), and as much of Ollama's as
the model host uses. Tests point `OPENAI_BASE_URL` at `base_url` and ask for
`openai/NAME`; provider_models.py says what the names mean.

Every request is kept in `calls`; tests wait on their events instead of sleeping. Run
as a script it prints its port. With `PROVIDER_LATE_FIRST=1` in the environment, the
first of several calls ends last: a test that takes an answer's place in `aiResponses`
for its number then fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from support.provider_models import BEHAVIOURS, echo, ollama_chat, some
from support.replies import Call, Reply, read_request, stop_all


class Provider:
    """The server; use `running()` to start one."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.listed: list[dict[str, Any]] | None = [
            {"id": name, "object": "model", "owned_by": "provider"}
            for name in ("gpt-4o", "gpt-4o-mini")
        ]
        """What `/v1/models` says; None: there is no such path."""
        self.lists_sent = 0
        """How often that was asked for; it is no call."""
        self.ollama_models: list[str] = []
        self.ollama_windows: dict[str, int] = {}
        """By model: what `/api/show` says; nothing about others."""
        self.busiest = 0
        """Most calls for answers that were open at a time."""
        self.port = 0
        self._answering: set[int] = set()
        self._arrived = asyncio.Condition()
        self._failures: dict[str, int] = {}
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._open: set[asyncio.Task[None]] = set()

    @property
    def root(self) -> str:
        """The address without a path; Ollama's base."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What `OPENAI_BASE_URL` is set to."""
        return f"{self.root}/v1"

    async def call(self, model: str, *, nth: int = 0, within: float = 60) -> Call:
        """Wait until the `nth` request for `model` has arrived and return it."""

        def of_model() -> list[Call]:
            return [
                call
                for call in self.calls
                if call.model == model and call.path != "/api/show"
            ]

        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: len(of_model()) > nth)
        return of_model()[nth]

    def let_go(self, *models: str) -> None:
        """Let answers end that are held, and those to come."""
        for model in models:
            self._gates[model.removeprefix("openai/")].set()

    async def start(
        self, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> asyncio.Server:
        """Listen on loopback."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def stop(self, server: asyncio.Server) -> None:
        """Hang up on everybody."""
        server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up; `disconnected` says so where it matters
        except asyncio.CancelledError:
            pass  # `stop`; asyncio's streams log a cancelled handler as an error
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        call = await read_request(reader)
        if call.path == "/v1/models" and self.listed is not None:
            self.lists_sent += 1
            await Reply(call, writer).whole(200, {"data": self.listed})
            return
        async with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        reply = Reply(call, writer)
        self.busiest = max(self.busiest, len(self._open))
        answering = asyncio.ensure_future(self._answer(call, reply))
        hangup = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, hangup}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
                call.finished.set()
        finally:
            if not answering.done() or answering.cancelled() or answering.exception():
                call.disconnected_at = time.monotonic()
                call.disconnected.set()
            await stop_all(answering, hangup)

    async def _answer(self, call: Call, reply: Reply) -> None:
        if call.path == "/api/tags":
            models = [{"name": name} for name in self.ollama_models]
            await reply.whole(200, {"models": models})
        elif call.path == "/api/show":
            await self._show(call.model, reply)
        elif call.path == "/api/chat":
            await ollama_chat(reply)
        elif call.path == "/v1/chat/completions":
            kind, _, argument = call.model.partition("-")
            if kind == "held":
                await some(reply, argument.partition("-")[0])
                await self._gates[call.model].wait()
                await reply.end()
                return
            if kind in {"flaky", "recovers"}:
                kind, argument = self._flaky(call.model, argument)
            await self._late(call)
            await BEHAVIOURS.get(kind, echo)(reply, argument)
        else:
            await reply.whole(404, {"error": {"message": "no such path"}})

    async def _late(self, call: Call) -> None:
        """Delay the first of several calls, if that is asked for."""
        first = not self._answering
        self._answering.add(id(call))
        if first and os.environ.get("PROVIDER_LATE_FIRST"):
            await asyncio.sleep(0.5)
        self._answering.discard(id(call))

    async def _show(self, model: str, reply: Reply) -> None:
        window = self.ollama_windows.get(model)
        if window is None:
            await reply.whole(404, {"error": "no such model"})
            return
        info = {"general.architecture": "fox", "fox.context_length": window}
        await reply.whole(200, {"model_info": info})

    def _flaky(self, model: str, argument: str) -> tuple[str, str]:
        times, _, error = argument.partition("-")
        self._failures[model] = self._failures.get(model, 0) + 1
        if self._failures[model] <= int(times):
            return "err", error or "500"
        return "fast", "5"


@contextlib.asynccontextmanager
async def running(
    port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Provider]:
    """Run a provider for as long as the context is open."""
    provider = Provider()
    server = await provider.start(port, tls)
    try:
        yield provider
    finally:
        await provider.stop(server)


def environment_of(base_url: str, home: Path | None = None) -> dict[str, str]:
    """Return a server's environment: a key, no other provider, folders of its own."""
    environment = {
        "OPENAI_API_KEY": "sk-secret-of-the-tests",
        "OPENAI_BASE_URL": base_url,
        "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
        "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",  # nothing listens there
    }
    if home is not None:
        environment["HOME"] = str(home)
        for name in ("cache", "config", "data"):
            environment[f"WRITEIT_{name.upper()}_DIR"] = str(home / name)
    return environment


async def main(port: int) -> None:
    """Print the port and serve until killed."""
    async with running(port) as provider:
        sys.stdout.write(f"{provider.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
