"""`writeit.step.*`: asking models and choosing among their answers."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from writeit.core.errors import WriteItError
from writeit.engine.engine import Ask
from writeit.engine.resolve import Wishes
from writeit.lsp import protocol as p
from writeit.lsp.commands.run import as_run
from writeit.lsp.dispatch import Command, Request
from writeit.lsp.documents import binding_of
from writeit.lsp.progress import Stream, Tally, WorkDone

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun
    from writeit.core.run import StepState as Step
    from writeit.engine.stream import StreamEvent
    from writeit.lsp.folder import Folder

logger = logging.getLogger(__name__)


async def run_step(request: Request[p.StepRunParams]) -> p.Wire:
    """Ask a step's models; the reply comes when all answers ended, or at once."""
    params, connection = request.params, request.connection
    folder = connection.folder(params, run_id=params.run_id)
    stream = Stream(connection.server, params.stream_token)
    if params.wait:
        return as_step(await _ask(request, folder, stream, None))
    accepted: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        step = params.step or ""
        error: WriteItError | None = None
        try:
            state = await _ask(request, folder, stream, accepted)
            step = state.step_name
        except WriteItError as refused:
            if not accepted.done():
                accepted.set_exception(refused)
                return
            error = refused
            connection.show(_said(refused), types.MessageType.Error)
        finally:
            accepted.cancel()  # nothing, once it is done
        stream.ended(params.run_id, step, error)

    connection.spawn(work())
    step = await asyncio.shield(accepted)
    return p.Accepted(run_id=params.run_id, step=step)


async def _ask(
    request: Request[p.StepRunParams],
    folder: Folder,
    stream: Stream,
    accepted: asyncio.Future[str] | None,
) -> Step:
    params, server = request.params, request.connection.server
    run = folder.engine.show(params.run_id)
    title = f"WriteIt: {params.step or run.current_step}"
    async with WorkDone(server, request.work_done_token, title) as work_done:
        tally = Tally(work_done)

        def see(event: StreamEvent) -> None:
            stream.see(event)
            tally.see(event)

        asking = await folder.engine.run_step(
            params.run_id,
            params.step,
            Ask(
                models=tuple(params.models) if params.models else None,
                samples=params.samples,
            ),
            await wishes_for(request, folder, run),
            see,
        )
        work_done.when_cancelled(asking.stop)
        if accepted is not None:
            accepted.set_result(asking.step)
        return await folder.engine.outcome(asking)


async def wishes_for(request: Request[Any], folder: Folder, run: PipelineRun) -> Wishes:
    """Gather what front matter, settings and preferences say about a run."""
    binding = binding_of(request.connection, run.uri)
    return Wishes(
        models=binding.models,
        providers=binding.providers,
        settings=await request.connection.settings(folder),
        preferences=folder.engine.session.preferences,
    )


async def select(request: Request[p.StepSelectParams]) -> p.PipelineRun:
    """Choose an answer; the step is completed by it."""
    params = request.params
    folder = request.connection.folder(params, run_id=params.run_id)
    run = await folder.engine.select(
        params.run_id,
        params.step,
        params.response,
        content=params.content,
        feedback=params.feedback,
    )
    return as_run(run)


def as_step(state: Step) -> p.StepState:
    """Return a step in the wire's shape."""
    return p.StepState.model_validate(state)


def _said(error: WriteItError) -> str:
    return f"{error.message} {error.hint}".strip()


HANDLERS: dict[str, Command[Any]] = {
    "writeit.step.run": Command(p.StepRunParams, p.StepState, run_step),
    "writeit.step.select": Command(p.StepSelectParams, p.PipelineRun, select),
}
