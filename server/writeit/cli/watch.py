"""What comes while models answer, on stderr: stdout is the article's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from writeit.cli.plain import plain
from writeit.engine.stream import Delta, Finished, Notice, Started

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.engine.stream import StreamEvent


class Watch:
    """Shows on stderr what comes: the first answer's text, the others' ends."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._shown: UUID | None = None
        self._models: dict[UUID, str] = {}

    def see(self, event: StreamEvent) -> None:
        """Show one event."""
        if self._quiet:
            return
        match event:
            case Started():
                self._shown = event.responses[0][0]
                self._models = dict(event.responses)
                asked = ", ".join(model for _, model in event.responses)
                click.secho(f"\n── {event.step} ── {asked}", bold=True, err=True)
            case Delta():
                if event.response_id == self._shown:
                    click.echo(plain(event.text), nl=False, err=True)
            case Notice():
                said = plain(f"{event.title}. {event.message}")
                click.secho(f"\n{said}", fg="yellow", err=True)
            case Finished():
                self._finished(event)

    def end(self) -> None:
        """End the step's text with a line of its own."""
        if not self._quiet:
            click.echo(err=True)

    def _finished(self, event: Finished) -> None:
        model = self._models.get(event.response_id, "")
        if event.status == "failed":
            click.secho(f"\n{model}: {plain(event.message or '')}", fg="red", err=True)
        elif event.response_id != self._shown and event.usage:
            tokens = event.usage.completion_tokens
            click.echo(f"\n{model}: {event.status}, {tokens} tokens", err=True)
