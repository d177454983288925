"""The model host: the child process that calls models (`writeit model-host`).

LiteLLM is large, slow to import and prints to stdout, so it runs here. A thread reads
stdin before LiteLLM is imported, so that the host always ends with its server.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from writeit.llm.process import (
    HostMessage,
    LineSplitter,
    decode_message,
    encode_message,
)

if TYPE_CHECKING:
    # It is slow to import, which must not happen before stdin is watched.
    from writeit.llm.requests import RequestHandler
_LOOPBACK_HOSTS = "127.0.0.1,localhost,::1"
_DELTAS = ("delta", "thought")
"""Messages whose text is joined while the pipe is full."""


def main() -> None:
    """Serve the parent process until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    out = claim_stdout()
    inbox = RequestReader()
    threading.Thread(target=inbox.read_until_eof, args=(0,), daemon=True).start()
    prepare_environment()
    from writeit.llm.requests import RequestHandler  # noqa: PLC0415 -- slow to import

    asyncio.run(serve_requests(inbox, out, RequestHandler))


def claim_stdout() -> BinaryIO:
    """Return stdout for messages; everything else that is printed goes to stderr."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return out


def prepare_environment() -> None:
    """Set what LiteLLM reads when it is imported."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no request for prices
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # no .env file of a workspace
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    # Calls to models on this machine must not go through a proxy. Libraries disagree
    # on which name counts, so both have the same value.
    names = ("no_proxy", "NO_PROXY")
    others = next((value for name in names if (value := os.environ.get(name))), "")
    for name in names:
        os.environ[name] = f"{others},{_LOOPBACK_HOSTS}" if others else _LOOPBACK_HOSTS


class RequestReader:
    """Reads requests from stdin and buffers them until there is a listener."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buffered: list[HostMessage] = []
        self._listener: Callable[[HostMessage], object] | None = None

    def read_until_eof(self, descriptor: int) -> None:
        """Read until the end or an error, then exit: the parent process has ended."""
        try:
            self._read_lines(descriptor)
        except Exception:  # noqa: BLE001 -- it is printed, then the process exits
            traceback.print_exc()
        finally:
            os._exit(0)

    def _read_lines(self, descriptor: int) -> None:
        lines = LineSplitter()
        while data := os.read(descriptor, 1 << 16):
            for line in lines.feed(data):
                self._deliver(decode_message(line))

    def _deliver(self, message: HostMessage) -> None:
        if message["type"] == "shutdown":
            os._exit(0)
        if message["type"] == "configure" and "id" not in message:  # from `adopt`
            os.environ.update(message["environment"])
            return
        with self._lock:
            if self._listener is None:
                self._buffered.append(message)
            else:
                self._listener(message)

    def listen(self, listener: Callable[[HostMessage], object]) -> None:
        """Call `listener` with all requests, in the reading thread."""
        with self._lock:
            for message in self._buffered:
                listener(message)
            self._buffered.clear()
            self._listener = listener


async def serve_requests(
    reader: RequestReader, out: BinaryIO, make_handler: type[RequestHandler]
) -> None:
    """Handle requests until the process ends."""
    writer = MessageWriter(on_disconnect=lambda: os._exit(0))
    await writer.connect(out)
    handler = make_handler(writer.send)
    writer.send({"type": "ready"})
    loop = asyncio.get_running_loop()
    reader.listen(lambda message: loop.call_soon_threadsafe(handler.handle, message))
    await loop.create_future()


class MessageWriter(asyncio.Protocol):
    """Writes messages without blocking.

    While the pipe is full, messages wait in order and the deltas of one answer are
    joined, so that a slow reader catches up in one write.
    """

    def __init__(self, on_disconnect: Callable[[], None]) -> None:
        self._on_disconnect = on_disconnect
        self._pipe: asyncio.WriteTransport | None = None
        self._is_paused = True
        self._buffered: list[HostMessage] = []
        self._open_deltas: dict[int, tuple[str, list[str]]] = {}

    async def connect(self, pipe: BinaryIO) -> None:
        """Write to `pipe` from now on."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_write_pipe(lambda: self, pipe)
        # Pause as soon as the kernel does not take a byte.
        transport.set_write_buffer_limits(high=0)
        self._pipe = transport
        self.resume_writing()

    def send(self, message: HostMessage) -> None:
        """Write `message`, or keep it until the pipe is free."""
        if self._is_paused or self._pipe is None:
            self._buffer_message(message)
        else:
            self._pipe.write(encode_message(message))

    def _buffer_message(self, message: HostMessage) -> None:
        kind, call_id = message["type"], message.get("id", -1)
        open_kind, growing = self._open_deltas.get(call_id, ("", []))
        if kind not in _DELTAS:
            self._open_deltas.pop(call_id, None)
            self._buffered.append(message)
        elif kind == open_kind:
            growing.append(message["text"])
        else:
            parts = [message["text"]]
            self._open_deltas[call_id] = kind, parts
            self._buffered.append({**message, "text": parts})

    def pause_writing(self) -> None:
        """Buffer messages: the pipe is full."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Write the buffered messages: the pipe is free."""
        waiting, self._buffered = self._buffered, []
        self._open_deltas = {}
        self._is_paused = False
        if waiting and self._pipe is not None:
            self._pipe.write(
                b"".join(
                    encode_message(join_delta_parts(message)) for message in waiting
                )
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """Report that the reader has closed the pipe."""
        del exc
        self._on_disconnect()


def join_delta_parts(message: HostMessage) -> HostMessage:
    """Join the parts of a buffered delta."""
    if message["type"] in _DELTAS:
        return {**message, "text": "".join(message["text"])}
    return message
