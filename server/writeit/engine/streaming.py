"""What an asking tells those who watch it, and how deltas are joined on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_random_exponential

from writeit.domain.entity import TokenUsage
from writeit.domain.errors import FailureReason, ModelError
from writeit.ports.models import ModelCall, ModelDone, ModelNotice, Models, TextDelta

# --- What an asking tells those who watch it, and how deltas are joined on the way ----

ResponseEndStatus = Literal["complete", "partial", "failed"]
NoticeCode = Literal["retrying", "rateLimited", "queued", "unknownCost"]
"""What a notice is about."""

DELTA_BATCH_SECONDS = 0.04
"""The longest a delta waits for company; the contract allows 50 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationStarted:
    """The calls of one asking, in the order they were asked."""

    run_id: UUID
    step: str
    responses: tuple[tuple[UUID, str], ...]
    """Pairs of response id and model id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDelta:
    """The next piece of an answer; joined they are its raw output, byte for byte."""

    response_id: UUID
    seq: int
    """Counts from 0 without gaps."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationNotice:
    """Something to show while waiting."""

    response_id: UUID | None
    code: NoticeCode
    title: str
    message: str
    retry_after: float | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFinished:
    """An answer ended, one way or another; nothing of it follows."""

    response_id: UUID
    index: int | None
    """Its place among the step's answers; None where nothing was kept."""
    status: ResponseEndStatus
    usage: TokenUsage | None = None
    reason: FailureReason | None = None
    message: str | None = None


StreamEvent = GenerationStarted | ResponseDelta | GenerationNotice | ResponseFinished
Observer = Callable[[StreamEvent], None]


def ignore_event(_event: StreamEvent) -> None:
    """Watch nothing."""


class DeltaBatcher:
    """Joins the deltas of one answer: the first never waits, later ones a moment."""

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
        self._timer: asyncio.TimerHandle | None = None
        self._next_flush = 0.0

    def add(self, text: str) -> None:
        """Take the next piece; show it now if it is time, else soon."""
        self._pending.append(text)
        if (
            len(self._pending) >= self._max_pieces
            or self._loop.time() >= self._next_flush
        ):
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_at(self._next_flush, self.flush)

    def flush(self) -> None:
        """Show what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        self._next_flush = self._loop.time() + DELTA_BATCH_SECONDS
        seq, self._seq = self._seq, self._seq + 1
        self._observer(ResponseDelta(response_id=self._response_id, seq=seq, text=text))


# --- One call to one model, with the retries that the writer can see ------------------

REQUEST_TIMEOUT_STATUS = 408


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long a call is tried; seconds."""

    max_attempts: int = 3
    max_wait: float = 4.0
    """Of our own waits, each; two of them stay under the contract's 10 s."""
    max_retry_after: float = 60.0
    """A provider that asks for more is not waited for: the error says when."""


async def call_with_retries(
    models: Models,
    call: ModelCall,
    policy: RetryPolicy,
    on_text: Callable[[str], None],
    on_notice: Callable[[ModelNotice], None],
) -> ModelDone:
    """Make `call`, handing text on as it comes, and return how it ended.

    Raises:
        ModelError: the call failed for good; text handed on before is valid.
        NotFound: the provider is not known.
    """
    spoken = False

    def hear(text: str) -> None:
        nonlocal spoken
        spoken = True
        on_text(text)

    def worth_another_try(error: BaseException) -> bool:
        return not spoken and isinstance(error, ModelError) and is_transient(error)

    retrying = AsyncRetrying(
        retry=retry_if_exception(worth_another_try),
        stop=_StopRetrying(policy),
        wait=_RetryDelay(policy),
        before_sleep=lambda state: on_notice(_retry_notice(call, state)),
        reraise=True,
    )
    return await retrying(_call_once, models, call, hear, on_notice)


async def _call_once(
    models: Models,
    call: ModelCall,
    on_text: Callable[[str], None],
    on_notice: Callable[[ModelNotice], None],
) -> ModelDone:
    async with models.stream(call) as items:
        async for item in items:
            match item:
                case TextDelta(text):
                    on_text(text)
                case ModelNotice():
                    on_notice(item)
                case ModelDone():
                    return item
    raise ModelError(
        "The answer stopped without an end.",
        reason="malformed",
        hint="Run the step again to ask this model once more.",
    )


def is_transient(error: ModelError) -> bool:
    """Say whether asking again soon may help."""
    if error.reason == "timeout":
        # A model that hung until our own limit is not asked to hang again.
        return error.data.get("status") == REQUEST_TIMEOUT_STATUS
    return error.reason in {"rate_limit", "unavailable"} and not error.data.get("host")


def _retry_error(state: RetryCallState) -> ModelError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, ModelError):
        msg = "only model errors are retried"
        raise TypeError(msg)
    return error


class _StopRetrying(stop_base):
    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy

    def __call__(self, retry_state: RetryCallState) -> bool:
        if retry_state.attempt_number >= self._policy.max_attempts:
            return True
        asked = _retry_error(retry_state).data.get("retryAfter")
        return asked is not None and asked > self._policy.max_retry_after


class _RetryDelay(wait_base):
    def __init__(self, policy: RetryPolicy) -> None:
        self._backoff = wait_random_exponential(multiplier=0.5, max=policy.max_wait)

    def __call__(self, retry_state: RetryCallState) -> float:
        asked = _retry_error(retry_state).data.get("retryAfter")
        return self._backoff(retry_state) if asked is None else float(asked)


def _retry_notice(call: ModelCall, state: RetryCallState) -> ModelNotice:
    error = _retry_error(state)
    seconds = state.next_action.sleep if state.next_action else 0.0
    limited = error.reason == "rate_limit"
    return ModelNotice(
        code="rateLimited" if limited else "retrying",
        title=f"{call.model}: waiting {seconds:.0f} s"
        if limited
        else f"{call.model}: trying again",
        message=f"{error.message} Attempt {state.attempt_number + 1} in"
        f" {seconds:.1f} s.",
        retry_after=seconds,
    )
