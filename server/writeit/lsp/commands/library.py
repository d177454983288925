"""`writeit.pipeline.*`, `primer.*`, `model.*` and `keys.*`."""

from __future__ import annotations

import asyncio

from writeit.domain.errors import NotFound
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.run import split_model_id
from writeit.library.catalog import LibraryEntry
from writeit.library.front_matter import split_front_matter
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Request, command
from writeit.lsp.progress import WorkDoneProgress
from writeit.lsp.session import Session
from writeit.text.front_matter import find_front_matter

# --- `writeit.pipeline.*` ---


@command("writeit.pipeline.list")
async def list_pipelines(
    request: Request[p.PipelineListParams],
) -> p.PipelineListResult:
    """List the usable pipelines of a folder; of each name the nearest."""
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
    """Return what front matter sets; its problems are reported when a run starts."""
    found = find_front_matter(session.documents.read_text(uri))
    front_matter = split_front_matter(found.head if found else "", uri)
    return shapes.DocumentBinding.model_validate(front_matter.config)


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


@command("writeit.pipeline.show")
async def show_pipeline(
    request: Request[p.PipelineShowParams],
) -> shapes.WirePipelineConfiguration:
    """Return a pipeline by name or id; an id also finds the pipeline of an old run."""
    folder = request.folder()
    try:
        configuration = folder.load_library().pipeline(request.params.pipeline)
    except NotFound:
        stored = folder.store.configuration(request.params.pipeline)
        if stored is None:
            raise
        configuration = stored
    return shapes.WirePipelineConfiguration.model_validate(configuration)


# --- `writeit.primer.*` ---


@command("writeit.primer.list")
async def list_primers(request: Request[p.Params]) -> p.PrimerListResult:
    """List the usable primers of a folder."""
    folder = request.folder()
    current = [e.value for e in folder.load_library().primers.values() if e.value]
    stored = [folder.store.primer(x.primer_id, x.version) or x for x in current]
    return p.PrimerListResult.model_validate({"primers": stored})


@command("writeit.primer.show")
async def show_primer(request: Request[p.PrimerShowParams]) -> shapes.WireStylePrimer:
    """Return a primer from its file, or a version that a run was pinned to."""
    folder, params = request.folder(), request.params
    primer = None
    if params.version is not None:
        primer = folder.store.primer(params.primer, params.version)
    if primer is None:
        primer = folder.load_library().primer(params.primer)
        if params.version not in {None, primer.version}:
            raise NotFound(
                f"Primer {params.primer} has no stored version {params.version}.",
                hint=f"Its file has version {primer.version}.",
            )
    return shapes.WireStylePrimer.model_validate(primer)


# --- `writeit.model.*` ---


@command("writeit.model.list")
async def list_models(request: Request[p.ModelListParams]) -> p.ModelListResult:
    """List the models that can be named here, and why some cannot be used."""
    params = request.params
    models = await request.session.ports.models.list_models(
        include=await request.folder().configured_model_ids(),
        provider=params.provider,
        refresh=params.refresh,
    )
    return p.ModelListResult.model_validate({"models": models})


@command("writeit.model.install")
async def install_model(request: Request[p.ModelInstallParams]) -> shapes.WireModelInfo:
    """Download the embedded model."""
    session, model = request.session, request.params.model
    title = f"WriteIt: installing {model}"
    async with WorkDoneProgress(session.client, request.work_done_token, title) as done:

        def report(message: str, fraction: float | None) -> None:
            done.report(message, None if fraction is None else int(100 * fraction))

        info = await session.ports.models.install_model(model, report)
    return shapes.WireModelInfo.model_validate(info)


# --- `writeit.keys.*` ---


@command("writeit.keys.set")
async def set_key(request: Request[p.KeysSetParams]) -> p.KeysSetResult:
    """Store a key in the system keyring; it is never sent back."""
    session, provider = request.session, request.params.provider
    keys, key = session.ports.keys, request.params.key.get_secret_value()
    if provider not in keys.sources():  # then the next line refuses it
        await session.ports.models.resolve_model_id(f"{provider}/any")
    # A keyring may ask the user first, and that may take a while.
    await asyncio.to_thread(keys.set, provider, key)
    if await asyncio.to_thread(keys.source, provider) == "environment":
        session.client.show_info(
            f"Stored the key of {provider}. The environment also sets this key, and"
            " takes precedence."
        )
    return p.KeysSetResult(provider=provider, stored=True)


@command("writeit.keys.list")
async def list_keys(request: Request[p.Params]) -> p.KeysListResult:
    """Return where the key of each usual or configured provider comes from."""
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
