"""One life of the model host, as its client sees it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Final, cast

from writeit.models.scrub import scrub
from writeit.models.wire import Lines, Message, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

logger = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-P", "-m", "writeit", "model-host")
"""-P: the folder we stand in is the writer's; modules in it are not ours."""
_GRACE: Final = 2.0
"""Seconds a host that was told to end has for it."""


class HostProcess(asyncio.SubprocessProtocol):
    """Starts a host, hands its messages on, and says when it is gone.

    Lines are read as they arrive, without a task between the pipe and the answers.
    """

    def __init__(
        self,
        on_message: Callable[[Message], None],
        on_death: Callable[[HostProcess], None],
    ) -> None:
        self._on_message = on_message
        self._on_death = on_death
        self._lines = Lines()
        self._complaints = Lines()
        self._keys: set[str] = set()
        self._silent = False
        self._transport: asyncio.SubprocessTransport | None = None
        self._ended: set[str] = set()
        self._gone = asyncio.Event()

    @classmethod
    async def start(
        cls,
        on_message: Callable[[Message], None],
        on_death: Callable[[HostProcess], None],
        *,
        command: Sequence[str] = COMMAND,
        environment: Mapping[str, str] | None = None,
    ) -> HostProcess:
        """Start a host; it takes requests at once, also while it still wakes up.

        Raises:
            OSError: it could not be started.
        """
        loop = asyncio.get_running_loop()
        transport, process = await loop.subprocess_exec(
            lambda: cls(on_message, on_death),
            *command,
            env={**os.environ, **(environment or {})},
        )
        process._transport = transport  # noqa: SLF001 -- our own, made a line above
        return process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._open.get_pid()

    @property
    def alive(self) -> bool:
        """Whether its death has not been reported yet: what is sent gets an end."""
        return not self._gone.is_set()

    @property
    def _open(self) -> asyncio.SubprocessTransport:
        assert self._transport is not None  # noqa: S101 -- `start` sets it
        return self._transport

    def send(self, message: Message) -> None:
        """Send a request; one that a dead host cannot take is lost with it."""
        if key := message.get("key"):
            self._keys.add(key)
        pipe = cast("asyncio.WriteTransport | None", self._open.get_pipe_transport(0))
        if pipe is not None and not pipe.is_closing():
            pipe.write(encode(message))

    def ending(self) -> str:
        """Say how it ended."""
        code = self._open.get_returncode()
        if code is None:
            return "ended"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with status {code}"

    async def stop(self) -> None:
        """End it: politely, then surely. Its death is not reported."""
        self._silent = True
        if self.alive:
            self.send({"type": "shutdown"})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), _GRACE)
        self.kill()
        await self._gone.wait()

    def kill(self) -> None:
        """End it now."""
        with contextlib.suppress(ProcessLookupError):
            self._open.kill()

    # --- What the event loop tells ----------------------------------------------

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take what the host wrote."""
        if fd == 1:
            self._take(self._lines.feed(data))
        else:
            for line in self._complaints.feed(data):
                text = scrub(line.decode(errors="replace"), self._keys)
                logger.debug("model host: %s", text)

    def _take(self, lines: list[bytes]) -> None:
        for line in lines:
            try:
                message = decode(line)
            except ValueError:
                logger.exception("the model host said something that is no message")
                self.kill()
                return
            self._on_message(message)

    def process_exited(self) -> None:
        """Learn that the process has ended; what it wrote may still come."""
        self._end("process")

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Learn that a pipe is closed; nothing comes after the end of the output."""
        del exc
        if fd == 1:
            self._end("output")

    def _end(self, part: str) -> None:
        """Report the death once the process has ended and its last word was read.

        Its stderr does not count: a child of the host may hold that a little longer.
        """
        self._ended.add(part)
        if self._ended == {"process", "output"} and not self._gone.is_set():
            self._gone.set()
            self._open.close()
            if not self._silent:
                self._on_death(self)
