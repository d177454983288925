"""`writeit mv`: rename a document or a folder; its runs follow it."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import click

from writeit.cli.output import echo, json_option, print_json
from writeit.cli.workspace import (
    find_workspace,
    has_store,
    open_existing_workspace,
    run_async,
)
from writeit.domain.errors import InvalidParams
from writeit.engine.moving import move_documents
from writeit.engine.sessions import WORKSPACE_DATA_FOLDER
from writeit.files import write_error
from writeit.text.lines import make_visible
from writeit.views import wording


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def mv(context: click.Context, *, old: Path, new: Path, as_json: bool) -> None:
    """Rename OLD, a document or a folder, to NEW; its runs follow it.

    If you have renamed it already, only the runs are moved.
    """
    old = old.parent.resolve() / old.name
    new = new.resolve() / old.name if new.is_dir() and old.exists() else new.resolve()
    _check_paths(old, new)
    runs = run_async(_move(context, old, new))
    if as_json:
        print_json(
            {"from": old.as_uri(), "to": new.as_uri(), "runs": [*map(str, runs)]}
        )
    else:
        count = wording.count_of(len(runs), "run")
        shown = make_visible(os.path.relpath(new, old.parent))
        echo(f"Moved {make_visible(old.name)} to {shown}, with {count}.")


def _check_paths(old: Path, new: Path) -> None:
    """Refuse what would overwrite a file, or lose the runs of one."""
    if old.exists() and new.exists() and not old.samefile(new):
        message = f"{new} exists already. Nothing was moved."
        raise InvalidParams(message, hint="Give another name, or move it away first.")
    if not old.exists() and not new.exists():
        message = f"There is no {old}. Nothing was moved."
        raise InvalidParams(message, hint="Check the name.")
    if WORKSPACE_DATA_FOLDER in {*old.parts, *new.parts}:
        message = f"{WORKSPACE_DATA_FOLDER} is WriteIt's own folder. Nothing was moved."
        raise InvalidParams(message, hint="It holds the runs of the folder it is in.")
    workspace = find_workspace(old.parent)
    if any((path / WORKSPACE_DATA_FOLDER).exists() for path in (old, new)):
        raise InvalidParams(
            f"{old.name} has runs of its own. Nothing was moved.",
            hint="Move it with another program: its runs are in it.",
        )
    if not new.is_relative_to(workspace):
        raise InvalidParams(
            f"{new} is outside of {workspace}, where the runs are. Nothing was moved.",
            hint="Export the runs with `writeit export`, and import them there.",
        )


async def _move(context: click.Context, old: Path, new: Path) -> list[UUID]:
    if not has_store(old.parent, context):
        _rename(old, new)
        return []
    async with open_existing_workspace(old.parent, context) as workspace:
        _rename(old, new)
        return await move_documents(workspace.engine, {old.as_uri(): new.as_uri()})


def _rename(old: Path, new: Path) -> None:
    """Rename a file or folder unless the user has."""
    try:
        if old.exists():
            old.rename(new)
    except OSError as error:
        raise write_error(new, error, "Its runs were not moved either.") from error
