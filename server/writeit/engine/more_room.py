"""The second call of a model that used all of its room for thinking."""

from __future__ import annotations

from dataclasses import replace

from writeit.domain.entity import TokenUsage
from writeit.domain.errors import BudgetExceeded, ModelError
from writeit.domain.model_id import THINKING_ROOM
from writeit.engine.prepared import PreparedCall, largest_room
from writeit.engine.streaming import set_usage, total_usage, usage_of
from writeit.ports.models import ModelCall, ModelDone, ModelNotice

FACTOR = 4
"""How much larger the room of the second call is."""


def is_out_of_room(outcome: ModelDone | ModelError) -> bool:
    """Say whether a call without text reached its limit while the model thought."""
    if isinstance(outcome, ModelDone):
        return outcome.finish_reason == "length"
    return outcome.reason == "empty" and outcome.data.get("finishReason") == "length"


def more_room(prepared: PreparedCall, outcome: ModelDone | ModelError) -> PreparedCall:
    """Return a call with four times the room for thinking.

    Raises:
        ModelError: the model's limits allow no more; with the usage so far.
    """
    call, spent = prepared.model_call, spent_by(outcome)
    # A model without room was not known to think.
    wanted = FACTOR * (call.thinking_room or THINKING_ROOM["low"])
    largest = largest_room(call, prepared.estimate)
    room = wanted if largest is None else min(wanted, largest)
    if call.max_tokens is None or room <= call.thinking_room:
        raise out_of_room_error(prepared, spent)
    return replace(
        prepared,
        model_call=replace(call, thinking_room=room),
        spent_usd=(spent.cost_usd if spent else None) or 0.0,
    )


def more_room_notice(prepared: PreparedCall) -> ModelNotice:
    """Return the notice of a call that is made with more room."""
    call = prepared.model_call
    return ModelNotice(
        code="moreRoom",
        title=f"{call.model}: called with a higher limit",
        message="It used all of its tokens for thinking and wrote nothing. It is called"
        f" again and may use {call.thinking_room:,} tokens for thinking.",
    )


def out_of_room_error(prepared: PreparedCall, spent: TokenUsage | None) -> ModelError:
    """Return the error of a model that thought until its last token."""
    return _error(prepared.model_call, spent, "")


def unaffordable_error(
    larger: PreparedCall, refusal: BudgetExceeded, spent: TokenUsage | None
) -> ModelError:
    """Return the error of a second call that the user's limits do not allow."""
    scope, estimate = refusal.data.get("scope"), refusal.data.get("estimate")
    cost = f"may cost up to ${estimate:.4f}" if estimate is not None else "is not free"
    limit = f"maxCostUsd.{scope}" if scope else "maxCostUsd"
    return _error(
        larger.model_call,
        spent,
        f" Another call, with {larger.model_call.thinking_room:,} tokens for thinking,"
        f" {cost}. Your limit {limit} does not allow it.",
    )


def _error(call: ModelCall, spent: TokenUsage | None, why: str) -> ModelError:
    count = spent.completion_tokens if spent else 0
    tokens = f"all of its {count:,} tokens" if count else "all of its tokens"
    error = ModelError(
        f"{call.model} used {tokens} for thinking and wrote nothing.{why}",
        reason="empty",
        hint="Set reasoning to low or none, or to a larger number of tokens, or use"
        " another model.",
        finishReason="length",
    )
    set_usage(error, spent)
    return error


def spent_by(outcome: ModelDone | ModelError) -> TokenUsage | None:
    """Return what a call used, if it is known."""
    return outcome.usage if isinstance(outcome, ModelDone) else usage_of(outcome)


def with_usage(
    outcome: ModelDone | ModelError, before: TokenUsage | None
) -> ModelDone | ModelError:
    """Return an outcome whose usage includes that of the call before."""
    if isinstance(outcome, ModelDone):
        return replace(outcome, usage=outcome.usage.plus(before))
    set_usage(outcome, total_usage(before, usage_of(outcome)))
    return outcome


def done_or_raise(outcome: ModelDone | ModelError) -> ModelDone:
    """Return the end of a call.

    Raises:
        ModelError: it failed.
    """
    if isinstance(outcome, ModelError):
        raise outcome
    return outcome
