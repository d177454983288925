"""`writeit run`: a pipeline from the first step to the article, in the terminal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from writeit.cli.choosing.sitting import Sitting, sit
from writeit.cli.choosing.verbs import obey
from writeit.cli.console import Console
from writeit.cli.files import check_output, write_text
from writeit.cli.starting import Request, pairs, taken_up
from writeit.cli.watch import Watch
from writeit.cli.workspace import complete, desk_at
from writeit.core import decide
from writeit.core.errors import InvalidTransition, WriteItError
from writeit.core.run import PipelineStatus, StepStatus
from writeit.core.settings import CostLimits
from writeit.engine.requests import Ask
from writeit.export import article

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.cli.starting import Task
    from writeit.cli.workspace import Desk
    from writeit.core.run import PipelineRun

Choose = Literal["first", "ask"]


@click.command()
@click.argument("pipeline", required=False)
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE")
@click.option("-m", "--model", "models", multiple=True, help="Ask this model; repeat.")
@click.option("-p", "--primer", help="The style primer to write in.")
@click.option(
    "--choose",
    type=click.Choice(["first", "ask"]),
    default="first",
    help="Take the first answer of each step (default), or ask you.",
)
@click.option(
    "--resume",
    type=click.UUID,
    metavar="RUN",
    help="Go on with this run instead of beginning one.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the article there instead of to the terminal.",
)
@click.option("--force", is_flag=True, help="Let -o replace a file that is there.")
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    metavar="USD",
    help="Make no call that the run could pass this sum with.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Say what became of it as JSON.")
@click.pass_context
def run(  # noqa: PLR0913 -- one parameter an option
    context: click.Context,
    *,
    pipeline: str | None,
    file: Path | None,
    inputs: tuple[str, ...],
    models: tuple[str, ...],
    primer: str | None,
    choose: Choose,
    resume: UUID | None,
    output: Path | None,
    force: bool,
    max_cost: float | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Take notes through PIPELINE, from the first step to the article.

    FILE is the markdown file of notes. The run with its whole history is kept in the
    workspace, whatever becomes of the article. With --choose ask you choose, change,
    merge and ask anew after each step; you can leave and go on with --resume RUN.
    """
    _check(pipeline, resume, inputs, primer)
    check_output(output, force=force)
    request = Request(
        pipeline=pipeline,
        file=file,
        resume=resume,
        inputs=pairs(inputs),
        models=models,
        primer=primer,
        limits=CostLimits(run=max_cost),
    )
    watch = Watch(quiet=quiet)
    ended = complete(_carried_out(context, request, choose, watch))
    _say(ended, output, force=force, as_json=as_json)


def _check(
    pipeline: str | None,
    resume: UUID | None,
    inputs: tuple[str, ...],
    primer: str | None,
) -> None:
    if resume is None and pipeline is None:
        raise click.UsageError("Name a PIPELINE, or a run to go on with: --resume RUN.")
    if resume is not None and (pipeline or inputs or primer):
        raise click.UsageError(
            "--resume goes on with a run as it was begun: PIPELINE, FILE, -i and -p"
            " cannot be given with it."
        )


def _say(
    ended: PipelineRun, output: Path | None, *, force: bool, as_json: bool
) -> None:
    """Hand out the article, if there is one, and say where the run is."""
    finished = ended.status is PipelineStatus.COMPLETED
    run_id = ended.pipeline_run_id
    text = _article(ended) if finished else None
    if text is not None and output is not None:
        write_text(output, text, replace=force)
        click.echo(f"The article is in {output}.", err=True)
    if as_json:
        told = {
            "run_id": str(run_id),
            "status": ended.status.value,
            "current_step": ended.current_step,
            "article": text,
            "output": str(output) if output and text is not None else None,
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif text is not None and output is None:
        click.echo(text, nl=False)
    if finished:
        words = f"Run {run_id} keeps every prompt and answer: writeit export {run_id}"
    else:
        words = _how_to_go_on(run_id)
    click.echo(words, err=True)


def _how_to_go_on(run_id: UUID) -> str:
    return (
        f"Run {run_id} is kept as it stands. Go on with it:"
        f" writeit run --choose ask --resume {run_id}"
    )


def _article(ended: PipelineRun) -> str | None:
    try:
        return article(ended)
    except InvalidTransition:
        click.echo("Every step was skipped, so there is no article.", err=True)
        return None


async def _carried_out(
    context: click.Context, request: Request, choose: Choose, watch: Watch
) -> PipelineRun:
    async with desk_at(request.place, context) as desk:
        desk.engine.watch(lambda _: None)
        task = await taken_up(desk, request)
        try:
            return await _gone_through(desk, task, choose, watch)
        except WriteItError as error:
            if kept := await _kept(desk, request, task.run.pipeline_run_id):
                error.add_note(kept)
            raise
        except asyncio.CancelledError:
            if kept := await _kept(desk, request, task.run.pipeline_run_id):
                click.echo(kept, err=True)
            raise


async def _gone_through(
    desk: Desk, task: Task, choose: Choose, watch: Watch
) -> PipelineRun:
    """Go to the last step, or as far as the writer wants."""
    ended = task.run
    if choose == "ask":
        return await sit(_sitting(desk, task, watch), obey, begin=_is_new(ended))
    while ended.status is not PipelineStatus.COMPLETED:
        ended = await _one_step(desk, task, watch)
    return ended


async def _kept(desk: Desk, request: Request, run_id: UUID) -> str:
    """Say how to go on with a run that was cut short.

    One that was begun just now and of which nothing was sent is taken away.
    """
    run = await desk.engine.show(run_id)
    if request.resume is None and _is_new(run):
        await desk.engine.delete(run_id)
        return ""
    return _how_to_go_on(run_id)


def _is_new(run: PipelineRun) -> bool:
    return run.status is PipelineStatus.INITIALIZING


def _sitting(desk: Desk, task: Task, watch: Watch) -> Sitting:
    return Sitting(
        desk=desk,
        console=Console(),
        watch=watch,
        run_id=task.run.pipeline_run_id,
        wishes=task.wishes,
        models=task.models,
    )


async def _one_step(desk: Desk, task: Task, watch: Watch) -> PipelineRun:
    """Ask the step where the run stands, if it has no answer, and take the first."""
    run_id = task.run.pipeline_run_id
    state = decide.step_of(await desk.engine.show(run_id), None)
    if state.status is StepStatus.PENDING:
        asking = await desk.engine.ask(
            Ask(run_id=run_id, models=task.models, wishes=task.wishes), watch.see
        )
        state = await desk.engine.outcome(asking)
        watch.end()
    return await desk.engine.decide(
        run_id,
        lambda run, at: decide.select(run, run.steps[state.step_name], 0, at),
    )
