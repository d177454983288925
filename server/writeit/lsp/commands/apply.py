"""`writeit.step.apply`, `writeit.edit.restore`: texts into documents, and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from writeit.core import decide
from writeit.core.errors import WriteItError
from writeit.lsp import apply as applying
from writeit.lsp import protocol as p
from writeit.lsp.asking import said
from writeit.lsp.dispatch import Command, Request
from writeit.lsp.progress import Stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from writeit.lsp.connection import Connection


async def apply(request: Request[p.StepApplyParams]) -> p.Wire:
    """Bring a step's text into the document; what the writer types meanwhile stays."""
    params, connection = request.params, request.connection
    folder = connection.folder(params, run_id=params.run_id)
    run = await folder.engine.show(params.run_id)
    job = applying.prepare(
        connection, folder, run, params.step, params.mode, params.uri
    )

    async def work() -> p.StepApplyResult:
        result = await applying.apply(job)
        tell(connection, result)
        return as_result(result)

    return await answer(request, job.step, work)


async def restore(request: Request[p.StepParams]) -> p.Wire:
    """Bring back the writer's text as it was before the apply."""
    params, connection = request.params, request.connection
    folder = connection.folder(params, run_id=params.run_id)
    run = await folder.engine.show(params.run_id)
    applied = decide.restorable(run, params.step)

    async def work() -> p.EditRestoreResult:
        result = await applying.restore(connection, folder, run, applied)
        tell(connection, result)
        return p.EditRestoreResult(applied=result.outcome.landed, uri=result.uri)

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


def tell(connection: Connection, result: applying.Result) -> None:
    """Say to the writer what she would not see by herself."""
    count = len(result.outcome.conflicts)
    if result.outcome.pending:
        connection.show(
            "The text waits: you were typing. Nothing is lost; apply it again.",
            types.MessageType.Info,
        )
    elif count:
        places = "1 place" if count == 1 else f"{count} places"
        connection.show(
            f"You changed {places} meanwhile that the text changes as well; what you"
            " wrote stays.",
            types.MessageType.Info,
        )


def as_result(result: applying.Result) -> p.StepApplyResult:
    """Return what became of a text in the wire's shape."""
    return p.StepApplyResult(
        applied=result.outcome.landed,
        uri=result.uri,
        merged=result.merged,
        conflicts=[p.Conflict.model_validate(c) for c in result.outcome.conflicts],
        pending=result.outcome.pending,
    )


HANDLERS: dict[str, Command[Any]] = {
    "writeit.step.apply": Command(p.StepApplyParams, p.StepApplyResult, apply),
    "writeit.edit.restore": Command(p.StepParams, p.EditRestoreResult, restore),
}
