"""`writeit model`: which models can be asked, and getting the embedded one."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import click

from writeit.cli.workspace import complete

if TYPE_CHECKING:
    from writeit.ports import ModelInfo, World

EMBEDDED = "embedded/smollm2-135m"


@click.group()
def model() -> None:
    """List models, install the embedded one."""


@model.command("list")
@click.argument("provider", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def list_models(context: click.Context, *, provider: str | None, as_json: bool) -> None:
    """List the models that can be asked here; all of PROVIDER's if it is named."""
    models = complete(_list(context.obj(), provider))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(info) for info in models], indent=2))
        return
    for info in models:
        state = "ready" if info.available else info.reason or "not available"
        click.echo(f"{info.id:40} {state}")


async def _list(world: World, provider: str | None) -> list[ModelInfo]:
    try:
        return await world.models.list(provider=provider)
    finally:
        await world.models.close()


@model.command()
@click.argument("name", metavar="MODEL", default=EMBEDDED)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def install(context: click.Context, *, name: str, as_json: bool) -> None:
    """Fetch the weights of the embedded MODEL into the user's cache."""
    info = complete(_install(context.obj(), name))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(info), indent=2))
        return
    click.echo(f"{info.id} is {'ready' if info.available else info.reason}.")


async def _install(world: World, name: str) -> ModelInfo:
    def report(message: str, fraction: float | None) -> None:
        share = "" if fraction is None else f" {fraction:.0%}"
        click.echo(f"{message}{share}", err=True)

    try:
        return await world.models.install(name, report)
    finally:
        await world.models.close()
