"""A real Emacs on a terminal of its own, driven by keys and by Lisp.

Nothing here is specific to WriteIt. Lisp is evaluated over the socket of Emacs' own
server, as `emacsclient --eval` does. That works even while Emacs waits for a key or for
a reply.
"""

import contextlib
import fcntl
import json
import os
import pty
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from support.waiting import TIMEOUT, wait_until

ROWS, COLUMNS = 40, 110

EARLY_INIT = """\
(setq native-comp-deferred-compilation nil inhibit-startup-screen t)
"""
"""Keeps Emacs from compiling packages during the tests."""

TEST_INIT = """\
(setq suggest-key-bindings nil)
(setq server-name "s" server-socket-dir (getenv "EMACS_TEST_SOCKET"))
(defun prompt ()
  (with-current-buffer (window-buffer (active-minibuffer-window))
    (or (minibuffer-prompt) "")))
(require 'server)
(require 'json)
(require 'jsonrpc)
(setq jsonrpc-default-request-timeout 90)
(server-start)
"""
"""What the tests need, before the init file of the test.

On a busy machine a reply may take longer than ten seconds. Eglot would give up, and
Emacs would discard what was typed meanwhile.
"""

ENTER, ESCAPE, QUIT = "\r", "\x1b", "\x07"
QUOTED = {"&": "&&", "-": "&-", "\n": "&n", " ": "&_"}
PLAIN = {code: plain for plain, code in QUOTED.items()}


class LispError(Exception):
    """The error that Emacs returned instead of a value."""


class Emacs:
    """One Emacs; end it by leaving the context."""

    def __init__(self, home: Path, environment: Mapping[str, str], init: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="em-")
        self._socket = Path(self._folder.name) / "s"  # a socket's path must be short
        settings = home / ".emacs.d"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "early-init.el").write_text(EARLY_INIT, encoding="utf-8")
        (settings / "init.el").write_text(TEST_INIT + init, encoding="utf-8")
        terminal, child_terminal = pty.openpty()
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(child_terminal, termios.TIOCSWINSZ, size)
        self.process = subprocess.Popen(
            ["emacs", "-nw"],
            cwd=home,
            env=_environment(home, self._folder.name, environment),
            stdin=child_terminal,
            stdout=child_terminal,
            stderr=child_terminal,
            start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509 -- this process has no other threads yet
        )
        os.close(child_terminal)
        self._terminal = terminal
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        wait_until(self._is_listening)

    def __enter__(self) -> Self:
        """Return the Emacs itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it if it has not exited."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        os.close(self._terminal)
        self._folder.cleanup()

    # --- keys and Lisp --------------------------------------------------------------

    def keys(self, typed: str) -> None:
        """Press keys."""
        os.write(self._terminal, typed.encode())

    def command(self, name: str) -> None:
        """Run a command with M-x; keys typed before its prompt would be lost."""
        self.keys(f"{ESCAPE}x")
        self.until('(and (active-minibuffer-window) (string-match "M-x" (prompt)) t)')
        self.keys(f"{name}{ENTER}")
        self.until('(not (and (active-minibuffer-window) (equal "M-x " (prompt))))')

    def lisp(self, expression: str) -> Any:
        """Return the value of an expression in the selected window, as JSON."""
        window = "(or (minibuffer-selected-window) (selected-window))"
        in_window = f"(with-selected-window {window} {expression})"
        return json.loads(self._evaluate(f"(json-encode {in_window})"))

    def until(self, expression: str, within: float = TIMEOUT) -> Any:
        """Wait until an expression is true; return its value."""
        return self.wait_until(lambda: self.lisp(expression), within, expression)

    def wait_until(
        self, condition: Callable[[], Any], within: float = TIMEOUT, what: str = ""
    ) -> Any:
        """Wait until a condition is true; a timeout reports what Emacs shows."""
        try:
            return wait_until(condition, within)
        except TimeoutError as late:
            late.add_note(f"waited for: {what}\n{self.describe()}")
            raise

    def describe(self) -> str:
        """Return the messages, the question, the file and the text."""
        parts = {
            "messages": '(with-current-buffer "*Messages*" (buffer-string))',
            "question": "(when (active-minibuffer-window) (minibuffer-prompt))",
            "file": "buffer-file-name",
            "text": "(buffer-substring-no-properties (point-min) (point-max))",
        }
        values = {name: self.lisp(lisp) for name, lisp in parts.items()}
        return "\n".join(f"--- {name}\n{value}" for name, value in values.items())

    def _evaluate(self, expression: str) -> str:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(TIMEOUT)
        with link, link.makefile("r", encoding="utf-8") as reply:
            link.connect(str(self._socket))
            link.sendall(f"-eval {_quoted(expression)} \n".encode())
            value = ""
            for line in reply:
                kind, _, rest = line.rstrip("\n").partition(" ")
                if kind == "-error":
                    raise LispError(f"{_unquoted(rest)}\nin {expression}")
                if kind in {"-print", "-print-nonl"}:
                    value += _unquoted(rest)
        return str(json.loads(_as_json(value)))

    def _is_listening(self) -> bool:
        with socket.socket(socket.AF_UNIX) as link:
            return link.connect_ex(str(self._socket)) == 0

    def _drain(self) -> None:
        with contextlib.suppress(OSError):  # the other side is closed
            while os.read(self._terminal, 65536):
                pass


def missing_reason() -> str | None:
    """Return why no Emacs can be tested here, None if one can."""
    packages = "emacs-nox, elpa-eglot and elpa-markdown-mode (make ci-setup)"
    if shutil.which("emacs") is None:
        return f"Emacs is not installed: {packages}"
    load = "(dolist (it '(eglot markdown-mode)) (require it))"
    loading = subprocess.run(
        ["emacs", "--batch", "--eval", load], capture_output=True, check=False
    )
    return f"Emacs lacks packages: {packages}" if loading.returncode else None


def lisp_string(words: str) -> str:
    """Return a text as a Lisp string."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _quoted(words: str) -> str:
    return "".join(QUOTED.get(character, character) for character in words)


def _unquoted(words: str) -> str:
    unquoted, pairs = "", iter(words)
    for character in pairs:
        unquoted += PLAIN[character + next(pairs)] if character == "&" else character
    return unquoted


def _as_json(printed: str) -> str:
    """Convert a printed Lisp string to JSON: only line ends differ."""
    return printed.strip().replace("\n", "\\n")


def _environment(home: Path, sockets: str, more: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the user's Emacs settings and keyring."""
    kept = {key: os.environ[key] for key in ("PATH", "TMPDIR") if key in os.environ}
    fixed = {"HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    return {**kept, **fixed, "EMACS_TEST_SOCKET": sockets, **more}
