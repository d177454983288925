"""Talking with the writer: lines from her or from a script, texts in her editor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

with suppress(ImportError):  # lines can be edited where Python was built with it
    import readline  # noqa: F401 -- importing it is what it takes

from writeit.cli.plain import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from writeit.core.errors import WriteItError


class NoMore(Exception):
    """There is nothing more to read, or the writer pressed Ctrl-C at the prompt."""

    def __init__(self, *, ended: bool) -> None:
        super().__init__()
        self.ended = ended
        """Whether the input ended; else she pressed Ctrl-C."""


class Console:
    """A terminal, or a script in its place. All that is said goes to stderr."""

    @property
    def interactive(self) -> bool:
        """Whether a person sits there."""
        return sys.stdin.isatty()

    def say(self, text: str) -> None:
        """Say something."""
        click.echo(text, err=True)

    def note(self, text: str) -> None:
        """Say something that matters less than what stands around it."""
        click.secho(text, dim=True, err=True)

    def refuse(self, error: WriteItError) -> None:
        """Say why something was not done, and what to do instead."""
        click.secho(plain(error.message), fg="red", err=True)
        if error.hint:
            click.echo(plain(error.hint), err=True)

    def ask(self, prompt: str) -> str:
        """Read a line.

        Raises:
            NoMore: there is none.
        """
        while True:
            try:
                with _interruptible():
                    line = self._line(prompt)
            except EOFError:
                self.say("")
                raise NoMore(ended=True) from None
            except KeyboardInterrupt:
                self.say("")
                raise NoMore(ended=False) from None
            except UnicodeDecodeError:
                self.say("That is no text in UTF-8.")
                continue
            return line.encode(errors="surrogateescape").decode(errors="replace")

    def _line(self, prompt: str) -> str:
        if self.interactive and sys.stdout.isatty():
            return input(prompt)  # the library behind it has to know the prompt
        click.echo(prompt, nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        if not self.interactive:
            click.echo(line.rstrip("\r\n"), err=True)
        return line.rstrip("\r\n")

    @property
    def has_editor(self) -> bool:
        """Whether a text can be edited: a person has one, a script names its own."""
        return self.interactive or bool(
            os.environ.get("VISUAL") or os.environ.get("EDITOR")
        )

    def edit(self, path: Path) -> None:
        """Let the writer edit a file.

        Raises:
            click.ClickException: the editor cannot be started, or failed.
            NoMore: she pressed Ctrl-C here while it is open.
        """
        try:
            with _interruptible():
                click.edit(filename=str(path))
        except KeyboardInterrupt:
            self.say("")
            raise NoMore(ended=False) from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end what waits for the writer, whatever it means elsewhere."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def stopped_by_hand(stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` at Ctrl-C, instead of ending the program."""
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
