"""The command line: the same engine, for a terminal and for scripts."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module

import click

from writeit import __version__
from writeit.cli.output import colour_override, echo, print_error
from writeit.domain.errors import InvalidParams, WriteItError
from writeit.ports.system import Ports
from writeit.text.lines import make_visible

FAILED, MISUSED = 1, 2


_MODULES = {
    name: module
    for module, names in {
        "run": "run review",
        "runs": "log show compare usage export import_ delete",
        "overview": "status",
        "library": "pipeline primer",
        "preferences": "preferences",
        "models": "model",
        "setup": "keys doctor neovim_runtime",
        "store": "store",
        "search": "search",
        "mv": "mv",
        "trust": "trust",
        "completion": "completion",
    }.items()
    for name in names.split()
}
"""Each command and its module, which is imported when the command is used."""


class _LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = [name.strip("_").replace("_", "-") for name in _MODULES]
        return sorted([*super().list_commands(ctx), *names])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = cmd_name.replace("-", "_")
        name = "import_" if name == "import" else name
        if name not in _MODULES:
            return super().get_command(ctx, cmd_name)
        return _import_command(name)


def _import_command(name: str) -> click.Command:
    command: click.Command = getattr(
        import_module(f"writeit.cli.{_MODULES[name]}"), name
    )
    return command


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="writeit")
@click.pass_context
def writeit(context: click.Context) -> None:
    """WriteIt: from notes to article, in the editor you already use.

    Without a command it shows the state of this folder and what to do next.
    """
    context.color = colour_override()
    if context.invoked_subcommand is None:
        context.invoke(_import_command("status"), as_json=False)


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


def run_command_line(arguments: list[str], create_ports: Callable[[], Ports]) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage."""

    @functools.cache
    def create_and_report() -> Ports:
        ports = create_ports()
        for problem in ports.config_problems:
            echo(make_visible(problem), err=True)
        return ports

    try:
        writeit.main(arguments, "writeit", standalone_mode=False, obj=create_and_report)
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
