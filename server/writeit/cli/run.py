"""`writeit run`: a pipeline from the first step to the article, in the terminal."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

import click

from writeit.cli.console import Console
from writeit.cli.files import read_text_file, require_output_path, write_text_file
from writeit.cli.interactive.loop import InteractiveRun, run_interactively
from writeit.cli.interactive.verbs import execute_verb_line
from writeit.cli.output import StreamPrinter
from writeit.cli.workspace import OpenWorkspace, open_workspace, run_async
from writeit.domain.errors import InvalidTransition, WriteItError
from writeit.domain.operations import lifecycle, select
from writeit.domain.run import PipelineRun, PipelineStatus, StepStatus
from writeit.domain.session import CostLimits, Settings
from writeit.engine.precedence import ModelSelection, StartRequest, resolve_primer_name
from writeit.engine.requests import GenerateStep
from writeit.export.article import final_text
from writeit.library.front_matter import (
    FrontMatterConfig,
    SourceDocument,
    read_source_document,
)

# --- What `writeit run` is asked to do, and the run it begins or takes up again -------


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What the command line says."""

    pipeline: str | None = None
    file: Path | None = None
    resume: UUID | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    primer: str | None = None
    limits: CostLimits = field(default_factory=CostLimits)

    @property
    def start_path(self) -> Path:
        """Where the workspace is looked for."""
        return self.file or Path.cwd()


@dataclass(frozen=True, kw_only=True)
class OpenedRun:
    """A run, and what its steps are asked with."""

    run: PipelineRun
    models: tuple[str, ...] | None
    """Named on the command line, for every step; None if none is."""
    model_selection: ModelSelection


def parse_inputs(arguments: tuple[str, ...]) -> dict[str, str]:
    """Return what `-i NAME=VALUE` says."""
    found = {}
    for given in arguments:
        name, equals, value = given.partition("=")
        if not equals:
            raise click.BadParameter(f"{given!r} is not NAME=VALUE", param_hint="-i")
        if _replace_undecodable(given) != given:
            raise click.BadParameter(f"{name!r} is no text in UTF-8", param_hint="-i")
        found[name] = value
    return found


def _replace_undecodable(argument: str) -> str:
    """Return what the system said as a text; it may have said bytes that are none."""
    return argument.encode(errors="surrogateescape").decode(errors="replace")


async def open_run(workspace: OpenWorkspace, request: RunRequest) -> OpenedRun:
    """Begin the run that is asked for, or take it up again.

    Raises:
        WriteItError: it cannot be; nothing was made.
    """
    identify = workspace.ports.models.resolve_model_id
    models = tuple([await identify(model) for model in request.models])
    if request.resume is None:
        run, binding = await _start_new_run(workspace, request, models)
    else:
        run = await workspace.engine.load_run(request.resume)
        binding = _front_matter_config_of(run)
    wishes = ModelSelection(
        models=binding.models,
        providers=binding.providers,
        settings=Settings(max_cost_usd=request.limits),
        preferences=workspace.engine.session.preferences,
    )
    return OpenedRun(run=run, models=models or None, model_selection=wishes)


async def _start_new_run(
    workspace: OpenWorkspace, request: RunRequest, models: tuple[str, ...]
) -> tuple[PipelineRun, FrontMatterConfig]:
    manuscript = _read_notes(request.file).require_valid()
    library = workspace.load_library()
    configuration = library.pipeline(request.pipeline or "")
    binding = manuscript.front_matter.config
    primer = resolve_primer_name(
        request.primer,
        binding.primer,
        configuration,
        Settings(),
        workspace.engine.session.preferences,
    )
    run = await workspace.engine.start_run(
        StartRequest(
            configuration=configuration,
            inputs=request.inputs,
            front_matter_inputs=binding.inputs,
            document=manuscript.document,
            primer=library.primer(primer) if primer else None,
            models={step: models for step in configuration.step_names if models},
            uri=request.file.resolve().as_uri() if request.file else None,
            output_path=binding.output_path,
        )
    )
    return run, binding


def _read_notes(file: Path | None) -> SourceDocument:
    if file is None:
        return read_source_document("")
    return read_source_document(
        read_text_file(file),
        path=_replace_undecodable(str(file)),
        uri=file.resolve().as_uri(),
    )


def _front_matter_config_of(run: PipelineRun) -> FrontMatterConfig:
    """Return what the run's document says now; if it is gone, where it might go."""
    parts = urlsplit(run.uri or "")
    path = Path(unquote(parts.path))
    if parts.scheme != "file" or not path.is_file():
        return FrontMatterConfig(providers=run.document.providers)
    return _read_notes(path).require_valid().front_matter.config


# --- `writeit run`: a pipeline from the first step to the article, in the terminal ----

ChooseMode = Literal["first", "ask"]


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
    choose: ChooseMode,
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
    _check_arguments(pipeline, resume, inputs, primer)
    require_output_path(output, force=force)
    request = RunRequest(
        pipeline=pipeline,
        file=file,
        resume=resume,
        inputs=parse_inputs(inputs),
        models=models,
        primer=primer,
        limits=CostLimits(run=max_cost),
    )
    watch = StreamPrinter(quiet=quiet)
    ended = run_async(_execute(context, request, choose, watch))
    _print_result(ended, output, force=force, as_json=as_json)


def _check_arguments(
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


def _print_result(
    final_run: PipelineRun, output: Path | None, *, force: bool, as_json: bool
) -> None:
    """Hand out the article, if there is one, and say where the run is."""
    finished = final_run.status is PipelineStatus.COMPLETED
    run_id = final_run.pipeline_run_id
    text = _article_or_none(final_run) if finished else None
    if text is not None and output is not None:
        write_text_file(output, text, replace=force)
        click.echo(f"The article is in {output}.", err=True)
    if as_json:
        told = {
            "run_id": str(run_id),
            "status": final_run.status.value,
            "current_step": final_run.current_step,
            "article": text,
            "output": str(output) if output and text is not None else None,
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif text is not None and output is None:
        click.echo(text, nl=False)
    if finished:
        words = f"Run {run_id} keeps every prompt and answer: writeit export {run_id}"
    else:
        words = _resume_hint(run_id)
    click.echo(words, err=True)


def _resume_hint(run_id: UUID) -> str:
    return (
        f"Run {run_id} is kept as it stands. Go on with it:"
        f" writeit run --choose ask --resume {run_id}"
    )


def _article_or_none(final_run: PipelineRun) -> str | None:
    try:
        return final_text(final_run)
    except InvalidTransition:
        click.echo("Every step was skipped, so there is no article.", err=True)
        return None


async def _execute(
    context: click.Context,
    request: RunRequest,
    choose: ChooseMode,
    stream_printer: StreamPrinter,
) -> PipelineRun:
    async with open_workspace(request.start_path, context) as desk:
        desk.engine.start_monitoring(lambda _: None)
        task = await open_run(desk, request)
        try:
            return await _run_steps(desk, task, choose, stream_printer)
        except WriteItError as error:
            if kept := await _keep_or_delete(desk, request, task.run.pipeline_run_id):
                error.add_note(kept)
            raise
        except asyncio.CancelledError:
            if kept := await _keep_or_delete(desk, request, task.run.pipeline_run_id):
                click.echo(kept, err=True)
            raise


async def _run_steps(
    workspace: OpenWorkspace,
    opened: OpenedRun,
    choose: ChooseMode,
    stream_printer: StreamPrinter,
) -> PipelineRun:
    """Go to the last step, or as far as the writer wants."""
    ended = opened.run
    if choose == "ask":
        return await run_interactively(
            _create_interactive_run(workspace, opened, stream_printer),
            execute_verb_line,
            generate_first=_is_new(ended),
        )
    while ended.status is not PipelineStatus.COMPLETED:
        ended = await _run_one_step(workspace, opened, stream_printer)
    return ended


async def _keep_or_delete(
    workspace: OpenWorkspace, request: RunRequest, run_id: UUID
) -> str:
    """Say how to go on with a run that was cut short.

    One that was begun just now and of which nothing was sent is taken away.
    """
    run = await workspace.engine.load_run(run_id)
    if request.resume is None and _is_new(run):
        await workspace.engine.delete_run(run_id)
        return ""
    return _resume_hint(run_id)


def _is_new(run: PipelineRun) -> bool:
    return run.status is PipelineStatus.INITIALIZING


def _create_interactive_run(
    workspace: OpenWorkspace, opened: OpenedRun, stream_printer: StreamPrinter
) -> InteractiveRun:
    return InteractiveRun(
        workspace=workspace,
        console=Console(),
        stream_printer=stream_printer,
        run_id=opened.run.pipeline_run_id,
        model_selection=opened.model_selection,
        models=opened.models,
    )


async def _run_one_step(
    workspace: OpenWorkspace, opened: OpenedRun, stream_printer: StreamPrinter
) -> PipelineRun:
    """Ask the step where the run stands, if it has no answer, and take the first."""
    run_id = opened.run.pipeline_run_id
    state = lifecycle.find_step(await workspace.engine.load_run(run_id), None)
    if state.status is StepStatus.PENDING:
        asking = await workspace.engine.generate(
            GenerateStep(
                run_id=run_id,
                models=opened.models,
                model_selection=opened.model_selection,
            ),
            stream_printer.show_event,
        )
        state = await workspace.engine.wait_for_generation(asking)
        stream_printer.end_step()
    return await workspace.engine.execute(
        run_id,
        lambda run, at: select.select_response(run, run.steps[state.step_name], 0, at),
    )
