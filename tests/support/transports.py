"""An editor over stdio, TCP or WebSocket."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from support.editor import Editor, serving
from support.waiting import TIMEOUT

TOKEN = "let-me-in-let-me-in"
TRANSPORTS = ("stdio", "tcp", "ws")


@asynccontextmanager
async def listening(
    transport: str, environment: dict[str, str]
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """A server process that listens on a port of the system's choice."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "writeit", "serve", transport, "127.0.0.1:0"),
        env={**os.environ, **environment, "WRITEIT_TOKEN": TOKEN},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    line = (await asyncio.wait_for(process.stderr.readline(), TIMEOUT)).decode()
    try:
        yield process, int(line.rpartition(":")[2])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def as_process(reader: Any, writer: Any) -> Any:
    """What an Editor talks to, without a process of its own."""
    return SimpleNamespace(stdin=writer, stdout=reader, returncode=0)


async def over_tcp(port: int) -> Editor:
    """An editor at the other end of a TCP connection."""
    return Editor(as_process(*await asyncio.open_connection("127.0.0.1", port)))


async def close_connection(editor: Editor) -> None:
    """End an editor's TCP connection."""
    await editor.end()
    writer: Any = editor.process.stdin
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


class Bridge:
    """Frames of a WebSocket as the bytes of a stream, both ways."""

    def __init__(self, socket: Any) -> None:
        self.reader = asyncio.StreamReader(limit=2**26)
        self._socket = socket
        self._tasks = {asyncio.create_task(self._pump())}

    def write(self, data: bytes) -> None:
        """Send one message."""
        body = data.partition(b"\r\n\r\n")[2].decode()
        self._tasks.add(asyncio.create_task(self._socket.send(body)))

    async def _pump(self) -> None:
        try:
            while True:
                body = await self._socket.recv(decode=False)
                self.reader.feed_data(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        except ConnectionClosed:
            self.reader.feed_eof()


@asynccontextmanager
async def served(
    transport: str, folder: Path, profile: str, environment: dict[str, str]
) -> AsyncIterator[Editor]:
    """An initialized editor over one of the transports."""
    if transport == "stdio":
        async with serving([folder], profile, environment) as editor:
            yield editor
        return
    options = {"writeit": {"token": TOKEN}}
    async with listening(f"--{transport}", environment) as (_, port):
        if transport == "tcp":
            editor = await over_tcp(port)
            await editor.open([folder], profile, options)
            yield editor
            await close_connection(editor)
            return
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"ws://127.0.0.1:{port}"
        async with connect(url, additional_headers=headers, proxy=None) as socket:
            bridge = Bridge(socket)
            editor = Editor(as_process(bridge.reader, bridge))
            await editor.open([folder], profile)
            yield editor
            await editor.end()
