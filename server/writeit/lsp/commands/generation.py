"""Commands that call models: they reply when all answers ended, or at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from writeit.domain.errors import WriteItError
from writeit.domain.run import PipelineRun, StepState
from writeit.engine.precedence import ModelSelection
from writeit.engine.requests import GenerationRequest as EngineRequest
from writeit.engine.streaming import StreamEvent
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Request
from writeit.lsp.fallback_messages import show_answers_message
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.progress import ProgressCounter, StreamSender, WorkDoneProgress
from writeit.lsp.shapes import step_to_wire


async def run_generation(
    request: Request[Any],
    folder: WorkspaceFolder,
    generation: EngineRequest,
    on_answered: Callable[[StepState], Awaitable[None]] | None = None,
) -> shapes.WireStepState | p.Accepted:
    """Generate answers and reply as `wait` says; an error always is the reply.

    `on_answered` runs when all answers have ended, before the client is told.
    """
    client, params = request.session.client, request.params
    stream = StreamSender(client, params.stream_token)
    accepted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    if params.wait:
        state = await _generate_with_progress(
            request, folder, generation, stream, accepted
        )
        if on_answered is not None:
            await on_answered(state)
        run = await folder.engine.load_run(generation.run_id)
        return step_to_wire(run, run.steps[state.step_name])

    async def work() -> None:
        error: WriteItError | None = None
        try:
            state = await _generate_with_progress(
                request, folder, generation, stream, accepted
            )
            if on_answered is not None:
                await on_answered(state)
            else:
                show_answers_message(client, state)
        except WriteItError as refused:
            if not accepted.done():
                accepted.set_exception(refused)
                return
            error = refused
            client.show_error(refused)
        finally:
            accepted.cancel()  # has no effect once it is done
        stream.send_ended(generation.run_id, accepted.result(), error)

    client.spawn_task(work())
    step = await asyncio.shield(accepted)
    return p.Accepted(run_id=generation.run_id, step=step)


async def _generate_with_progress(
    request: Request[Any],
    folder: WorkspaceFolder,
    generation: EngineRequest,
    stream: StreamSender,
    accepted: asyncio.Future[str],
) -> StepState:
    run = await folder.engine.load_run(generation.run_id)
    title = f"WriteIt: {generation.step or run.current_step}"
    client = request.session.client
    async with WorkDoneProgress(client, request.work_done_token, title) as work_done:
        counter = ProgressCounter(work_done)

        def on_event(event: StreamEvent) -> None:
            stream.send_event(event)
            counter.count_event(event)

        running = await folder.engine.generate(generation, on_event)
        work_done.on_cancel(running.stop)
        accepted.set_result(running.step)
        return await folder.engine.wait_for_generation(running)


async def model_selection_for(
    request: Request[Any], folder: WorkspaceFolder, run: PipelineRun
) -> ModelSelection:
    """Return what front matter, settings and preferences say about a run's models."""
    config = request.session.documents.front_matter_config_of(run)
    return await folder.model_selection(config)
