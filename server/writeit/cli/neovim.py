"""`writeit neovim-runtime`: where the Neovim plug-in is that came with this server."""

from __future__ import annotations

import json
from pathlib import Path

import click

from writeit.core.errors import NotFound


@click.command("neovim-runtime")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def neovim_runtime(*, as_json: bool) -> None:
    """Print the folder to put on Neovim's runtimepath."""
    path = str(runtime())
    click.echo(json.dumps({"path": path}) if as_json else path)


def runtime() -> Path:
    """Return the plug-in's folder: the package's, or the checkout's.

    Raises:
        NotFound: this copy of WriteIt came without it.
    """
    package = Path(__file__).parents[1]
    for path in (package / "_bundled" / "neovim", package.parents[1] / "neovim"):
        if (path / "lua" / "writeit").is_dir():
            return path
    raise NotFound(
        "The Neovim plug-in did not come with this copy of WriteIt.",
        hint="Install WriteIt from its wheel, or use `neovim` of a checkout.",
    )
