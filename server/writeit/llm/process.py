"""The model host's process as the client sees it, and the messages between them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from subprocess import Popen
from typing import Any, Final, cast

from writeit.domain.errors import ModelError, NotFound, WriteItError
from writeit.llm import HOST_COMMAND
from writeit.llm.errors import redact

HostMessage = dict[str, Any]


def encode_message(message: HostMessage) -> bytes:
    """Write a message as one line.

    ASCII, because providers split emoji and half of one has no UTF-8.
    """
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def decode_message(line: bytes) -> HostMessage:
    """Read one line.

    Raises:
        ValueError: it is not a message.
    """
    message = json.loads(line)
    if not isinstance(message, dict) or "type" not in message:
        raise ValueError(f"not a message: {line[:80]!r}")
    return message


class LineSplitter:
    """Splits a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes and return the lines that are complete."""
        *complete, rest = data.split(b"\n")
        if complete:
            complete[0] = b"".join([*self._rest, complete[0]])
            self._rest = []
        if rest:
            self._rest.append(rest)
        return complete


def error_fields(error: WriteItError) -> HostMessage:
    """Return the fields of an error."""
    return {
        "kind": error.kind,
        "message": error.message,
        "hint": error.hint,
        "data": error.data,
    }


def error_message(error: WriteItError) -> HostMessage:
    """Return the message that ends a failed call."""
    return {"type": "error", **error_fields(error)}


def error_from_fields(fields: HostMessage) -> WriteItError:
    """Return the error with these fields."""
    kind = NotFound if fields["kind"] == NotFound.kind else ModelError
    return kind(fields["message"], hint=fields["hint"], **fields["data"])


logger = logging.getLogger(__name__)

_SHUTDOWN_SECONDS: Final = 2.0
"""How long a host may take to shut down before it is killed."""


class _Pipe(asyncio.Protocol):
    """Passes on what one pipe of an adopted host says."""

    def __init__(
        self, fd: int, host: HostProcess, on_end: Callable[[], object]
    ) -> None:
        self._fd = fd
        self._host = host
        self._on_end = on_end

    def data_received(self, data: bytes) -> None:
        """Pass on data."""
        self._host.pipe_data_received(self._fd, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the end."""
        self._host.pipe_connection_lost(self._fd, exc)
        self._on_end()


class _AdoptedTransport:
    """What a `SubprocessTransport` does, for a host that was started before."""

    def __init__(self, started: Popen[bytes]) -> None:
        self._process = started
        self._input: asyncio.WriteTransport | None = None
        self.get_pid = lambda: started.pid
        self.get_returncode = started.poll
        self.kill = started.kill

    async def connect(self, host: HostProcess) -> None:
        """Connect the pipes to `host`."""
        loop = asyncio.get_running_loop()

        async def wait_for_exit() -> None:
            await asyncio.to_thread(self._process.wait)
            host.process_exited()

        def end() -> None:
            self._exit = loop.create_task(wait_for_exit())

        for fd, pipe in ((1, self._process.stdout), (2, self._process.stderr)):
            on_end: Callable[[], object] = end if fd == 1 else bool
            await loop.connect_read_pipe(partial(_Pipe, fd, host, on_end), pipe)
        self._input, _ = await loop.connect_write_pipe(
            asyncio.BaseProtocol, self._process.stdin
        )

    def get_pipe_transport(self, fd: int) -> asyncio.BaseTransport | None:
        """Return the transport of stdin."""
        return self._input if fd == 0 else None

    def close(self) -> None:
        """Close stdin; the other pipes have ended."""
        if self._input is not None:
            self._input.close()


class HostProcess(asyncio.SubprocessProtocol):
    """Starts a host, passes on its messages and reports its exit."""

    def __init__(
        self,
        on_message: Callable[[HostMessage], None],
        on_exit: Callable[[HostProcess], None],
    ) -> None:
        self._on_message = on_message
        self._on_exit = on_exit
        self._stdout_lines = LineSplitter()
        self._stderr_lines = LineSplitter()
        self._secrets: set[str] = set()
        self._is_stopping = False
        self._transport: asyncio.SubprocessTransport | _AdoptedTransport | None = None
        self._ended_parts: set[str] = set()
        self._exited = asyncio.Event()

    @classmethod
    async def start(
        cls,
        on_message: Callable[[HostMessage], None],
        on_exit: Callable[[HostProcess], None],
        *,
        command: Sequence[str] = HOST_COMMAND,
        environment: Mapping[str, str] | None = None,
        inherits: bool = True,
        started: Popen[bytes] | None = None,
    ) -> HostProcess:
        """Start a host, or take over one that was `started` before the event loop.

        It buffers requests until it is ready. `inherits`: it has this process's
        environment, besides `environment`.

        Raises:
            OSError: it could not be started.
        """
        if started is not None:
            return await cls._adopt(
                on_message, on_exit, started, environment if inherits else None
            )
        loop = asyncio.get_running_loop()
        transport, process = await loop.subprocess_exec(
            lambda: cls(on_message, on_exit),
            *command,
            env={**(os.environ if inherits else {}), **(environment or {})},
            # Emacs sends SIGHUP to the server's process group; the host ends with us.
            start_new_session=True,
        )
        process._transport = transport  # noqa: SLF001 -- our own, made a line above
        return process

    @classmethod
    async def _adopt(
        cls,
        on_message: Callable[[HostMessage], None],
        on_exit: Callable[[HostProcess], None],
        started: Popen[bytes],
        environment: Mapping[str, str] | None,
    ) -> HostProcess:
        process = cls(on_message, on_exit)
        process._transport = transport = _AdoptedTransport(started)
        await transport.connect(process)
        if environment:
            process.send({"type": "configure", "environment": {**environment}})
        return process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._started_transport.get_pid()

    @property
    def is_alive(self) -> bool:
        """Whether its exit was not reported yet."""
        return not self._exited.is_set()

    @property
    def _started_transport(self) -> asyncio.SubprocessTransport | _AdoptedTransport:
        assert self._transport is not None  # noqa: S101 -- `start` sets it
        return self._transport

    def send(self, message: HostMessage) -> None:
        """Send a request; it is lost if the host has ended."""
        if key := message.get("key"):
            self._secrets.add(key)
        pipe = cast(
            "asyncio.WriteTransport | None",
            self._started_transport.get_pipe_transport(0),
        )
        if pipe is not None and not pipe.is_closing():
            pipe.write(encode_message(message))

    def describe_exit(self) -> str:
        """Return how it ended, as in "ended with status 1"."""
        code = self._started_transport.get_returncode()
        if code is None:
            return "ended"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with status {code}"

    async def stop(self) -> None:
        """Shut it down, kill it if that takes too long; its exit is not reported."""
        self._is_stopping = True
        if self.is_alive:
            self.send({"type": "shutdown"})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exited.wait(), _SHUTDOWN_SECONDS)
        self.kill()
        await self._exited.wait()

    def kill(self) -> None:
        """Kill it."""
        with contextlib.suppress(ProcessLookupError):
            self._started_transport.kill()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Pass on messages from stdout; log stderr."""
        if fd == 1:
            self._deliver_lines(self._stdout_lines.feed(data))
        else:
            for line in self._stderr_lines.feed(data):
                text = redact(line.decode(errors="replace"), self._secrets)
                logger.debug("model host: %s", text)

    def _deliver_lines(self, lines: list[bytes]) -> None:
        for line in lines:
            try:
                message = decode_message(line)
            except ValueError:
                logger.exception("the model host sent an invalid message")
                self.kill()
                return
            self._on_message(message)

    def process_exited(self) -> None:
        """Note the exit; output may still arrive."""
        self._end_part("process")

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note the end of stdout."""
        del exc
        if fd == 1:
            self._end_part("output")

    def _end_part(self, part: str) -> None:
        """Report the exit once the process and its stdout have ended.

        Stderr is ignored, because a child of the host may keep it open longer.
        """
        self._ended_parts.add(part)
        if self._ended_parts == {"process", "output"} and not self._exited.is_set():
            self._exited.set()
            self._started_transport.close()
            if not self._is_stopping:
                self._on_exit(self)
