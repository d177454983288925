"""`writeit.run.*`: start, list, branch, compare, export and delete runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from difflib import unified_diff
from functools import partial

from writeit import __version__
from writeit.domain.document import RunDocument
from writeit.domain.errors import InvalidParams, InvalidTransition
from writeit.domain.operations import lifecycle
from writeit.domain.pipeline import Output, PipelineConfiguration
from writeit.domain.placement import passage_of
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun
from writeit.domain.session import Settings
from writeit.engine.precedence import StartRequest, input_text, resolve_primer
from writeit.engine.queries import find_document_run, read_full_tree, read_run_tree
from writeit.engine.transfer import build_bundle
from writeit.export.render import export_run
from writeit.files import require_file_path, resolve_article_path
from writeit.library.catalog import Library
from writeit.library.front_matter import FrontMatter, SourceDocument
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Request, command
from writeit.lsp.convert import path_to_uri, uri_to_path
from writeit.lsp.edits.files import write_in_workspace
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.list_shapes import RunTree, summary_to_wire, tree_to_wire
from writeit.lsp.shapes import run_to_wire
from writeit.lsp.stale_runs import find_stale_steps
from writeit.ports.store import RunQuery
from writeit.views.uris import ContentView, ResponseView, view_uri

MAX_CHARACTERS_AROUND = 1_000_000
"""The longest document of which a passage is read; a book has half of it."""


def read_source(request: Request[p.RunStartParams]) -> SourceDocument:
    """Return the document or passage that a run is to be started on.

    A range is about the text as it is now, so this comes before anything is awaited.
    """
    params, session = request.params, request.session
    if params.uri is None:
        return SourceDocument(RunDocument(), FrontMatter("", ""))
    session.require_user_document(params.uri)
    source = session.documents.load_source_document(params.uri, params.range)
    document = source.require_valid().document
    if document.selection and len(document.text) > MAX_CHARACTERS_AROUND:
        raise InvalidParams(
            f"This document has more than {MAX_CHARACTERS_AROUND:,} characters, so no"
            " passage of it was read.",
            hint="Copy the passage into a document of its own.",
            problems=[{"path": "uri", "message": "is too long"}],
        )
    return source


async def create_run(
    request: Request[p.RunStartParams], source: SourceDocument
) -> PipelineRun:
    """Make a run of a pipeline on a document that has been read."""
    params, session = request.params, request.session
    folder = request.folder()
    library = await folder.load_library()
    configuration = library.pipeline(params.pipeline)
    config = source.front_matter.config
    untrusted = await folder.assess_trust(
        configuration, config, params.uri, confirmed=params.confirmed
    )
    document = source.document
    if configuration.applies_to == "document":
        key = (configuration.configuration_id, params.uri)
        folder.trust.require_files(config, untrusted, key)
        document = await folder.documents.with_named_files(source, folder.path)
    settings = await folder.load_settings()
    session.warm_up_models()
    if source.document.selection:  # parsed once, and not while nothing else can run
        await asyncio.to_thread(passage_of, source.document)
    primer = resolve_primer(
        partial(_find_primer, folder, library, confirmed=params.confirmed),
        params.primer,
        config.primer,
        configuration,
        settings,
        folder.engine.preferences,
    )
    is_ignored = untrusted.front_matter and not untrusted.has_changed
    run = await folder.engine.start_run(
        StartRequest(
            configuration=configuration,
            inputs={name: input_text(value) for name, value in params.inputs.items()},
            front_matter_inputs=config.inputs,
            document=document,
            primer=primer,
            models=await _resolve_models(request, params.models),
            front_matter_models={} if is_ignored else config.models,
            reasoning=params.reasoning,
            samples=params.samples,
            name=params.name,
            uri=params.uri,
            output=params.output or _configured_output(configuration, settings),
            output_path=_checked_output_path(folder, params, config.output_path),
        ),
    )
    note_run = folder.trust.note_run
    run_id = run.pipeline_run_id
    await asyncio.to_thread(note_run, library, configuration, untrusted, run_id)
    return run


def _find_primer(
    folder: WorkspaceFolder, library: Library, name: str, *, confirmed: bool
) -> StylePrimer:
    """Return a primer; one that another program changed needs the user's yes.

    Raises:
        NotFound, InvalidPipeline: it cannot be used.
        NotTrusted: it has changed.
    """
    primer, entry = library.primer(name), library.primers[name]
    if folder.trust.has_changed(entry):
        folder.trust.agree_or_refuse(library, entry, confirmed=confirmed)
    return primer


def _checked_output_path(
    folder: WorkspaceFolder, params: p.RunStartParams, named_by_file: str | None
) -> str | None:
    """Return where a new file is to go, once it is known to be possible."""
    path = params.output_path or named_by_file
    if path is not None:
        source = uri_to_path(params.uri) if params.uri else None
        target = resolve_article_path(folder.path, path, source)
        require_file_path(target)
        if params.output_path:
            folder.confirmed_outputs |= {target, target.parent}
    return path


def _configured_output(
    configuration: PipelineConfiguration, settings: Settings
) -> Output | None:
    """Return the setting, which is only for runs that make a text of a document."""
    return settings.output if lifecycle.can_be_active(configuration) else None


async def _resolve_models(
    request: Request[p.RunStartParams], models_by_step: Mapping[str, list[str] | str]
) -> dict[str, tuple[str, ...]]:
    resolved = {}
    for step, models in models_by_step.items():
        listed = [models] if isinstance(models, str) else models
        resolved[step] = await request.resolve_models(listed) or ()
    return resolved


@command("writeit.run.show")
async def show_run(request: Request[p.RunParams]) -> shapes.WirePipelineRun:
    """Return a run with its steps and answers."""
    engine = request.folder().engine
    return run_to_wire(await engine.load_run(request.params.run_id))


@command("writeit.run.list")
async def list_runs(request: Request[p.RunListParams]) -> p.RunListResult:
    """List runs, newest first."""
    params = request.params
    folder = request.folder()
    page = folder.store.list_runs(
        RunQuery(
            status=params.status,
            pipeline=params.pipeline,
            uri=params.uri,
            text=params.text,
            limit=params.limit,
            older_than=params.before,
        )
    )
    return p.RunListResult(
        runs=[
            summary_to_wire(summary, find_document_run(folder.store, summary))
            for summary in page.runs
        ],
        next=page.next_older_than,
    )


@command("writeit.run.pause")
async def pause_run(request: Request[p.RunParams]) -> shapes.WirePipelineRun:
    """Stop generating and keep the received text."""
    engine = request.folder().engine
    return run_to_wire(await engine.pause_run(request.params.run_id))


@command("writeit.run.resume")
async def resume_run(request: Request[p.RunParams]) -> shapes.WirePipelineRun:
    """Resume a stopped run. Nothing is sent."""
    engine = request.folder().engine
    return run_to_wire(await engine.execute(request.params.run_id, lifecycle.resume))


@command("writeit.run.export")
async def export_stored_run(request: Request[p.RunExportParams]) -> p.RunExportResult:
    """Return a run as yaml, json or markdown, and write it if a path is given."""
    params, folder = request.params, request.folder()
    settings = await folder.load_settings()
    bundle = await build_bundle(
        folder.engine, params.run_id, folder.path, history=params.include_history
    )
    content = export_run(
        bundle,
        params.format
        or settings.export_format
        or folder.engine.preferences.export_format,
        __version__,
    )
    uri = None
    if params.path is not None:
        uri = path_to_uri(write_in_workspace(folder.path, params.path, content))
    return p.RunExportResult(uri=uri, content=content)


# --- runs and their branches ---


@command("writeit.run.branch")
async def branch_run(request: Request[p.RunBranchParams]) -> shapes.WirePipelineRun:
    """Branch a run at a step; the branch becomes the session's active run.

    A run about a passage is never active, nor are its branches.
    """
    params = request.params
    engine = request.folder().engine
    return run_to_wire(await engine.branch_run(params.run_id, params.step, params.name))


@command("writeit.run.rewind")
async def rewind_run(request: Request[p.RunRewindParams]) -> shapes.WirePipelineRun:
    """Start over from a step, in a branch; the run itself stays unchanged."""
    params = request.params
    engine = request.folder().engine
    return run_to_wire(await engine.branch_run(params.run_id, params.step, None))


@command("writeit.run.tree")
async def show_tree(request: Request[p.RunTreeParams]) -> RunTree:
    """Return a run's whole tree, or with `depth` only its own branches."""
    params, folder = request.params, request.folder()
    await folder.engine.load_run(params.run_id)
    if params.depth is not None:
        return tree_to_wire(read_run_tree(folder.store, params.run_id, params.depth))
    return tree_to_wire(read_full_tree(folder.store, params.run_id))


@command("writeit.run.delete")
async def delete_run(request: Request[p.RunDeleteParams]) -> p.RunDeleteResult:
    """Delete a run, with `descendants` its branches, too; else a tombstone may stay."""
    params = request.params
    deleted = await request.folder().engine.delete_run(
        params.run_id, descendants=params.descendants
    )
    request.folder().remove_pages_of_deleted_runs()
    return p.RunDeleteResult(
        deleted_runs=deleted.runs, deleted_responses=deleted.responses
    )


@command("writeit.run.stale")
async def show_stale_steps(request: Request[p.RunParams]) -> p.RunStaleResult:
    """Return the steps that would get another prompt today, as the editor has it."""
    folder = request.folder()
    run = await folder.engine.load_run(request.params.run_id)
    stale = await find_stale_steps(folder, run)
    return p.RunStaleResult.model_validate({"stale": stale})


@command("writeit.run.move")
async def move_documents(request: Request[p.RunMoveParams]) -> p.RunMoveResult:
    """Carry the runs of a file or a folder along that has another name now."""
    params = request.params
    path = uri_to_path(params.to_uri)
    if path is None or not path.is_absolute():
        raise InvalidParams(
            f"{params.to_uri} is not a file. Nothing was moved.",
            hint="Give the file: URI of the document's new name.",
            problems=[{"path": "to", "message": "is not a file"}],
        )
    runs = await request.session.move_documents({params.from_uri: params.to_uri})
    return p.RunMoveResult(runs=runs)


@command("writeit.run.diff")
async def diff_texts(request: Request[p.RunDiffParams]) -> p.RunDiffResult:
    """Compare two texts: answers, or what the next steps get."""
    left, left_uri = await _read_side(request, request.params.left)
    right, right_uri = await _read_side(request, request.params.right)
    lines = unified_diff(
        left.splitlines(keepends=True),
        right.splitlines(keepends=True),
        fromfile=left_uri,
        tofile=right_uri,
    )
    unified = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
    return p.RunDiffResult(unified=unified, left_uri=left_uri, right_uri=right_uri)


async def _read_side(
    request: Request[p.RunDiffParams], side: p.Side
) -> tuple[str, str]:
    folder = request.session.resolve_folder(request.params.folder, run_id=side.run_id)
    step = lifecycle.find_step(await folder.engine.load_run(side.run_id), side.step)
    if side.response is None:
        if step.content is None:
            raise InvalidTransition(
                f"Nothing is chosen in step {side.step!r} of run {side.run_id}.",
                state=step.status.value,
                attempted="diff",
                hint="Name an answer, or choose one first.",
            )
        return step.content, view_uri(ContentView(side.run_id, step.step_name))
    response_id = lifecycle.find_ended_response_id(step, side.response)
    answer = step.find_response(response_id)
    text = answer.processed_content if answer else ""
    return text, view_uri(ResponseView(side.run_id, step.step_name, response_id))
