"""What a call cost: tokens and money. What is not known is None, never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from writeit.core.entity import Entity

if TYPE_CHECKING:
    from collections.abc import Iterable


class TokenUsage(Entity):
    """Token consumption and cost of one call."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    total_tokens: int = Field(ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
    """US dollars by the bundled price map; None where no price is known."""
    estimated: bool = False
    """Whether the tokens were counted here because the provider did not say."""

    @model_validator(mode="after")
    def _total_is_the_sum(self) -> TokenUsage:
        if self.total_tokens < self.prompt_tokens + self.completion_tokens:
            msg = "total_tokens is less than prompt_tokens + completion_tokens"
            raise ValueError(msg)
        return self


def total_cost(usages: Iterable[TokenUsage]) -> float | None:
    """Add up known costs; None when not a single one is known."""
    known = [usage.cost_usd for usage in usages if usage.cost_usd is not None]
    return sum(known) if known else None
