"""`writeit.document.*`: a passage polished in its place, front matter put in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from writeit.domain.errors import WriteItError
from writeit.domain.operations import lifecycle, select
from writeit.domain.run import PipelineStatus, StepState
from writeit.engine.requests import GenerateStep
from writeit.library.front_matter_writer import with_front_matter
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.client import message_with_hint
from writeit.lsp.command import Command, Handlers, Request
from writeit.lsp.commands import run as running
from writeit.lsp.commands.generation import model_selection_for, run_generation
from writeit.lsp.edits import apply as applying
from writeit.lsp.edits.files import edit_document, require_document_text
from writeit.lsp.fallback_messages import document_name
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.open import display_view
from writeit.lsp.progress import StreamSender
from writeit.lsp.session import Session
from writeit.lsp.shapes import run_to_wire
from writeit.text.merge3 import merge
from writeit.views.uris import ComparedSide, CompareView, StepView, View

# --- `writeit.step.apply`, `writeit.edit.restore`: texts into documents, and out again


async def apply_step_text(request: Request[p.StepApplyParams]) -> shapes.WireModel:
    """Bring a step's text into the document; what the writer types meanwhile stays."""
    params, session = request.params, request.session
    folder = request.folder()
    run = await folder.engine.load_run(params.run_id)
    if params.uri is not None:
        session.require_user_document(params.uri)
    job = applying.prepare_apply(
        session.documents, folder, run, params.step, params.mode, params.uri
    )

    async def work() -> p.StepApplyResult:
        result = await applying.apply_text(job, wait_for_user=not params.wait)
        if not params.wait:  # else the reply tells the client
            show_apply_result(
                session, result, f"The text is in {document_name(result.uri)}."
            )
            show_conflicts(session, job, result)
        return apply_result_to_wire(session, result)

    return await reply_when_done(request, job.step, work)


async def restore_user_text(request: Request[p.StepParams]) -> shapes.WireModel:
    """Bring back the writer's text as it was before the apply."""
    params, session = request.params, request.session
    folder = request.folder()
    run = await folder.engine.load_run(params.run_id)
    applied = lifecycle.find_restorable(run, params.step)

    async def work() -> p.EditRestoreResult:
        result = await applying.restore_text(
            session.documents, folder, run, applied, wait_for_user=not params.wait
        )
        now = "removed again" if applied.mode == "new_file" else "as it was"
        done = f"{document_name(result.uri)} is {now}."
        show_apply_result(session, result, "" if params.wait else done)
        return p.EditRestoreResult(
            applied=result.outcome.is_applied,
            uri=session.documents.client_uri(result.uri),
        )

    return await reply_when_done(request, applied.step, work)


async def reply_when_done(
    request: Request[Any],
    step: str | None,
    operation: Callable[[], Awaitable[shapes.WireModel]],
) -> shapes.WireModel:
    """Do the work and reply with its result; at once, if the caller does not wait."""
    params, session = request.params, request.session
    if params.wait:
        return await operation()

    async def later() -> None:
        error = None
        try:
            await operation()
        except WriteItError as refused:
            error = refused
            session.client.show_error(refused)
        if step is not None:
            stream = StreamSender(session.client, params.stream_token)
            stream.send_ended(params.run_id, step, error)

    session.client.spawn_task(later())
    if step is None:  # it is about a document, not about a run
        return p.Accepted()
    return p.Accepted(run_id=params.run_id, step=step)


def show_apply_result(
    session: Session, result: applying.ApplyResult, success_message: str
) -> None:
    """Say what the writer would not see by herself; `done` if no plug-in does."""
    count = len(result.outcome.conflicts)
    if result.outcome.is_pending:
        session.client.show_info(
            "The text waits: you were typing, or said no. Nothing is lost; apply it"
            " again."
        )
    elif count:
        places = "1 place" if count == 1 else f"{count} places"
        session.client.show_info(
            f"You changed {places} meanwhile that the text changes as well; what you"
            " wrote stays. Compare the two to see what the text has there."
        )
    else:
        session.client.show_fallback_message(success_message)


def show_conflicts(
    session: Session, job: applying.ApplyJob, result: applying.ApplyResult
) -> None:
    """Open the user's text beside the answer's version, where they differ.

    A client that waits has the conflicts in its reply, and shows them itself.
    """
    if result.outcome.conflicts:
        view = conflict_view(job.run_id, job.step)
        session.client.spawn_task(display_view_or_warn(session, job.folder, view))


async def display_view_or_warn(
    session: Session, folder: WorkspaceFolder, view: View
) -> None:
    """Open a view that nobody asked for; if that fails, say why."""
    try:
        await display_view(session.documents, folder, view)
    except WriteItError as error:
        session.client.show_warning(message_with_hint(error))


def conflict_view(run_id: UUID, step: str) -> CompareView:
    """Return the view of a document and of what a step's text would make of it."""
    return CompareView(
        ComparedSide(run_id, step, "document"), ComparedSide(run_id, step, "proposed")
    )


def apply_result_to_wire(
    session: Session, result: applying.ApplyResult
) -> p.StepApplyResult:
    """Return what became of a text in the wire's shape."""
    return p.StepApplyResult(
        applied=result.outcome.is_applied,
        uri=session.documents.client_uri(result.uri),
        merged=result.is_merged,
        conflicts=[shapes.Conflict.model_validate(c) for c in result.outcome.conflicts],
        pending=result.outcome.is_pending,
    )


APPLY_HANDLERS: Handlers = {
    "writeit.step.apply": Command(
        p.StepApplyParams, p.StepApplyResult, apply_step_text
    ),
    "writeit.edit.restore": Command(
        p.StepParams, p.EditRestoreResult, restore_user_text
    ),
}


# --- `writeit.document.*`: a passage polished in its place, front matter put in -------

LAST_LINE = 2**31 - 1
WHOLE_DOCUMENT = shapes.Range(
    start=shapes.Position(line=0, character=0),
    end=shapes.Position(line=LAST_LINE, character=0),
)


async def polish_passage(request: Request[p.DocumentPolishParams]) -> shapes.WireModel:
    """Ask for a passage in better words; with `apply` put one answer in its place."""
    params, session = request.params, request.session
    folder = request.folder()
    start = Request(session, _to_run_start_params(params))
    source = running.read_source(start)
    identify = session.ports.models.resolve_model_id
    models = [await identify(model) for model in params.models or ()]
    run = await running.create_run(start, source)
    run_id = run.pipeline_run_id
    asked = GenerateStep(
        run_id=run_id,
        step=None,
        models=tuple(models) or None,
        samples=params.samples,
        model_selection=await model_selection_for(request, folder, run),
    )

    async def then(state: StepState) -> None:
        if params.apply:
            await _select_and_apply(
                session, folder, run_id, state, wait_for_user=not params.wait
            )

    try:
        reply = await run_generation(request, folder, asked, then)
    except WriteItError:
        await _delete_unsent_run(folder, run_id)
        raise
    if not params.wait:
        return reply
    return run_to_wire(await folder.engine.load_run(run_id))


async def _delete_unsent_run(folder: WorkspaceFolder, run_id: UUID) -> None:
    """Take away a run that was made only to be asked, and of which nothing was sent."""
    run = await folder.engine.load_run(run_id)
    if run.status is PipelineStatus.INITIALIZING:
        await folder.engine.delete_run(run_id)


def _to_run_start_params(params: p.DocumentPolishParams) -> p.RunStartParams:
    instruction = params.instruction
    return p.RunStartParams(
        folder=params.folder,
        pipeline=params.pipeline,
        uri=params.uri,
        range=params.range or WHOLE_DOCUMENT,
        primer=params.primer,
        inputs={} if instruction is None else {"instruction": instruction},
    )


async def _select_and_apply(
    session: Session,
    folder: WorkspaceFolder,
    run_id: UUID,
    state: StepState,
    *,
    wait_for_user: bool,
) -> None:
    """Select and apply the one answer; of several the writer chooses herself.

    So is one that was cut short: it would remove the end of the passage.
    """
    if len(state.ai_responses) != 1 or state.ai_responses[0].partial:
        count = len(state.ai_responses)
        what = (
            "The answer was cut short; it is there"
            if count == 1
            else f"{count} answers are there"
        )
        session.client.show_info(f"{what} to choose from.")
        view = StepView(run_id, state.step_name)
        session.client.spawn_task(display_view_or_warn(session, folder, view))
        return
    run = await folder.engine.execute(
        run_id, lambda run, at: select.select_response(run, state, 0, at)
    )
    job = applying.prepare_apply(
        session.documents, folder, run, state.step_name, None, None
    )
    result = await applying.apply_text(job, wait_for_user=wait_for_user)
    show_apply_result(session, result, f"The answer is in {document_name(result.uri)}.")
    show_conflicts(session, job, result)


async def insert_front_matter(
    request: Request[p.DocumentFrontMatterParams],
) -> shapes.WireModel:
    """Bind a document to a pipeline: a complete block, what is there kept."""
    params, session = request.params, request.session
    folder = request.folder()
    configuration = folder.load_library().pipeline(params.pipeline)
    session.require_user_document(params.uri)
    base = require_document_text(session.documents, params.uri)
    wanted = with_front_matter(base, configuration, params.inputs)

    async def work() -> p.FrontMatterResult:
        outcome = await edit_document(
            session.documents,
            folder,
            params.uri,
            lambda text: merge(base, text, wanted),
            wait_for_user=not params.wait,
        )
        return p.FrontMatterResult(applied=outcome.is_applied)

    return await reply_when_done(request, None, work)


HANDLERS: Handlers = {
    "writeit.document.polish": Command(
        p.DocumentPolishParams, shapes.WirePipelineRun, polish_passage
    ),
    "writeit.document.frontMatter": Command(
        p.DocumentFrontMatterParams, p.FrontMatterResult, insert_front_matter
    ),
}
