"""Progress while answers arrive: the stream of a step and LSP's work-done progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self
from uuid import UUID, uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.domain.errors import WriteItError
from writeit.engine.streaming import (
    GenerationNotice,
    GenerationStarted,
    ModelThinking,
    ResponseDelta,
    ResponseFinished,
    StreamEvent,
    ThoughtMarked,
)
from writeit.lsp import messages as m
from writeit.lsp.client import Client
from writeit.lsp.messages import WireMessage
from writeit.lsp.shapes import ExtendedSource
from writeit.text.lines import make_visible
from writeit.views import wording

MIN_REPORT_INTERVAL = 0.1
"""Work-done progress is reported at most ten times a second."""


class StreamSender:
    """Sends the events of a step to the caller's `streamToken`, if there is one."""

    def __init__(self, client: Client, token: str | None) -> None:
        self._client = client
        self._token = token

    def send_event(self, event: StreamEvent) -> None:
        """Send one event."""
        self._send(_event_to_message(event))

    def send_ended(self, run_id: UUID, step: str, error: WriteItError | None) -> None:
        """End the stream of a command that does not wait."""
        ended = m.StreamEnded(kind="ended", run_id=run_id, step=step)
        if error is not None:
            ended = ended.model_copy(update={"error": m.error_to_data(error)})
        self._send(ended)

    def _send(self, message: WireMessage) -> None:
        if self._token is not None:
            self._client.send_stream_event(self._token, message)


def _event_to_message(  # noqa: PLR0911 -- one return a kind of event
    event: StreamEvent,
) -> WireMessage:
    match event:
        case GenerationStarted():
            return m.StreamStarted(
                kind="started",
                run_id=event.run_id,
                step=event.step,
                responses=[
                    m.StartedResponse(
                        response_id=response_id,
                        model=model,
                        number=number,
                        letter=event.letters.get(response_id),
                    )
                    for response_id, model, number in event.responses
                ],
            )
        case ResponseDelta():
            delta = m.StreamDelta(
                kind="delta",
                response_id=event.response_id,
                seq=event.seq,
                text=event.text,
            )
            if event.is_thought:
                return delta.model_copy(update={"thinking": True})
            return delta
        case ModelThinking():
            source = ExtendedSource(event, kind="thinking")
            return m.StreamThinking.model_validate(source)
        case ThoughtMarked():
            source = ExtendedSource(event, kind="thought")
            return m.StreamThought.model_validate(source)
        case GenerationNotice():
            source = ExtendedSource(event, kind="notice")
            return m.StreamNotice.model_validate(source)
        case ResponseFinished():
            error = event if event.reason else None  # it has the error's fields
            source = ExtendedSource(event, kind="finished", error=error)
            return m.StreamFinished.model_validate(source)


class WorkDoneProgress:
    """Work-done progress of one task.

    Uses the caller's token, else a new one if the client can show progress.
    """

    def __init__(
        self, client: Client, token: types.ProgressToken | None, title: str
    ) -> None:
        self._client = client
        self._token = token
        self._title = title
        self._on_cancel: Callable[[], None] | None = None
        self._last_report = 0.0

    async def __aenter__(self) -> Self:
        """Show that the task starts."""
        progress = self._client.work_done_progress
        if self._token is None and self._client.capabilities.progress:
            token = f"writeit-{uuid4()}"
            try:
                await progress.create_async(token)
            except JsonRpcException:
                return self  # the client declined; the task continues
            self._token = token
        if self._token is not None:
            progress.begin(
                self._token,
                types.WorkDoneProgressBegin(
                    title=make_visible(self._title), cancellable=True
                ),
            )
            progress.tokens[self._token].add_done_callback(self._handle_cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Show that the task ended."""
        if self._token is not None:
            self._client.work_done_progress.end(
                self._token, types.WorkDoneProgressEnd()
            )
            # pygls would keep the token.
            self._client.work_done_progress.tokens.pop(self._token, None)

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Call `action` when the user cancels in the progress display."""
        self._on_cancel = action

    def report(
        self, message: str, percentage: int | None = None, *, force: bool = False
    ) -> None:
        """Show progress; a report too soon after the last is dropped, unless forced."""
        now = time.monotonic()
        if self._token is None or (
            now - self._last_report < MIN_REPORT_INTERVAL and not force
        ):
            return
        self._last_report = now
        self._client.work_done_progress.report(
            self._token,
            types.WorkDoneProgressReport(
                message=make_visible(message), percentage=percentage
            ),
        )

    def _handle_cancel(self, _: object) -> None:
        if self._on_cancel is not None:
            self._on_cancel()


class ProgressCounter:
    """Counts answers, characters and cost for the work-done display."""

    def __init__(self, work_done: WorkDoneProgress) -> None:
        self._work_done = work_done
        self._names: dict[UUID, str] = {}
        self._is_blind = False
        """Whether times and costs would tell the models of a blind choice."""
        self._ended_count = 0
        self._characters = 0
        self._cost: float | None = None

    def count_event(self, event: StreamEvent) -> None:
        """Count one event and report the totals."""
        is_end = False
        match event:
            case GenerationStarted():
                self._is_blind = bool(event.letters)
                self._names = {
                    key: f"Answer {event.letters[key]}" if self._is_blind else model
                    for key, model, _ in event.responses
                }
            case ResponseDelta():
                self._characters += 0 if event.is_thought else len(event.text)
            case ThoughtMarked():
                self._characters = 0
            case ModelThinking():
                text = wording.thinking_text(event.seconds, event.tokens)
                text = "thinking" if self._is_blind else text
                name = self._names[event.response_id]
                self._work_done.report(f"{name} is {text}", force=True)
                return
            case GenerationNotice():
                self._work_done.report(f"{event.title}. {event.message}", force=True)
                return
            case ResponseFinished():
                self._ended_count += 1
                is_end = True
                if self._is_blind:
                    pass  # what one answer cost would be seen
                elif event.usage and event.usage.cost_usd is not None:
                    self._cost = (self._cost or 0.0) + event.usage.cost_usd
        self._work_done.report(self._message(), self._percentage(), force=is_end)

    def _message(self) -> str:
        parts = [
            f"{self._ended_count} of {len(self._names)} answers",
            f"{self._characters} characters",
        ]
        if self._cost is not None:
            parts.append(f"${self._cost:.4f}")
        return " · ".join(parts)

    def _percentage(self) -> int | None:
        total = len(self._names)
        return 100 * self._ended_count // total if total else None
