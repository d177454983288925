"""`writeit preferences`: what counts where nothing else is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem
from pydantic import ValidationError

from writeit.cli.output import echo, json_option, print_json
from writeit.cli.workspace import OpenWorkspace, open_workspace, run_async
from writeit.domain.session import UserPreferences
from writeit.engine.sessions import change_preferences

NAMES = tuple(UserPreferences.model_fields)


@click.group(invoke_without_command=True)
@click.pass_context
def preferences(context: click.Context) -> None:
    """Show and set your preferences, such as the models to use by default."""
    if context.invoked_subcommand is None:
        context.invoke(show_preferences, as_json=False)


@preferences.command("show")
@json_option
@click.pass_context
def show_preferences(context: click.Context, *, as_json: bool) -> None:
    """Show all preferences of this folder."""
    _print(run_async(_read_or_change(context, {})), as_json=as_json)


def _complete_name(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    return [CompletionItem(name) for name in NAMES if name.startswith(begun)]


@preferences.command("set")
@click.argument("name", shell_complete=_complete_name)
@click.argument("values", metavar="[VALUE]...", nargs=-1)
@json_option
@click.pass_context
def set_preference(
    context: click.Context, *, name: str, values: tuple[str, ...], as_json: bool
) -> None:
    """Set the preference NAME; without a VALUE, restore its default.

    models takes models, with =N for N answers of each: openai/gpt-4o=2.
    default_models takes STEP=MODEL, keyboard_shortcuts COMMAND=KEYS.
    """
    field = re.sub(r"(?<=[a-z])([A-Z])|-", lambda m: f"_{m[1] or ''}", name).lower()
    if field not in NAMES:
        known = ", ".join(NAMES)
        raise click.UsageError(f"There is no preference {name!r}. There are: {known}.")
    changes = {field: _parse_values(field, values)}
    _print(run_async(_read_or_change(context, changes)), as_json=as_json)


def _parse_values(field: str, values: tuple[str, ...]) -> object:
    """Return the value of a preference; it is validated later."""
    if not values:
        return UserPreferences.model_fields[field].get_default(
            call_default_factory=True
        )
    if field == "models":
        pairs = [re.fullmatch(r"(.*?)(?:=(\d+))?", value) for value in values]
        return [{"model": m[1], "samples": m[2] or 1} for m in pairs if m]
    if field in {"default_models", "keyboard_shortcuts"}:
        wrong = [value for value in values if "=" not in value]
        if wrong:
            raise click.UsageError(f"{wrong[0]!r} is not NAME=VALUE.")
        return dict(value.split("=", 1) for value in values)
    if len(values) > 1:
        raise click.UsageError(f"{field} takes one value.")
    return values[0]


async def _read_or_change(
    context: click.Context, changes: dict[str, Any]
) -> UserPreferences:
    async with open_workspace(Path.cwd(), context) as workspace:
        if not changes:
            return workspace.engine.preferences
        return await _change(workspace, changes)


async def _change(workspace: OpenWorkspace, changes: dict[str, Any]) -> UserPreferences:
    try:
        preferences = workspace.engine.preferences.evolve(**changes)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise click.UsageError(
            f"{where}: {first['msg']}. Nothing was changed."
        ) from error
    await change_preferences(
        workspace.ports,
        workspace.engine,
        preferences,
        changes,
        primers=workspace.load_library().usable_primers,
    )
    return preferences


def _print(preferences: UserPreferences, *, as_json: bool) -> None:
    fields = {"models": [], **preferences.model_dump(mode="json")}
    if as_json:
        print_json(fields)
        return
    for name in NAMES:
        value = fields.get(name)
        if name == "models":
            value = [f"{m.model}={m.samples}" for m in preferences.models]
        if isinstance(value, dict):
            value = [f"{key}={each}" for key, each in value.items()]
        text = " ".join(value) if isinstance(value, list) else value
        echo(f"{name:26} {'-' if text in {None, ''} else text}")
