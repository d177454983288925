"""What the writer says about answers: words for later prompts, and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.decide.common import check_index, nothing_there, resumed, words
from writeit.core.errors import InvalidParams
from writeit.core.run import (
    PipelineRun,
    StepState,
    StepStatus,
)

if TYPE_CHECKING:
    from datetime import datetime

    from writeit.core.decide.common import Events


def give_feedback(run: PipelineRun, step: StepState, text: str, at: datetime) -> Events:
    """Say what later prompts should know about this step."""
    if step.status not in {StepStatus.RUNNING, StepStatus.COMPLETED}:
        raise nothing_there(step, "feedback_given")
    return (*resumed(run, at), *words(step, text, at))


def rate(
    run: PipelineRun, step: StepState, index: int, score: float | None, at: datetime
) -> Events:
    """Note how good the writer finds an answer, 0.0 to 1.0; None takes it back."""
    if score is not None and not 0 <= score <= 1:
        raise InvalidParams(
            f"A score of {score} is not between 0.0 and 1.0.",
            hint="0.0 is worst, 1.0 is best, null takes the score back.",
            problems=[{"path": "score", "message": "is not between 0.0 and 1.0"}],
        )
    if step.status not in {StepStatus.RUNNING, StepStatus.COMPLETED}:
        raise nothing_there(step, "response_rated")
    check_index(step, index)
    rated = e.ResponseRated(
        at=at,
        step=step.step_name,
        response_id=step.ai_responses[index].response_id,
        score=score,
    )
    return (*resumed(run, at), rated)
