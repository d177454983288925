"""What an asking tells those who watch it, and how deltas are joined on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import asyncio
    from uuid import UUID

    from writeit.core.errors import FailureReason
    from writeit.core.usage import TokenUsage

EndStatus = Literal["complete", "partial", "failed"]
NoticeCode = Literal["retrying", "rateLimited", "queued", "unknownCost"]
"""What a notice is about."""

JOIN_SECONDS = 0.04
"""The longest a delta waits for company; the contract allows 50 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The calls of one asking, in the order they were asked."""

    run_id: UUID
    step: str
    responses: tuple[tuple[UUID, str], ...]
    """Pairs of response id and model id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The next piece of an answer; joined they are its raw output, byte for byte."""

    response_id: UUID
    seq: int
    """Counts from 0 without gaps."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to show while waiting."""

    response_id: UUID | None
    code: NoticeCode
    title: str
    message: str
    retry_after: float | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """An answer ended, one way or another; nothing of it follows."""

    response_id: UUID
    index: int | None
    """Its place among the step's answers; None where nothing was kept."""
    status: EndStatus
    usage: TokenUsage | None = None
    reason: FailureReason | None = None
    message: str | None = None


StreamEvent = Started | Delta | Notice | Finished
Observer = Callable[[StreamEvent], None]


def nobody(_event: StreamEvent) -> None:
    """Watch nothing."""


class Joiner:
    """Joins the deltas of one answer: the first never waits, later ones a moment."""

    def __init__(
        self,
        response_id: UUID,
        observer: Observer,
        loop: asyncio.AbstractEventLoop,
        most: int,
    ) -> None:
        self._response_id = response_id
        self._observer = observer
        self._loop = loop
        self._most = most
        self._seq = 0
        self._waiting: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def feed(self, text: str) -> None:
        """Take the next piece; show it now if it is time, else soon."""
        self._waiting.append(text)
        if len(self._waiting) >= self._most or self._loop.time() >= self._due:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_at(self._due, self.flush)

    def flush(self) -> None:
        """Show what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        text = "".join(self._waiting)
        self._waiting.clear()
        self._due = self._loop.time() + JOIN_SECONDS
        seq, self._seq = self._seq, self._seq + 1
        self._observer(Delta(response_id=self._response_id, seq=seq, text=text))
