"""`writeit store`: what the workspace's store holds, and the care of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from writeit.cli.workspace import (
    find_workspace,
    has_store,
    open_existing_workspace,
    run_async,
)
from writeit.ports.store import Maintenance, StoreStatus

EXIT_PROBLEMS_FOUND = 1
T = TypeVar("T")
MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def store() -> None:
    """Look after this workspace's store: count, check, shrink, copy, move, clear."""


@store.command()
@json_option
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Count what the store holds."""
    if has_store(Path.cwd(), context):
        _print_status(
            _run_maintenance(context, lambda care: care.status()), as_json=as_json
        )
        return
    folder, _ = context.obj().locate_store(find_workspace(Path.cwd()))
    if as_json:
        _print_json({"path": str(folder), "runs": 0, "exists": False})
    else:
        click.echo(f"There is no store yet: {folder} is made with the first run.")


@store.command()
@json_option
@click.pass_context
def verify(context: click.Context, *, as_json: bool) -> None:
    """Check every key, text and run of the store; exit 1 if something is wrong."""
    verified = _run_maintenance(context, lambda care: care.verify())
    problems = verified.problems
    if as_json:
        _print_json({"ok": not problems, **asdict(verified)})
    else:
        for problem in problems:
            click.echo(f"{problem.key}: {problem.message}")
        found = f"problems: {len(problems)}" if problems else "all is well"
        click.echo(f"Keys checked: {verified.checked}; {found}.")
    if problems:
        sys.exit(EXIT_PROBLEMS_FOUND)


@store.command()
@json_option
@click.pass_context
def compact(context: click.Context, *, as_json: bool) -> None:
    """Drop texts nobody refers to, and give the space back to the disk."""
    _print_status(
        _run_maintenance(context, lambda care: care.compact()), as_json=as_json
    )


@store.command()
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def backup(context: click.Context, path: Path, *, as_json: bool) -> None:
    """Copy the store to PATH, a new folder, while it is in use."""
    target = path.absolute()
    made = _run_maintenance(context, lambda care: care.backup(target))
    if as_json:
        _print_json({"path": str(made)})
    else:
        click.echo(f"The store is copied to {made}.")


@store.command()
@json_option
@click.pass_context
def move(context: click.Context, *, as_json: bool) -> None:
    """Move the store of this workspace to where your configuration says."""
    moved = context.obj().move_store(find_workspace(Path.cwd()))
    if as_json:
        source = moved.source and str(moved.source)
        _print_json(
            {"moved": source is not None, "from": source, "to": str(moved.target)}
        )
    elif moved.source is None:
        click.echo(f"Nothing to move: the store belongs in {moved.target}.")
    else:
        click.echo(f"Moved the store from {moved.source} to {moved.target}.")


@store.command()
@click.option(
    "--before",
    type=MOMENT,
    metavar="DATE",
    help="Only runs last touched before this day (or moment), in local time.",
)
@click.option("--yes", is_flag=True, help="Delete them; without this, only count.")
@json_option
@click.pass_context
def prune(
    context: click.Context, *, before: datetime | None, yes: bool, as_json: bool
) -> None:
    """Delete finished runs that are old; without --yes, say how many would go."""
    if yes and before is None:
        raise click.UsageError("--yes needs --before DATE: everything would go.")
    moment = before.astimezone(UTC) if before else datetime.now(UTC)
    gone = _run_maintenance(context, lambda care: care.prune(moment, dry_run=not yes))
    if as_json:
        _print_json({**asdict(gone), "dry_run": not yes})
        return
    done = "Deleted" if yes else "Would be deleted"
    click.echo(f"{done}: finished runs {gone.runs}, answers {gone.responses}.")
    if gone.runs and not yes:
        click.echo("Delete them with --before DATE --yes.", err=True)


def _run_maintenance(
    context: click.Context, operation: Callable[[Maintenance], Awaitable[T]]
) -> T:
    """Do one thing with the store of the workspace we stand in."""

    async def at_the_desk() -> T:
        async with open_existing_workspace(Path.cwd(), context) as desk:
            return await operation(desk.ports.maintenance_for(desk.store))

    return run_async(at_the_desk())


def _print_status(status: StoreStatus, *, as_json: bool) -> None:
    figures = {**asdict(status), "path": str(status.path)}
    if as_json:
        _print_json(figures)
        return
    for name, value in figures.items():
        label = name.replace("_", " ")
        click.echo(f"{label:11} {value:,}" if isinstance(value, int) else value)


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2))
