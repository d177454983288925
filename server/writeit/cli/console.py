"""Read lines from the user or a script, write messages, start the user's editor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from writeit.cli.output import echo, echo_styled

with suppress(ImportError):  # lines can be edited where Python was built with it
    import readline  # noqa: F401 -- importing it is what it takes


class InputStopped(Exception):
    """The input ended, or the user pressed Ctrl-C at the prompt."""

    def __init__(self, *, is_end_of_input: bool) -> None:
        super().__init__()
        self.is_end_of_input = is_end_of_input
        """Whether the input ended; False after Ctrl-C."""


class Console:
    """The terminal or a script; messages go to stderr."""

    @property
    def is_interactive(self) -> bool:
        """Whether stdin is a terminal."""
        return sys.stdin.isatty()

    def write(self, text: str) -> None:
        """Write a message."""
        echo_styled(text, err=True)

    def read_line(self, prompt: str) -> str:
        """Return a line.

        Raises:
            InputStopped: there is none.
        """
        while True:
            try:
                with _default_interrupt():
                    line = self._read_raw_line(prompt)
            except EOFError:
                self.write("")
                raise InputStopped(is_end_of_input=True) from None
            except KeyboardInterrupt:
                self.write("")
                raise InputStopped(is_end_of_input=False) from None
            except UnicodeDecodeError:
                self.write("This line is not UTF-8 text. Type it again.")
                continue
            return line.encode(errors="surrogateescape").decode(errors="replace")

    def _read_raw_line(self, prompt: str) -> str:
        if self.is_interactive and sys.stdout.isatty():
            return input(prompt)  # readline must know the prompt
        echo(prompt, nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        if not self.is_interactive:
            echo(line.rstrip("\r\n"), err=True)
        return line.rstrip("\r\n")

    @property
    def has_editor(self) -> bool:
        """Whether a text can be edited: in a terminal, or with EDITOR or VISUAL set."""
        return self.is_interactive or bool(
            os.environ.get("VISUAL") or os.environ.get("EDITOR")
        )

    def edit_file(self, path: Path) -> None:
        """Open a file in the user's editor and wait.

        Raises:
            click.ClickException: the editor cannot be started, or failed.
            InputStopped: the user pressed Ctrl-C while it was open.
        """
        try:
            with _default_interrupt():
                click.edit(filename=str(path))
        except KeyboardInterrupt:
            self.write("")
            raise InputStopped(is_end_of_input=False) from None


@contextmanager
def _default_interrupt() -> Iterator[None]:
    """Let Ctrl-C raise `KeyboardInterrupt`, whatever it does elsewhere."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def on_interrupt(handler: Callable[[], object]) -> Iterator[None]:
    """Call `handler` at Ctrl-C, instead of ending the program."""
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, handler)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
