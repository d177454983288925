"""What the editor is told while answers come: our stream and LSP's own progress."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.domain.errors import WriteItError
from writeit.engine.precedence import ModelSelection
from writeit.engine.streaming import (
    GenerationNotice,
    GenerationStarted,
    ResponseDelta,
    ResponseFinished,
)
from writeit.lsp import messages as m
from writeit.lsp import protocol as p
from writeit.lsp.documents import front_matter_config_of
from writeit.lsp.errors import WireMessage, error_to_data
from writeit.lsp.fallback_messages import show_answers_message
from writeit.lsp.protocol import WireTokenUsage
from writeit.lsp.shapes import step_to_wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from writeit.domain.run import PipelineRun, StepState
    from writeit.engine.requests import GenerationRequest as EngineRequest
    from writeit.engine.streaming import StreamEvent
    from writeit.lsp.dispatch import Request
    from writeit.lsp.server import WriteItServer
    from writeit.lsp.session import WorkspaceFolder


# --- What the editor is told while answers come: our stream and LSP's own progress ----

MIN_REPORT_INTERVAL = 0.1
"""Work-done progress is reported at most ten times a second."""


class StreamSender:
    """Sends our stream to the caller's `streamToken`; silent without one."""

    def __init__(self, server: WriteItServer, token: str | None) -> None:
        self._server = server
        self._token = token

    def send_event(self, event: StreamEvent) -> None:
        """Pass one event on, in the contract's words."""
        self._send(_event_to_message(event))

    def send_ended(self, run_id: UUID, step: str, error: WriteItError | None) -> None:
        """End a stream whose caller does not wait for the reply."""
        if error is None:
            self._send(m.StreamEnded(kind="ended", run_id=run_id, step=step))
        else:
            data = error_to_data(error)
            self._send(
                m.StreamEnded(kind="ended", run_id=run_id, step=step, error=data)
            )

    def _send(self, message: WireMessage) -> None:
        if self._token is not None:
            self._server.progress(
                types.ProgressParams(token=self._token, value=message.to_json())
            )


def _event_to_message(event: StreamEvent) -> WireMessage:
    match event:
        case GenerationStarted():
            return m.StreamStarted(
                kind="started",
                run_id=event.run_id,
                step=event.step,
                responses=[
                    m.StartedResponse(response_id=response_id, model=model)
                    for response_id, model in event.responses
                ],
            )
        case ResponseDelta():
            return m.StreamDelta(
                kind="delta",
                response_id=event.response_id,
                seq=event.seq,
                text=event.text,
            )
        case GenerationNotice():
            return m.StreamNotice(
                kind="notice",
                response_id=event.response_id,
                code=event.code,
                title=event.title,
                message=event.message,
                retry_after=event.retry_after,
            )
        case ResponseFinished():
            return _finished_to_message(event)


def _finished_to_message(event: ResponseFinished) -> WireMessage:
    reason = event.reason
    return m.StreamFinished(
        kind="finished",
        response_id=event.response_id,
        index=event.index,
        status=event.status,
        usage=WireTokenUsage.model_validate(event.usage) if event.usage else None,
        error=m.FinishedError(reason=reason, message=event.message) if reason else None,
    )


class WorkDoneProgress:
    """LSP's work-done progress for one piece of work, gone when it ends.

    Uses the caller's token, else one made here if the editor can show it.
    """

    def __init__(
        self, server: WriteItServer, token: types.ProgressToken | None, title: str
    ) -> None:
        self._server = server
        self._token = token
        self._title = title
        self._on_cancel: Callable[[], None] | None = None
        self._last_report = 0.0

    async def __aenter__(self) -> Self:
        """Show that work begins, where the editor can show it."""
        progress = self._server.work_done_progress
        if self._token is None and _can_show(self._server):
            token = f"writeit-{uuid4()}"
            try:
                await progress.create_async(token)
            except JsonRpcException:
                return self  # the editor would rather not; the work goes on
            self._token = token
        if self._token is not None:
            progress.begin(
                self._token,
                types.WorkDoneProgressBegin(title=self._title, cancellable=True),
            )
            progress.tokens[self._token].add_done_callback(self._handle_cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Show that it ended."""
        if self._token is not None:
            self._server.work_done_progress.end(
                self._token, types.WorkDoneProgressEnd()
            )
            # pygls keeps tokens for ever.
            self._server.work_done_progress.tokens.pop(self._token, None)

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Do `action` when the writer cancels in the editor's progress display."""
        self._on_cancel = action

    def report(
        self, message: str, percentage: int | None = None, *, force: bool = False
    ) -> None:
        """Show how far it is; too quick a report is left out unless it is the last."""
        now = time.monotonic()
        if self._token is None or (
            now - self._last_report < MIN_REPORT_INTERVAL and not force
        ):
            return
        self._last_report = now
        self._server.work_done_progress.report(
            self._token,
            types.WorkDoneProgressReport(message=message, percentage=percentage),
        )

    def _handle_cancel(self, _: object) -> None:
        if self._on_cancel is not None:
            self._on_cancel()


def _can_show(server: WriteItServer) -> bool:
    window = server.client_capabilities.window
    return bool(window and window.work_done_progress)


class ProgressCounter:
    """Counts what came, for the work-done display: answers, words, cost."""

    def __init__(self, work_done: WorkDoneProgress) -> None:
        self._work_done = work_done
        self._response_count = 0
        self._ended_count = 0
        self._characters = 0
        self._cost: float | None = None

    def count_event(self, event: StreamEvent) -> None:
        """Count one event and show the sum now and then."""
        last = False
        match event:
            case GenerationStarted():
                self._response_count = len(event.responses)
            case ResponseDelta():
                self._characters += len(event.text)
            case GenerationNotice():
                self._work_done.report(f"{event.title}. {event.message}", force=True)
                return
            case ResponseFinished():
                self._ended_count += 1
                last = True
                if event.usage and event.usage.cost_usd is not None:
                    self._cost = (self._cost or 0.0) + event.usage.cost_usd
        self._work_done.report(self._message(), self._percentage(), force=last)

    def _message(self) -> str:
        parts = [
            f"{self._ended_count} of {self._response_count} answers",
            f"{self._characters} characters",
        ]
        if self._cost is not None:
            parts.append(f"${self._cost:.4f}")
        return " · ".join(parts)

    def _percentage(self) -> int | None:
        return (
            100 * self._ended_count // self._response_count
            if self._response_count
            else None
        )


# --- Commands that ask models: replied to when all ended, or at once if told so -------


async def run_generation(
    request: Request[Any],
    folder: WorkspaceFolder,
    generation: EngineRequest,
    on_answered: Callable[[StepState], Awaitable[None]] | None = None,
) -> p.WireStepState | p.Accepted:
    """Ask, and reply as `wait` says. A refusal is always the reply.

    `then` is done when all answers have ended, before that is told.
    """
    connection, params = request.session, request.params
    stream = StreamSender(connection.server, params.stream_token)
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
                show_answers_message(connection, state)
        except WriteItError as refused:
            if not accepted.done():
                accepted.set_exception(refused)
                return
            error = refused
            connection.show_message(message_with_hint(refused), types.MessageType.Error)
        finally:
            accepted.cancel()  # nothing, once it is done
        stream.send_ended(generation.run_id, accepted.result(), error)

    connection.spawn_task(work())
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
    server = request.session.server
    async with WorkDoneProgress(server, request.work_done_token, title) as work_done:
        tally = ProgressCounter(work_done)

        def see(event: StreamEvent) -> None:
            stream.send_event(event)
            tally.count_event(event)

        asking = await folder.engine.generate(generation, see)
        work_done.on_cancel(asking.stop)
        accepted.set_result(asking.step)
        return await folder.engine.wait_for_generation(asking)


async def model_selection_for(
    request: Request[Any], folder: WorkspaceFolder, run: PipelineRun
) -> ModelSelection:
    """Gather what front matter, settings and preferences say about a run."""
    binding = front_matter_config_of(request.session, run)
    return ModelSelection(
        models=binding.models,
        providers=binding.providers,
        settings=await request.session.load_settings(folder),
        preferences=folder.engine.session.preferences,
    )


def message_with_hint(error: WriteItError) -> str:
    """Return an error as one message for the writer."""
    return f"{error.message} {error.hint}".strip()
