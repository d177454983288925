"""The events of a generation, batching of deltas, and retries of one model call."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final, Literal
from uuid import UUID

from writeit.domain.answer import Call
from writeit.domain.blind import HIDDEN, letter_of
from writeit.domain.entity import TokenUsage
from writeit.domain.errors import FailureReason, ModelError, NotFound
from writeit.ports.models import (
    ModelCall,
    ModelDone,
    ModelNotice,
    Models,
    TextDelta,
    ThoughtDelta,
)

ResponseEndStatus = Literal["complete", "partial", "failed"]
NoticeCode = Literal[
    "retrying", "rateLimited", "queued", "unknownCost", "moreRoom", "parameterDropped"
]

DELTA_BATCH_SECONDS = 0.04
"""The longest a delta is held back; the contract allows 50 ms."""

REQUEST_TIMEOUT_STATUS = 408


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationStarted:
    """The calls of a generation were made."""

    run_id: UUID
    step: str
    responses: tuple[tuple[UUID, str, int], ...]
    """Response id, model id and number, in the order of the calls or of the letters."""
    letters: Mapping[UUID, str] = field(default_factory=dict)
    """The letters of those whose models are hidden until the choice."""
    max_cost_usd: float | None = None
    """The most that these calls can cost; None if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDelta:
    """The next piece of an answer; the pieces joined are its raw output."""

    response_id: UUID
    seq: int
    """Counts from 0 without gaps."""
    text: str
    is_thought: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ThoughtMarked:
    """All text of an answer up to an offset turned out to be a thought."""

    response_id: UUID
    up_to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelThinking:
    """A model is thinking; at most one event a second."""

    response_id: UUID
    seconds: float
    """Since the call was made."""
    tokens: int | None
    """About how many; None if the provider tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationNotice:
    """A message to show while the user waits."""

    response_id: UUID | None
    code: NoticeCode
    title: str
    message: str
    retry_after: float | None = None
    """Seconds."""


_BLIND_NOTICES: Final[Mapping[str, str]] = {
    "retrying": "trying again",
    "rateLimited": "waiting",
    "queued": "waiting",
    "moreRoom": "called with a higher limit",
    "parameterDropped": "a parameter was left out",
}
"""What is said of a call whose model is hidden."""


def to_generation_notice(call: Call, notice: ModelNotice) -> GenerationNotice:
    """Return a notice about a call, without its model if that is hidden."""
    title, message = notice.title, notice.message
    if call.place:
        title = f"Answer {letter_of(call.place)}: {_BLIND_NOTICES[notice.code]}"
        message = HIDDEN
    return GenerationNotice(
        response_id=call.response_id,
        code=notice.code,
        title=title,
        message=message,
        retry_after=notice.retry_after,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFinished:
    """The end of a call; no event of this answer follows."""

    response_id: UUID
    number: int
    index: int | None
    """Its index among the step's answers; None if nothing was kept."""
    status: ResponseEndStatus
    usage: TokenUsage | None = None
    finish_reason: str | None = None
    """Why the answer ended, as it is kept with it."""
    reason: FailureReason | None = None
    message: str | None = None


StreamEvent = (
    GenerationStarted
    | ResponseDelta
    | ThoughtMarked
    | ModelThinking
    | GenerationNotice
    | ResponseFinished
)
Observer = Callable[[StreamEvent], None]


def ignore_event(_event: StreamEvent) -> None:
    """Do nothing; the default observer."""


class DeltaBatcher:
    """Joins the deltas of one answer; the first one is never held back."""

    def __init__(
        self,
        response_id: UUID,
        observer: Observer,
        loop: asyncio.AbstractEventLoop,
        max_pieces: int,
    ) -> None:
        self._response_id = response_id
        self._observer = observer
        self._loop = loop
        self._max_pieces = max_pieces
        self._seq = 0
        self._pending: list[str] = []
        self._is_thought = False
        """Whether the pending pieces are thoughts."""
        self._timer: asyncio.TimerHandle | None = None
        self._next_flush = 0.0

    def add(self, text: str, *, is_thought: bool = False) -> None:
        """Send a piece now if the batch time is over or the batch is full."""
        if is_thought is not self._is_thought:
            self.flush()
            self._is_thought = is_thought
        self._pending.append(text)
        is_full = len(self._pending) >= self._max_pieces
        if is_full or self._loop.time() >= self._next_flush:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_at(self._next_flush, self.flush)

    def flush(self) -> None:
        """Send the pieces that were held back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        self._next_flush = self._loop.time() + DELTA_BATCH_SECONDS
        seq, self._seq = self._seq, self._seq + 1
        delta = ResponseDelta(
            response_id=self._response_id,
            seq=seq,
            text=text,
            is_thought=self._is_thought,
        )
        self._observer(delta)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a call is made and how long retries wait, in seconds."""

    max_attempts: int = 3
    max_wait: float = 4.0
    """Of each of our own delays; two of them stay under the contract's 10 s."""
    max_retry_after: float = 60.0
    """If a provider asks for a longer delay, the call fails and the error says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReceiver:
    """What is called with the items of a call."""

    on_text: Callable[[str], None]
    on_thought: Callable[[str], None]
    """Its text is empty where the provider only says that it is at work."""
    on_notice: Callable[[ModelNotice], None]


async def call_with_retries(
    models: Models, call: ModelCall, policy: RetryPolicy, receiver: CallReceiver
) -> ModelDone:
    """Make a call and return its end; retry only while no token has arrived.

    Raises:
        ModelError: the last attempt failed; text passed on before is valid. Its usage
            is that of all attempts.
        NotFound: the provider is not known.
    """
    has_token = False

    def receive(text: str, pass_on: Callable[[str], None]) -> None:
        nonlocal has_token
        has_token = has_token or bool(text)
        pass_on(text)

    counting = replace(
        receiver,
        on_text=lambda text: receive(text, receiver.on_text),
        on_thought=lambda text: receive(text, receiver.on_thought),
    )
    spent: TokenUsage | None = None
    for attempt in count(1):
        try:
            done = await _call_once(models, call, counting)
            return replace(done, usage=done.usage.plus(spent))
        except ModelError as error:
            spent = total_usage(spent, usage_of(error))
            delay = _retry_delay(error, attempt, policy)
            if has_token or delay is None or attempt == policy.max_attempts:
                set_usage(error, spent)
                raise
            receiver.on_notice(_retry_notice(call, error, attempt + 1, delay))
            await asyncio.sleep(delay)
    raise AssertionError("the last attempt returns or raises")


def total_usage(
    first: TokenUsage | None, other: TokenUsage | None
) -> TokenUsage | None:
    """Return the usage of two calls; None if neither is known."""
    return other if first is None else first.plus(other)


def usage_of(error: ModelError | NotFound | None) -> TokenUsage | None:
    """Return what a failed call used, if it is known."""
    usage = error.data.get("usage") if error else None
    return TokenUsage.model_validate(usage) if usage else None


def set_usage(error: ModelError, usage: TokenUsage | None) -> None:
    """Record what a failed call used."""
    if usage is not None:
        error.data["usage"] = usage.model_dump(mode="json")


async def _call_once(
    models: Models, call: ModelCall, receiver: CallReceiver
) -> ModelDone:
    async with models.stream(call) as items:
        async for item in items:
            match item:
                case TextDelta(text):
                    receiver.on_text(text)
                case ThoughtDelta(text):
                    receiver.on_thought(text)
                case ModelNotice():
                    receiver.on_notice(item)
                case ModelDone():
                    return item
    raise ModelError(
        "The answer stopped before its end.",
        reason="malformed",
        hint="Run the step again to complete it.",
    )


def is_transient(error: ModelError) -> bool:
    """Say whether the same call may soon succeed."""
    if error.reason == "timeout":
        # A model that was silent until our own limit would be silent again.
        return error.data.get("status") == REQUEST_TIMEOUT_STATUS
    transient = {"rate_limit", "overloaded", "unavailable"}
    return error.reason in transient and not error.data.get("host")


def _retry_delay(error: ModelError, attempt: int, policy: RetryPolicy) -> float | None:
    """Return the seconds to wait after a failed attempt; None to give up."""
    if not is_transient(error):
        return None
    retry_after = error.data.get("retryAfter")
    if retry_after is None:
        longest = min(policy.max_wait, 0.5 * 2 ** (attempt - 1))
        return random.uniform(0, longest)  # noqa: S311 -- spreads calls, hides nothing
    return float(retry_after) if retry_after <= policy.max_retry_after else None


def _retry_notice(
    call: ModelCall, error: ModelError, next_attempt: int, delay: float
) -> ModelNotice:
    is_limited = error.reason == "rate_limit"
    action = f"waiting {delay:.0f} s" if is_limited else "trying again"
    return ModelNotice(
        code="rateLimited" if is_limited else "retrying",
        title=f"{call.model}: {action}",
        message=f"{error.message} Attempt {next_attempt} in {delay:.1f} s.",
        retry_after=delay,
    )
