"""Commands that ask models: replied to when all ended, or at once if told so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from writeit.core.errors import WriteItError
from writeit.engine.resolve import Wishes
from writeit.lsp import protocol as p
from writeit.lsp.documents import binding_of
from writeit.lsp.plainly import tell_answers
from writeit.lsp.progress import Stream, Tally, WorkDone
from writeit.lsp.shapes import as_step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from writeit.core.run import PipelineRun, StepState
    from writeit.engine.requests import Request as EngineRequest
    from writeit.engine.stream import StreamEvent
    from writeit.lsp.dispatch import Request
    from writeit.lsp.folder import Folder


async def ask(
    request: Request[Any],
    folder: Folder,
    asked: EngineRequest,
    then: Callable[[StepState], Awaitable[None]] | None = None,
) -> p.StepState | p.Accepted:
    """Ask, and reply as `wait` says. A refusal is always the reply.

    `then` is done when all answers have ended, before that is told.
    """
    connection, params = request.connection, request.params
    stream = Stream(connection.server, params.stream_token)
    accepted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    if params.wait:
        state = await _asked(request, folder, asked, stream, accepted)
        if then is not None:
            await then(state)
        run = await folder.engine.show(asked.run_id)
        return as_step(run, run.steps[state.step_name])

    async def work() -> None:
        error: WriteItError | None = None
        try:
            state = await _asked(request, folder, asked, stream, accepted)
            if then is not None:
                await then(state)
            else:
                tell_answers(connection, state)
        except WriteItError as refused:
            if not accepted.done():
                accepted.set_exception(refused)
                return
            error = refused
            connection.show(said(refused), types.MessageType.Error)
        finally:
            accepted.cancel()  # nothing, once it is done
        stream.ended(asked.run_id, accepted.result(), error)

    connection.spawn(work())
    step = await asyncio.shield(accepted)
    return p.Accepted(run_id=asked.run_id, step=step)


async def _asked(
    request: Request[Any],
    folder: Folder,
    asked: EngineRequest,
    stream: Stream,
    accepted: asyncio.Future[str],
) -> StepState:
    run = await folder.engine.show(asked.run_id)
    title = f"WriteIt: {asked.step or run.current_step}"
    server = request.connection.server
    async with WorkDone(server, request.work_done_token, title) as work_done:
        tally = Tally(work_done)

        def see(event: StreamEvent) -> None:
            stream.see(event)
            tally.see(event)

        asking = await folder.engine.ask(asked, see)
        work_done.when_cancelled(asking.stop)
        accepted.set_result(asking.step)
        return await folder.engine.outcome(asking)


async def wishes_for(request: Request[Any], folder: Folder, run: PipelineRun) -> Wishes:
    """Gather what front matter, settings and preferences say about a run."""
    binding = binding_of(request.connection, run)
    return Wishes(
        models=binding.models,
        providers=binding.providers,
        settings=await request.connection.settings(folder),
        preferences=folder.engine.session.preferences,
    )


def said(error: WriteItError) -> str:
    """Return an error as one message for the writer."""
    return f"{error.message} {error.hint}".strip()
