"""One call to one model, with the retries that the writer can see.

Retries happen before the first token only: later they would show her text twice.
There is no fallback to another model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_random_exponential

from writeit.core.errors import ModelError
from writeit.ports import ModelDone, ModelNotice, TextDelta

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.ports import ModelCall, Models

TIMEOUT_STATUS = 408


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long a call is tried; seconds."""

    attempts: int = 3
    longest_wait: float = 4.0
    """Of our own waits, each; two of them stay under the contract's 10 s."""
    longest_retry_after: float = 60.0
    """A provider that asks for more is not waited for: the error says when."""


async def converse(
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
        return not spoken and isinstance(error, ModelError) and is_passing(error)

    retrying = AsyncRetrying(
        retry=retry_if_exception(worth_another_try),
        stop=_GiveUp(policy),
        wait=_AsTheProviderSays(policy),
        before_sleep=lambda state: on_notice(_waiting(call, state)),
        reraise=True,
    )
    return await retrying(_once, models, call, hear, on_notice)


async def _once(
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


def is_passing(error: ModelError) -> bool:
    """Say whether asking again soon may help."""
    if error.reason == "timeout":
        # A model that hung until our own limit is not asked to hang again.
        return error.data.get("status") == TIMEOUT_STATUS
    return error.reason in {"rate_limit", "unavailable"} and not error.data.get("host")


def _error_of(state: RetryCallState) -> ModelError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, ModelError):
        msg = "only model errors are retried"
        raise TypeError(msg)
    return error


class _GiveUp(stop_base):
    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy

    def __call__(self, retry_state: RetryCallState) -> bool:
        if retry_state.attempt_number >= self._policy.attempts:
            return True
        asked = _error_of(retry_state).data.get("retryAfter")
        return asked is not None and asked > self._policy.longest_retry_after


class _AsTheProviderSays(wait_base):
    def __init__(self, policy: RetryPolicy) -> None:
        self._own = wait_random_exponential(multiplier=0.5, max=policy.longest_wait)

    def __call__(self, retry_state: RetryCallState) -> float:
        asked = _error_of(retry_state).data.get("retryAfter")
        return self._own(retry_state) if asked is None else float(asked)


def _waiting(call: ModelCall, state: RetryCallState) -> ModelNotice:
    error = _error_of(state)
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
