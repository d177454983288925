"""`writeit.pipeline.*`: what can be started here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.core.errors import NotFound
from writeit.library.frontmatter import head_of, split
from writeit.lsp import protocol as p
from writeit.lsp.dispatch import Command, Request
from writeit.lsp.documents import text_of

if TYPE_CHECKING:
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.library import Entry
    from writeit.lsp.connection import Connection


async def list_pipelines(
    request: Request[p.PipelineListParams],
) -> p.PipelineListResult:
    """List every usable pipeline of a folder; the nearest of each name."""
    params, connection = request.params, request.connection
    library = connection.folder(params, uri=params.uri).library()
    return p.PipelineListResult(
        pipelines=[
            _entry(entry, entry.value)
            for entry in library.pipelines.values()
            if entry.value is not None
        ],
        binding=None if params.uri is None else _binding(connection, params.uri),
    )


def _binding(connection: Connection, uri: str) -> p.DocumentBinding:
    """Return what front matter says, as far as it is understood.

    What is wrong with it is refused when the run is started, with the reason.
    """
    said = split(head_of(text_of(connection, uri)), uri).binding
    return p.DocumentBinding(pipeline=said.pipeline, inputs=said.inputs)


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


HANDLERS: dict[str, Command[Any]] = {
    "writeit.pipeline.list": Command(
        p.PipelineListParams, p.PipelineListResult, list_pipelines
    ),
    "writeit.pipeline.show": Command(
        p.PipelineShowParams, p.PipelineConfiguration, show_pipeline
    ),
}
