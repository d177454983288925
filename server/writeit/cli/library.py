"""`writeit pipeline` and `writeit primer`: the files that runs are made from."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from writeit.cli.completion import complete_pipeline, complete_primer
from writeit.cli.output import echo, echo_text, json_option, print_json
from writeit.cli.workspace import find_workspace, write_text_file
from writeit.domain.entity import NAME_PATTERN
from writeit.files import write_error
from writeit.library.catalog import LibraryEntry, read_library
from writeit.library.pipelines import read_pipeline, read_primer
from writeit.library.yaml_source import SourceProblem
from writeit.trust import FolderTrust

EXIT_INVALID_FILES = 1
MAX_LIBRARY_FILE_BYTES = 1024 * 1024
"""Above the limit of `library`, which reports a longer file."""


@click.group()
def pipeline() -> None:
    """List, show, check and create pipelines."""


@pipeline.command("list")
@json_option
def list_pipelines(*, as_json: bool) -> None:
    """List the pipelines of this folder, those that can run first.

    With the problems of each, and of the files that a nearer one replaces.
    """
    library, _ = read_library(find_workspace(Path.cwd()))
    names = sorted(library.pipelines)
    unusable = [
        *(library.pipelines[n] for n in names if library.pipelines[n].value is None),
        *library.other_pipelines,
    ]
    if not as_json:
        for configuration in library.usable_pipelines:
            echo(f"{configuration.name:24} {configuration.description}")
        for entry in unusable:
            problems = " ".join(problem.message for problem in entry.problems)
            echo(f"{entry.name:24} cannot be used: {problems}")
        return
    entries = [
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
            "usable": True,
            "problems": [
                problem.to_json()
                for problem in library.pipelines[configuration.name].problems
            ],
        }
        for configuration in library.usable_pipelines
    ]
    entries += [
        {
            "name": entry.name,
            "uri": entry.uri,
            "usable": False,
            "problems": [problem.to_json() for problem in entry.problems],
        }
        for entry in unusable
    ]
    print_json(entries)


@pipeline.command()
@click.argument(
    "place",
    metavar="[FILE|FOLDER]",
    type=click.Path(path_type=Path, exists=True),
    default=".",
)
@json_option
def check(*, place: Path, as_json: bool) -> None:
    """Check FILE, a pipeline or primer, or all that a run in FOLDER can use.

    Exit 1 if there are errors.
    """
    problems = _find_problems(place.resolve())
    if as_json:
        print_json({"problems": [problem.to_json() for problem in problems]})
    for problem in () if as_json else problems:
        start = problem.range.start
        where = f"{problem.uri}:{start.line + 1}:{start.character + 1}"
        echo(f"{where}: {problem.severity}: {problem.message}")
    if any(problem.severity == "error" for problem in problems):
        sys.exit(EXIT_INVALID_FILES)


def _find_problems(place: Path) -> Sequence[SourceProblem]:
    library, problems = read_library(find_workspace(place))
    if place.is_dir():
        return problems
    uri = place.as_uri()
    if uri in {
        *(entry.uri for entry in library.pipelines.values()),
        *(entry.uri for entry in library.primers.values()),
        *(problem.uri for problem in problems),
    }:
        return [problem for problem in problems if problem.uri == uri]
    return _find_problems_in_file(place)


def _find_problems_in_file(file: Path) -> Sequence[SourceProblem]:
    """Check a file that is outside of the library folders."""
    try:
        with file.open(encoding="utf-8-sig") as source:
            text = source.read(MAX_LIBRARY_FILE_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {error}.") from error
    if file.parent.name == "primers":
        return read_primer(text, file.as_uri(), default_id=file.stem)[1]
    return read_pipeline(text, file.as_uri(), created=datetime.now(UTC))[1]


@pipeline.command("show")
@click.argument("name", shell_complete=complete_pipeline)
@json_option
def show_pipeline(*, name: str, as_json: bool) -> None:
    """Show the file of the pipeline NAME."""
    library, _ = read_library(find_workspace(Path.cwd()))
    configuration = library.pipeline(name)
    if as_json:
        print_json(configuration.model_dump(mode="json", by_alias=True))
    else:
        _print_file(library.pipelines[configuration.name])


def _print_file(entry: LibraryEntry[Any]) -> None:
    echo(f"# {entry.file.path}", err=True)
    echo_text(entry.file.path.read_text(encoding="utf-8-sig"))


@pipeline.command()
@click.argument("name")
@click.option(
    "--from",
    "source",
    default="tech-article",
    shell_complete=complete_pipeline,
    help="The pipeline to begin with; default: tech-article.",
)
@json_option
@click.pass_context
def new(context: click.Context, *, name: str, source: str, as_json: bool) -> None:
    """Create the pipeline NAME in this folder, as a copy that you change."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise click.UsageError(
            f"{name!r} is not the name of a pipeline. Use a-z, 0-9, - and _."
        )
    workspace = find_workspace(Path.cwd())
    library, _ = read_library(workspace)
    original = library.pipelines[library.pipeline(source).name].file.path
    text = original.read_text(encoding="utf-8-sig")
    text = re.sub(
        r"(?m)^created:.*\n", "", re.sub(r"(?m)^name:.*", f"name: {name}", text)
    )
    file = workspace / "pipelines" / f"{name}.yaml"
    if name in library.pipelines or file.exists():
        raise click.UsageError(f"There is a pipeline {name} already.")
    try:
        file.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise write_error(file, error, "Nothing was created.") from error
    write_text_file(file, text)
    library, _ = read_library(workspace)
    trust = FolderTrust(context.obj().trust_file, workspace, override=None)
    trust.note_seen(file, library.pipelines[name].digest, library)
    if as_json:
        print_json({"name": name, "path": str(file)})
    else:
        echo(f"Created {file}. Change it, then check it: writeit pipeline check")


@click.group()
def primer() -> None:
    """List and show style primers."""


@primer.command("list")
@json_option
def list_primers(*, as_json: bool) -> None:
    """List the style primers that a run in this folder can use."""
    library, _ = read_library(find_workspace(Path.cwd()))
    primers = [library.primer(name) for name in sorted(library.usable_primers)]
    if as_json:
        print_json([one.model_dump(mode="json") for one in primers])
    for one in () if as_json else primers:
        echo(f"{one.primer_id:24} {one.description or one.name}")


@primer.command("show")
@click.argument("name", shell_complete=complete_primer)
@json_option
def show_primer(*, name: str, as_json: bool) -> None:
    """Show the file of the style primer NAME."""
    library, _ = read_library(find_workspace(Path.cwd()))
    style = library.primer(name)
    if as_json:
        print_json(style.model_dump(mode="json"))
    else:
        _print_file(library.primers[name])
