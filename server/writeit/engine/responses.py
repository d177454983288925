"""Responses of a running generation: received text, and the answer made of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from writeit.domain.entity import TokenUsage
from writeit.domain.errors import WriteItError
from writeit.domain.placement import passage_of
from writeit.domain.run import (
    AIResponse,
    Call,
    RunDocument,
    StreamingResponse,
    split_model_id,
)
from writeit.engine.requests import PreparedCall
from writeit.ports.models import Models
from writeit.ports.system import Clock
from writeit.text.cleaning import clean_answer

CHARACTERS_PER_TOKEN = 4
"""Only for partial answers whose tokens cannot be counted any more."""

TOKEN_COUNT_TIMEOUT = 0.5
MIN_PROCESSING_SECONDS = 1e-6
"""A clock may return the same time twice; processing times are above 0."""


def build_response(  # noqa: PLR0913 -- the fields of an answer, each by name
    stream: StreamingResponse,
    usage: TokenUsage,
    finish_reason: str | None,
    now: datetime,
    *,
    document: RunDocument,
    partial: bool = False,
    processing_time: float = 0.0,
    first_token_seconds: float | None = None,
) -> AIResponse:
    """Return the answer that a streaming response becomes; times in seconds."""
    provider, model_name = split_model_id(stream.model)
    return AIResponse(
        response_id=stream.response_id,
        model_name=model_name,
        provider=provider,
        prompt_used=stream.prompt,
        raw_output=stream.text,
        processed_content=_clean_text(stream, document),
        created_at=now,
        usage_stats=usage,
        processing_time=max(processing_time, MIN_PROCESSING_SECONDS),
        partial=partial,
        finish_reason=finish_reason,
        first_token_seconds=first_token_seconds,
    )


def _clean_text(stream: StreamingResponse, document: RunDocument) -> str:
    """Return the text of an answer without what a model puts around it."""
    passage = passage_of(document).content if document.selection else document.text
    return clean_answer(stream.text, passage, stream.prompt, document.text)


def estimated_usage(
    prompt_tokens: int, completion_tokens: int, cost_usd: float | None = None
) -> TokenUsage:
    """Return the usage of an answer whose provider did not report it."""
    return TokenUsage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
        cost_usd=cost_usd,
        estimated=True,
    )


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has, never 0."""
    return len(text) // CHARACTERS_PER_TOKEN + 1


class PendingResponse:
    """Collects the text and times of one answer."""

    def __init__(self, prepared: PreparedCall, clock: Clock) -> None:
        self._prepared = prepared
        self._clock = clock
        self._started_at = clock.monotonic()
        self._first_text_at: float | None = None
        self._parts: list[str] = []

    @property
    def call(self) -> Call:
        """The call that is answered."""
        return self._prepared.call

    @property
    def text(self) -> str:
        """The text received so far."""
        return "".join(self._parts)

    @property
    def has_text(self) -> bool:
        """Whether anything but white space was received."""
        return bool(self.text.strip())

    def start_clock(self) -> None:
        """Measure times from now on."""
        self._started_at = self._clock.monotonic()

    def append(self, text: str) -> None:
        """Add the next piece."""
        if self._first_text_at is None:
            self._first_text_at = self._clock.monotonic()
        self._parts.append(text)

    def to_response(
        self, usage: TokenUsage, finish_reason: str | None, *, partial: bool = False
    ) -> AIResponse:
        """Return the answer as it is stored."""
        first = self._first_text_at
        return build_response(
            StreamingResponse(
                response_id=self.call.response_id,
                model=self.call.model,
                prompt=self._prepared.model_call.prompt,
                text=self.text,
            ),
            usage,
            finish_reason,
            self._clock.now(),
            document=self._prepared.document,
            partial=partial,
            processing_time=self._clock.monotonic() - self._started_at,
            first_token_seconds=None if first is None else first - self._started_at,
        )

    async def estimate_usage(self, models: Models) -> TokenUsage:
        """Count what a partial answer used; its provider did not report it."""
        estimate = self._prepared.estimate
        input_cost = estimate.input_cost_per_token
        output_cost = estimate.output_cost_per_token
        tokens = await self._count_tokens(models)
        cost = None
        if input_cost is not None and output_cost is not None:
            cost = estimate.prompt_tokens * input_cost + tokens * output_cost
        return estimated_usage(estimate.prompt_tokens, tokens, cost)

    async def _count_tokens(self, models: Models) -> int:
        call = replace(self._prepared.model_call, prompt=self.text)
        try:
            async with asyncio.timeout(TOKEN_COUNT_TIMEOUT):
                return (await models.estimate(call)).prompt_tokens
        except (TimeoutError, WriteItError):
            return estimated_tokens(self.text)
