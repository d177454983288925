"""Answers: asked for, on their way, there, failed, taken apart and joined."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from writeit.core.entity import Entity, Moment
from writeit.core.errors import FailureReason
from writeit.core.usage import TokenUsage


def split_model_id(model: str) -> tuple[str, str]:
    """Split `provider/model_name` at the first slash."""
    provider, _, name = model.partition("/")
    return provider, name


class AIResponse(Entity):
    """One model's answer within a step. Immutable once created."""

    response_id: UUID
    model_name: str = Field(min_length=1)
    provider: str = Field(min_length=1, pattern=r"^[^/]+$")
    """Without a slash, so that `provider/model_name` can be taken apart again."""
    prompt_used: str = Field(min_length=1)
    """Exact prompt sent to model. Prompt cannot be empty."""
    raw_output: str
    """Complete model response, byte for byte."""
    processed_content: str
    """Cleaned response: without the blank lines and the fence around all of it."""
    created_at: Moment
    usage_stats: TokenUsage
    processing_time: float = Field(gt=0)
    """Seconds. Processing time must be positive."""
    quality_score: float | None = Field(default=None, ge=0, le=1)
    partial: bool = False
    """Whether the answer was cut short; it can be selected like any other."""
    finish_reason: str | None = None
    """Why it ended: the provider's word, or the reason it was cut short."""
    first_token_seconds: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        """Raw output must contain actual response content."""
        if not self.raw_output.strip():
            msg = "raw output must contain actual response content"
            raise ValueError(msg)
        return self

    @property
    def model(self) -> str:
        """The model id, `provider/model_name`."""
        return f"{self.provider}/{self.model_name}"


class Call(Entity):
    """One answer asked of one model; calls stand in the order they were asked."""

    response_id: UUID
    model: str
    generation: int = Field(ge=0)
    """Calls of one asking and its repairs share it; a regeneration counts up."""
    replaces: UUID | None = None
    """The failed or cut call of the same generation that this one asks again."""
    merge: bool = False
    """Whether the model was asked to join parts rather than to answer the step."""


class StreamingResponse(Entity):
    """An answer that is on its way."""

    response_id: UUID
    model: str
    prompt: str
    text: str = ""
    """What of it has been journaled; filled in when a run is read."""


class ResponseFailure(Entity):
    """A call that ended without any text."""

    response_id: UUID
    model: str
    reason: FailureReason
    message: str


class Passage(Entity):
    """A passage the writer took from an answer, towards a merge."""

    passage_id: UUID
    response_id: UUID
    text: str = Field(min_length=1)


class MergePart(Entity):
    """A part of a merged text; `response_id` is None for the writer's own words."""

    response_id: UUID | None
    text: str
