"""The command line: the same engine, for a terminal and for scripts."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import click

from writeit import __version__
from writeit.cli import models, run, runs, setup, store, trust
from writeit.cli.output import colour_override, echo, print_error
from writeit.domain.errors import InvalidParams, WriteItError
from writeit.ports.system import Ports
from writeit.text.lines import make_visible

FAILED, MISUSED = 1, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="writeit")
@click.pass_context
def writeit(context: click.Context) -> None:
    """WriteIt: from notes to article, in the editor you already use."""
    context.color = colour_override()


@writeit.command()
@click.option("--stdio", is_flag=True, help="Speak over stdin and stdout (default).")
@click.option("--tcp", metavar="HOST:PORT", help="Listen there; loopback only.")
@click.option("--ws", metavar="HOST:PORT", help="WebSocket; loopback only.")
def serve(*, stdio: bool, tcp: str | None, ws: str | None) -> None:
    """Serve an editor that speaks the Language Server Protocol.

    Over TCP and WebSocket a client sends a token: WRITEIT_TOKEN, or the one on the
    first line of stderr.
    """
    # `app.main` handles valid arguments before click is imported.
    count = sum([stdio, tcp is not None, ws is not None])
    raise click.UsageError(
        f"Give one of --stdio, --tcp HOST:PORT, --ws HOST:PORT; not {count}."
    )


@writeit.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON (the default).")
def protocol(*, as_json: bool) -> None:
    """Print the protocol as JSON Schema: each command with its params and result."""
    del as_json  # `app.main` prints it before click is imported
    raise click.UsageError("protocol takes no argument but --json.")


for command in (
    run.run,
    runs.log,
    runs.show,
    runs.usage,
    runs.export,
    runs.delete,
    runs.import_,
    models.model,
    setup.pipeline,
    setup.keys,
    setup.doctor,
    setup.neovim_runtime,
    store.store,
    trust.trust,
):
    writeit.add_command(command)


def run_command_line(arguments: list[str], create_ports: Callable[[], Ports]) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage."""

    @functools.cache
    def create_and_report() -> Ports:
        ports = create_ports()
        for problem in ports.config_problems:
            echo(make_visible(problem), err=True)
        return ports

    try:
        writeit.main(arguments, standalone_mode=False, obj=create_and_report)
    except click.Abort:
        echo("Stopped.", err=True)
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(MISUSED)
    except WriteItError as error:
        print_error(error)
        for note in getattr(error, "__notes__", ()):
            echo(make_visible(note), err=True)
        sys.exit(MISUSED if isinstance(error, InvalidParams) else FAILED)
