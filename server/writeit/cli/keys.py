"""`writeit keys`: giving a provider its key, and where keys come from."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from writeit.cli.workspace import complete

if TYPE_CHECKING:
    from writeit.ports import KeySource, World


@click.group()
def keys() -> None:
    """Set keys of providers, see where they come from."""


@keys.command("set")
@click.argument("provider")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def set_key(context: click.Context, *, provider: str, as_json: bool) -> None:
    """Keep the key of PROVIDER in the system keyring.

    It is asked for, or read from stdin; an argument would show in lists of processes.
    """
    world = context.obj()
    complete(_check(world, provider))
    world.keys.set(provider, _read_key(provider))
    if as_json:
        told = {"provider": provider, "stored": True}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(f"The key of {provider} is in the system keyring.")
    if world.keys.source(provider) == "environment":
        click.echo("The environment has one too, and that one is used.", err=True)


async def _check(world: World, provider: str) -> bool:
    """Check that somebody knows `provider`, before its key is asked for."""
    try:
        if provider not in world.keys.sources():
            await world.models.identify(f"{provider}/any")
    finally:
        await world.models.close()
    return True


def _read_key(provider: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Key of {provider}", hide_input=True, err=True))
    return sys.stdin.readline()


@keys.command("list")
@click.argument("provider", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def list_keys(context: click.Context, *, provider: str | None, as_json: bool) -> None:
    """Say where the key of each usual provider comes from, or PROVIDER's."""
    sources = _sources(context.obj(), provider)
    if as_json:
        entries = [{"provider": p, "source": s} for p, s in sources.items()]
        click.echo(json.dumps({"providers": entries}, indent=2))
        return
    for name, source in sources.items():
        click.echo(f"{name:16} {source}")


def _sources(world: World, provider: str | None) -> dict[str, KeySource]:
    if provider is not None:
        return {provider: world.keys.source(provider)}
    return world.keys.sources()
