"""The command line: the same engine, for a terminal and for scripts."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

import click

from writeit import __version__
from writeit.cli import (
    doctor,
    export,
    history,
    keys,
    library,
    models,
    neovim,
    run,
    store,
)
from writeit.cli.paint import colours_wanted
from writeit.cli.plain import plain
from writeit.core.errors import InvalidParams, WriteItError

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.ports import World

FAILED, MISUSED = 1, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="writeit")
@click.pass_context
def writeit(context: click.Context) -> None:
    """WriteIt: from notes to article, in the editor you already use."""
    context.color = colours_wanted()


@writeit.command()
@click.option("--stdio", is_flag=True, help="Speak over stdin and stdout (default).")
@click.option("--tcp", metavar="HOST:PORT", help="Listen there; loopback only.")
@click.option("--ws", metavar="HOST:PORT", help="WebSocket; loopback only.")
def serve(*, stdio: bool, tcp: str | None, ws: str | None) -> None:
    """Serve an editor that speaks the Language Server Protocol.

    Over TCP and WebSocket a client shows the token WRITEIT_TOKEN, or the one that is
    the first line on stderr.
    """
    # `bootstrap` serves what is spelled right, before click is imported.
    given = [stdio, tcp is not None, ws is not None]
    raise click.UsageError(
        f"Give one of --stdio, --tcp HOST:PORT, --ws HOST:PORT; not {sum(given)}."
    )


@writeit.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, which it always is.")
def protocol(*, as_json: bool) -> None:
    """Print the wire contract as JSON Schema: every command, its params, its result."""
    # As above: `bootstrap` prints it.
    raise click.UsageError(f"Give --json or nothing{' else' if as_json else ''}.")


for command in (
    run.run,
    history.log,
    history.show,
    history.usage,
    export.export,
    export.import_,
    models.model,
    library.pipeline,
    keys.keys,
    doctor.doctor,
    neovim.neovim_runtime,
    store.store,
):
    writeit.add_command(command)


def command_line(arguments: list[str], world: Callable[[], World]) -> None:
    """Run the command line and exit: 0 done, 1 the work failed, 2 misuse."""

    @functools.cache
    def telling() -> World:
        made = world()
        for problem in made.config_problems:
            click.echo(plain(problem), err=True)
        return made

    try:
        writeit.main(arguments, standalone_mode=False, obj=telling)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(MISUSED)
    except WriteItError as error:
        click.secho(plain(error.message), fg="red", err=True)
        if error.hint:
            click.echo(plain(error.hint), err=True)
        for note in getattr(error, "__notes__", ()):
            click.echo(plain(note), err=True)
        sys.exit(MISUSED if isinstance(error, InvalidParams) else FAILED)
