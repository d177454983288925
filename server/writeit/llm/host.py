"""The model host: the child process that speaks to models (`writeit model-host`).

LiteLLM is slow to import, large, and prints to stdout; so it lives here. A thread
watches stdin before anything heavy is imported: whatever the host is doing when its
server goes away, it goes too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import traceback
from collections.abc import Callable
from typing import BinaryIO

from writeit.llm.process import (
    HostMessage,
    LineSplitter,
    decode_message,
    encode_message,
)
from writeit.llm.requests import RequestHandler

_LOOPBACK_HOSTS = "127.0.0.1,localhost,::1"


def main() -> None:
    """Serve the parent process until its end of stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    out = claim_stdout()
    inbox = RequestReader()
    threading.Thread(target=inbox.read_until_eof, args=(0,), daemon=True).start()
    prepare_environment()
    from writeit.llm.requests import RequestHandler  # noqa: PLC0415 -- imports LiteLLM: 2.5 s

    asyncio.run(serve_requests(inbox, out, RequestHandler))


def claim_stdout() -> BinaryIO:
    """Keep stdout for messages; what anybody prints goes to stderr from now on."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return out


def prepare_environment() -> None:
    """Set what LiteLLM reads when it is imported."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no request for prices
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # no .env file of a workspace
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    # A proxy must not see what is asked of this machine's own models. Readers of the
    # two names disagree which counts, so both say the same.
    names = ("no_proxy", "NO_PROXY")
    others = next((value for name in names if (value := os.environ.get(name))), "")
    for name in names:
        os.environ[name] = f"{others},{_LOOPBACK_HOSTS}" if others else _LOOPBACK_HOSTS


class RequestReader:
    """Requests from stdin; keeps those that come before anybody listens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buffered: list[HostMessage] = []
        self._listener: Callable[[HostMessage], object] | None = None

    def read_until_eof(self, descriptor: int) -> None:
        """Read until the end, then end the process: the parent is gone.

        Without this thread nobody would see that, so its own failure ends all too.
        """
        try:
            self._read_lines(descriptor)
        except Exception:  # noqa: BLE001 -- whatever it was, it is said, and then it ends
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
        with self._lock:
            if self._listener is None:
                self._buffered.append(message)
            else:
                self._listener(message)

    def listen(self, listener: Callable[[HostMessage], object]) -> None:
        """Hand what came to `listener`, and all that comes, from the reading thread."""
        with self._lock:
            for message in self._buffered:
                listener(message)
            self._buffered.clear()
            self._listener = listener


async def serve_requests(
    reader: RequestReader, out: BinaryIO, make_handler: type[RequestHandler]
) -> None:
    """Answer requests for ever."""
    outbox = MessageWriter(on_disconnect=lambda: os._exit(0))
    await outbox.connect(out)
    desk = make_handler(outbox.send)
    outbox.send({"type": "ready"})
    loop = asyncio.get_running_loop()
    reader.listen(lambda message: loop.call_soon_threadsafe(desk.handle, message))
    await desk.warm_up()
    await loop.create_future()


class MessageWriter(asyncio.Protocol):
    """Writes messages at once while the pipe takes them.

    While it does not, messages wait in order and the deltas of one answer are joined,
    so that a slow reader costs memory for text only and catches up in one write.
    """

    def __init__(self, on_disconnect: Callable[[], None]) -> None:
        self._on_disconnect = on_disconnect
        self._pipe: asyncio.WriteTransport | None = None
        self._is_paused = True
        self._buffered: list[HostMessage] = []
        self._open_deltas: dict[int, list[str]] = {}

    async def connect(self, pipe: BinaryIO) -> None:
        """Write to `pipe` from now on."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_write_pipe(lambda: self, pipe)
        # "Busy" begins with the first byte that the kernel did not take.
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
        if message["type"] != "delta":
            self._open_deltas.pop(message.get("id", -1), None)
            self._buffered.append(message)
        elif (growing := self._open_deltas.get(message["id"])) is not None:
            growing.append(message["text"])
        else:
            parts = self._open_deltas[message["id"]] = [message["text"]]
            self._buffered.append({**message, "text": parts})

    def pause_writing(self) -> None:
        """Learn from the loop that the pipe is full."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Learn from the loop that the pipe is free again; write all that waits."""
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
        """Learn that nobody reads any more."""
        del exc
        self._on_disconnect()


def join_delta_parts(message: HostMessage) -> HostMessage:
    """Join the parts of a delta that waited."""
    if message["type"] == "delta":
        return {**message, "text": "".join(message["text"])}
    return message
