"""An answer while it grows, and the AIResponse it becomes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from writeit.core.errors import WriteItError
from writeit.core.run import AIResponse, split_model_id
from writeit.core.text import processed
from writeit.core.usage import TokenUsage

if TYPE_CHECKING:
    from writeit.core.run import Call
    from writeit.engine.planning import Planned
    from writeit.ports import Clock, Models

CHARACTERS_PER_TOKEN = 4
"""Only for answers that were cut when nobody can count their tokens any more."""

COUNTING_SECONDS = 0.5
SHORTEST = 1e-6
"""Seconds; a clock may stand still between two readings, a call takes time."""


class Draft:
    """Collects one answer's text and times."""

    def __init__(self, planned: Planned, clock: Clock) -> None:
        self._planned = planned
        self._clock = clock
        self._began = clock.monotonic()
        self._first_at: float | None = None
        self._parts: list[str] = []

    @property
    def call(self) -> Call:
        """The call this is the answer to."""
        return self._planned.call

    @property
    def text(self) -> str:
        """What arrived so far."""
        return "".join(self._parts)

    @property
    def has_text(self) -> bool:
        """Whether what arrived is worth keeping."""
        return bool(self.text.strip())

    def begin(self) -> None:
        """Start the clock: the call is made now."""
        self._began = self._clock.monotonic()

    def hear(self, text: str) -> None:
        """Take the next piece."""
        if self._first_at is None:
            self._first_at = self._clock.monotonic()
        self._parts.append(text)

    def response(
        self, usage: TokenUsage, finish_reason: str | None, *, partial: bool = False
    ) -> AIResponse:
        """Return the answer as it will stand for ever."""
        provider, model_name = split_model_id(self.call.model)
        first = None if self._first_at is None else self._first_at - self._began
        return AIResponse(
            response_id=self.call.response_id,
            model_name=model_name,
            provider=provider,
            prompt_used=self._planned.request.prompt,
            raw_output=self.text,
            processed_content=processed(self.text),
            created_at=self._clock.now(),
            usage_stats=usage,
            processing_time=max(self._clock.monotonic() - self._began, SHORTEST),
            partial=partial,
            finish_reason=finish_reason,
            first_token_seconds=first,
        )

    async def estimated_usage(self, models: Models) -> TokenUsage:
        """Count what a cut answer used; its provider did not get to say."""
        fit = self._planned.fit
        completion = await self._count(models)
        cost = None
        if None not in (fit.input_cost_per_token, fit.output_cost_per_token):
            cost = fit.prompt_tokens * (fit.input_cost_per_token or 0.0)
            cost += completion * (fit.output_cost_per_token or 0.0)
        return TokenUsage(
            prompt_tokens=fit.prompt_tokens,
            completion_tokens=completion,
            total_tokens=fit.prompt_tokens + completion,
            cost_usd=cost,
            estimated=True,
        )

    async def _count(self, models: Models) -> int:
        call = replace(self._planned.request, prompt=self.text)
        try:
            async with asyncio.timeout(COUNTING_SECONDS):
                return (await models.measure(call)).prompt_tokens
        except (TimeoutError, WriteItError):
            return len(self.text) // CHARACTERS_PER_TOKEN + 1
