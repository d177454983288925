"""A shell in a workspace: `writeit` as a person or a script uses it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.provider import Provider
from support.waiting import TIMEOUT
from support.workspace import new_workspace
from writeit.app import main
from writeit.domain.run import PipelineRun
from writeit.ports.store import RunQuery
from writeit.storage.location import STORE_SUBFOLDER
from writeit.storage.store import LmdbStore

AGAIN = 5
"""Seconds after which a person presses a key again."""


@dataclass(frozen=True)
class CommandResult:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it said as JSON."""
        return json.loads(self.out)


class QuickShell:
    """A shell in a folder, without a process for each command."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
    ) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capture = capture

    @property
    def store(self) -> Path:
        """The folder of the store."""
        return self.folder / STORE_SUBFOLDER

    def writeit(self, *arguments: str, at: Path | None = None) -> CommandResult:
        """Run one command."""
        self._monkeypatch.chdir(at or self.folder)
        code = 0
        try:
            main(arguments)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        result = self._capture.readouterr()
        return CommandResult(code, result.out, result.err)


class Terminal:
    """A shell in a workspace."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    async def writeit(
        self, *arguments: str, lines: str | None = None, at: Path | None = None
    ) -> CommandResult:
        """Run one command to its end; `lines` are what stands on its stdin."""
        stdin = asyncio.subprocess.DEVNULL if lines is None else asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "writeit", *arguments),
            cwd=at or self.folder,
            env=self.environment,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        given = None if lines is None else lines.encode()
        async with asyncio.timeout(TIMEOUT):
            out, err = await process.communicate(given)
        return CommandResult(process.returncode or 0, out.decode(), err.decode())

    def newest(self, count: int = 1) -> list[PipelineRun]:
        """The newest runs, as they are stored."""
        with contextlib.closing(LmdbStore.open(self.folder / STORE_SUBFOLDER)) as store:
            listed = store.list_runs(RunQuery(limit=count)).runs
            stored = [store.get_run(summary.run_id) for summary in listed]
        return [each.run for each in stored if each is not None]

    @contextlib.asynccontextmanager
    async def screen(self, *arguments: str) -> AsyncIterator[Screen]:
        """Run a command on a terminal of its own, as a person sees it."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "writeit", *arguments),
            cwd=self.folder,
            env={**self.environment, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(theirs)
        screen = Screen(ours, process)
        try:
            yield screen
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            screen.close()


def _own_terminal() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever started us may ignore it
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Screen:
    """The output of a command on a terminal, and the keys that are typed."""

    def __init__(self, descriptor: int, process: asyncio.subprocess.Process) -> None:
        self._descriptor = descriptor
        self.process = process
        self.text = ""
        self._seen = 0
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # the other side is closed
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self.text += data.decode(errors="replace")
        self._more.set()

    async def shows(self, words: str) -> str:
        """Wait until something is shown that was not there before."""
        async with asyncio.timeout(TIMEOUT):
            while words not in self.text[self._seen :]:
                self._more.clear()
                await self._more.wait()
        at = self.text.index(words, self._seen) + len(words)
        shown, self._seen = self.text[self._seen : at], at
        return shown

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._descriptor, keys.encode())

    async def interrupted(self, words: str) -> str:
        """Press Ctrl-C at a prompt until something is shown.

        Pressed in the moment between a prompt and the reading of its line, Python
        hears of it at the next key only: a person presses it again.
        """
        while True:
            self.type("\x03")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN):
                    return await self.shows(words)

    async def ends(self) -> int:
        """Wait until the command has ended."""
        async with asyncio.timeout(TIMEOUT):
            return await self.process.wait()

    def close(self) -> None:
        """Let go of the terminal."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)


def terminal_in(folder: Path, provider: Provider) -> Terminal:
    """A workspace with notes, a key, and nobody to talk to outside."""
    new_workspace(folder)
    (folder / "pipelines").mkdir()
    return Terminal(
        folder,
        {
            **{k: v for k, v in os.environ.items() if k not in {"VISUAL", "EDITOR"}},
            "HOME": str(folder),
            "OPENAI_API_KEY": "sk-terminal",
            "OPENAI_BASE_URL": provider.base_url,
            "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
            "WRITEIT_CACHE_DIR": str(folder / "cache"),
        },
    )
