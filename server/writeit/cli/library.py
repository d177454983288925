"""`writeit pipeline`: the pipelines within reach, and whether their files are right."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from writeit.cli.workspace import workspace_of
from writeit.library import read_library


@click.group()
def pipeline() -> None:
    """List and check pipelines."""


@pipeline.command("list")
def list_pipelines() -> None:
    """List the pipelines that can be run from here."""
    library, _ = read_library(workspace_of(Path.cwd()))
    for configuration in library.usable:
        click.echo(f"{configuration.name:24} {configuration.description}")


@pipeline.command()
@click.argument("place", type=click.Path(path_type=Path, exists=True), default=".")
def check(place: Path) -> None:
    """Check the files that a run started in PLACE could use; exit 1 on errors."""
    _, problems = read_library(workspace_of(place.resolve()))
    for problem in problems:
        start = problem.range.start
        where = f"{problem.uri}:{start.line + 1}:{start.character + 1}"
        click.echo(f"{where}: {problem.severity}: {problem.message}")
    if any(problem.severity == "error" for problem in problems):
        sys.exit(1)
