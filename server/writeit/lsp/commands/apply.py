"""`writeit.step.apply`, `writeit.edit.restore`: texts into documents, and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from writeit.core import decide
from writeit.core.errors import WriteItError
from writeit.lsp import apply as applying
from writeit.lsp import plainly
from writeit.lsp import protocol as p
from writeit.lsp.asking import said
from writeit.lsp.dispatch import Command, Request, folder_of_run
from writeit.lsp.documents import spelled
from writeit.lsp.plainly import file_name
from writeit.lsp.progress import Stream
from writeit.lsp.showing import open_view
from writeit.lsp.subject import check_is_hers
from writeit.views.uris import CompareView, Side

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.uris import View


async def apply(request: Request[p.StepApplyParams]) -> p.Wire:
    """Bring a step's text into the document; what the writer types meanwhile stays."""
    params, connection = request.params, request.connection
    folder = folder_of_run(request)
    run = await folder.engine.show(params.run_id)
    if params.uri is not None:
        check_is_hers(connection, params.uri)
    job = applying.prepare(
        connection, folder, run, params.step, params.mode, params.uri
    )

    async def work() -> p.StepApplyResult:
        result = await applying.apply(job, patient=not params.wait)
        if not params.wait:  # who waits has it in the reply, and says it in her way
            tell(connection, result, f"The text is in {file_name(result.uri)}.")
            show_conflicts(job, result)
        return as_result(connection, result)

    return await answer(request, job.step, work)


async def restore(request: Request[p.StepParams]) -> p.Wire:
    """Bring back the writer's text as it was before the apply."""
    params, connection = request.params, request.connection
    folder = folder_of_run(request)
    run = await folder.engine.show(params.run_id)
    applied = decide.restorable(run, params.step)

    async def work() -> p.EditRestoreResult:
        result = await applying.restore(
            connection, folder, run, applied, patient=not params.wait
        )
        now = "removed again" if applied.mode == "new_file" else "as it was"
        done = f"{file_name(result.uri)} is {now}."
        tell(connection, result, "" if params.wait else done)
        return p.EditRestoreResult(
            applied=result.outcome.landed, uri=spelled(connection, result.uri)
        )

    return await answer(request, applied.step, work)


async def answer(
    request: Request[Any], step: str | None, work: Callable[[], Awaitable[p.Wire]]
) -> p.Wire:
    """Do the work and reply with its result; at once, if the caller does not wait."""
    params, connection = request.params, request.connection
    if params.wait:
        return await work()

    async def later() -> None:
        error = None
        try:
            await work()
        except WriteItError as refused:
            error = refused
            connection.show(said(refused), types.MessageType.Error)
        if step is not None:
            stream = Stream(connection.server, params.stream_token)
            stream.ended(params.run_id, step, error)

    connection.spawn(later())
    if step is None:  # it is about a document, not about a run
        return p.Accepted()
    return p.Accepted(run_id=params.run_id, step=step)


def tell(connection: Connection, result: applying.Result, done: str) -> None:
    """Say what the writer would not see by herself; `done` if no plug-in does."""
    count = len(result.outcome.conflicts)
    if result.outcome.pending:
        connection.show(
            "The text waits: you were typing, or said no. Nothing is lost; apply it"
            " again.",
            types.MessageType.Info,
        )
    elif count:
        places = "1 place" if count == 1 else f"{count} places"
        connection.show(
            f"You changed {places} meanwhile that the text changes as well; what you"
            " wrote stays. Compare the two to see what the text has there.",
            types.MessageType.Info,
        )
    else:
        plainly.tell(connection, done)


def show_conflicts(job: applying.Job, result: applying.Result) -> None:
    """Open her text beside the one the answer would make of it, where they differ.

    A client that waits has the conflicts in its reply, and shows them itself.
    """
    if result.outcome.conflicts:
        view = conflicts_of(job.run_id, job.step)
        job.connection.spawn(show_view(job.connection, job.folder, view))


async def show_view(connection: Connection, folder: Folder, view: View) -> None:
    """Open a view that nobody asked for; if that fails, say why."""
    try:
        await open_view(connection, folder, view)
    except WriteItError as error:
        connection.show(said(error), types.MessageType.Warning)


def conflicts_of(run_id: UUID, step: str) -> CompareView:
    """Return the view of a document and of what a step's text would make of it."""
    return CompareView(Side(run_id, step, "document"), Side(run_id, step, "proposed"))


def as_result(connection: Connection, result: applying.Result) -> p.StepApplyResult:
    """Return what became of a text in the wire's shape."""
    return p.StepApplyResult(
        applied=result.outcome.landed,
        uri=spelled(connection, result.uri),
        merged=result.merged,
        conflicts=[p.Conflict.model_validate(c) for c in result.outcome.conflicts],
        pending=result.outcome.pending,
    )


HANDLERS: dict[str, Command[Any]] = {
    "writeit.step.apply": Command(p.StepApplyParams, p.StepApplyResult, apply),
    "writeit.edit.restore": Command(p.StepParams, p.EditRestoreResult, restore),
}
