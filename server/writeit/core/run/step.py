"""A step: what was asked, what came, what the writer made of it."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from writeit.core.entity import Entity, Moment, Name
from writeit.core.run.answers import (
    AIResponse,
    Call,
    MergePart,
    Passage,
    ResponseFailure,
    StreamingResponse,
)
from writeit.core.run.status import PipelineStatus, StepStatus

MAX_RETRIES = 3
"""Retry count cannot exceed system maximum (3)."""


class StepBefore(Entity):
    """What a regeneration puts aside, to stand again if nothing comes of it."""

    status: StepStatus
    completed_at: Moment | None
    user_selection: int | None
    user_feedback: str | None
    edited_content: str | None
    merged_content: str | None
    merged_from: tuple[MergePart, ...]
    retry_count: int
    run_status: PipelineStatus


class StepState(Entity):
    """Tracks execution state and results for a single pipeline step."""

    step_name: Name
    status: StepStatus = StepStatus.PENDING
    started_at: Moment | None = None
    completed_at: Moment | None = None
    ai_responses: tuple[AIResponse, ...] = ()
    """Answers with text in the order they ended; the place is the index."""
    user_selection: int | None = Field(default=None, ge=0)
    user_feedback: str | None = None
    merged_content: str | None = None
    retry_count: int = Field(default=0, ge=0, le=MAX_RETRIES)
    edited_content: str | None = None
    """The writer's own wording of the answer she chose."""
    ratings: dict[UUID, float] = Field(default_factory=dict)
    """The writer's scores by response id; the answers themselves never change."""
    passages: tuple[Passage, ...] = ()
    merged_from: tuple[MergePart, ...] = ()
    calls: tuple[Call, ...] = ()
    streaming: tuple[StreamingResponse, ...] = ()
    failures: tuple[ResponseFailure, ...] = ()
    before: StepBefore | None = None

    @model_validator(mode="after")
    def _times_are_sequential(self) -> Self:
        """Started/completed timestamps must be sequential."""
        if self.completed_at is not None:
            if self.started_at is None:
                msg = "a step cannot be completed without having been started"
                raise ValueError(msg)
            if self.completed_at < self.started_at:
                msg = "a step cannot be completed before it was started"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _selection_is_an_answer(self) -> Self:
        """User selection must be valid index into ai_responses."""
        if self.user_selection is not None and (
            self.user_selection >= len(self.ai_responses)
        ):
            msg = f"there is no answer {self.user_selection} to have been selected"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _answers_are_there_once(self) -> Self:
        """Response ID must be globally unique."""
        if len({answer.response_id for answer in self.ai_responses}) < len(
            self.ai_responses
        ):
            msg = "an answer is there twice"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _completed_has_answers(self) -> Self:
        """AI responses list cannot be empty for COMPLETED status."""
        if self.status is StepStatus.COMPLETED and not self.ai_responses:
            msg = "a completed step must have answers"
            raise ValueError(msg)
        return self

    @property
    def content(self) -> str | None:
        """What the next step gets; None while nothing is chosen, "" when skipped."""
        if self.status is StepStatus.SKIPPED:
            return ""
        if self.edited_content is not None:
            return self.edited_content
        if self.merged_content is not None:
            return self.merged_content
        if self.user_selection is not None:
            return self.ai_responses[self.user_selection].processed_content
        return None

    @property
    def rated_responses(self) -> list[AIResponse]:
        """The answers as they are shown: each with the writer's score."""
        return [
            response.evolve(
                quality_score=self.ratings.get(
                    response.response_id, response.quality_score
                )
            )
            for response in self.ai_responses
        ]

    @property
    def generation(self) -> int:
        """The generation of the newest call, 0 before the first."""
        return max((call.generation for call in self.calls), default=0)

    def response(self, response_id: UUID) -> AIResponse | None:
        """Return the answer `response_id`, or None."""
        for response in self.ai_responses:
            if response.response_id == response_id:
                return response
        return None
