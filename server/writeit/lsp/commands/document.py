"""`writeit.document.*`, `writeit.step.apply`, `writeit.edit.restore`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from writeit.domain.errors import InvalidParams, WriteItError
from writeit.domain.operations import lifecycle, select
from writeit.domain.pipeline import AppliesTo, PipelineConfiguration
from writeit.domain.run import AppliedText, PipelineRun, PipelineStatus, StepState
from writeit.engine.requests import GenerateStep
from writeit.library.front_matter_writer import with_front_matter
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp import store_protocol as sp
from writeit.lsp.client import message_with_hint
from writeit.lsp.command import Request, command
from writeit.lsp.commands import run as running
from writeit.lsp.commands.step import model_selection_for, run_generation
from writeit.lsp.edits import apply as applying
from writeit.lsp.edits.edit_retry import EditOutcome
from writeit.lsp.edits.files import confirm_output, edit_document, require_document_text
from writeit.lsp.edits.review import find_review, keep_changes, undo_changes
from writeit.lsp.fallback_messages import document_name
from writeit.lsp.folder import WorkspaceFolder, applied_polishes
from writeit.lsp.pages.views import display_view
from writeit.lsp.progress import StreamSender
from writeit.lsp.session import Session
from writeit.lsp.shapes import run_to_wire
from writeit.text.changes import undo_blocks
from writeit.text.fitting import Misfit
from writeit.text.merge3 import merge
from writeit.views import wording
from writeit.views.uris import ComparedSide, CompareView, StepView, View

R = TypeVar("R", bound=shapes.WireModel)

# --- `writeit.step.apply`, `writeit.edit.restore` ---


@command("writeit.step.apply")
async def apply_step_text(
    request: Request[p.StepApplyParams],
) -> shapes.StepApplyResult | p.Accepted:
    """Apply a step's text to the document; what the user types meanwhile is kept."""
    params, session = request.params, request.session
    folder = request.folder()
    run = await folder.engine.load_run(params.run_id)
    if params.uri is not None:
        session.require_user_document(params.uri)
    if params.confirmed:
        confirm_output(folder, run)
    job = applying.prepare_apply(folder, run, params.step, params.mode, params.uri)

    async def work() -> shapes.StepApplyResult:
        if params.ask and not await _confirm_early_apply(session, job):
            return shapes.StepApplyResult(
                applied=False,
                uri=session.documents.client_uri(job.uri),
                merged=False,
                conflicts=[],
                pending=False,
                reason="declined",
            )
        result = await applying.apply_text(job, wait_for_user=not params.wait)
        if not params.wait or result.misfit:  # else the reply tells the client
            show_apply_result(session, result, applied_message(job, result))
            show_conflicts(session, job, result)
            if result.outcome.is_applied and job.mode == "new_file":
                session.client.spawn_task(session.client.open_document(result.uri))
        return apply_result_to_wire(session, result)

    return await reply_when_done(request, job.step, work)


async def _confirm_early_apply(session: Session, job: applying.ApplyJob) -> bool:
    """Ask whether to apply the text of a run with steps that are not done."""
    open_step = job.run.steps[job.run.current_step]
    if job.run.is_finished or not session.client.capabilities.ask:
        return True
    state = wording.step_status_text(open_step)
    return await session.client.ask(
        f"The run is not finished ({open_step.step_name}: {state})."
        f" This is the text of {job.step}.",
        f"Apply the text of {job.step}",
    )


def applied_message(job: applying.ApplyJob, result: applying.ApplyResult) -> str:
    """Say which step's text is where."""
    verb = "written to" if job.mode == "new_file" else "inserted in"
    return f"The text of {job.step} was {verb} {document_name(result.uri)}."


@command("writeit.edit.restore")
async def restore_user_text(
    request: Request[p.EditRestoreParams],
) -> p.EditRestoreResult | p.Accepted:
    """Restore the user's text before an apply."""
    params, session = request.params, request.session
    folder = request.folder()
    run = await folder.engine.load_run(params.run_id)
    applied = lifecycle.find_restorable(run, params.step)

    async def work() -> p.EditRestoreResult:
        result = await applying.restore_text(
            folder, run, applied, wait_for_user=not params.wait
        )
        outcome = result.outcome
        if params.older and outcome.conflicts and not outcome.is_applied:
            result = await _restore_older(request, run, applied) or result
        name = document_name(result.uri)
        done = f"Restored {name}; your later edits were kept."
        if applied.mode == "new_file":
            done = f"Removed {name}. Its text is still in the run."
        show_apply_result(session, result, "" if params.wait else done)
        return p.EditRestoreResult(
            applied=result.outcome.is_applied,
            uri=session.documents.client_uri(result.uri),
        )

    return await reply_when_done(request, applied.step, work)


async def _restore_older(
    request: Request[p.EditRestoreParams], run: PipelineRun, applied: AppliedText
) -> applying.ApplyResult | None:
    """Restore the text before the newest older polish of which there is text left."""
    folder = request.folder()
    for older, its_text in list(applied_polishes(folder, applied.uri)):
        if older.pipeline_run_id == run.pipeline_run_id or its_text.at >= applied.at:
            continue
        result = await applying.restore_text(
            folder, older, its_text, wait_for_user=not request.params.wait
        )
        if result.outcome.is_applied or result.outcome.is_pending:
            return result
    return None


async def reply_when_done(
    request: Request[Any],
    step: str | None,
    operation: Callable[[], Awaitable[R]],
) -> R | p.Accepted:
    """Run the operation and return its result; at once if the caller does not wait."""
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


MISFIT_MESSAGES: dict[Misfit, str] = {
    "container": "The new text was not inserted: its form does not fit this place."
    " It is kept. Compare it with your text, or choose another answer.",
    "unfit": "The new text was not inserted: it would change how the text around it is"
    " read. It is kept. Compare it with your text, or choose another answer.",
}


def show_apply_result(
    session: Session, result: applying.ApplyResult, success_message: str
) -> None:
    """Tell the user the outcome; of a success only if the client has no plug-in."""
    count = len(result.outcome.conflicts)
    if result.outcome.is_pending:
        session.client.show_info(
            "The new text was not inserted: you were typing, or declined it. It is"
            " kept; apply it again."
        )
    elif count:
        places = wording.count_of(count, "passage")
        session.client.show_info(
            f"Conflict: you changed {places} that the new text changes, too. Your"
            " version was kept. Compare the two texts to see the other."
        )
    elif result.misfit:
        session.client.show_info(MISFIT_MESSAGES[result.misfit])
    else:
        session.client.show_fallback_message(success_message)


def show_conflicts(
    session: Session, job: applying.ApplyJob, result: applying.ApplyResult
) -> None:
    """Open the user's text beside the answer's version, if that was not applied.

    A client that waits has the conflicts in its reply, and shows them itself.
    """
    if result.outcome.conflicts or result.misfit:
        view = CompareView(
            ComparedSide(job.run_id, job.step, "document"),
            ComparedSide(job.run_id, job.step, "proposed"),
        )
        session.client.spawn_task(display_view_or_warn(session, job.folder, view))


async def display_view_or_warn(
    session: Session, folder: WorkspaceFolder, view: View
) -> None:
    """Open a view that the user did not request; if that fails, show a warning."""
    try:
        await display_view(folder, view, take_focus=False)
    except WriteItError as error:
        session.client.show_warning(message_with_hint(error))


def apply_result_to_wire(
    session: Session, result: applying.ApplyResult
) -> shapes.StepApplyResult:
    """Return the wire shape of a result."""
    return shapes.StepApplyResult(
        applied=result.outcome.is_applied,
        uri=session.documents.client_uri(result.uri),
        merged=result.is_merged,
        conflicts=[shapes.Conflict.model_validate(c) for c in result.outcome.conflicts],
        pending=result.outcome.is_pending,
        reason=_not_applied_reason(result),
    )


def _not_applied_reason(result: applying.ApplyResult) -> shapes.NotAppliedReason | None:
    if result.outcome.is_applied:
        return None
    if result.outcome.is_pending:
        return "typing"
    return result.misfit or "conflict"


# --- `writeit.document.*` ---

LAST_LINE = 2**31 - 1
WHOLE_DOCUMENT = shapes.Range(
    start=shapes.Position(line=0, character=0),
    end=shapes.Position(line=LAST_LINE, character=0),
)


@command("writeit.document.polish")
async def polish_passage(
    request: Request[p.DocumentPolishParams],
) -> shapes.WirePipelineRun | p.Accepted:
    """Generate another text for a passage; with `apply` insert it."""
    params, session = request.params, request.session
    folder = request.folder()
    start = Request(session, _to_run_start_params(params))
    source = running.read_source(start)  # before anything is awaited: it has a range
    library = await folder.load_library()
    _require_kind(library.pipeline(params.pipeline), "selection")
    models = await request.resolve_models(params.models)
    run_id = (await running.create_run(start, source)).pipeline_run_id
    generation = GenerateStep(
        run_id=run_id,
        models=models,
        samples=params.samples,
        model_selection=await model_selection_for(request, folder, run_id),
    )

    async def then(state: StepState) -> None:
        if params.apply:
            await _select_and_apply(
                session, folder, run_id, state, wait_for_user=not params.wait
            )

    try:
        reply = await run_generation(request, folder, generation, then)
    except WriteItError:
        await _delete_unsent_run(folder, run_id)
        raise
    if isinstance(reply, p.Accepted):
        return reply
    return run_to_wire(await folder.engine.load_run(run_id))


async def _delete_unsent_run(folder: WorkspaceFolder, run_id: UUID) -> None:
    """Delete a run that was started for a generation of which nothing was sent."""
    run = await folder.engine.load_run(run_id)
    if run.status is PipelineStatus.INITIALIZING:
        await folder.engine.delete_run(run_id)


def _require_kind(configuration: PipelineConfiguration, kind: AppliesTo) -> None:
    """Refuse a pipeline for documents where a passage is meant, and the reverse.

    Raises:
        InvalidParams: it is for the other kind.
    """
    if configuration.applies_to != kind:
        other = "a passage" if kind == "document" else "whole documents"
        this = "a whole document" if kind == "document" else "a passage"
        raise InvalidParams(
            f"{configuration.name} is for {other}, not for {this}. Nothing was done.",
            hint=f"Name a pipeline with `applies_to: {kind}`.",
            problems=[{"path": "pipeline", "message": f"is for {other}"}],
        )


def _to_run_start_params(params: p.DocumentPolishParams) -> p.RunStartParams:
    instruction = params.instruction
    return p.RunStartParams(
        folder=params.folder,
        pipeline=params.pipeline,
        uri=params.uri,
        range=params.range or WHOLE_DOCUMENT,
        primer=params.primer,
        inputs={} if instruction is None else {"instruction": instruction},
        confirmed=params.confirmed,
    )


async def _select_and_apply(
    session: Session,
    folder: WorkspaceFolder,
    run_id: UUID,
    state: StepState,
    *,
    wait_for_user: bool,
) -> None:
    """Select and apply the only answer.

    The user chooses among several, and decides on an incomplete one: it would remove
    the end of the passage.
    """
    if len(state.ai_responses) != 1 or state.ai_responses[0].is_cut:
        count = len(state.ai_responses)
        session.client.show_info(
            "The answer is incomplete. Continue it, or choose it to use it."
            if count == 1
            else f"{count} answers. Choose one."
        )
        view = StepView(run_id, state.step_name)
        session.client.spawn_task(display_view_or_warn(session, folder, view))
        return
    run = await folder.engine.execute(
        run_id, lambda run, at: select.select_response(run, state, 0, at)
    )
    job = applying.prepare_apply(folder, run, state.step_name, None, None)
    result = await applying.apply_text(job, wait_for_user=wait_for_user)
    show_apply_result(session, result, applied_message(job, result))
    show_conflicts(session, job, result)


@command("writeit.document.frontMatter")
async def insert_front_matter(
    request: Request[p.DocumentFrontMatterParams],
) -> p.FrontMatterResult | p.Accepted:
    """Insert or complete a document's front matter for a pipeline."""
    params, session = request.params, request.session
    folder = request.folder()
    configuration = (await folder.load_library()).pipeline(params.pipeline)
    _require_kind(configuration, "document")
    session.require_user_document(params.uri)
    base = require_document_text(session.documents, params.uri)
    wanted = await asyncio.to_thread(
        with_front_matter, base, configuration, params.inputs
    )

    async def work() -> p.FrontMatterResult:
        outcome = await edit_document(
            folder,
            params.uri,
            lambda text: merge(base, text, wanted),
            wait_for_user=not params.wait,
        )
        return p.FrontMatterResult(applied=outcome.is_applied)

    return await reply_when_done(request, None, work)


# --- the review of what was applied ---


@command("writeit.document.changes")
async def list_changes(
    request: Request[sp.DocumentChangesParams],
) -> sp.DocumentChangesResult:
    """List what was changed in a document and is neither kept nor undone."""
    review = await find_review(request.folder(), request.params.uri)
    if review is None:
        return sp.DocumentChangesResult(changes=[], before=None)
    blocks = [change.block for change in review.changes]
    return sp.DocumentChangesResult(
        changes=[
            sp.DocumentChange(
                change=change.id,
                first_line=change.block.first,
                end_line=change.block.stop,
                before=change.block.before,
                run_id=change.apply.run_id,
                step=change.apply.applied.step,
            )
            for change in review.changes
        ],
        before=undo_blocks(review.text, blocks),
    )


@command("writeit.document.keep")
async def keep_document_changes(
    request: Request[sp.DocumentKeepParams],
) -> sp.DocumentKeepResult:
    """Keep a change, or all: they are not offered any more."""
    params = request.params
    kept = await keep_changes(request.folder(), params.uri, params.change)
    return sp.DocumentKeepResult(kept=kept)


@command("writeit.document.revert")
async def undo_document_changes(
    request: Request[sp.DocumentKeepParams],
) -> sp.DocumentRevertResult | p.Accepted:
    """Undo a change, or all, as one edit; what the user typed in them is kept."""
    params, folder = request.params, request.folder()

    async def work() -> sp.DocumentRevertResult:
        outcome = await undo_changes(
            folder, params.uri, params.change, wait_for_user=not params.wait
        )
        if not params.wait:
            _show_outcome(request.session, outcome)
        return sp.DocumentRevertResult(
            applied=outcome.is_applied,
            conflicts=len(outcome.conflicts),
            pending=outcome.is_pending,
        )

    return await reply_when_done(request, None, work)


def _show_outcome(session: Session, outcome: EditOutcome) -> None:
    """Tell the user what was not undone; a success is visible in the document."""
    if outcome.is_pending:
        session.client.show_info(
            "Nothing was undone: you were typing, or declined it. Try again."
        )
    elif outcome.conflicts:
        blocks = wording.count_of(len(outcome.conflicts), "changed block")
        session.client.show_info(
            f"Not undone: you edited {blocks} after the text was inserted. Your version"
            " was kept; edit it by hand."
        )
