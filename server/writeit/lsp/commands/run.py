"""`writeit.run.*`: runs from start to export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit import __version__
from writeit.core import decide
from writeit.core.run import RunDocument
from writeit.engine.moving import dossier_of
from writeit.engine.starting import StartRequest
from writeit.export import export_run
from writeit.library.frontmatter import Binding
from writeit.lsp import protocol as p
from writeit.lsp.convert import uri_of
from writeit.lsp.dispatch import Command, Request, folder_of_run
from writeit.lsp.documents import manuscript_of
from writeit.lsp.files import write_inside
from writeit.lsp.shapes import as_run, as_summary
from writeit.lsp.subject import check_is_hers
from writeit.ports import RunQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from writeit.core.pipeline import Output, PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.settings import Settings
    from writeit.lsp.folder import Folder


async def start(request: Request[p.RunStartParams]) -> p.PipelineRun:
    """Make a run of a pipeline; nothing is sent yet."""
    params, connection = request.params, request.connection
    folder = connection.folder(params, uri=params.uri)
    library = folder.library()
    configuration = library.pipeline(params.pipeline)
    document, binding = RunDocument(), Binding()
    if params.uri is not None:
        check_is_hers(connection, params.uri)
        manuscript = manuscript_of(connection, params.uri, params.range).understood()
        document = manuscript.document
        binding = manuscript.front_matter.binding
    settings = await connection.settings(folder)
    connection.warm()
    run = await folder.engine.start(
        StartRequest(
            configuration=configuration,
            inputs={name: _as_text(value) for name, value in params.inputs.items()},
            front_matter_inputs=_known_inputs(configuration, binding),
            document=document,
            primer=await _primer(request, folder, configuration, binding),
            models=await _models(request, params.models),
            name=params.name,
            uri=params.uri,
            output=params.output or _output_set(configuration, settings),
            output_path=params.output_path or binding.output_path,
        ),
    )
    return as_run(run)


def _output_set(
    configuration: PipelineConfiguration, settings: Settings
) -> Output | None:
    """The setting is about articles; a polished passage stays where it was."""
    return settings.output if configuration.applies_to == "document" else None


async def _primer(
    request: Request[p.RunStartParams],
    folder: Folder,
    configuration: PipelineConfiguration,
    binding: Binding,
) -> StylePrimer | None:
    """Find the primer: params, front matter, pipeline, setting, preference, none."""
    settings = await request.connection.settings(folder)
    candidates = (
        request.params.primer,
        binding.primer,
        configuration.default("style_primer", str),
        settings.style_primer,
        folder.engine.session.preferences.style_primer,
    )
    named = next((name for name in candidates if name), None)
    return folder.library().primer(named) if named else None


async def _models(
    request: Request[p.RunStartParams], given: Mapping[str, list[str] | str]
) -> dict[str, tuple[str, ...]]:
    models = request.connection.world.models
    return {
        step: tuple(
            [
                await models.identify(name)
                for name in ([names] if isinstance(names, str) else names)
            ]
        )
        for step, names in given.items()
    }


def _known_inputs(
    configuration: PipelineConfiguration, binding: Binding
) -> dict[str, str]:
    """Inputs of the front matter that this pipeline has; others have a diagnostic."""
    known = {spec.name for spec in configuration.inputs}
    return {name: value for name, value in binding.inputs.items() if name in known}


def _as_text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


async def show(request: Request[p.RunParams]) -> p.PipelineRun:
    """Return a run with its steps and answers."""
    engine = folder_of_run(request).engine
    return as_run(await engine.show(request.params.run_id))


async def list_runs(request: Request[p.RunListParams]) -> p.RunListResult:
    """List runs, newest first."""
    params = request.params
    folder = request.connection.folder(params, uri=params.uri)
    page = folder.store.runs(
        RunQuery(
            status=params.status,
            pipeline=params.pipeline,
            uri=params.uri,
            text=params.text,
            limit=params.limit,
            before=params.before,
        )
    )
    return p.RunListResult(
        runs=[as_summary(summary) for summary in page.runs],
        next=page.next,
    )


async def pause(request: Request[p.RunParams]) -> p.PipelineRun:
    """Stop what streams, keep what came."""
    engine = folder_of_run(request).engine
    return as_run(await engine.pause(request.params.run_id))


async def resume(request: Request[p.RunParams]) -> p.PipelineRun:
    """Let a paused run go on; sends nothing."""
    engine = folder_of_run(request).engine
    return as_run(await engine.decide(request.params.run_id, decide.resume))


async def export(request: Request[p.RunExportParams]) -> p.RunExportResult:
    """Return a run as yaml, json or markdown, and write it if a path is given."""
    params, folder = request.params, folder_of_run(request)
    settings = await request.connection.settings(folder)
    dossier = await dossier_of(
        folder.engine, params.run_id, folder.path, history=params.include_history
    )
    content = export_run(
        dossier,
        params.format
        or settings.export_format
        or folder.engine.session.preferences.export_format,
        __version__,
    )
    uri = None
    if params.path is not None:
        uri = uri_of(write_inside(folder.path, params.path, content))
    return p.RunExportResult(uri=uri, content=content)


HANDLERS: dict[str, Command[Any]] = {
    "writeit.run.start": Command(p.RunStartParams, p.PipelineRun, start),
    "writeit.run.show": Command(p.RunParams, p.PipelineRun, show),
    "writeit.run.list": Command(p.RunListParams, p.RunListResult, list_runs),
    "writeit.run.pause": Command(p.RunParams, p.PipelineRun, pause),
    "writeit.run.resume": Command(p.RunParams, p.PipelineRun, resume),
    "writeit.run.export": Command(p.RunExportParams, p.RunExportResult, export),
}
