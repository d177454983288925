"""`writeit.pipeline.*` and `writeit.primer.*`: what can be started, in which voice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.core.errors import NotFound
from writeit.lsp import protocol as p
from writeit.lsp.dispatch import Command, Request

if TYPE_CHECKING:
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer as Primer
    from writeit.library import Entry


async def list_pipelines(request: Request[p.Params]) -> p.PipelineListResult:
    """List every usable pipeline of a folder; the nearest of each name."""
    library = request.connection.folder(request.params).library()
    return p.PipelineListResult(
        pipelines=[
            _entry(entry, entry.value)
            for entry in library.pipelines.values()
            if entry.value is not None
        ]
    )


def _entry(
    entry: Entry[PipelineConfiguration], configuration: PipelineConfiguration
) -> p.PipelineEntry:
    return p.PipelineEntry(
        id=configuration.configuration_id,
        name=configuration.name,
        description=configuration.description,
        applies_to=configuration.applies_to,
        steps=configuration.step_names,
        inputs=[p.InputSpec.model_validate(spec) for spec in configuration.inputs],
        uri=entry.uri,
        problems=[p.Problem.model_validate(x.as_data()) for x in entry.problems],
    )


async def show_pipeline(
    request: Request[p.PipelineShowParams],
) -> p.PipelineConfiguration:
    """Show a pipeline by name or id; an id also finds what old runs were made from."""
    folder = request.connection.folder(request.params)
    try:
        configuration = folder.library().pipeline(request.params.pipeline)
    except NotFound:
        kept = folder.store.configuration(request.params.pipeline)
        if kept is None:
            raise
        configuration = kept
    return p.PipelineConfiguration.model_validate(configuration)


async def list_primers(request: Request[p.Params]) -> p.PrimerListResult:
    """List every usable primer of a folder."""
    folder = request.connection.folder(request.params)
    current = [e.value for e in folder.library().primers.values() if e.value]
    return p.PrimerListResult(
        primers=[
            _primer(folder.store.primer(primer.primer_id, primer.version) or primer)
            for primer in current
        ]
    )


async def show_primer(request: Request[p.PrimerShowParams]) -> p.StylePrimer:
    """Show a primer: as its file has it, or a version that a run was pinned to."""
    folder, params = request.connection.folder(request.params), request.params
    if params.version is None:
        return _primer(folder.library().primer(params.primer))
    kept = folder.store.primer(params.primer, params.version)
    if kept is None:
        current = folder.library().primer(params.primer)
        if current.version != params.version:
            raise NotFound(
                f"No version {params.version!r} of primer {params.primer!r} is kept.",
                hint=f"The file has version {current.version}.",
            )
        kept = current
    return _primer(kept)


def _primer(primer: Primer) -> p.StylePrimer:
    return p.StylePrimer.model_validate(primer)


HANDLERS: dict[str, Command[Any]] = {
    "writeit.pipeline.list": Command(p.Params, p.PipelineListResult, list_pipelines),
    "writeit.pipeline.show": Command(
        p.PipelineShowParams, p.PipelineConfiguration, show_pipeline
    ),
    "writeit.primer.list": Command(p.Params, p.PrimerListResult, list_primers),
    "writeit.primer.show": Command(p.PrimerShowParams, p.StylePrimer, show_primer),
}
