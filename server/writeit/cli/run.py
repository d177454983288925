"""`writeit run`: run a pipeline from the first step to the article."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

import click
from pydantic import TypeAdapter, ValidationError

from writeit.cli.console import Console
from writeit.cli.interactive.loop import Shell, run_interactively
from writeit.cli.interactive.verbs import execute_verb_line
from writeit.cli.output import StreamPrinter, echo, echo_text
from writeit.cli.trust import check_primer, generate_with_consent
from writeit.cli.workspace import (
    OpenWorkspace,
    open_workspace,
    read_text_file,
    require_output_path,
    run_async,
    write_text_file,
)
from writeit.domain.errors import InvalidTransition, WriteItError
from writeit.domain.operations import lifecycle, select
from writeit.domain.pipeline import Reasoning
from writeit.domain.placement import with_line_ends_of
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, PipelineStatus, StepStatus
from writeit.domain.session import CostLimits, Settings
from writeit.engine.data_policy import resolve_allowed_providers
from writeit.engine.precedence import (
    ModelSelection,
    StartRequest,
    Untrusted,
    resolve_primer,
)
from writeit.engine.requests import GenerateStep
from writeit.export.article import final_text
from writeit.files import require_file_path, resolve_article_path
from writeit.library.catalog import own_pipelines
from writeit.library.front_matter import (
    FrontMatterConfig,
    SourceDocument,
    read_source_document,
)
from writeit.text.front_matter import with_providers
from writeit.views.wording import incomplete_choices


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """The arguments that start or resume a run."""

    pipeline: str | None = None
    file: Path | None = None
    resume: str | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    primer: str | None = None
    reasoning: Reasoning | None = None
    limits: CostLimits = field(default_factory=CostLimits)
    confirmed: bool = False
    trusted: bool = False


@dataclass(kw_only=True)
class OpenedRun:
    """A run, and the models and settings of its steps."""

    run: PipelineRun
    models: tuple[str, ...] | None
    """From the command line, for every step; None if not given."""
    model_selection: ModelSelection


def parse_inputs(arguments: tuple[str, ...]) -> dict[str, str]:
    """Return the inputs of the `-i NAME=VALUE` arguments."""
    inputs = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            raise click.BadParameter(f"{argument!r} is not NAME=VALUE", param_hint="-i")
        if _replace_undecodable(argument) != argument:
            raise click.BadParameter(f"{name!r} is not UTF-8 text", param_hint="-i")
        inputs[name] = value
    return inputs


def _replace_undecodable(argument: str) -> str:
    """Return an argument of the system with its undecodable bytes replaced."""
    return argument.encode(errors="surrogateescape").decode(errors="replace")


async def open_run(workspace: OpenWorkspace, request: RunRequest) -> OpenedRun:
    """Start or resume a run.

    Raises:
        WriteItError: it is not possible; nothing was created.
    """
    resolve = workspace.ports.models.resolve_model_id
    models = tuple([await resolve(model) for model in request.models])
    workspace.trust.override = request.trusted or workspace.trust.override
    if request.resume is None:
        run, config = await _start_new_run(workspace, request, models)
    else:
        run = await workspace.engine.load_run(workspace.find_run(request.resume))
        config = _front_matter_config_of(run)
    selection = ModelSelection(
        models=config.models,
        front_matter_reasoning=config.reasoning,
        reasoning=request.reasoning,
        providers=config.providers,
        own_pipelines=own_pipelines(),
        confirmed=request.confirmed,
        untrusted=_assess_trust(workspace, run, config, is_new=request.resume is None),
        settings=Settings(max_cost_usd=request.limits),
        preferences=workspace.engine.preferences,
    )
    return OpenedRun(run=run, models=models or None, model_selection=selection)


def _assess_trust(
    workspace: OpenWorkspace,
    run: PipelineRun,
    config: FrontMatterConfig,
    *,
    is_new: bool,
) -> Untrusted:
    """Return what of a run the user has not trusted, and remember a new one."""
    library = workspace.load_library()
    configuration = workspace.engine.configuration(run)
    is_own = configuration.configuration_id in own_pipelines()
    untrusted = workspace.trust.assess(
        library,
        None if is_own else configuration,
        config,
        path_from_uri(run.uri),
        run_id=None if is_new else run.pipeline_run_id,
    )
    if is_new:
        workspace.trust.note_run(library, configuration, untrusted, run.pipeline_run_id)
    if workspace.trust.problem:
        echo(workspace.trust.problem, err=True)
    return untrusted


async def _start_new_run(
    workspace: OpenWorkspace, request: RunRequest, models: tuple[str, ...]
) -> tuple[PipelineRun, FrontMatterConfig]:
    source = _read_notes(request.file).require_valid()
    library = workspace.load_library()
    configuration = library.pipeline(request.pipeline or "")
    config = source.front_matter.config
    if config.output_path is not None:
        target = resolve_article_path(workspace.path, config.output_path, request.file)
        require_file_path(target)

    def find_primer(name: str) -> StylePrimer:
        primer = library.primer(name)
        check_primer(workspace, library, library.primers[name])
        return primer

    primer = resolve_primer(
        find_primer,
        request.primer,
        config.primer,
        configuration,
        Settings(),
        workspace.engine.preferences,
    )
    run = await workspace.engine.start_run(
        StartRequest(
            configuration=configuration,
            inputs=request.inputs,
            front_matter_inputs=config.inputs,
            document=source.document,
            primer=primer,
            front_matter_models=config.models,
            models={step: models for step in configuration.step_names if models},
            reasoning=request.reasoning,
            uri=request.file.resolve().as_uri() if request.file else None,
            output_path=config.output_path,
        )
    )
    return run, config


def _read_notes(file: Path | None) -> SourceDocument:
    if file is None:
        return read_source_document("")
    return read_source_document(
        read_text_file(file),
        path=_replace_undecodable(str(file)),
        uri=file.resolve().as_uri(),
    )


def path_from_uri(uri: str | None) -> Path | None:
    """Return the path of a `file:` URI, None for others."""
    parts = urlsplit(uri or "")
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _front_matter_config_of(run: PipelineRun) -> FrontMatterConfig:
    """Return the document's front matter; if it is gone, its last known providers."""
    path = path_from_uri(run.uri)
    if path is None or not path.is_file():
        return FrontMatterConfig(providers=run.document.providers)
    return _read_notes(path).require_valid().front_matter.config


def _parse_reasoning(
    _context: click.Context, _option: click.Parameter, word: str | None
) -> Reasoning | None:
    """Return the value of `--reasoning`."""
    if word is None:
        return None
    try:
        number = int(word) if word.isascii() and word.isdigit() else word
        return TypeAdapter[Reasoning](Reasoning).validate_python(number)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise click.BadParameter(f"{word!r} {message}.") from error


ChooseMode = Literal["first", "ask"]
INCOMPLETE = 3
"""The exit code of a run that is done, but with an incomplete answer."""


@click.command()
@click.argument("pipeline", required=False)
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE")
@click.option(
    "-m", "--model", "models", multiple=True, help="Use this model; can be repeated."
)
@click.option(
    "--reasoning",
    metavar="none|low|medium|high|TOKENS",
    callback=_parse_reasoning,
    help="How long models may think; default: as their provider says.",
)
@click.option("-p", "--primer", help="The style to write in.")
@click.option(
    "--choose",
    type=click.Choice(["first", "ask"]),
    default="first",
    help="Choose the first answer of each step (default), or ask you.",
)
@click.option("--resume", metavar="RUN", help="Resume this run.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the article to this file instead of stdout.",
)
@click.option("--force", is_flag=True, help="Let -o replace an existing file.")
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    metavar="USD",
    help="Stop before the run costs more than this many dollars.",
)
@click.option("-y", "--yes", is_flag=True, help="Allow any number of calls.")
@click.option("--trust", is_flag=True, help="Use all that the folder's files name.")
@click.option("-q", "--quiet", is_flag=True, help="Do not show progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def run(  # noqa: PLR0913 -- one parameter an option
    context: click.Context,
    *,
    pipeline: str | None,
    file: Path | None,
    inputs: tuple[str, ...],
    models: tuple[str, ...],
    reasoning: Reasoning | None,
    primer: str | None,
    choose: ChooseMode,
    resume: str | None,
    output: Path | None,
    force: bool,
    max_cost: float | None,
    yes: bool,
    trust: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run PIPELINE on your notes, from the first step to the article.

    FILE is a markdown file with your notes. The run is stored with all its prompts and
    answers. With --choose ask you choose, edit, merge or regenerate the answers of each
    step. You can leave at any time and continue with --resume RUN.
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
        reasoning=reasoning,
        limits=CostLimits(run=max_cost),
        confirmed=yes,
        trusted=trust,
    )
    printer = StreamPrinter(quiet=quiet)
    final_run, providers = run_async(_execute(context, request, choose, printer))
    _print_result(final_run, providers, output, force=force, as_json=as_json)
    if final_run.status is PipelineStatus.COMPLETED and incomplete_choices(final_run):
        sys.exit(INCOMPLETE)


def _check_arguments(
    pipeline: str | None,
    resume: str | None,
    inputs: tuple[str, ...],
    primer: str | None,
) -> None:
    if resume is None and pipeline is None:
        raise click.UsageError("Name a PIPELINE, or resume a run with --resume RUN.")
    if resume is not None and (pipeline or inputs or primer):
        raise click.UsageError(
            "--resume continues a run with its own inputs. Leave out PIPELINE, FILE, -i"
            " and -p."
        )


def _print_result(
    final_run: PipelineRun,
    providers: tuple[str, ...] | None,
    output: Path | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Write the article, if there is one, and the next command to use.

    It begins with the allowed providers if its notes name them.
    """
    finished = final_run.status is PipelineStatus.COMPLETED
    run_id = final_run.pipeline_run_id
    text = _article_or_none(final_run) if finished else None
    if text is not None:
        text = with_providers(text, providers)
    if text is not None and output is not None:
        source = final_run.document.text
        write_text_file(output, with_line_ends_of(source, text), replace=force)
        echo(f"Article written to {output}.", err=True)
    if as_json:
        result = {
            "run_id": str(run_id),
            "status": final_run.status.value,
            "current_step": final_run.current_step,
            "article": text,
            "incomplete": incomplete_choices(final_run),
            "output": str(output) if output and text is not None else None,
        }
        echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif text is not None and output is None:
        echo_text(text)
    for sentence in (cut := incomplete_choices(final_run)):
        echo(sentence, err=True)
    if not finished:
        echo(_resume_hint(run_id), err=True)
        return
    echo(f"Export every prompt and answer with: writeit export {run_id}", err=True)
    if cut:
        echo(
            f"To continue it: writeit run --choose ask --resume {run_id}, then"
            " continue. The exit code is 3.",
            err=True,
        )


def _resume_hint(run_id: UUID) -> str:
    return (
        f"The run was kept. Resume it with: writeit run --choose ask --resume {run_id}"
    )


def _article_or_none(final_run: PipelineRun) -> str | None:
    try:
        return final_text(final_run)
    except InvalidTransition:
        echo("There is no article: every step was skipped.", err=True)
        return None


async def _execute(
    context: click.Context,
    request: RunRequest,
    choose: ChooseMode,
    stream_printer: StreamPrinter,
) -> tuple[PipelineRun, tuple[str, ...] | None]:
    async with open_workspace(request.file or Path.cwd(), context) as workspace:
        workspace.engine.start_monitoring(lambda _: None)
        opened = await open_run(workspace, request)
        run_id = opened.run.pipeline_run_id
        try:
            run = await _run_steps(workspace, opened, choose, stream_printer)
            limit = resolve_allowed_providers(
                workspace.store, run, opened.model_selection.providers
            )
        except WriteItError as error:
            if kept := await _keep_or_delete(workspace, request, run_id):
                error.add_note(kept)
            raise
        except asyncio.CancelledError:
            if kept := await _keep_or_delete(workspace, request, run_id):
                echo(kept, err=True)
            raise
        return run, limit.providers


async def _run_steps(
    workspace: OpenWorkspace,
    opened: OpenedRun,
    choose: ChooseMode,
    stream_printer: StreamPrinter,
) -> PipelineRun:
    """Run the steps to the end, or as far as the user wants."""
    run = opened.run
    if choose == "ask":
        shell = Shell(
            workspace=workspace,
            console=Console(),
            stream_printer=stream_printer,
            run_id=run.pipeline_run_id,
            model_selection=opened.model_selection,
            models=opened.models,
        )
        return await run_interactively(
            shell, execute_verb_line, generate_first=_is_new(run)
        )
    while run.status is not PipelineStatus.COMPLETED:
        run = await _run_one_step(workspace, opened, stream_printer)
    return run


async def _keep_or_delete(
    workspace: OpenWorkspace, request: RunRequest, run_id: UUID
) -> str:
    """Return how to resume a run; delete a new run of which nothing was sent."""
    run = await workspace.engine.load_run(run_id)
    if request.resume is None and _is_new(run):
        await workspace.engine.delete_run(run_id)
        return ""
    return _resume_hint(run_id)


def _is_new(run: PipelineRun) -> bool:
    return run.status is PipelineStatus.INITIALIZING


def _say_what_was_not_used(opened: OpenedRun, step: str) -> None:
    selection = opened.model_selection
    file = selection.untrusted.front_matter
    if file and selection.models.get(step) and not opened.models:
        echo(
            f"The models that {file} names were not used: you have not trusted its"
            f" folder. To use them: writeit trust {file}",
            err=True,
        )


async def _run_one_step(
    workspace: OpenWorkspace, opened: OpenedRun, stream_printer: StreamPrinter
) -> PipelineRun:
    """Generate the current step if it has no answers, and choose the first answer."""
    run_id = opened.run.pipeline_run_id
    state = lifecycle.find_step(await workspace.engine.load_run(run_id), None)
    if state.status is StepStatus.PENDING:
        generation, opened.model_selection = await generate_with_consent(
            workspace,
            GenerateStep(
                run_id=run_id,
                models=opened.models,
                model_selection=opened.model_selection,
            ),
            stream_printer.show_event,
            Console(),
        )
        _say_what_was_not_used(opened, state.step_name)
        state = await workspace.engine.wait_for_generation(generation)
        stream_printer.end_step()
    return await workspace.engine.execute(
        run_id,
        lambda run, at: select.select_response(run, run.steps[state.step_name], 0, at),
    )
