"""`writeit.run.*`: runs from start to export."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff

from writeit import __version__
from writeit.domain.errors import InvalidTransition
from writeit.domain.operations import lifecycle
from writeit.domain.pipeline import Output, PipelineConfiguration
from writeit.domain.run import PipelineRun, RunDocument
from writeit.domain.session import Settings
from writeit.engine.precedence import StartRequest, input_text, resolve_primer_name
from writeit.engine.queries import read_full_tree, read_run_tree
from writeit.engine.transfer import build_bundle
from writeit.export.render import export_run
from writeit.library.front_matter import FrontMatter, SourceDocument
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Command, Handlers, Request
from writeit.lsp.convert import path_to_uri
from writeit.lsp.edits.files import write_in_workspace
from writeit.lsp.shapes import run_to_wire, summary_to_wire, tree_to_wire
from writeit.ports.store import RunQuery

# --- `writeit.run.*`: runs from start to export ---------------------------------------


async def start_run(request: Request[p.RunStartParams]) -> shapes.WirePipelineRun:
    """Make a run of a pipeline; nothing is sent yet."""
    return run_to_wire(await create_run(request, read_source(request)))


def read_source(request: Request[p.RunStartParams]) -> SourceDocument:
    """Return the document or passage that a run is to be started on.

    A range is about the text as it is now, so this comes before anything is awaited.
    """
    params, session = request.params, request.session
    if params.uri is None:
        return SourceDocument(RunDocument(), FrontMatter("", ""))
    session.require_user_document(params.uri)
    source = session.documents.load_source_document(params.uri, params.range)
    return source.require_valid()


async def create_run(
    request: Request[p.RunStartParams], source: SourceDocument
) -> PipelineRun:
    """Make a run of a pipeline on a document that has been read."""
    params, session = request.params, request.session
    folder = request.folder()
    library = folder.load_library()
    configuration = library.pipeline(params.pipeline)
    binding = source.front_matter.config
    settings = await folder.load_settings()
    session.warm_up_models()
    primer = resolve_primer_name(
        params.primer,
        binding.primer,
        configuration,
        settings,
        folder.engine.session.preferences,
    )
    return await folder.engine.start_run(
        StartRequest(
            configuration=configuration,
            inputs={name: input_text(value) for name, value in params.inputs.items()},
            front_matter_inputs=binding.inputs,
            document=source.document,
            primer=library.primer(primer) if primer else None,
            models=await _resolve_models(request, params.models),
            name=params.name,
            uri=params.uri,
            output=params.output or _configured_output(configuration, settings),
            output_path=params.output_path or binding.output_path,
        ),
    )


def _configured_output(
    configuration: PipelineConfiguration, settings: Settings
) -> Output | None:
    """The setting is about articles; a polished passage stays where it was."""
    return settings.output if configuration.applies_to == "document" else None


async def _resolve_models(
    request: Request[p.RunStartParams], models_by_step: Mapping[str, list[str] | str]
) -> dict[str, tuple[str, ...]]:
    models = request.session.ports.models
    return {
        step: tuple(
            [
                await models.resolve_model_id(name)
                for name in ([names] if isinstance(names, str) else names)
            ]
        )
        for step, names in models_by_step.items()
    }


async def show_run(request: Request[p.RunParams]) -> shapes.WirePipelineRun:
    """Return a run with its steps and answers."""
    engine = request.folder().engine
    return run_to_wire(await engine.load_run(request.params.run_id))


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
        runs=[summary_to_wire(summary) for summary in page.runs],
        next=page.next_older_than,
    )


async def pause_run(request: Request[p.RunParams]) -> shapes.WirePipelineRun:
    """Stop generating and keep the received text."""
    engine = request.folder().engine
    return run_to_wire(await engine.pause_run(request.params.run_id))


async def resume_run(request: Request[p.RunParams]) -> shapes.WirePipelineRun:
    """Let a paused run go on; sends nothing."""
    engine = request.folder().engine
    return run_to_wire(await engine.execute(request.params.run_id, lifecycle.resume))


async def export_stored_run(request: Request[p.RunExportParams]) -> p.RunExportResult:
    """Return a run as yaml, json or markdown, and write it if a path is given."""
    params, folder = request.params, request.folder()
    settings = await folder.load_settings()
    dossier = await build_bundle(
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
        uri = path_to_uri(write_in_workspace(folder.path, params.path, content))
    return p.RunExportResult(uri=uri, content=content)


# --- `writeit.run.branch`, `rewind`, `tree`, `delete`, `diff`: runs and their kin -----


async def branch_run(
    request: Request[p.RunBranchParams] | Request[p.RunRewindParams],
) -> shapes.WirePipelineRun:
    """Make a child run that shares the past; it is the session's active run now.

    Rewinding is the same: the run that is left behind stays as it is. A run about a
    passage is never active, nor are its children.
    """
    params = request.params
    name = params.name if isinstance(params, p.RunBranchParams) else None
    child = await request.folder().engine.branch_run(params.run_id, params.step, name)
    return run_to_wire(child)


async def show_tree(request: Request[p.RunTreeParams]) -> shapes.RunTree:
    """Show a run's whole family from its root, or what branched off it."""
    params, folder = request.params, request.folder()
    await folder.engine.load_run(params.run_id)
    if params.depth is not None:
        return tree_to_wire(read_run_tree(folder.store, params.run_id, params.depth))
    return tree_to_wire(read_full_tree(folder.store, params.run_id))


async def delete_run(request: Request[p.RunDeleteParams]) -> p.RunDeleteResult:
    """Delete a run; with children it leaves a tombstone, or they go too."""
    params = request.params
    deleted = await request.folder().engine.delete_run(
        params.run_id, descendants=params.descendants
    )
    return p.RunDeleteResult(
        deleted_runs=deleted.runs, deleted_responses=deleted.responses
    )


async def diff_texts(request: Request[p.RunDiffParams]) -> p.RunDiffResult:
    """Compare two texts: answers, or what two steps hand on."""
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
                hint="Name a response, or choose one first.",
            )
        return step.content, f"writeit:/content/{side.run_id}/{side.step}.md"
    response_id = lifecycle.find_ended_response_id(step, side.response)
    answer = step.find_response(response_id)
    text = answer.processed_content if answer else ""
    return text, f"writeit:/response/{side.run_id}/{side.step}/{response_id}.md"


TREE_HANDLERS: Handlers = {
    "writeit.run.branch": Command(
        p.RunBranchParams, shapes.WirePipelineRun, branch_run
    ),
    "writeit.run.rewind": Command(
        p.RunRewindParams, shapes.WirePipelineRun, branch_run
    ),
    "writeit.run.tree": Command(p.RunTreeParams, shapes.RunTree, show_tree),
    "writeit.run.delete": Command(p.RunDeleteParams, p.RunDeleteResult, delete_run),
    "writeit.run.diff": Command(p.RunDiffParams, p.RunDiffResult, diff_texts),
}


HANDLERS: Handlers = {
    "writeit.run.start": Command(p.RunStartParams, shapes.WirePipelineRun, start_run),
    "writeit.run.show": Command(p.RunParams, shapes.WirePipelineRun, show_run),
    "writeit.run.list": Command(p.RunListParams, p.RunListResult, list_runs),
    "writeit.run.pause": Command(p.RunParams, shapes.WirePipelineRun, pause_run),
    "writeit.run.resume": Command(p.RunParams, shapes.WirePipelineRun, resume_run),
    "writeit.run.export": Command(
        p.RunExportParams, p.RunExportResult, export_stored_run
    ),
}
