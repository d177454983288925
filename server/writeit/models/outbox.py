"""The model host's way out: a pipe that never blocks and joins what waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from writeit.models.wire import Message, encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


class Outbox(asyncio.Protocol):
    """Writes messages at once while the pipe takes them.

    While it does not, messages wait in order and the deltas of one answer are joined,
    so that a slow reader costs memory for text only and catches up in one write.
    """

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self._pipe: asyncio.WriteTransport | None = None
        self._busy = True
        self._waiting: list[Message] = []
        self._growing: dict[int, list[str]] = {}

    async def open(self, pipe: BinaryIO) -> None:
        """Write to `pipe` from now on."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_write_pipe(lambda: self, pipe)
        # "Busy" begins with the first byte that the kernel did not take.
        transport.set_write_buffer_limits(high=0)
        self._pipe = transport
        self.resume_writing()

    def say(self, message: Message) -> None:
        """Write `message`, or keep it until the pipe is free."""
        if self._busy or self._pipe is None:
            self._keep(message)
        else:
            self._pipe.write(encode(message))

    def _keep(self, message: Message) -> None:
        if message["type"] != "delta":
            self._growing.pop(message.get("id", -1), None)
            self._waiting.append(message)
        elif (growing := self._growing.get(message["id"])) is not None:
            growing.append(message["text"])
        else:
            parts = self._growing[message["id"]] = [message["text"]]
            self._waiting.append({**message, "text": parts})

    def pause_writing(self) -> None:
        """Learn from the loop that the pipe is full."""
        self._busy = True

    def resume_writing(self) -> None:
        """Learn from the loop that the pipe is free again; write all that waits."""
        waiting, self._waiting = self._waiting, []
        self._growing = {}
        self._busy = False
        if waiting and self._pipe is not None:
            self._pipe.write(b"".join(encode(joined(message)) for message in waiting))

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that nobody reads any more."""
        del exc
        self._on_lost()


def joined(message: Message) -> Message:
    """Join the parts of a delta that waited."""
    if message["type"] == "delta":
        return {**message, "text": "".join(message["text"])}
    return message
