"""`writeit` alone and `writeit status`: where things stand, and what to do next."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from writeit import __version__
from writeit.cli.output import echo, json_option, print_json
from writeit.cli.workspace import find_workspace, read_text_file, run_async
from writeit.domain.errors import WriteItError
from writeit.domain.run import PipelineStatus
from writeit.domain.run_summary import RunSummary, StaleStep, TodaysTexts
from writeit.domain.session import UserPreferences
from writeit.engine.queries import LAST_RUN, list_all_runs
from writeit.engine.sessions import start_session
from writeit.library.catalog import own_pipelines, read_library
from writeit.library.front_matter import read_source_document
from writeit.library.named_files import read_named_files
from writeit.ports.store import Store
from writeit.ports.system import Ports
from writeit.views import wording


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Where things stand in a folder."""

    folder: str
    runs: int = 0
    unfinished: int = 0
    newest: str = ""
    """The newest run in a few words; "" if there is none."""
    stale: str = ""
    """What has changed since the newest run was generated; "" if nothing has."""
    models: tuple[str, ...] = ()
    """The models that are used where nothing else is named."""
    keys: tuple[str, ...] = ()
    """The providers that have a key."""
    next: str = ""
    """The command to type now."""
    why: str = ""
    """What that command does."""


@click.command()
@json_option
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Show where things stand in this folder, and the next thing to do."""
    show_overview(context.obj(), as_json=as_json)


def show_overview(ports: Ports, *, as_json: bool) -> None:
    """Print the overview of the current folder; nothing is created or called."""
    overview = run_async(read_overview(ports, Path.cwd()))
    if as_json:
        print_json(asdict(overview))
        return
    unfinished = f", {overview.unfinished} unfinished" if overview.unfinished else ""
    newest = f". Newest: {overview.newest}" if overview.newest else ""
    runs = f"{wording.count_of(overview.runs, 'run')}{unfinished}{newest}"
    echo(f"WriteIt {__version__} in {overview.folder}")
    echo(f"Runs:    {runs if overview.runs else 'none yet'}")
    if overview.stale:
        echo(f"         {overview.stale}.")
    echo(f"Models:  {', '.join(overview.models) or 'none chosen yet'}")
    echo(
        f"Keys:    {', '.join(overview.keys) or 'none (the embedded model needs none)'}"
    )
    echo(f"\n{overview.why}\n    {overview.next}")


async def read_overview(ports: Ports, here: Path) -> Overview:
    """Return where things stand in the workspace of `here`."""
    workspace = find_workspace(here)
    store, _ = ports.open_store(workspace)
    try:
        runs = list(list_all_runs(store))
        preferences = store.preferences() or UserPreferences()
        stale = await _find_stale(ports, workspace, store, runs[0]) if runs else ()
    finally:
        store.close()
    open_runs = [run for run in runs if run.status is not PipelineStatus.COMPLETED]
    embedded = await ports.models.embedded_model()
    models = [c.model for c in preferences.models or ports.default_models()]
    models += [embedded] if embedded and not models else []
    keys = tuple(p for p, source in ports.keys.sources().items() if source != "none")
    if open_runs:
        named = LAST_RUN if open_runs[0] is runs[0] else open_runs[0].run_id
        step = ("Resume your run:", f"writeit run --choose ask --resume {named}")
    else:
        step = _first_steps(here, has_model=bool(models))
    return Overview(
        folder=str(workspace),
        runs=len(runs),
        unfinished=len(open_runs),
        newest=_in_few_words(runs[0]) if runs else "",
        stale=wording.stale_text(stale),
        models=tuple(models),
        keys=keys,
        why=step[0],
        next=step[1],
    )


async def _find_stale(
    ports: Ports, workspace: Path, store: Store, summary: RunSummary
) -> tuple[StaleStep, ...]:
    """Return what has changed since a run about a whole document was generated."""
    if summary.passage or summary.uri is None:
        return ()
    path = Path(unquote(urlsplit(summary.uri).path))
    try:
        source = read_source_document(read_text_file(path), path=str(path))
        config = source.require_valid().front_matter.config
        document = read_named_files(config, source.document, workspace, read_text_file)
    except WriteItError:  # one of them is gone, or being edited
        return ()
    library, _ = read_library(workspace)
    engine = start_session(ports, workspace, store)
    pipeline = library.usable_pipeline(summary.pipeline)
    own, primers = own_pipelines(), library.usable_primers
    today = TodaysTexts(document, config.inputs, pipeline, primers, own)
    return await engine.find_stale_steps(summary.run_id, today)


def _in_few_words(run: RunSummary) -> str:
    status = wording.run_status_label(run)
    return f"{wording.run_title(run)}, {status}"


def _first_steps(here: Path, *, has_model: bool) -> tuple[str, str]:
    """Return what the next command does, and the command."""
    if not has_model:
        return (
            "Add a model (or install the embedded one: writeit model install):",
            "writeit model add",
        )
    notes = max(here.glob("*.md"), key=lambda file: file.stat().st_mtime, default=None)
    file = shlex.quote(notes.name) if notes else "notes.md"
    command = f"writeit run tech-article {file} --choose ask"
    if notes is None:
        return (
            "Write notes in a markdown file, then turn them into an article:",
            command,
        )
    return "Turn your notes into an article:", command
