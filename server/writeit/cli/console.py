"""Talking with the writer: lines from her or from a script, texts in her editor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from writeit.cli.output import escape_controls
from writeit.domain.errors import WriteItError

with suppress(ImportError):  # lines can be edited where Python was built with it
    import readline  # noqa: F401 -- importing it is what it takes


class InputStopped(Exception):
    """There is nothing more to read, or the writer pressed Ctrl-C at the prompt."""

    def __init__(self, *, is_end_of_input: bool) -> None:
        super().__init__()
        self.is_end_of_input = is_end_of_input
        """Whether the input ended; else she pressed Ctrl-C."""


class Console:
    """A terminal, or a script in its place. All that is said goes to stderr."""

    @property
    def is_interactive(self) -> bool:
        """Whether a person sits there."""
        return sys.stdin.isatty()

    def write(self, text: str) -> None:
        """Say something."""
        click.echo(text, err=True)

    def write_dim(self, text: str) -> None:
        """Say something that matters less than what stands around it."""
        click.secho(text, dim=True, err=True)

    def write_error(self, error: WriteItError) -> None:
        """Say why something was not done, and what to do instead."""
        click.secho(escape_controls(error.message), fg="red", err=True)
        if error.hint:
            click.echo(escape_controls(error.hint), err=True)

    def read_line(self, prompt: str) -> str:
        """Read a line.

        Raises:
            NoMore: there is none.
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
                self.write("That is no text in UTF-8.")
                continue
            return line.encode(errors="surrogateescape").decode(errors="replace")

    def _read_raw_line(self, prompt: str) -> str:
        if self.is_interactive and sys.stdout.isatty():
            return input(prompt)  # the library behind it has to know the prompt
        click.echo(prompt, nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        if not self.is_interactive:
            click.echo(line.rstrip("\r\n"), err=True)
        return line.rstrip("\r\n")

    @property
    def has_editor(self) -> bool:
        """Whether a text can be edited: a person has one, a script names its own."""
        return self.is_interactive or bool(
            os.environ.get("VISUAL") or os.environ.get("EDITOR")
        )

    def edit_file(self, path: Path) -> None:
        """Let the writer edit a file.

        Raises:
            click.ClickException: the editor cannot be started, or failed.
            NoMore: she pressed Ctrl-C here while it is open.
        """
        try:
            with _default_interrupt():
                click.edit(filename=str(path))
        except KeyboardInterrupt:
            self.write("")
            raise InputStopped(is_end_of_input=False) from None


@contextmanager
def _default_interrupt() -> Iterator[None]:
    """Let Ctrl-C end what waits for the writer, whatever it means elsewhere."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def on_interrupt(handler: Callable[[], object]) -> Iterator[None]:
    """Call `stop` at Ctrl-C, instead of ending the program."""
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, handler)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
