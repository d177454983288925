"""`writeit trust`, and asking before a run uses files of a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import click

from writeit.cli.console import Console, InputStopped
from writeit.cli.output import echo, json_option, print_json
from writeit.cli.workspace import (
    OpenWorkspace,
    find_workspace,
    read_text_file,
    run_async,
)
from writeit.domain.errors import BudgetExceeded, NotTrusted, WriteItError
from writeit.domain.pipeline import PipelineConfiguration
from writeit.engine.continuing import ContinueResponse
from writeit.engine.generation import Generation
from writeit.engine.limits import find_hosts
from writeit.engine.precedence import ModelSelection, Untrusted, Want
from writeit.engine.requests import GenerateStep, MergeWithModel, RegenerateStep
from writeit.engine.streaming import Observer
from writeit.library.catalog import (
    Library,
    LibraryEntry,
    own_pipelines,
    read_library,
)
from writeit.library.front_matter import FrontMatterConfig, split_front_matter
from writeit.ports.system import Ports
from writeit.trust import FolderTrust
from writeit.trust_record import read_decisions

TerminalRequest: TypeAlias = (
    GenerateStep | RegenerateStep | ContinueResponse | MergeWithModel
)
"""What the command line generates with."""
WANT_WORDS = {
    "host": "sends text to",
    "model": "names the model",
    "output": "writes to",
    "calls": "makes several calls at once:",
    "reasoning": "lets models think:",
    "file": "also sends this file:",
}


def agrees(console: Console, error: WriteItError) -> bool:
    """Ask on a terminal whether to do what was refused; elsewhere the answer is no."""
    if not console.is_interactive or "confirm" not in error.data:
        return False
    echo(error.message, err=True)
    _print_wants(error.data.get("wants", ()))
    return _answers_yes(console, f"{error.data['confirm']}?")


def _print_wants(wants: Iterable[Mapping[str, str]]) -> None:
    for want in wants:
        echo(f"  {want['from']} {WANT_WORDS[want['kind']]} {want['value']}", err=True)


def _answers_yes(console: Console, question: str) -> bool:
    try:
        answer = console.read_line(f"{question} [y/N] ")
    except InputStopped:
        return False
    return answer.strip().lower() in {"y", "yes"}


async def generate_with_consent(
    workspace: OpenWorkspace,
    request: TerminalRequest,
    observer: Observer,
    console: Console,
) -> tuple[Generation, ModelSelection]:
    """Start a generation; on a terminal ask for what needs the user's yes.

    Also returns what counts for the run from then on.

    Raises:
        WriteItError: it was refused, or the user said no.
    """
    selection = request.model_selection
    try:
        return await workspace.engine.generate(request, observer), selection
    except (NotTrusted, BudgetExceeded) as error:
        if not agrees(console, error):
            raise
        if isinstance(error, NotTrusted):
            digests = selection.untrusted.digests
            workspace.trust.trust(workspace.load_library(), digests)
            shown = [w["value"] for w in error.data["wants"] if w["kind"] == "calls"]
            untrusted = Untrusted(
                agreed_calls=max(map(int, shown), default=0),
                is_own_run=selection.untrusted.is_own_run,
            )
            selection = replace(selection, untrusted=untrusted)
    agreed = replace(request, model_selection=replace(selection, confirmed=True))
    return await workspace.engine.generate(agreed, observer), selection


def check_primer(
    workspace: OpenWorkspace, library: Library, entry: LibraryEntry[Any]
) -> None:
    """Ask about a primer that another program changed.

    Raises:
        NotTrusted: the user said no, or cannot be asked.
    """
    if not workspace.trust.has_changed(entry):
        return
    try:
        workspace.trust.agree_or_refuse(library, entry, confirmed=False)
    except NotTrusted as error:
        if not agrees(Console(), error):
            raise
        workspace.trust.agree_or_refuse(library, entry, confirmed=True)


def check_files(
    workspace: OpenWorkspace,
    library: Library,
    configuration: PipelineConfiguration,
    document: tuple[FrontMatterConfig, Path | None],
) -> None:
    """Ask whether files that front matter names may be read and sent.

    Raises:
        NotTrusted: the user said no, or cannot be asked.
    """
    is_own = configuration.configuration_id in own_pipelines()
    pipeline, record = None if is_own else configuration, workspace.trust
    untrusted = record.assess(library, pipeline, *document)
    try:
        record.require_files(document[0], untrusted, document[1])
    except NotTrusted as error:
        if not agrees(Console(), error):
            raise
        record.trust(library, untrusted.digests)


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--list", "is_list", is_flag=True, help="List your decisions.")
@click.option("--revoke", is_flag=True, help="Restrict the folder again.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def trust(
    context: click.Context,
    *,
    path: Path | None,
    is_list: bool,
    revoke: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Trust the folder of PATH: its pipelines may then call the models they name.

    What its files would do is shown first. With a document, that includes what its
    front matter names.
    """
    ports: Ports = context.obj()
    if is_list:
        _list_folders(ports.trust_file, as_json=as_json)
        return
    path = path or Path.cwd()
    folder = find_workspace(path)
    record = FolderTrust(ports.trust_file, folder, override=None)
    library, _ = read_library(folder)
    if revoke:
        record.revoke()
    else:
        config = FrontMatterConfig()
        if path.is_file():
            text = read_text_file(path)
            config = split_front_matter(text).require_valid().config
        _trust(ports, record, library, (config, path), yes=yes)
    state = record.state(library)
    if as_json:
        print_json({"folder": str(folder), "state": state})
    else:
        echo(f"{folder} is {state}.")


def _trust(
    ports: Ports,
    record: FolderTrust,
    library: Library,
    document: tuple[FrontMatterConfig, Path],
    *,
    yes: bool,
) -> None:
    """Show what a folder would do, ask, and trust it.

    Raises:
        NotTrusted: the user said no, or cannot be asked.
    """
    untrusted = record.assess(library, None, *document)
    hosts = run_async(_with_closed_models(ports, untrusted))
    wants = [want.to_json() for want in (*hosts, *untrusted.wants)]
    history = record.entry.untrusted_origins() if record.entry else {}
    if wants:
        echo("The files of this folder:", err=True)
        _print_wants(wants)
    if history:
        echo("Runs that somebody else made name models.", err=True)
    if not wants and not history:
        echo("Nothing here needs trust.", err=True)
    if (wants or history) and not (yes or _says_yes()):
        raise NotTrusted(
            "The folder is not trusted; nothing was changed.",
            hint="To trust it without a question, add --yes.",
            wants=wants,
        )
    record.trust(library, {**untrusted.digests, **history})


def _says_yes() -> bool:
    console = Console()
    return console.is_interactive and _answers_yes(console, "Trust this folder?")


async def _with_closed_models(ports: Ports, untrusted: Untrusted) -> list[Want]:
    try:
        return await find_hosts(ports.models, untrusted.wants)
    finally:
        await ports.models.close()


def _list_folders(file: Path, *, as_json: bool) -> None:
    folders = {name: one.decision for name, one in read_decisions(file).items()}
    if as_json:
        print_json({"folders": folders})
        return
    for name, decision in sorted(folders.items()):
        echo(f"{decision:10}  {name}")
    if not folders:
        echo("You have not decided about any folder yet.", err=True)
