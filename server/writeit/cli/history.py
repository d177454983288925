"""`writeit log`, `writeit show`, `writeit usage`: what was done here."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from writeit.cli.family import family_node, node_of, summaries_in
from writeit.cli.paint import Paint
from writeit.cli.paper import on_paper, step_on_paper
from writeit.cli.workspace import Desk, complete, existing_desk_at, has_store
from writeit.core.decide import step_of
from writeit.core.run import PipelineStatus
from writeit.engine.family import Kin, family_of, root_of
from writeit.engine.sums import By, Sum, summed
from writeit.ports import RunQuery
from writeit.views import words
from writeit.views.markdown import one_line
from writeit.views.run import render_run
from writeit.views.tree import tree_lines
from writeit.views.usage import render_usage

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.run import PipelineRun
    from writeit.ports import RunSummary, Store
    from writeit.views.tree import TreeNode

MOMENTS = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
STATUSES = click.Choice(
    [status.value for status in PipelineStatus], case_sensitive=False
)
KINDS = click.Choice(get_args(By))
SHOWN_BY: tuple[By, ...] = ("model", "day", "pipeline")

as_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command()
@click.option("--tree", is_flag=True, help="With the branches of each.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20)
@click.option("--status", type=STATUSES, help="Only runs that stand so.")
@click.option("--pipeline", help="Only runs of this pipeline.")
@click.option("--text", help="Only runs with this in their name or title.")
@as_json_option
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
        complete(_log(context, query, tree=tree, as_json=as_json))
    elif as_json:
        click.echo("[]")
    else:
        click.echo("No run was made here yet; `writeit run` makes the first.", err=True)


async def _log(
    context: click.Context, query: RunQuery, *, tree: bool, as_json: bool
) -> bool:
    async with existing_desk_at(Path.cwd(), context) as desk:
        found = desk.store.runs(query)
        paint = Paint(desk.engine.session.preferences.theme)
        if tree:
            roots = {root_of(desk.store, run.run_id): None for run in found.runs}
            families = [family_of(desk.store, root) for root in roots]
            _show_families(families, paint, as_json=as_json)
        elif as_json:
            _say([_plain(run) for run in found.runs])
        else:
            for run in found.runs:
                click.echo(_line(run, paint))
        if found.next is not None and not as_json:
            click.echo(f"There are more: --limit {2 * query.limit}", err=True)
    return True


def _line(run: RunSummary, paint: Paint) -> str:
    name, pipeline = one_line(run.name or run.title), one_line(run.pipeline)
    about = name if name == pipeline else f"{name} · {pipeline}"
    facts = [paint.run(run, words.run_status(run.status, run.current_step))]
    if run.cost_usd is not None:
        facts.append(words.money(run.cost_usd))
    if run.branch_point is not None:
        facts.append(f"from {run.branch_point}")
    when = paint.faint(f"{run.created_at:%Y-%m-%d %H:%M}")
    return f"{run.run_id}  {when}  {paint.strong(about)}  {' · '.join(facts)}"


def _show_families(families: list[Kin], paint: Paint, *, as_json: bool) -> None:
    if as_json:
        _say([_plain_family(kin) for kin in families])
        return
    for kin in families:
        summaries = summaries_in(kin)

        def dressed(
            node: TreeNode, label: str, known: dict[UUID, RunSummary] = summaries
        ) -> str:
            return (
                f"{paint.run(known[node.run_id], label)}"
                f"  {paint.faint(str(node.run_id))}"
            )

        click.echo("\n".join(tree_lines(node_of(kin), paint=dressed)))


def _plain(run: RunSummary) -> dict[str, Any]:
    fields = asdict(run)
    return {name: _word(value) for name, value in fields.items()}


def _word(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | list | tuple | dict):
        return value
    return str(value)


def _plain_family(kin: Kin) -> dict[str, Any]:
    children = [_plain_family(child) for child in kin.children]
    return {**_plain(kin.summary), "children": children, "more": kin.more}


@click.command()
@click.argument("run_id", metavar="RUN", type=click.UUID)
@click.option("--step", help="The answers of this step instead of the run.")
@as_json_option
@click.pass_context
def show(
    context: click.Context, *, run_id: UUID, step: str | None, as_json: bool
) -> None:
    """Show RUN: where it stands, its steps, its family."""
    click.echo(complete(_shown(context, run_id, step, as_json=as_json)), nl=False)


async def _shown(
    context: click.Context, run_id: UUID, step: str | None, *, as_json: bool
) -> str:
    async with existing_desk_at(Path.cwd(), context) as desk:
        run = await desk.engine.show(run_id)
        if as_json:
            shown = run if step is None else step_of(run, step)
            return json.dumps(shown.model_dump(mode="json"), indent=2) + "\n"
        if step is not None:
            step_of(run, step)
            return step_on_paper(run, step, about(desk, run, step))
        return on_paper(render_run(run, family_node(desk.store, run_id)))


def about(desk: Desk, run: PipelineRun, step: str) -> str:
    """Return the pipeline's line about a step."""
    return desk.engine.configuration(run).step(step).description


@click.command()
@click.option("--since", type=MOMENTS, metavar="DATE", help="From then on, local time.")
@click.option("--by", type=KINDS, help="Only by this, instead of several.")
@as_json_option
@click.pass_context
def usage(
    context: click.Context, *, since: datetime | None, by: By | None, as_json: bool
) -> None:
    """Say what all calls used: tokens, time, and cost as far as it is known."""
    moment = since.astimezone(UTC) if since else None
    if has_store(Path.cwd(), context):
        click.echo(complete(_used(context, moment, by, as_json=as_json)), nl=False)
    else:
        click.echo(_usage_told(None, moment, by, as_json=as_json), nl=False)


async def _used(
    context: click.Context, since: datetime | None, by: By | None, *, as_json: bool
) -> str:
    async with existing_desk_at(Path.cwd(), context) as desk:
        return _usage_told(desk.store, since, by, as_json=as_json)


def _usage_told(
    store: Store | None, since: datetime | None, by: By | None, *, as_json: bool
) -> str:
    records = list(store.usage(since)) if store else []
    rows, total = summed(records, by or "model")
    if as_json:
        told = {"rows": [asdict(row) for row in rows], "total": asdict(total)}
        return json.dumps(told, indent=2) + "\n"
    kinds = (by,) if by else SHOWN_BY
    sums: dict[str, list[Sum]] = {kind: summed(records, kind)[0] for kind in kinds}
    return on_paper(render_usage(sums, total, since=since))


def _say(answer: object) -> None:
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
