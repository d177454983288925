"""What the editor is told while answers come: our stream and LSP's own progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.engine.stream import Delta, Finished, Notice, Started
from writeit.lsp import messages as m
from writeit.lsp.errors import Message, error_data
from writeit.lsp.protocol import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from writeit.core.errors import WriteItError
    from writeit.engine.stream import StreamEvent
    from writeit.lsp.server import WriteItServer

REPORT_SECONDS = 0.1
"""Work-done progress is reported at most ten times a second."""


class Stream:
    """Sends our stream to the caller's `streamToken`; silent without one."""

    def __init__(self, server: WriteItServer, token: str | None) -> None:
        self._server = server
        self._token = token

    def see(self, event: StreamEvent) -> None:
        """Pass one event on, in the contract's words."""
        self._send(_as_message(event))

    def ended(self, run_id: UUID, step: str, error: WriteItError | None) -> None:
        """End a stream whose caller does not wait for the reply."""
        if error is None:
            self._send(m.StreamEnded(kind="ended", run_id=run_id, step=step))
        else:
            data = error_data(error)
            self._send(
                m.StreamEnded(kind="ended", run_id=run_id, step=step, error=data)
            )

    def _send(self, message: Message) -> None:
        if self._token is not None:
            self._server.progress(
                types.ProgressParams(token=self._token, value=message.as_json())
            )


def _as_message(event: StreamEvent) -> Message:
    match event:
        case Started():
            return m.StreamStarted(
                kind="started",
                run_id=event.run_id,
                step=event.step,
                responses=[
                    m.StartedResponse(response_id=response_id, model=model)
                    for response_id, model in event.responses
                ],
            )
        case Delta():
            return m.StreamDelta(
                kind="delta",
                response_id=event.response_id,
                seq=event.seq,
                text=event.text,
            )
        case Notice():
            return m.StreamNotice(
                kind="notice",
                response_id=event.response_id,
                code=event.code,
                title=event.title,
                message=event.message,
                retry_after=event.retry_after,
            )
        case Finished():
            return _finished(event)


def _finished(event: Finished) -> Message:
    reason = event.reason
    return m.StreamFinished(
        kind="finished",
        response_id=event.response_id,
        index=event.index,
        status=event.status,
        usage=TokenUsage.model_validate(event.usage) if event.usage else None,
        error=m.FinishedError(reason=reason, message=event.message) if reason else None,
    )


class WorkDone:
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
        self._last = 0.0

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
            progress.tokens[self._token].add_done_callback(self._cancelled)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Show that it ended."""
        if self._token is not None:
            self._server.work_done_progress.end(
                self._token, types.WorkDoneProgressEnd()
            )
            # pygls keeps tokens for ever.
            self._server.work_done_progress.tokens.pop(self._token, None)

    def when_cancelled(self, action: Callable[[], None]) -> None:
        """Do `action` when the writer cancels in the editor's progress display."""
        self._on_cancel = action

    def report(
        self, message: str, percentage: int | None = None, *, last: bool = False
    ) -> None:
        """Show how far it is; too quick a report is left out unless it is the last."""
        now = time.monotonic()
        if self._token is None or (now - self._last < REPORT_SECONDS and not last):
            return
        self._last = now
        self._server.work_done_progress.report(
            self._token,
            types.WorkDoneProgressReport(message=message, percentage=percentage),
        )

    def _cancelled(self, _: object) -> None:
        if self._on_cancel is not None:
            self._on_cancel()


def _can_show(server: WriteItServer) -> bool:
    window = server.client_capabilities.window
    return bool(window and window.work_done_progress)


class Tally:
    """Counts what came, for the work-done display: answers, words, cost."""

    def __init__(self, work_done: WorkDone) -> None:
        self._work_done = work_done
        self._asked = 0
        self._ended = 0
        self._characters = 0
        self._cost: float | None = None

    def see(self, event: StreamEvent) -> None:
        """Count one event and show the sum now and then."""
        last = False
        match event:
            case Started():
                self._asked = len(event.responses)
            case Delta():
                self._characters += len(event.text)
            case Notice():
                self._work_done.report(f"{event.title}. {event.message}", last=True)
                return
            case Finished():
                self._ended += 1
                last = True
                if event.usage and event.usage.cost_usd is not None:
                    self._cost = (self._cost or 0.0) + event.usage.cost_usd
        self._work_done.report(self._message(), self._percentage(), last=last)

    def _message(self) -> str:
        parts = [
            f"{self._ended} of {self._asked} answers",
            f"{self._characters} characters",
        ]
        if self._cost is not None:
            parts.append(f"${self._cost:.4f}")
        return " · ".join(parts)

    def _percentage(self) -> int | None:
        return 100 * self._ended // self._asked if self._asked else None
