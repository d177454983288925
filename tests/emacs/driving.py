"""A real Emacs on a terminal of its own: keys go in, Lisp is asked what stands there.

Nothing here knows of WriteIt. Lisp is asked over the socket of Emacs' own server, as
`emacsclient --eval` does; that is answered even while Emacs waits for a key, or for the
reply to a request.
"""

from __future__ import annotations

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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.waiting import PATIENCE, waited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROWS, COLUMNS = 40, 110

EARLY = """\
(setq native-comp-deferred-compilation nil inhibit-startup-screen t)
"""
"""Packages are not compiled into her new home while she writes."""

BASE = """\
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
"""What the tests need of her init file, before what she has there herself.

On a busy machine a reply may take longer than ten seconds; eglot would give up, and
Emacs then throws away what was typed meanwhile.
"""

ENTER, ESCAPE, QUIT = "\r", "\x1b", "\x07"
QUOTED = {"&": "&&", "-": "&-", "\n": "&n", " ": "&_"}
PLAIN = {code: plain for plain, code in QUOTED.items()}


class LispError(Exception):
    """What Emacs said instead of a value."""


class Emacs:
    """One Emacs; end it by leaving the context."""

    def __init__(self, home: Path, environment: Mapping[str, str], init: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="em-")
        self._socket = Path(self._folder.name) / "s"  # its path has to be short
        settings = home / ".emacs.d"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "early-init.el").write_text(EARLY, encoding="utf-8")
        (settings / "init.el").write_text(BASE + init, encoding="utf-8")
        ours, theirs = pty.openpty()
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        self.process = subprocess.Popen(
            ["emacs", "-nw"],
            cwd=home,
            env=_environment(home, self._folder.name, environment),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509 -- no thread of ours runs yet
        )
        os.close(theirs)
        self._terminal = ours
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        waited(self._listens)

    def __enter__(self) -> Self:
        """Return the Emacs itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, if it has not ended by itself."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        os.close(self._terminal)
        self._folder.cleanup()

    # --- typing and asking ----------------------------------------------------------

    def keys(self, typed: str) -> None:
        """Press keys."""
        os.write(self._terminal, typed.encode())

    def command(self, name: str) -> None:
        """Run a command by its name: M-x; keys typed ahead of its question get lost."""
        self.keys(f"{ESCAPE}x")
        self.until('(and (active-minibuffer-window) (string-match "M-x" (prompt)) t)')
        self.keys(f"{name}{ENTER}")
        self.until('(not (and (active-minibuffer-window) (equal "M-x " (prompt))))')

    def lisp(self, expression: str) -> Any:
        """Return what an expression is in the window she looks at, as JSON has it."""
        here = "(or (minibuffer-selected-window) (selected-window))"
        within = f"(with-selected-window {here} {expression})"
        return json.loads(self._evaluate(f"(json-encode {within})"))

    def until(self, expression: str, within: float = PATIENCE) -> Any:
        """Wait until an expression is true; return its value."""
        return self.waited(lambda: self.lisp(expression), within, expression)

    def waited(
        self, condition: Callable[[], Any], within: float = PATIENCE, what: str = ""
    ) -> Any:
        """Wait until something is so; if it does not come, say what stands there."""
        try:
            return waited(condition, within)
        except TimeoutError as late:
            late.add_note(f"waited for: {what}\n{self.scene()}")
            raise

    def scene(self) -> str:
        """What a person would look at: messages, the question, the text."""
        parts = {
            "messages": '(with-current-buffer "*Messages*" (buffer-string))',
            "asked": "(when (active-minibuffer-window) (minibuffer-prompt))",
            "file": "buffer-file-name",
            "text": "(buffer-substring-no-properties (point-min) (point-max))",
        }
        found = {name: self.lisp(lisp) for name, lisp in parts.items()}
        return "\n".join(f"--- {name}\n{value}" for name, value in found.items())

    def _evaluate(self, expression: str) -> str:
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(PATIENCE)
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

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as link:
            return link.connect_ex(str(self._socket)) == 0

    def _drain(self) -> None:
        with contextlib.suppress(OSError):  # the other side is closed
            while os.read(self._terminal, 65536):
                pass


def missing() -> str | None:
    """Why no Emacs can be tested here, else None."""
    packages = "emacs-nox, elpa-eglot and elpa-markdown-mode (make ci-setup)"
    if shutil.which("emacs") is None:
        return f"Emacs is not installed: {packages}"
    ask = "(dolist (it '(eglot markdown-mode)) (require it))"
    said = subprocess.run(
        ["emacs", "--batch", "--eval", ask], capture_output=True, check=False
    )
    return f"Emacs is here without {packages}" if said.returncode else None


def text(words: str) -> str:
    """Return a string of Lisp."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _quoted(words: str) -> str:
    return "".join(QUOTED.get(character, character) for character in words)


def _unquoted(words: str) -> str:
    found, pairs = "", iter(words)
    for character in pairs:
        found += PLAIN[character + next(pairs)] if character == "&" else character
    return found


def _as_json(printed: str) -> str:
    """Lisp prints a string nearly as JSON does: but line ends stand as they are."""
    return printed.strip().replace("\n", "\\n")


def _environment(home: Path, sockets: str, more: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the person's own Emacs, nor of her key ring."""
    kept = {key: os.environ[key] for key in ("PATH", "TMPDIR") if key in os.environ}
    fixed = {"HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    return {**kept, **fixed, "EMACS_TEST_SOCKET": sockets, **more}
