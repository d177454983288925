"""The worker: one process with limits, which reads and fills in a workspace's files.

The server starts it when it is first needed (`writeit worker`). If a limit is exceeded,
the process ends, and the next work starts another one.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import io
import os
import pickle
import signal
import sys
from collections.abc import Callable
from subprocess import Popen
from typing import Any, Final, ParamSpec, TypeVar

from writeit.domain.errors import InvalidPipeline, WorkStopped
from writeit.llm import start_early
from writeit.llm.host import claim_stdout
from writeit.llm.process import (
    HostMessage,
    HostProcess,
    decode_message,
    encode_message,
    error_fields,
)

P = ParamSpec("P")
R = TypeVar("R")

COMMAND: Final = (sys.executable, "-P", "-m", "writeit", "worker")
ENVIRONMENT: Final = frozenset(
    {"LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME"}
    | {"PYTHONPATH", "PYTHONUSERBASE", "PYTHONUTF8", "SYSTEMROOT"}
    | {"TEMP", "TMP", "TMPDIR", "TZ"}
)
"""What the process knows of the environment: no key, and no home folder."""
MAX_CPU_SECONDS: Final = 10
"""Processor time of one piece of work, where the system can limit it."""
MAX_WALL_SECONDS: Final = 60.0
"""Time of one piece of work in any case: a busy machine needs more than of above."""
MAX_MEMORY_BYTES: Final = 1024**3
"""Address space of the process, where the system can limit it."""
IDLE_SECONDS: Final = 120.0
"""How long the process stays without work."""


def _environment() -> dict[str, str]:
    return {k: value for k, value in os.environ.items() if k.upper() in ENVIRONMENT}


def start_worker() -> Popen[bytes] | None:
    """Start the process beside slow imports; for `LimitedWorker`."""
    return start_early(COMMAND, _environment())


class LimitedWorker:
    """Implements the `Worker` port; works on one thing at a time."""

    def __init__(self, started: Popen[bytes] | None = None) -> None:
        self._started = started
        self._lock = asyncio.Lock()
        self._process: HostProcess | None = None
        self._reply: asyncio.Future[HostMessage] | None = None
        self._idle_timer: asyncio.TimerHandle | None = None

    async def run(
        self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs
    ) -> R:
        """Return what a function of a module returns; a cancel ends the process.

        Raises:
            WorkStopped: a limit was exceeded, or there is no process.
            InvalidPipeline: the function raised it.
        """
        call = _pack((function, arguments, named))
        async with self._lock:
            reply = await self._ask(
                {"type": "run", "call": call, "seconds": MAX_CPU_SECONDS}
            )
        if reply["type"] == "error":
            error = reply["error"]
            raise InvalidPipeline(error["message"], hint=error["hint"], **error["data"])
        if reply["type"] == "stopped":
            raise WorkStopped(_describe_stop(reply["reason"]))
        result: R = _ReplyUnpickler(
            io.BytesIO(base64.b64decode(reply["result"]))
        ).load()
        return result

    async def _ask(self, message: HostMessage) -> HostMessage:
        self._cancel_idle_timer()
        reply = self._reply = asyncio.get_running_loop().create_future()
        try:
            if self._process is None or not self._process.is_alive:
                started, self._started = self._started, None
                self._process = await HostProcess.start(
                    self._on_message,
                    self._on_exit,
                    command=COMMAND,
                    environment=_environment(),
                    inherits=False,
                    started=started,
                )
            self._process.send(message)
            async with asyncio.timeout(MAX_WALL_SECONDS):
                answer: HostMessage = await reply
        except OSError as error:  # a TimeoutError is one, too
            is_late = isinstance(error, TimeoutError)
            answer = {"type": "stopped", "reason": "wall" if is_late else str(error)}
        finally:
            if reply.cancelled() or not reply.done():
                self._kill()
            self._reply = None
        if answer["type"] == "stopped":
            self._kill()
        loop = asyncio.get_running_loop()
        self._idle_timer = loop.call_later(IDLE_SECONDS, self._kill)
        return answer

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _on_message(self, message: HostMessage) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(message)

    def _on_exit(self, process: HostProcess) -> None:
        if process is self._process:
            how = process.describe_exit()
            reason = "SIGXCPU" if "SIGXCPU" in how else f"its process {how}"
            self._process = None
            self._on_message({"type": "stopped", "reason": reason})

    def _cancel_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    async def close(self) -> None:
        """End the process; work in progress is stopped."""
        self._cancel_idle_timer()
        if (process := self._process) is not None:
            process.kill()
            await process.stop()


def _describe_stop(reason: str) -> str:
    known = {
        "SIGXCPU": f"it took more than {MAX_CPU_SECONDS} seconds of processor time",
        "memory": f"it needed more than {MAX_MEMORY_BYTES // 1024**2} MB of memory",
        "wall": f"it took longer than {MAX_WALL_SECONDS:g} seconds",
    }
    return known.get(reason, reason)


def _pack(value: object) -> str:
    return base64.b64encode(pickle.dumps(value)).decode("ascii")


class _ReplyUnpickler(pickle.Unpickler):
    """Reads a reply: our own classes, times and paths, and no functions."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 -- pickle's own signature
        """Return a class that a reply may have."""
        found = super().find_class(module, name)
        packages = {"writeit", "datetime", "pathlib"}
        if isinstance(found, type) and found.__module__.split(".")[0] in packages:
            return found
        raise pickle.UnpicklingError(f"a reply has {module}.{name}")


# --- in the process ---


def main() -> None:
    """Work until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    out = claim_stdout()
    _limit_memory()
    importlib.import_module("writeit.prompts.build")  # each work needs it
    while line := sys.stdin.buffer.readline():
        message = decode_message(line)
        if message["type"] == "shutdown":
            return
        _allow_processor_time(message["seconds"])
        out.write(encode_message(_work(message["call"])))


def _work(call: str) -> HostMessage:
    try:
        function, arguments, named = pickle.loads(base64.b64decode(call))  # noqa: S301 -- our own server's
        return {"type": "result", "result": _pack(function(*arguments, **named))}
    except InvalidPipeline as error:
        return {"type": "error", "error": error_fields(error)}
    except MemoryError:
        return {"type": "stopped", "reason": "memory"}


def _limit_memory() -> None:
    if sys.platform != "win32":  # the time of the server's clock counts there
        import resource  # noqa: PLC0415 -- not on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        if sys.platform == "linux":  # macOS takes no limit
            resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, most))


def _allow_processor_time(more: int) -> None:
    """Let the next piece of work have its seconds; the limit counts from the start."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 -- not on Windows

        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + 1 + more
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))
