"""What can happen to a run: a closed set of facts, each with its moment.

Events are what the store keeps for ever; the entities can be rebuilt from them.
They are facts, not wishes: `writeit.domain` turns a wish into events or refuses.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from writeit.domain.entity import Entity, UtcDatetime
from writeit.domain.errors import FailureReason
from writeit.domain.pipeline import Output
from writeit.domain.run import AIResponse, Call, MergePart, Passage, PipelineRun


class _Event(Entity):
    at: UtcDatetime


class _StepEvent(_Event):
    step: str


class RunStarted(_Event):
    """A run came to be; nothing was sent yet."""

    type: Literal["run_started"] = "run_started"
    run: PipelineRun


class RunBranched(_Event):
    """A run came to be that shares its parent's past."""

    type: Literal["run_branched"] = "run_branched"
    run: PipelineRun


class RunPaused(_Event):
    """The writer interrupted, or the run's owner was found dead."""

    type: Literal["run_paused"] = "run_paused"
    reason: str = ""


class RunResumed(_Event):
    """The run goes on; nothing is sent by this."""

    type: Literal["run_resumed"] = "run_resumed"


class RunCompleted(_Event):
    """The last step was completed or skipped."""

    type: Literal["run_completed"] = "run_completed"


class RunFailed(_Event):
    """The engine, the model host or the store failed."""

    type: Literal["run_failed"] = "run_failed"
    message: str


class StepStarted(_StepEvent):
    """Models were asked; on a running step, what failed or was cut is asked again."""

    type: Literal["step_started"] = "step_started"
    calls: tuple[Call, ...] = Field(min_length=1)


class StepRegenerated(_StepEvent):
    """Models were asked anew; the selection is put aside."""

    type: Literal["step_regenerated"] = "step_regenerated"
    calls: tuple[Call, ...] = Field(min_length=1)
    feedback: str = ""
    """The words that went into this prompt."""


class StepCompleted(_StepEvent):
    """The writer chose or merged."""

    type: Literal["step_completed"] = "step_completed"


class StepSkipped(_StepEvent):
    """The writer went on without this step."""

    type: Literal["step_skipped"] = "step_skipped"


class ResponseStarted(_StepEvent):
    """A call is made with exactly this prompt."""

    type: Literal["response_started"] = "response_started"
    response_id: UUID
    model: str
    prompt: str


class ResponseReceived(_StepEvent):
    """An answer arrived whole."""

    type: Literal["response_received"] = "response_received"
    response: AIResponse


class ResponseInterrupted(_StepEvent):
    """An answer was cut short; what arrived of it is kept."""

    type: Literal["response_interrupted"] = "response_interrupted"
    response: AIResponse
    reason: FailureReason


class ResponseFailed(_StepEvent):
    """A call ended without any text."""

    type: Literal["response_failed"] = "response_failed"
    response_id: UUID
    model: str
    reason: FailureReason
    message: str


class ResponseSelected(_StepEvent):
    """The writer chose an answer, in her own wording if `content` is there."""

    type: Literal["response_selected"] = "response_selected"
    index: int
    content: str | None = None


class ResponseRated(_StepEvent):
    """The writer said how good she finds an answer."""

    type: Literal["response_rated"] = "response_rated"
    response_id: UUID
    score: float | None = Field(ge=0, le=1)
    """Quality score must be between 0.0 and 1.0 if specified."""


class PassageTaken(_StepEvent):
    """The writer took a passage of an answer towards a merge."""

    type: Literal["passage_taken"] = "passage_taken"
    passage: Passage


class Merged(_StepEvent):
    """The writer joined parts of several answers."""

    type: Literal["merged"] = "merged"
    content: str
    merged_from: tuple[MergePart, ...]


class FeedbackGiven(_StepEvent):
    """The writer said what the next prompts should know."""

    type: Literal["feedback_given"] = "feedback_given"
    text: str


class TextApplied(_StepEvent):
    """The step's text stands in the writer's document now."""

    type: Literal["text_applied"] = "text_applied"
    uri: str
    mode: Output
    replaced: str
    """The whole document as it was before; "" where a new file was made."""
    text: str
    """The whole document as it was then."""


class TextRestored(_StepEvent):
    """The writer took back what was applied to a document."""

    type: Literal["text_restored"] = "text_restored"
    uri: str


RunEvent = RunPaused | RunResumed | RunCompleted | RunFailed
"""What happens to a run as a whole, once it exists."""

StepEvent = (
    StepStarted
    | StepRegenerated
    | StepCompleted
    | StepSkipped
    | ResponseStarted
    | ResponseReceived
    | ResponseInterrupted
    | ResponseFailed
    | ResponseSelected
    | ResponseRated
    | PassageTaken
    | Merged
    | FeedbackGiven
    | TextApplied
    | TextRestored
)
"""What happens within one step."""

Event = Annotated[
    RunStarted | RunBranched | RunEvent | StepEvent, Field(discriminator="type")
]
"""Any event; `type` tells which."""
