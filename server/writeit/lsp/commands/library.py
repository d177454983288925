"""`writeit.pipeline.*`: what can be started here."""

from __future__ import annotations

import asyncio

from writeit.domain.errors import NotFound
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer as Primer
from writeit.domain.run import split_model_id
from writeit.library.catalog import LibraryEntry
from writeit.library.front_matter import find_front_matter, split_front_matter
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Command, Handlers, Request
from writeit.lsp.progress import WorkDoneProgress
from writeit.lsp.session import Session
from writeit.ports.system import Ports

# --- `writeit.pipeline.*`: what can be started here -----------------------------------


async def list_pipelines(
    request: Request[p.PipelineListParams],
) -> p.PipelineListResult:
    """List every usable pipeline of a folder; the nearest of each name."""
    params, session = request.params, request.session
    library = request.folder().load_library()
    return p.PipelineListResult(
        pipelines=[
            _pipeline_entry(entry, entry.value)
            for entry in library.pipelines.values()
            if entry.value is not None
        ],
        binding=None if params.uri is None else _document_binding(session, params.uri),
    )


def _document_binding(session: Session, uri: str) -> shapes.DocumentBinding:
    """Return what front matter says, as far as it is understood.

    What is wrong with it is refused when the run is started, with the reason.
    """
    said = split_front_matter(
        find_front_matter(session.documents.read_text(uri)), uri
    ).config
    return shapes.DocumentBinding(pipeline=said.pipeline, inputs=said.inputs)


def _pipeline_entry(
    entry: LibraryEntry[PipelineConfiguration], configuration: PipelineConfiguration
) -> shapes.PipelineEntry:
    return shapes.PipelineEntry(
        id=configuration.configuration_id,
        name=configuration.name,
        description=configuration.description,
        applies_to=configuration.applies_to,
        steps=configuration.step_names,
        inputs=[
            shapes.WireInputSpec.model_validate(spec) for spec in configuration.inputs
        ],
        uri=entry.uri,
        problems=[shapes.Problem.model_validate(x.to_json()) for x in entry.problems],
    )


async def show_pipeline(
    request: Request[p.PipelineShowParams],
) -> shapes.WirePipelineConfiguration:
    """Show a pipeline by name or id; an id also finds what old runs were made from."""
    folder = request.folder()
    try:
        configuration = folder.load_library().pipeline(request.params.pipeline)
    except NotFound:
        kept = folder.store.configuration(request.params.pipeline)
        if kept is None:
            raise
        configuration = kept
    return shapes.WirePipelineConfiguration.model_validate(configuration)


PIPELINE_HANDLERS: Handlers = {
    "writeit.pipeline.list": Command(
        p.PipelineListParams, p.PipelineListResult, list_pipelines
    ),
    "writeit.pipeline.show": Command(
        p.PipelineShowParams, shapes.WirePipelineConfiguration, show_pipeline
    ),
}


# --- `writeit.primer.*`: in which voice a text can be written -------------------------


async def list_primers(request: Request[p.Params]) -> p.PrimerListResult:
    """List every usable primer of a folder."""
    folder = request.folder()
    current = [e.value for e in folder.load_library().primers.values() if e.value]
    return p.PrimerListResult(
        primers=[
            _primer_to_wire(
                folder.store.primer(primer.primer_id, primer.version) or primer
            )
            for primer in current
        ]
    )


async def show_primer(request: Request[p.PrimerShowParams]) -> shapes.WireStylePrimer:
    """Show a primer: as its file has it, or a version that a run was pinned to."""
    folder, params = request.folder(), request.params
    if params.version is None:
        return _primer_to_wire(folder.load_library().primer(params.primer))
    kept = folder.store.primer(params.primer, params.version)
    if kept is None:
        current = folder.load_library().primer(params.primer)
        if current.version != params.version:
            raise NotFound(
                f"No version {params.version!r} of primer {params.primer!r} is kept.",
                hint=f"The file has version {current.version}.",
            )
        kept = current
    return _primer_to_wire(kept)


def _primer_to_wire(primer: Primer) -> shapes.WireStylePrimer:
    return shapes.WireStylePrimer.model_validate(primer)


PRIMER_HANDLERS: Handlers = {
    "writeit.primer.list": Command(p.Params, p.PrimerListResult, list_primers),
    "writeit.primer.show": Command(
        p.PrimerShowParams, shapes.WireStylePrimer, show_primer
    ),
}


# --- `writeit.model.*`: which models can be asked, and getting the embedded one -------


async def list_models(request: Request[p.ModelListParams]) -> p.ModelListResult:
    """List the models worth naming here, and why some cannot be used."""
    session, params = request.session, request.params
    folder = request.folder()
    named = await folder.configured_model_ids()
    models = await session.ports.models.list_models(
        include=named, provider=params.provider, refresh=params.refresh
    )
    return p.ModelListResult(
        models=[shapes.WireModelInfo.model_validate(m) for m in models]
    )


async def install_model(request: Request[p.ModelInstallParams]) -> shapes.WireModelInfo:
    """Fetch the embedded model's weights."""
    session, model = request.session, request.params.model
    title = f"WriteIt: installing {model}"
    async with WorkDoneProgress(session.client, request.work_done_token, title) as done:

        def report(message: str, fraction: float | None) -> None:
            percentage = None if fraction is None else int(100 * fraction)
            done.report(message, percentage)

        info = await session.ports.models.install_model(model, report)
    return shapes.WireModelInfo.model_validate(info)


MODEL_HANDLERS: Handlers = {
    "writeit.model.list": Command(p.ModelListParams, p.ModelListResult, list_models),
    "writeit.model.install": Command(
        p.ModelInstallParams, shapes.WireModelInfo, install_model
    ),
}


# --- `writeit.keys.*`: giving a provider its key, and where keys come from ------------


async def set_key(request: Request[p.KeysSetParams]) -> p.KeysSetResult:
    """Keep a key in the system keyring; it is never read back."""
    session, params = request.session, request.params
    world, provider = session.ports, params.provider
    await require_known_provider(world, provider)
    # A keyring may ask the user first, and that may take a while.
    await asyncio.to_thread(world.keys.set, provider, params.key.get_secret_value())
    if await asyncio.to_thread(world.keys.source, provider) == "environment":
        session.client.show_info(
            f"The key of {provider} is kept, but the environment has one too, and"
            " that one is used."
        )
    return p.KeysSetResult(provider=provider, stored=True)


async def require_known_provider(ports: Ports, provider: str) -> None:
    """Check that somebody knows `provider`.

    Raises:
        NotFound: nobody does; the nearest names are in the hint.
    """
    if provider not in ports.keys.sources():
        await ports.models.resolve_model_id(f"{provider}/any")


async def list_keys(request: Request[p.Params]) -> p.KeysListResult:
    """Say for each provider within reach where its key comes from."""
    folder = request.folder()
    models = await folder.configured_model_ids()
    named = [split_model_id(model)[0] for model in models if "/" in model]
    keys = request.session.ports.keys
    sources = await asyncio.to_thread(keys.sources, named)
    return p.KeysListResult(
        providers=[
            shapes.KeyEntry(provider=provider, source=source)
            for provider, source in sources.items()
        ]
    )


KEY_HANDLERS: Handlers = {
    "writeit.keys.set": Command(p.KeysSetParams, p.KeysSetResult, set_key),
    "writeit.keys.list": Command(p.Params, p.KeysListResult, list_keys),
}
