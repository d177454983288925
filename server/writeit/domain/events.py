"""What can happen to a run: a closed set of events, each with its time.

The store keeps events permanently; the entities can be rebuilt from them. An event is
a fact: `writeit.domain.operations` turns a request into events or refuses it.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field

from writeit.domain.answer import AIResponse, Call
from writeit.domain.entity import Entity, GrowingEntity, TokenUsage, UtcDatetime
from writeit.domain.errors import FailureReason
from writeit.domain.pipeline import Output
from writeit.domain.run import MergePart, Passage, PipelineRun


class _Event(Entity):
    action: ClassVar[str] = ""
    """What the user did, as an infinitive; "" for an event that follows by itself."""

    at: UtcDatetime


class _StepEvent(_Event):
    step: str


class RunStarted(_Event):
    """A run was created; nothing has been sent."""

    action: ClassVar[str] = "start a run"
    type: Literal["run_started"] = "run_started"
    run: PipelineRun


class RunBranched(_Event):
    """A run was created that shares its parent's earlier steps."""

    action: ClassVar[str] = "branch"
    type: Literal["run_branched"] = "run_branched"
    run: PipelineRun


class RunPaused(_Event):
    """The user stopped the run, or its process was found dead."""

    action: ClassVar[str] = "stop the run"
    type: Literal["run_paused"] = "run_paused"
    reason: str = ""


class RunResumed(_Event):
    """The run continues; this alone sends nothing."""

    action: ClassVar[str] = "resume the run"
    type: Literal["run_resumed"] = "run_resumed"


class RunCompleted(_Event):
    """The last step was completed or skipped."""

    type: Literal["run_completed"] = "run_completed"


class RunFailed(_Event):
    """The engine, the model process or the store failed."""

    type: Literal["run_failed"] = "run_failed"
    message: str


class RunMoved(_Event):
    """Documents of the run have other names now; their texts are the same."""

    type: Literal["run_moved"] = "run_moved"
    documents: dict[str, str] = Field(min_length=1)
    """The new URI of each document, by its old one."""


class _RemarkEvent(_Event):
    kind: str
    quote: str | None = None
    """None: every remark of the kind."""


class RemarkDismissed(_RemarkEvent):
    """The user does not want to see a remark of the review, or a kind of remark."""

    action: ClassVar[str] = "dismiss a remark"
    type: Literal["remark_dismissed"] = "remark_dismissed"


class RemarkRestored(_RemarkEvent):
    """The user took a dismissal back."""

    action: ClassVar[str] = "restore a remark"
    type: Literal["remark_restored"] = "remark_restored"


class StepStarted(_StepEvent, GrowingEntity):
    """Models were called; in a running step, again for incomplete answers."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"models", "samples", "instruction"})

    action: ClassVar[str] = "generate answers"
    type: Literal["step_started"] = "step_started"
    calls: tuple[Call, ...] = Field(min_length=1)
    models: tuple[str, ...] = ()
    """The models that the user named, for later steps, too."""
    samples: int | None = None
    """How many answers of each model, if the user named it, for later steps, too."""
    instruction: str | None = None
    """The user's words for the models."""


class StepRegenerated(_StepEvent):
    """Models were called again; the selection is set aside."""

    action: ClassVar[str] = "regenerate answers"
    type: Literal["step_regenerated"] = "step_regenerated"
    calls: tuple[Call, ...] = Field(min_length=1)
    feedback: str = ""
    """The feedback in this prompt."""


class StepContinued(_StepEvent):
    """A model was called for the rest of a cut answer; the choice is set aside."""

    action: ClassVar[str] = "continue an answer"
    type: Literal["step_continued"] = "step_continued"
    calls: tuple[Call, ...] = Field(min_length=1)


class StepCompleted(_StepEvent):
    """The user chose or merged."""

    type: Literal["step_completed"] = "step_completed"


class StepSkipped(_StepEvent):
    """The user continued without this step."""

    action: ClassVar[str] = "skip the step"
    type: Literal["step_skipped"] = "step_skipped"


class ResponseStarted(_StepEvent):
    """A call is made with exactly this prompt."""

    type: Literal["response_started"] = "response_started"
    response_id: UUID
    model: str
    prompt: str


class ResponseReceived(_StepEvent):
    """A complete answer was received."""

    type: Literal["response_received"] = "response_received"
    response: AIResponse


class ResponseInterrupted(_StepEvent):
    """An answer was cut short; the received part is kept."""

    type: Literal["response_interrupted"] = "response_interrupted"
    response: AIResponse
    reason: FailureReason


class ResponseFailed(_StepEvent, GrowingEntity):
    """A call ended without any text."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"usage"})

    type: Literal["response_failed"] = "response_failed"
    response_id: UUID
    model: str
    reason: FailureReason
    message: str
    usage: TokenUsage | None = None
    """What the call used, if that is known."""


class ResponseSelected(_StepEvent):
    """The user chose an answer, edited if `content` is set."""

    action: ClassVar[str] = "choose an answer"
    type: Literal["response_selected"] = "response_selected"
    index: int
    content: str | None = None


class ResponseRated(_StepEvent):
    """The user rated an answer, or removed the rating."""

    action: ClassVar[str] = "rate an answer"
    type: Literal["response_rated"] = "response_rated"
    response_id: UUID
    score: float | None = Field(ge=0, le=1)
    """Quality score must be between 0.0 and 1.0 if specified."""


class PassageTaken(_StepEvent):
    """The user added a passage of an answer to the merge."""

    action: ClassVar[str] = "add a passage to the merge"
    type: Literal["passage_taken"] = "passage_taken"
    passage: Passage


class Merged(_StepEvent):
    """The user merged parts of several answers."""

    action: ClassVar[str] = "merge answers"
    type: Literal["merged"] = "merged"
    content: str
    merged_from: tuple[MergePart, ...]


class FeedbackGiven(_StepEvent):
    """The user wrote what the next prompts should take into account."""

    action: ClassVar[str] = "give feedback"
    type: Literal["feedback_given"] = "feedback_given"
    text: str


class TextApplied(_StepEvent):
    """The step's text was inserted in the user's document."""

    action: ClassVar[str] = "insert text in a document"
    type: Literal["text_applied"] = "text_applied"
    uri: str
    mode: Output
    replaced: str
    """The whole document before; "" if a new file was created."""
    text: str
    """The whole document afterwards."""


class TextRestored(_StepEvent):
    """The user reverted what was applied to a document."""

    action: ClassVar[str] = "restore a document"
    type: Literal["text_restored"] = "text_restored"
    uri: str


RunEvent = (
    RunPaused
    | RunResumed
    | RunCompleted
    | RunFailed
    | RunMoved
    | RemarkDismissed
    | RemarkRestored
)
"""What happens to an existing run as a whole."""

StepEvent = (
    StepStarted
    | StepRegenerated
    | StepContinued
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
"""Any event, told apart by `type`."""

USER_ACTIONS: dict[str, str] = {
    event.model_fields["type"].default: event.action
    for event in (RunStarted, RunBranched, *get_args(RunEvent), *get_args(StepEvent))
    if event.action
}
"""What the user did, as an infinitive, by the type of its event."""
