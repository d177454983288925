"""`writeit pipeline`: the pipelines within reach, and whether their files are right."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from writeit.cli.workspace import workspace_of
from writeit.library import read_library, read_pipeline, read_primer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from writeit.library import Problem

FAILED = 1
MAX_BYTES = 1024 * 1024
"""More than any file of ours may have; `library` says how many that are."""
as_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def pipeline() -> None:
    """List and check pipelines."""


@pipeline.command("list")
@as_json_option
def list_pipelines(*, as_json: bool) -> None:
    """List the pipelines that can be run from here."""
    library, _ = read_library(workspace_of(Path.cwd()))
    if not as_json:
        for configuration in library.usable:
            click.echo(f"{configuration.name:24} {configuration.description}")
        return
    told = [
        {
            "id": configuration.configuration_id,
            "name": configuration.name,
            "description": configuration.description,
            "applies_to": configuration.applies_to,
            "steps": configuration.step_names,
            "inputs": [
                spec.model_dump(mode="json", by_alias=True)
                for spec in configuration.inputs
            ],
            "uri": library.pipelines[configuration.name].uri,
        }
        for configuration in library.usable
    ]
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))


@pipeline.command()
@click.argument(
    "place",
    metavar="[FILE|FOLDER]",
    type=click.Path(path_type=Path, exists=True),
    default=".",
)
@as_json_option
def check(*, place: Path, as_json: bool) -> None:
    """Check a pipeline's or primer's FILE, or all that a run in FOLDER could use.

    Exit 1 if there are errors.
    """
    problems = _problems(place.resolve())
    if as_json:
        told = {"problems": [problem.as_data() for problem in problems]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    for problem in () if as_json else problems:
        start = problem.range.start
        where = f"{problem.uri}:{start.line + 1}:{start.character + 1}"
        click.echo(f"{where}: {problem.severity}: {problem.message}")
    if any(problem.severity == "error" for problem in problems):
        sys.exit(FAILED)


def _problems(place: Path) -> Sequence[Problem]:
    library, problems = read_library(workspace_of(place))
    if place.is_dir():
        return problems
    uri = place.as_uri()
    within_reach = {
        *(entry.uri for entry in library.pipelines.values()),
        *(entry.uri for entry in library.primers.values()),
        *(problem.uri for problem in problems),
    }
    if uri in within_reach:
        return [problem for problem in problems if problem.uri == uri]
    return _problems_alone(place)


def _problems_alone(file: Path) -> Sequence[Problem]:
    """Check a file that lies where no run would look for it."""
    try:
        with file.open(encoding="utf-8-sig") as opened:
            text = opened.read(MAX_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {error}.") from error
    if file.parent.name == "primers":
        return read_primer(text, file.as_uri(), stem=file.stem)[1]
    return read_pipeline(text, file.as_uri(), created=datetime.now(UTC))[1]
