"""`writeit log`, `writeit show`, `writeit usage`: what was done here."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import click

from writeit.cli.output import (
    Theme,
    render_for_terminal,
    render_step_for_terminal,
)
from writeit.cli.workspace import (
    OpenWorkspace,
    has_store,
    open_existing_workspace,
    run_async,
)
from writeit.domain.operations.lifecycle import find_step
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.run_summary import RunNode, RunSummary
from writeit.engine.queries import (
    UsageGrouping,
    find_root_run,
    read_full_tree,
    read_run_tree,
    sum_usage,
)
from writeit.ports.store import RunQuery, Store
from writeit.views import wording
from writeit.views.escape import single_line
from writeit.views.run import render_run, tree_lines
from writeit.views.usage import render_usage

MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
STATUS_CHOICE = click.Choice(
    [status.value for status in PipelineStatus], case_sensitive=False
)
GROUPING_CHOICE = click.Choice(get_args(UsageGrouping))
DEFAULT_GROUPINGS: tuple[UsageGrouping, ...] = ("model", "day", "pipeline")

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command()
@click.option("--tree", is_flag=True, help="With the branches of each.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20)
@click.option("--status", type=STATUS_CHOICE, help="Only runs that stand so.")
@click.option("--pipeline", help="Only runs of this pipeline.")
@click.option("--text", help="Only runs with this in their name or title.")
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
        click.echo("[]")
    else:
        click.echo("No run was made here yet; `writeit run` makes the first.", err=True)


async def _print_runs(
    context: click.Context, query: RunQuery, *, tree: bool, as_json: bool
) -> bool:
    async with open_existing_workspace(Path.cwd(), context) as desk:
        found = desk.store.list_runs(query)
        paint = Theme(desk.engine.session.preferences.theme)
        if tree:
            roots = {find_root_run(desk.store, run.run_id): None for run in found.runs}
            families = [read_run_tree(desk.store, root) for root in roots]
            _print_trees(families, paint, as_json=as_json)
        elif as_json:
            _print_json([_summary_to_json(run) for run in found.runs])
        else:
            for run in found.runs:
                click.echo(_format_run(run, paint))
        if found.next_older_than is not None and not as_json:
            click.echo(f"There are more: --limit {2 * query.limit}", err=True)
    return True


def _format_run(run: RunSummary, theme: Theme) -> str:
    name, pipeline = single_line(run.name or run.title), single_line(run.pipeline)
    about = name if name == pipeline else f"{name} · {pipeline}"
    facts = [
        theme.style_run(run, wording.run_status_label(run.status, run.current_step))
    ]
    if run.cost_usd is not None:
        facts.append(wording.format_usd(run.cost_usd))
    if run.branch_point is not None:
        facts.append(f"from {run.branch_point}")
    when = theme.style_dim(f"{run.created_at:%Y-%m-%d %H:%M}")
    return f"{run.run_id}  {when}  {theme.style_bold(about)}  {' · '.join(facts)}"


def _print_trees(trees: list[RunNode], theme: Theme, *, as_json: bool) -> None:
    if as_json:
        _print_json([_tree_to_json(node) for node in trees])
        return

    def style_label(node: RunNode, label: str) -> str:
        run_id = theme.style_dim(str(node.summary.run_id))
        return f"{theme.style_run(node.summary, label)}  {run_id}"

    for node in trees:
        click.echo("\n".join(tree_lines(node, style_label=style_label)))


def _summary_to_json(run: RunSummary) -> dict[str, Any]:
    fields = asdict(run)
    return {name: _value_to_json(value) for name, value in fields.items()}


def _value_to_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | list | tuple | dict):
        return value
    return str(value)


def _tree_to_json(node: RunNode) -> dict[str, Any]:
    children = [_tree_to_json(child) for child in node.children]
    return {**_summary_to_json(node.summary), "children": children, "more": node.more}


@click.command()
@click.argument("run_id", metavar="RUN", type=click.UUID)
@click.option("--step", help="The answers of this step instead of the run.")
@json_option
@click.pass_context
def show(
    context: click.Context, *, run_id: UUID, step: str | None, as_json: bool
) -> None:
    """Show RUN: where it stands, its steps, its family."""
    click.echo(
        run_async(_render_run_or_step(context, run_id, step, as_json=as_json)), nl=False
    )


async def _render_run_or_step(
    context: click.Context, run_id: UUID, step: str | None, *, as_json: bool
) -> str:
    async with open_existing_workspace(Path.cwd(), context) as desk:
        run = await desk.engine.load_run(run_id)
        if as_json:
            shown = run if step is None else find_step(run, step)
            return json.dumps(shown.model_dump(mode="json"), indent=2) + "\n"
        if step is not None:
            find_step(run, step)
            return render_step_for_terminal(
                run, step, step_description(desk, run, step)
            )
        return render_for_terminal(render_run(run, read_full_tree(desk.store, run_id)))


def step_description(workspace: OpenWorkspace, run: PipelineRun, step: str) -> str:
    """Return the pipeline's line about a step."""
    return workspace.engine.configuration(run).step(step).description


@click.command()
@click.option("--since", type=MOMENT, metavar="DATE", help="From then on, local time.")
@click.option("--by", type=GROUPING_CHOICE, help="Only by this, instead of several.")
@json_option
@click.pass_context
def usage(
    context: click.Context,
    *,
    since: datetime | None,
    by: UsageGrouping | None,
    as_json: bool,
) -> None:
    """Say what all calls used: tokens, time, and cost as far as it is known."""
    moment = since.astimezone(UTC) if since else None
    if has_store(Path.cwd(), context):
        click.echo(
            run_async(_render_workspace_usage(context, moment, by, as_json=as_json)),
            nl=False,
        )
    else:
        click.echo(_format_usage(None, moment, by, as_json=as_json), nl=False)


async def _render_workspace_usage(
    context: click.Context,
    since: datetime | None,
    grouping: UsageGrouping | None,
    *,
    as_json: bool,
) -> str:
    async with open_existing_workspace(Path.cwd(), context) as desk:
        return _format_usage(desk.store, since, grouping, as_json=as_json)


def _format_usage(
    store: Store | None,
    since: datetime | None,
    grouping: UsageGrouping | None,
    *,
    as_json: bool,
) -> str:
    records = list(store.usage_records(since)) if store else []
    rows, total = sum_usage(records, grouping or "model")
    if as_json:
        told = {"rows": [asdict(row) for row in rows], "total": asdict(total)}
        return json.dumps(told, indent=2) + "\n"
    kinds = (grouping,) if grouping else DEFAULT_GROUPINGS
    sums = {str(kind): sum_usage(records, kind)[0] for kind in kinds}
    return render_for_terminal(render_usage(sums, total, since=since))


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
