"""`writeit log`, `show`, `usage`, `export` and `import`: the runs of a workspace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import click

from writeit import __version__
from writeit.cli.completion import complete_pipeline, complete_run, run_argument
from writeit.cli.output import (
    DATE,
    Theme,
    echo,
    echo_styled,
    echo_text,
    json_option,
    print_json,
    render_comparison,
    render_for_terminal,
    render_step_for_terminal,
)
from writeit.cli.workspace import (
    has_store,
    open_existing_workspace,
    open_workspace,
    require_output_path,
    run_async,
    write_text_file,
)
from writeit.domain.entity import ChoiceCount
from writeit.domain.errors import InvalidExport
from writeit.domain.operations.lifecycle import find_step
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.run_bundle import RunBundle
from writeit.domain.run_summary import RunNode, RunSummary
from writeit.domain.session import ExportFormat
from writeit.engine.queries import (
    find_document_run,
    find_shown_root,
    read_full_tree,
    read_run_tree,
)
from writeit.engine.transfer import build_bundle, import_run
from writeit.engine.usage import UsageGrouping, count_choices, shown_usage, sum_usage
from writeit.export.bundle_reader import read_export
from writeit.export.render import export_run
from writeit.ports.store import RunQuery, Store, UsageRecord
from writeit.text.lines import make_visible
from writeit.views import wording
from writeit.views.compare import (
    compare_steps,
    first_difference,
    read_compared_text,
)
from writeit.views.run import render_run, tree_rows
from writeit.views.uris import ComparedSide
from writeit.views.usage import render_choices, render_usage

STATUS_CHOICE = click.Choice(
    [status.value for status in PipelineStatus], case_sensitive=False
)
GROUPING_CHOICE = click.Choice([*get_args(UsageGrouping), "choice"])
DEFAULT_GROUPINGS: tuple[UsageGrouping, ...] = ("model", "day", "pipeline")


@click.command()
@click.option("--tree", is_flag=True, help="Show branches.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20)
@click.option("--status", type=STATUS_CHOICE, help="Only runs with this status.")
@click.option(
    "--pipeline", shell_complete=complete_pipeline, help="Only runs of this pipeline."
)
@click.option("--text", help="Only runs with this text in their name or title.")
@json_option
@click.pass_context
def log(  # noqa: PLR0913 -- one parameter an option
    context: click.Context,
    *,
    tree: bool,
    limit: int,
    status: str | None,
    pipeline: str | None,
    text: str | None,
    as_json: bool,
) -> None:
    """List the runs of this folder, newest first."""
    query = RunQuery(
        limit=limit,
        status=PipelineStatus(status.upper()) if status else None,
        pipeline=pipeline,
        text=text,
    )
    if has_store(Path.cwd(), context):
        run_async(_print_runs(context, query, tree=tree, as_json=as_json))
    elif as_json:
        echo("[]")
    else:
        echo("No runs here yet. `writeit` shows how to start one.", err=True)


async def _print_runs(
    context: click.Context, query: RunQuery, *, tree: bool, as_json: bool
) -> bool:
    async with open_existing_workspace(Path.cwd(), context) as workspace:
        store = workspace.store
        page = store.list_runs(query)
        theme = Theme(workspace.engine.preferences.theme)
        if tree:
            roots = {find_shown_root(store, run.run_id): None for run in page.runs}
            trees = [read_full_tree(store, root) for root in roots]
            _print_trees(trees, theme, as_json=as_json)
        elif as_json:
            print_json([_summary_to_json(run) for run in page.runs])
        else:
            for run, mark in _with_passages_below(store, page.runs):
                echo_styled(_format_run(run, mark, theme))
        if not page.runs and not as_json:
            echo("No run was found.", err=True)
        if page.next_older_than is not None and not as_json:
            echo(f"More runs: --limit {2 * query.limit}", err=True)
    return True


def _with_passages_below(
    store: Store, runs: list[RunSummary]
) -> Iterator[tuple[RunSummary, str]]:
    """Yield runs with a mark: those about passages come below their document's run."""
    listed = {run.run_id for run in runs}
    under = {run.run_id: find_document_run(store, run) for run in runs}
    for run in runs:
        if under[run.run_id] not in listed:
            yield run, ""
            yield from ((r, "└ ") for r in runs if under[r.run_id] == run.run_id)


def _format_run(run: RunSummary, mark: str, theme: Theme) -> str:
    label = mark + wording.run_label(run)
    facts = [theme.style_run(run, wording.run_status_label(run))]
    if run.cost_usd is not None and not run.is_blind:
        facts.append(wording.format_usd(run.cost_usd))
    if run.branch_point is not None:
        facts.append(f"from {run.branch_point}")
    when = theme.style_dim(f"{run.created_at:%Y-%m-%d %H:%M}")
    return f"{run.run_id}  {when}  {theme.style_bold(label)}  {' · '.join(facts)}"


def _print_trees(trees: list[RunNode], theme: Theme, *, as_json: bool) -> None:
    if as_json:
        print_json([_tree_to_json(node) for node in trees])
        return

    def style_label(node: RunNode, label: str) -> str:
        run_id = theme.style_dim(str(node.summary.run_id))
        return f"{theme.style_run(node.summary, label)}  {run_id}"

    for node in trees:
        rows = tree_rows(node, style_label=style_label)
        echo_styled("\n".join(line for line, _ in rows))


def _summary_to_json(run: RunSummary) -> dict[str, Any]:
    return {name: _value_to_json(value) for name, value in asdict(run).items()}


def _value_to_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | list | tuple | dict):
        return value
    return str(value)


def _tree_to_json(node: RunNode) -> dict[str, Any]:
    lists = {"children": node.children, "passages": node.passages}
    below = {name: [_tree_to_json(n) for n in nodes] for name, nodes in lists.items()}
    return {**_summary_to_json(node.summary), **below, "more": node.more}


@click.command()
@run_argument
@click.option("--step", help="Show the answers of this step.")
@json_option
@click.pass_context
def show(
    context: click.Context, *, named: str, step: str | None, as_json: bool
) -> None:
    """Show RUN: its status, steps and branches."""
    text = run_async(_render_run_or_step(context, named, step, as_json=as_json))
    echo_styled(text, nl=False)


async def _render_run_or_step(
    context: click.Context, named: str, step: str | None, *, as_json: bool
) -> str:
    async with open_existing_workspace(Path.cwd(), context) as workspace:
        run = await workspace.engine.load_run(workspace.find_run(named))
        if as_json:
            shown = run if step is None else find_step(run, step)
            return json.dumps(shown.model_dump(mode="json"), indent=2) + "\n"
        if step is not None:
            find_step(run, step)
            return render_step_for_terminal(
                run, step, workspace.engine.configuration(run).step(step).description
            )
        return render_for_terminal(
            render_run(run, read_full_tree(workspace.store, run.pipeline_run_id))
        )


@click.command()
@click.argument("named", metavar="RUN", shell_complete=complete_run)
@click.argument("other", metavar="RUN", shell_complete=complete_run)
@click.option("--step", help="Compare this step; default: the first that differs.")
@json_option
@click.pass_context
def compare(
    context: click.Context, *, named: str, other: str, step: str | None, as_json: bool
) -> None:
    """Compare the texts of two runs, such as a run and its branch."""
    text = run_async(_compare_runs(context, (named, other), step, as_json=as_json))
    echo_styled(text, nl=False)


async def _compare_runs(
    context: click.Context, names: tuple[str, str], step: str | None, *, as_json: bool
) -> str:
    async with open_existing_workspace(Path.cwd(), context) as workspace:
        left, right = [
            await workspace.engine.load_run(workspace.find_run(name)) for name in names
        ]
    steps = compare_steps(left, right)
    if as_json:
        return json.dumps({"equal": steps}, indent=2) + "\n"
    step = step or first_difference(steps)
    if step is None:
        return "No step is done in both runs.\n"
    before, after = (
        read_compared_text(run, ComparedSide(run.pipeline_run_id, step, "content"))
        for run in (left, right)
    )
    return render_comparison(before, after, steps)


@click.command()
@click.option(
    "--since", type=DATE, metavar="DATE", help="Only calls since then (local time)."
)
@click.option("--by", type=GROUPING_CHOICE, help="Group only by this.")
@json_option
@click.pass_context
def usage(
    context: click.Context,
    *,
    since: datetime | None,
    by: UsageGrouping | Literal["choice"] | None,
    as_json: bool,
) -> None:
    """Show tokens, time and known cost of all calls.

    By `choice`: how many answers of each model you were offered, chose, edited, merged
    and regenerated.
    """
    if by == "choice":
        run_async(_print_choices(context, as_json=as_json))
        return
    since = since.astimezone(UTC) if since else None
    if has_store(Path.cwd(), context):
        text = run_async(_render_workspace_usage(context, since, by, as_json=as_json))
    else:
        text = _format_usage(None, since, by, as_json=as_json)
    echo_styled(text, nl=False)


async def _print_choices(context: click.Context, *, as_json: bool) -> bool:
    counts: list[ChoiceCount] = []
    if has_store(Path.cwd(), context):
        async with open_existing_workspace(Path.cwd(), context) as workspace:
            counts = count_choices(workspace.store)
    if as_json:
        print_json([asdict(count) for count in counts])
    else:
        echo_styled(render_for_terminal(render_choices(counts)), nl=False)
    return True


async def _render_workspace_usage(
    context: click.Context,
    since: datetime | None,
    grouping: UsageGrouping | None,
    *,
    as_json: bool,
) -> str:
    async with open_existing_workspace(Path.cwd(), context) as workspace:
        return _format_usage(workspace.store, since, grouping, as_json=as_json)


def _format_usage(
    store: Store | None,
    since: datetime | None,
    grouping: UsageGrouping | None,
    *,
    as_json: bool,
) -> str:
    records: list[UsageRecord] = []
    if store is not None:
        records = (
            [*store.usage_records(since)] if as_json else shown_usage(store, since)
        )
    rows, total = sum_usage(store, records, grouping or "model")
    if as_json:
        rows_json = [asdict(row) for row in rows]
        return json.dumps({"rows": rows_json, "total": asdict(total)}, indent=2) + "\n"
    kinds = (grouping,) if grouping else DEFAULT_GROUPINGS
    sums = {str(kind): sum_usage(store, records, kind)[0] for kind in kinds}
    return render_for_terminal(render_usage(sums, total, since=since))


FORMAT_CHOICE = click.Choice(["yaml", "json", "markdown"])
MAX_EXPORT_BYTES = 256 * 1024 * 1024
"""A larger file is not read: the text limit in four-byte characters."""


@click.command()
@run_argument
@click.option(
    "-f", "--format", "form", type=FORMAT_CHOICE, help="Default: your preference."
)
@click.option("--json", "as_json", is_flag=True, help="Same as -f json.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-history", is_flag=True, help="Leave out the events.")
@click.option("--force", is_flag=True, help="Let -o replace an existing file.")
@click.pass_context
def export(  # noqa: PLR0913 -- one parameter an option
    context: click.Context,
    *,
    named: str,
    form: ExportFormat | None,
    as_json: bool,
    output: Path | None,
    no_history: bool,
    force: bool,
) -> None:
    """Export RUN with every prompt, answer, choice and cost.

    yaml and json contain everything and can be imported. markdown is the finished
    text; its front matter names the run.
    """
    if as_json and form not in {None, "json"}:
        raise click.UsageError(f"Use --json or -f {form}, not both.")
    require_output_path(output, force=force)
    form = "json" if as_json else form
    content, incomplete = run_async(
        _export_content(context, named, form, history=not no_history)
    )
    for sentence in incomplete:
        echo(sentence, err=True)
    if output is None:
        echo_text(content)
    else:
        write_text_file(output, content, replace=force)


async def _export_content(
    context: click.Context,
    named: str,
    export_format: ExportFormat | None,
    *,
    history: bool,
) -> tuple[str, list[str]]:
    """Return the exported text, and what is incomplete in it."""
    async with open_existing_workspace(Path.cwd(), context) as workspace:
        engine, run_id = workspace.engine, workspace.find_run(named)
        bundle = await build_bundle(engine, run_id, workspace.path, history=history)
        preferred = engine.preferences.export_format
        text = export_run(bundle, export_format or preferred, __version__)
        return text, wording.incomplete_choices(bundle.run)


@click.command()
@run_argument
@click.option("--branches", is_flag=True, help="Delete its branches, too.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def delete(
    context: click.Context, *, named: str, branches: bool, yes: bool, as_json: bool
) -> None:
    """Delete RUN with its prompts and answers.

    Your documents, its branches and its cost in `writeit usage` are kept.
    """
    run_async(_delete_run(context, named, branches=branches, yes=yes, as_json=as_json))


async def _delete_run(
    context: click.Context, named: str, *, branches: bool, yes: bool, as_json: bool
) -> bool:
    async with open_existing_workspace(Path.cwd(), context) as workspace:
        run = await workspace.engine.load_run(workspace.find_run(named))
        run_id = run.pipeline_run_id
        count = len(read_run_tree(workspace.store, run_id).children)
        label = make_visible(wording.run_label(run))
        echo(f"{label} ({run_id}), {wording.run_status_text(run)}.", err=True)
        if count and not branches:
            kept = wording.count_of(count, "branch", "branches")
            echo(f"Its {kept} will be kept.", err=True)
        echo("Documents and costs are kept. This cannot be undone.", err=True)
        if not yes and not click.confirm("Delete it?", err=True):
            raise click.Abort
        counts = await workspace.engine.delete_run(run_id, descendants=branches)
    runs = wording.count_of(counts.runs, "run")
    answers = wording.count_of(counts.responses, "answer")
    if as_json:
        print_json({"deleted_runs": counts.runs, "deleted_responses": counts.responses})
    else:
        echo(f"Deleted {runs} and {answers}.")
    return True


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
@click.pass_context
def import_(context: click.Context, *, file: Path, as_json: bool) -> None:
    """Import the run of FILE, a yaml or json export, with all its history.

    The run is stored for the current folder and keeps its id. Nothing is sent, and no
    document is changed. A run that exists here is extended if FILE has newer steps;
    otherwise the import is refused.
    """
    run = run_async(_import_bundle(context, read_export(_read_export_file(file))))
    if as_json:
        print_json({"run_id": str(run.pipeline_run_id), "status": run.status.value})
    else:
        run_id = run.pipeline_run_id
        echo(f"Imported run {run_id}. Show it with: writeit show {run_id}")


def _read_export_file(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_EXPORT_BYTES:
            raise InvalidExport(
                f"{file} is too large for an export ({file.stat().st_size:,} bytes).",
                reason="malformed",
                hint="Export the run without its history (--no-history).",
            )
        with file.open(encoding="utf-8", newline="") as text_file:
            return text_file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidExport(
            f"{file} cannot be read: {error}.",
            reason="malformed",
            hint="An export is a text file in UTF-8.",
        ) from error


async def _import_bundle(context: click.Context, bundle: RunBundle) -> PipelineRun:
    async with open_workspace(Path.cwd(), context) as workspace:
        run = await import_run(workspace.engine, bundle, workspace.path)
        workspace.trust.note_imported(run.pipeline_run_id, workspace.load_library())
        return run
