"""Answers of models, and the calls that ask for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar, Self
from uuid import UUID

from pydantic import Field, model_validator

from writeit.domain.entity import (
    GrowingEntity,
    TokenUsage,
    UtcDatetime,
)
from writeit.domain.errors import FailureReason
from writeit.text.lines import fold_space

LENGTH_FINISH_REASONS = frozenset({"length", "max_tokens"})
"""Finish reasons of an answer that reached its token limit."""

BLOCKED_FINISH_REASONS = frozenset({"content_filter", "refused", "context"})
"""Finish reasons of an answer that the provider ended for another reason."""

MAX_CONTINUATIONS = 5
"""How often an answer may be continued."""

_UUID_WITH_TIME = 7


class AIResponse(GrowingEntity):
    """One model's answer within a step. Immutable once created."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"thinking", "continues", "notes"})

    response_id: UUID
    model_name: str = Field(min_length=1)
    provider: str = Field(min_length=1, pattern=r"^[^/]+$")
    """Without a slash, so that `provider/model_name` can be split again."""
    prompt_used: str = Field(min_length=1)
    """Exact prompt sent to model. Prompt cannot be empty."""
    raw_output: str
    """Complete model response, unchanged."""
    processed_content: str
    """Cleaned response: without outer blank lines and a fence around all of it."""
    created_at: UtcDatetime
    usage_stats: TokenUsage
    processing_time: float = Field(gt=0)
    """Seconds. Processing time must be positive."""
    quality_score: float | None = Field(default=None, ge=0, le=1)
    partial: bool = False
    """Whether the answer was cut short; it can still be chosen."""
    finish_reason: str | None = None
    """Why it ended, as the provider reports it, or why it was cut short."""
    first_token_seconds: float | None = Field(default=None, ge=0)
    thinking: str | None = None
    """What the model thought before and between its text, if it told."""
    continues: UUID | None = None
    """The cut answer that this one continues; its text begins this one's."""
    notes: tuple[str, ...] = ()
    """What its provider could not be asked for, one sentence each."""

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        """Raw output must contain actual response content."""
        if not self.raw_output.strip():
            raise ValueError("raw output must contain actual response content")
        return self

    @property
    def can_continue(self) -> bool:
        """Whether the answer ended before its end, and a model may write the rest."""
        return self.partial or self.finish_reason in LENGTH_FINISH_REASONS

    @property
    def is_cut(self) -> bool:
        """Whether the answer ended before its end."""
        return self.can_continue or self.finish_reason in BLOCKED_FINISH_REASONS

    @property
    def folded_text(self) -> str:
        """The answer as it arrived and, on a second line, as it was cleaned."""
        texts = (self.raw_output, self.processed_content)
        return "\n".join(map(fold_space, texts))

    @property
    def model(self) -> str:
        """The model id, `provider/model_name`."""
        return f"{self.provider}/{self.model_name}"


class Call(GrowingEntity):
    """A request for one answer of one model."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"number", "continues", "place"})

    response_id: UUID
    model: str
    generation: int = Field(ge=0)
    """Counts regenerations; calls that repeat incomplete ones have the same number."""
    replaces: UUID | None = None
    """The incomplete call of the same generation that this one repeats."""
    merge: bool = False
    """Whether the model merges parts instead of answering the step's prompt."""
    number: int | None = Field(default=None, ge=1)
    """Its number in the run that was branched; None: its place among the calls."""
    continues: bool = False
    """Whether it continues the answer that it replaces, instead of repeating it."""
    place: int | None = Field(default=None, ge=1)
    """Its place in the order drawn for a blind choice; None for an open one."""


class StreamingResponse(GrowingEntity):
    """An answer that is being received."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"thoughts"})

    response_id: UUID
    model: str
    prompt: str
    text: str = ""
    """The text received so far; filled in from the journal when a run is read."""
    thoughts: str = ""
    """What the provider told of the model's thoughts apart from the text, as `text`."""

    @property
    def started_at(self) -> datetime | None:
        """When its id was made, if that is a UUID of version 7."""
        if self.response_id.version != _UUID_WITH_TIME:
            return None
        milliseconds = self.response_id.int >> 80
        return datetime.fromtimestamp(milliseconds / 1000, UTC)


class ResponseFailure(GrowingEntity):
    """A call that ended without any text."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"usage"})

    response_id: UUID
    model: str
    reason: FailureReason
    message: str
    usage: TokenUsage | None = None
