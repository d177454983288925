"""`writeit store`: maintenance of the workspace's store."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from writeit.cli.output import DATE, echo, json_option, print_json
from writeit.cli.workspace import (
    find_workspace,
    has_store,
    open_existing_workspace,
    run_async,
)
from writeit.files import remove_pages_of_deleted_runs
from writeit.ports.store import Maintenance, StoreStatus, is_deleted_run
from writeit.views.uris import RENDERED_FOLDER, VIEWS_FOLDER
from writeit.views.wording import format_datetime, run_title

EXIT_PROBLEMS_FOUND = 1
T = TypeVar("T")


@click.group()
def store() -> None:
    """Maintain this folder's run history: verify, compact, back up, move, prune."""


@store.command()
@json_option
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Show the size and contents of the run history."""
    if has_store(Path.cwd(), context):
        _print_status(
            _run_maintenance(context, lambda maintenance: maintenance.status()),
            as_json=as_json,
        )
        return
    folder, _ = context.obj().locate_store(find_workspace(Path.cwd()))
    if as_json:
        print_json({"path": str(folder), "runs": 0, "exists": False})
    else:
        echo(f"No run history yet. The first run creates {folder}.")


@store.command()
@json_option
@click.pass_context
def verify(context: click.Context, *, as_json: bool) -> None:
    """Verify every key, text and run of it; exit 1 if there are problems."""
    verified = _run_maintenance(context, lambda maintenance: maintenance.verify())
    problems = verified.problems
    if as_json:
        print_json({"ok": not problems, **asdict(verified)})
    else:
        for problem in problems:
            echo(f"{problem.key}: {problem.message}")
        echo(f"Checked {verified.checked} keys, problems: {len(problems)}.")
    if problems:
        sys.exit(EXIT_PROBLEMS_FOUND)


@store.command()
@json_option
@click.pass_context
def compact(context: click.Context, *, as_json: bool) -> None:
    """Remove unused texts and free their disk space."""
    _print_status(
        _run_maintenance(context, lambda maintenance: maintenance.compact()),
        as_json=as_json,
    )


@store.command()
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def backup(context: click.Context, path: Path, *, as_json: bool) -> None:
    """Copy it to PATH, a new folder; it may be in use."""
    target = path.absolute()
    copied = _run_maintenance(context, lambda maintenance: maintenance.backup(target))
    if as_json:
        print_json({"path": str(copied)})
    else:
        echo(f"Copied the run history to {copied}.")


@store.command()
@json_option
@click.pass_context
def move(context: click.Context, *, as_json: bool) -> None:
    """Move it to where your configuration says."""
    moved = context.obj().move_store(find_workspace(Path.cwd()))
    if as_json:
        source = moved.source and str(moved.source)
        print_json(
            {"moved": source is not None, "from": source, "to": str(moved.target)}
        )
    elif moved.source is None:
        echo(f"Nothing to move. The run history belongs in {moved.target}.")
    else:
        echo(f"Moved the run history from {moved.source} to {moved.target}.")


@store.command()
@click.argument("backup", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Replace it; otherwise only show.")
@json_option
@click.pass_context
def restore(context: click.Context, backup: Path, *, yes: bool, as_json: bool) -> None:
    """Replace it with BACKUP; without --yes, only show what that replaces."""
    result = context.obj().restore_store(
        find_workspace(Path.cwd()), backup.absolute(), yes
    )
    if as_json:
        print_json(
            {
                "backup_runs": result.backup_runs,
                "store_runs": result.store_runs,
                "damage": result.damage,
                "replaced": [str(run.run_id) for run in result.replaced],
                "kept_in": result.kept_in and str(result.kept_in),
                "dry_run": not yes,
            }
        )
        return
    echo(f"Runs in the backup: {result.backup_runs}. Now: {result.store_runs}.")
    if result.damage:
        echo(result.damage)
    if result.replaced:
        echo("The backup does not have these runs as they are now:")
    for run in result.replaced:
        echo(f"  {run_title(run)}, changed {format_datetime(run.updated_at)}")
    if not yes:
        echo("Nothing was changed. Replace it with --yes.", err=True)
    elif result.kept_in:
        echo(f"Restored the backup. What it replaced is in {result.kept_in}.")
    else:
        echo("Restored the backup.")


@store.command()
@click.option(
    "--before",
    type=DATE,
    metavar="DATE",
    help="Only runs last changed before this date (local time).",
)
@click.option("--yes", is_flag=True, help="Delete them; otherwise only count.")
@json_option
@click.pass_context
def prune(
    context: click.Context, *, before: datetime | None, yes: bool, as_json: bool
) -> None:
    """Delete old finished runs; without --yes, only count them."""
    if yes and before is None:
        raise click.UsageError(
            "--yes needs --before DATE, or it would delete every finished run."
        )
    moment = before.astimezone(UTC) if before else datetime.now(UTC)
    deleted = _run_maintenance(
        context, lambda maintenance: maintenance.prune(moment, dry_run=not yes)
    )
    if as_json:
        print_json({**asdict(deleted), "dry_run": not yes})
        return
    label = "Deleted" if yes else "Would be deleted"
    echo(f"{label}: finished runs {deleted.runs}, answers {deleted.responses}.")
    if deleted.runs and not yes:
        echo("Delete them with --before DATE --yes.", err=True)


def _run_maintenance(
    context: click.Context, operation: Callable[[Maintenance], Awaitable[T]]
) -> T:
    """Run one maintenance operation on the current workspace's store."""

    async def operate() -> T:
        async with open_existing_workspace(Path.cwd(), context) as workspace:
            result = await operation(workspace.ports.maintenance_for(workspace.store))
            for pages in (VIEWS_FOLDER, RENDERED_FOLDER):
                remove_pages_of_deleted_runs(
                    workspace.path / pages, partial(is_deleted_run, workspace.store)
                )
            return result

    return run_async(operate())


def _print_status(status: StoreStatus, *, as_json: bool) -> None:
    figures = {**asdict(status), "path": str(status.path)}
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        label = name.replace("_", " ")
        echo(f"{label:11} {value:,}" if isinstance(value, int) else value)
