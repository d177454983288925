"""Starts or resumes the run of `writeit run`: its notes, inputs, models and style."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from writeit.cli.console import Console, InputStopped
from writeit.cli.output import echo
from writeit.cli.trust import check_files, check_primer
from writeit.cli.workspace import OpenWorkspace, read_text_file
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, Reasoning
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun
from writeit.domain.session import CostLimits, Settings
from writeit.engine.precedence import (
    ModelSelection,
    StartRequest,
    Untrusted,
    resolve_primer,
)
from writeit.files import require_file_path, resolve_article_path
from writeit.library.catalog import own_pipelines
from writeit.library.front_matter import (
    FrontMatterConfig,
    SourceDocument,
    read_source_document,
)
from writeit.library.named_files import read_file_providers, read_named_files
from writeit.text.lines import escape_controls, make_visible


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
    blind: bool | None = None
    """Whether the choice is blind; None leaves it to the front matter."""
    samples: int | None = None


@dataclass(kw_only=True)
class OpenedRun:
    """A run, and the models and settings of its steps."""

    run: PipelineRun
    models: tuple[str, ...] | None
    """From the command line, for every step; None if not given."""
    model_selection: ModelSelection
    samples: int | None = None
    """How many answers each model gives, from the command line."""


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
        file_providers=read_file_providers(run.document, _find_text),
        own_pipelines=own_pipelines(),
        confirmed=request.confirmed,
        blind=config.blind if request.blind is None else request.blind,
        untrusted=_assess_trust(workspace, run, config, is_new=request.resume is None),
        settings=Settings(max_cost_usd=request.limits),
        preferences=workspace.engine.preferences,
    )
    return OpenedRun(
        run=run,
        models=models or None,
        model_selection=selection,
        samples=request.samples,
    )


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
    document = source.document
    if configuration.applies_to == "document":
        check_files(workspace, library, configuration, (config, request.file))
        document = read_named_files(config, document, workspace.path, read_text_file)
    run = await workspace.engine.start_run(
        StartRequest(
            configuration=configuration,
            inputs=_ask_for_inputs(request, configuration, config),
            front_matter_inputs=config.inputs,
            document=document,
            primer=primer,
            front_matter_models=config.models,
            models={step: models for step in configuration.step_names if models},
            reasoning=request.reasoning,
            samples=request.samples,
            uri=request.file.resolve().as_uri() if request.file else None,
            output_path=config.output_path,
        )
    )
    return run, config


def _ask_for_inputs(
    request: RunRequest, configuration: PipelineConfiguration, config: FrontMatterConfig
) -> dict[str, str]:
    """Return the inputs; at a terminal the user types those without any value.

    Raises:
        click.Abort: the user pressed Ctrl-C or ended the input.
    """
    inputs, console = dict(request.inputs), Console()
    for spec in configuration.inputs:
        known = spec.name in {*inputs, *config.inputs} or spec.default_text
        is_extra = spec.type == "number" and not spec.required
        if known or is_extra or (spec.source and request.file):
            continue
        if spec.source == "document":
            raise click.UsageError(
                f"{configuration.name} needs your notes. Name their file:"
                f" writeit run {configuration.name} notes.md"
            )
        if console.is_interactive:
            try:
                inputs[spec.name] = _read_input(spec, console)
            except InputStopped:
                raise click.Abort from None
    return inputs


def _read_input(spec: InputSpec, console: Console) -> str:
    """Return what the user types for an input, once it is valid."""
    if spec.help:
        console.write(escape_controls(spec.help))
    choices = f" ({', '.join(spec.options)})" if spec.options else ""
    optional = "" if spec.required else " (optional)"
    label = make_visible(spec.label or spec.name)
    while True:
        value = console.read_line(f"{label}{choices}{optional}: ").strip()
        problem = spec.value_problem(value)
        if problem is None:
            return value
        console.write(f"{label} {problem}.")


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


def _find_text(uri: str) -> str | None:
    """Return the text of a file, None if it is gone."""
    path = path_from_uri(uri)
    return read_text_file(path) if path is not None and path.is_file() else None


def _front_matter_config_of(run: PipelineRun) -> FrontMatterConfig:
    """Return the document's front matter; if it is gone, its last known providers."""
    path = path_from_uri(run.uri)
    if path is None or not path.is_file():
        return FrontMatterConfig(providers=run.document.providers)
    return _read_notes(path).require_valid().front_matter.config
