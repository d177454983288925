"""`writeit run`: a pipeline from the first step to the article, in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from writeit.cli.workspace import complete, desk_at
from writeit.core import decide
from writeit.core.errors import InvalidParams
from writeit.core.run import PipelineStatus
from writeit.core.settings import CostLimits, Settings
from writeit.engine.requests import Ask
from writeit.engine.resolve import Wishes
from writeit.engine.starting import StartRequest
from writeit.engine.stream import Delta, Finished, Notice, Started
from writeit.export import article
from writeit.library.document import read_manuscript

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.cli.workspace import Desk
    from writeit.core.run import PipelineRun
    from writeit.engine.stream import StreamEvent
    from writeit.library.document import Manuscript


@click.command()
@click.argument("pipeline")
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE")
@click.option("-m", "--model", "models", multiple=True, help="Ask this model; repeat.")
@click.option("-p", "--primer", help="The style primer to write in.")
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
@click.pass_context
def run(  # noqa: PLR0913 -- one parameter an option
    context: click.Context,
    *,
    pipeline: str,
    file: Path | None,
    inputs: tuple[str, ...],
    models: tuple[str, ...],
    primer: str | None,
    output: Path | None,
    force: bool,
    max_cost: float | None,
    quiet: bool,
) -> None:
    """Take notes through PIPELINE; the first answer of each step is chosen.

    FILE is the markdown file of notes. The run with its whole history is kept in the
    workspace, whatever becomes of the article.
    """
    if output is not None and output.exists() and not force:
        raise click.UsageError(f"{output} is there already; --force replaces it.")
    request = _Request(
        pipeline, file, _pairs(inputs), models, primer, CostLimits(run=max_cost)
    )
    finished = complete(_run(context, request, Watch(quiet=quiet)))
    text = article(finished)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", newline="")
        click.echo(f"The article is in {output}.", err=True)
    click.echo(
        f"Run {finished.pipeline_run_id} keeps every prompt and answer:"
        f" writeit export {finished.pipeline_run_id}",
        err=True,
    )


class _Request:
    def __init__(
        self,
        pipeline: str,
        file: Path | None,
        inputs: dict[str, str],
        models: tuple[str, ...],
        primer: str | None,
        limits: CostLimits,
    ) -> None:
        self.limits = limits
        self.pipeline = pipeline
        self.file = file
        self.inputs = inputs
        self.models = models
        self.primer = primer


def _pairs(inputs: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for given in inputs:
        name, equals, value = given.partition("=")
        if not equals:
            raise click.BadParameter(f"{given!r} is not NAME=VALUE", param_hint="-i")
        pairs[name] = value
    return pairs


async def _run(context: click.Context, request: _Request, watch: Watch) -> PipelineRun:
    async with desk_at(request.file or Path.cwd(), context) as desk:
        models = tuple([await desk.world.models.identify(m) for m in request.models])
        manuscript = _read(request.file).understood()
        binding = manuscript.front_matter.binding
        wishes = Wishes(
            models=binding.models,
            providers=binding.providers,
            settings=Settings(max_cost_usd=request.limits),
        )
        run = await _start(desk, request, manuscript)
        while run.status is not PipelineStatus.COMPLETED:
            run = await _one_step(desk, run.pipeline_run_id, models, wishes, watch)
        return run


async def _start(desk: Desk, request: _Request, manuscript: Manuscript) -> PipelineRun:
    library = desk.library()
    configuration = library.pipeline(request.pipeline)
    binding = manuscript.front_matter.binding
    primer = (
        request.primer or binding.primer or configuration.default("style_primer", str)
    )
    return await desk.engine.start(
        StartRequest(
            configuration=configuration,
            inputs=request.inputs,
            front_matter_inputs=binding.inputs,
            document=manuscript.document,
            primer=library.primer(primer) if primer else None,
            uri=request.file.resolve().as_uri() if request.file else None,
        )
    )


def _read(file: Path | None) -> Manuscript:
    if file is None:
        return read_manuscript("")
    with file.open(encoding="utf-8", newline="") as notes:
        return read_manuscript(
            notes.read(), path=str(file), uri=file.resolve().as_uri()
        )


async def _one_step(
    desk: Desk,
    run_id: UUID,
    models: tuple[str, ...],
    wishes: Wishes,
    watch: Watch,
) -> PipelineRun:
    asking = await desk.engine.ask(
        Ask(run_id=run_id, models=models or None, wishes=wishes), watch.see
    )
    state = await desk.engine.outcome(asking)
    watch.end()
    if not state.ai_responses:
        raise InvalidParams(f"Step {state.step_name!r} has no answer to choose.")
    return await desk.engine.decide(
        run_id,
        lambda run, at: decide.select(run, run.steps[state.step_name], 0, at),
    )


class Watch:
    """Shows on stderr what comes: the first answer's text, the others' ends."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._shown: UUID | None = None
        self._models: dict[UUID, str] = {}

    def see(self, event: StreamEvent) -> None:
        """Show one event."""
        if self._quiet:
            return
        match event:
            case Started():
                self._shown = event.responses[0][0]
                self._models = dict(event.responses)
                asked = ", ".join(model for _, model in event.responses)
                click.secho(f"\n── {event.step} ── {asked}", bold=True, err=True)
            case Delta():
                if event.response_id == self._shown:
                    click.echo(event.text, nl=False, err=True)
            case Notice():
                click.secho(f"\n{event.title}. {event.message}", fg="yellow", err=True)
            case Finished():
                self._finished(event)

    def end(self) -> None:
        """End the step's text with a line of its own."""
        if not self._quiet:
            click.echo(err=True)

    def _finished(self, event: Finished) -> None:
        model = self._models.get(event.response_id, "")
        if event.status == "failed":
            click.secho(f"\n{model}: {event.message}", fg="red", err=True)
        elif event.response_id != self._shown and event.usage:
            tokens = event.usage.completion_tokens
            click.echo(f"\n{model}: {event.status}, {tokens} tokens", err=True)
