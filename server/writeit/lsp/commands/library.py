"""`writeit.pipeline.*`, `primer.*`, `model.*` and `keys.*`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from writeit.domain.errors import DocumentChanged, NotFound
from writeit.domain.model_id import split_model_id
from writeit.domain.operations import lifecycle
from writeit.domain.operations.lifecycle import find_step
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.engine import model_setup
from writeit.engine.model_setup import NewModel
from writeit.files import resolve_in_workspace
from writeit.library.catalog import LibraryEntry
from writeit.library.front_matter import split_front_matter
from writeit.library.front_matter_writer import with_front_matter
from writeit.library.primer_writer import NEW_PRIMER, NEW_PRIMER_TEXT, with_rule
from writeit.lsp import library_shapes
from writeit.lsp import protocol as p
from writeit.lsp.command import Request, command
from writeit.lsp.commands.document import reply_when_done
from writeit.lsp.edits.files import (
    create_file,
    edit_document,
    require_document_text,
)
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.progress import WorkDoneProgress
from writeit.lsp.session import Session
from writeit.text.front_matter import find_front_matter
from writeit.text.merge3 import MergeResult, merge

# --- `writeit.pipeline.*` ---


@command("writeit.pipeline.list")
async def list_pipelines(
    request: Request[p.PipelineListParams],
) -> p.PipelineListResult:
    """List the pipelines of a folder, the usable ones first, with their problems."""
    params, session = request.params, request.session
    library = await request.folder().load_library()
    entries = [
        *(
            _pipeline_entry(entry, is_nearest=True)
            for entry in library.pipelines.values()
        ),
        *(
            _pipeline_entry(entry, is_nearest=False)
            for entry in library.other_pipelines
        ),
    ]
    return p.PipelineListResult(
        pipelines=sorted(entries, key=lambda entry: not entry.usable),
        binding=None if params.uri is None else _document_binding(session, params.uri),
    )


def _document_binding(session: Session, uri: str) -> library_shapes.DocumentBinding:
    """Return what front matter sets; its problems are reported when a run starts."""
    found = find_front_matter(session.documents.read_text(uri))
    front_matter = split_front_matter(found.head if found else "", uri)
    return library_shapes.DocumentBinding.model_validate(front_matter.config)


def _pipeline_entry(
    entry: LibraryEntry[PipelineConfiguration], *, is_nearest: bool
) -> library_shapes.PipelineEntry:
    """Return an entry of the list; of a file with errors only what is known."""
    configuration = entry.value
    inputs = configuration.inputs if configuration else ()
    return library_shapes.PipelineEntry(
        id=configuration.configuration_id if configuration else entry.name,
        name=entry.name,
        description=configuration.description if configuration else "",
        applies_to=configuration.applies_to if configuration else "document",
        output=configuration.output if configuration else "new_file",
        steps=configuration.step_names if configuration else [],
        inputs=[library_shapes.WireInputSpec.model_validate(spec) for spec in inputs],
        uri=entry.uri,
        problems=_problems_to_wire(entry),
        usable=is_nearest and configuration is not None,
    )


def _problems_to_wire(entry: LibraryEntry[Any]) -> list[library_shapes.Problem]:
    return [
        library_shapes.Problem.model_validate(each.to_json()) for each in entry.problems
    ]


@command("writeit.pipeline.show")
async def show_pipeline(
    request: Request[p.PipelineShowParams],
) -> library_shapes.WirePipelineConfiguration:
    """Return a pipeline by name or id; an id also finds the pipeline of an old run."""
    folder = request.folder()
    try:
        library = await folder.load_library()
        configuration = library.pipeline(request.params.pipeline)
    except NotFound:
        stored = folder.store.configuration(request.params.pipeline)
        if stored is None:
            raise
        configuration = stored
    return library_shapes.WirePipelineConfiguration.model_validate(configuration)


# --- `writeit.primer.*` ---


@command("writeit.primer.list")
async def list_primers(request: Request[p.Params]) -> p.PrimerListResult:
    """List the primers of a folder, the usable ones first, with their problems."""
    folder = request.folder()
    library = await folder.load_library()
    nearest = [*library.primers.values()]
    entries: list[library_shapes.WireStylePrimer] = []
    for entry in (*nearest, *library.other_primers):
        is_nearest = len(entries) < len(nearest)
        entries.append(_primer_entry(folder, entry, is_nearest=is_nearest))
        await asyncio.sleep(0)  # a folder may have many long primers
    return p.PrimerListResult(primers=sorted(entries, key=lambda each: not each.usable))


def _primer_entry(
    folder: WorkspaceFolder, entry: LibraryEntry[StylePrimer], *, is_nearest: bool
) -> library_shapes.WireStylePrimer:
    known: dict[str, Any] = {
        "uri": entry.uri,
        "problems": _problems_to_wire(entry),
        "usable": is_nearest and entry.value is not None,
    }
    if entry.value is not None:
        return _primer_to_wire(folder, entry.value).model_copy(update=known)
    return library_shapes.WireStylePrimer(
        primer_id=entry.name,
        version="",
        name=entry.name,
        description="",
        content="",
        voice_attributes={},
        example_openings=[],
        guidelines={},
        created_at=None,
        last_used=None,
        **known,
    )


def _primer_to_wire(
    folder: WorkspaceFolder, primer: StylePrimer
) -> library_shapes.WireStylePrimer:
    """Return a primer with the times and versions that the store knows."""
    stored = folder.store.primer(primer.primer_id, primer.version) or primer
    versions = folder.store.primer_versions(primer.primer_id)
    return library_shapes.WireStylePrimer.model_validate(stored).model_copy(
        update={
            "versions": [
                library_shapes.PrimerVersion.model_validate(one) for one in versions
            ]
        }
    )


@command("writeit.primer.show")
async def show_primer(
    request: Request[p.PrimerShowParams],
) -> library_shapes.WireStylePrimer:
    """Return a primer from its file, or a version that a run was pinned to."""
    folder, params = request.folder(), request.params
    primer = None
    if params.version is not None:
        primer = folder.store.primer(params.primer, params.version)
    if primer is None:
        primer = (await folder.load_library()).primer(params.primer)
        if params.version not in {None, primer.version}:
            stored = [v.version for v in folder.store.primer_versions(params.primer)]
            known = dict.fromkeys([primer.version, *stored])
            raise NotFound(
                f"The style {params.primer} has no stored version {params.version}.",
                hint=f"Known versions: {', '.join(known)}.",
            )
    return _primer_to_wire(folder, primer)


@command("writeit.primer.keep")
async def keep_as_rule(
    request: Request[p.StepFeedbackParams],
) -> p.ViewOpenResult | p.Accepted:
    """Add words to the run's style in the workspace; a shipped style is copied first.

    Without a style, a new one is made and named in the front matter.
    """
    params, folder = request.params, request.folder()
    lifecycle.check_words("text", params.text)
    run = await folder.engine.load_run(params.run_id)
    rule = " ".join(params.text.split())

    async def work() -> p.ViewOpenResult:
        name = run.primer.primer_id if run.primer else NEW_PRIMER
        async with folder.documents.document_lock(f"style {name}"):
            uri = await _write_rule(request, name, rule)
        message = f"Kept as a rule of the style {name}. The next run uses it."
        if run.primer is None and run.uri is not None:
            configuration = folder.engine.configuration(run)
            outcome = await edit_document(
                folder,
                run.uri,
                lambda text: MergeResult(
                    with_front_matter(text, configuration, primer=name)
                ),
                wait_for_user=not params.wait,
            )
            if not outcome.is_applied:
                message = f"Kept as a rule. Name the style {name} in the front matter."
        await folder.documents.client.show_document(uri, take_focus=False)
        folder.documents.client.show_fallback_message(message)
        return p.ViewOpenResult(uri=uri)

    return await reply_when_done(request, find_step(run, params.step).step_name, work)


async def _write_rule(
    request: Request[p.StepFeedbackParams], name: str, rule: str
) -> str:
    """Add a rule to a style of the workspace and return the URI of its file.

    Raises:
        InvalidParams: no folder is open.
        InvalidPipeline: the rule cannot be added to the file.
        DocumentChanged: the user is typing into the file, or declined the edit.
        WorkStopped: reading the file exceeded a limit.
    """
    folder = request.folder()
    entry = (await folder.load_library()).primers.get(name)
    if entry is not None and entry.scope == "workspace":
        worker = request.session.ports.worker  # a file of the folder may be hostile
        text = require_document_text(folder.documents, entry.uri)
        goal = await worker.run(with_rule, text, rule)
        outcome = await edit_document(
            folder, entry.uri, lambda now: merge(text, now, goal)
        )
        if outcome.is_applied and not outcome.conflicts:
            return entry.uri
        raise DocumentChanged(
            "The rule was not kept: the file of the style is being changed.",
            hint="Keep it again when you have stopped typing there.",
        )
    text = entry.file.path.read_text(encoding="utf-8") if entry else NEW_PRIMER_TEXT
    target = resolve_in_workspace(folder.path, f"primers/{name}.yaml")
    content = with_rule(text, rule)
    path = await create_file(folder, target, content)
    folder.typed.note_written(path.as_uri(), "", content)
    return path.as_uri()


# --- `writeit.model.*` ---


RECENT_MODELS = timedelta(days=30)
"""How long ago a model was used at most that is listed before the others."""


@command("writeit.model.list")
async def list_models(request: Request[p.ModelListParams]) -> p.ModelListResult:
    """List the models that can be named here, those used last first."""
    params, folder = request.params, request.folder()
    models = await request.session.ports.models.list_models(
        include=await folder.configured_model_ids(),
        provider=params.provider,
        refresh=params.refresh,
    )
    since = datetime.now(UTC) - RECENT_MODELS
    used = {record.model: record.at for record in folder.store.usage_records(since)}
    models = sorted(models, key=lambda m: used.get(m.id, since), reverse=True)
    return p.ModelListResult.model_validate({"models": models})


@command("writeit.model.install")
async def install_model(
    request: Request[p.ModelInstallParams],
) -> library_shapes.WireModelInfo:
    """Download the embedded model."""
    session, model = request.session, request.params.model
    title = f"WriteIt: installing {model}"
    async with WorkDoneProgress(session.client, request.work_done_token, title) as done:

        def report(message: str, fraction: float | None) -> None:
            done.report(message, None if fraction is None else int(100 * fraction))

        info = await session.ports.models.install_model(model, report)
    return library_shapes.WireModelInfo.model_validate(info)


@command("writeit.model.add")
async def add_model(request: Request[p.ModelAddParams]) -> library_shapes.WireModelInfo:
    """Make one short call to a model, then save its key, address and the default."""
    params, session = request.params, request.session
    new = NewModel(
        provider=params.provider,
        model=params.model,
        key=params.key.get_secret_value() if params.key else None,
        base_url=params.base_url,
        default=params.default,
    )
    title = f"WriteIt: calling {new.model_id}"
    async with WorkDoneProgress(session.client, request.work_done_token, title):
        info = await model_setup.add_model(session.ports, new)
    session.confirmations.forget("writeit.model.add")
    session.client.show_fallback_message(f"{info.id} works and is ready to use.")
    return library_shapes.WireModelInfo.model_validate(info)


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
            library_shapes.KeyEntry(provider=provider, source=source)
            for provider, source in sources.items()
        ]
    )
