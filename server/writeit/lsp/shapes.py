"""Runs, views and sessions in their wire shape, and the functions that make a run's.

A client gets what the rules allow (`can`) and each status in words, so it compares no
statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from lsprotocol import types
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
)
from pydantic.alias_generators import to_camel

from writeit.domain.blind import hidden_letters
from writeit.domain.errors import FailureReason
from writeit.domain.operations import permitted
from writeit.domain.operations.review import PlacedRemark, review_of
from writeit.domain.pipeline import Reasoning, RunOutput
from writeit.domain.run import (
    DONE_STATUSES,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.domain.run_summary import RunSummary
from writeit.lsp.convert import normalized_uri
from writeit.views import wording

DocumentUri = Annotated[str, AfterValidator(normalized_uri)]
"""A document's URI, however the client quotes it."""
PathText = Annotated[str, BeforeValidator(str)]
"""A path as text."""


class WireModel(BaseModel):
    """Base of all wire models: camelCase, no unknown keys, read from entities."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        from_attributes=True,
        populate_by_name=True,
    )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that goes over the wire."""
        return self.model_dump(mode="json", by_alias=True)


_Place = Annotated[int, Field(ge=0), AfterValidator(lambda n: min(n, 2**53))]
"""A number beyond the end of a text counts as the end; no text is longer."""


class Position(WireModel):
    """A position in a document, in the negotiated encoding."""

    line: _Place
    character: _Place


class Range(WireModel):
    """A range of a document."""

    start: Position
    end: Position


class WireTokenUsage(WireModel):
    """Tokens and cost of a call."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost_usd: float | None
    estimated: bool
    reasoning_tokens: int | None
    cached_tokens: int | None


_FINISH_WORDS: Final = {
    **{
        word: word
        for word in (
            *("stop", "length", "content_filter", "refused", "context"),
            *("cancelled", "unavailable", "timeout", "malformed"),
        )
    },
    "max_tokens": "length",
    "end_turn": "stop",
    "stop_sequence": "stop",
}
"""Why an answer ended, also as earlier versions have stored it; the rest is other."""


def _to_finish_word(reason: str | None) -> str | None:
    return None if reason is None else _FINISH_WORDS.get(reason, "other")


WireFinishReason: TypeAlias = Annotated[str | None, BeforeValidator(_to_finish_word)]


class NamedAnswer(WireModel):
    """What an answer is called."""

    response_id: UUID
    number: int
    """Its place among the step's calls, from 1: the number that people are shown."""
    letter: str | None
    """What people are shown instead until a blind choice; null if none is open."""


class WireAIResponse(NamedAnswer):
    """One model's answer, complete or partial."""

    model_name: str
    provider: str
    prompt_used: str
    raw_output: str
    processed_content: str
    created_at: datetime
    usage_stats: WireTokenUsage
    processing_time: float
    quality_score: float | None
    partial: bool
    finish_reason: WireFinishReason
    """Why it ended: stop, length, content_filter, refused, context, cancelled,
    unavailable, timeout, malformed or other; null if its provider did not say."""
    first_token_seconds: float | None
    continues: UUID | None
    """The incomplete answer that this one continues; its text begins this one's."""
    thinking: str | None
    """What the model thought, if it told; no part of prompts, exports or documents."""
    notes: list[str]
    """What its provider could not be asked for, one sentence each."""
    not_in_notes: int | None = None
    """In `view.read`: how many of its facts the notes lack; null if not known."""
    against_style: int | None = None
    """In `view.read`: how many words of it the style avoids; null if not known."""


class WirePassage(WireModel):
    """A passage added to a merge."""

    passage_id: UUID
    response_id: UUID | None
    """None for the user's own words: they do not stand in the answer."""
    text: str


class WireMergePart(WireModel):
    """A part of a merged text."""

    response_id: UUID | None
    text: str


class Failure(WireModel):
    """A call that ended without any text."""

    response_id: UUID
    model: str
    reason: FailureReason
    message: str
    usage: WireTokenUsage | None = None
    """What the call used, if that is known."""
    number: int | None = None
    """The answer's number; null in an error's data."""
    letter: str | None = None


class Streaming(NamedAnswer):
    """An answer that is streaming, with the text received so far."""

    model: str
    text: str


class WireChosenPart(WireModel):
    """The part of an answer that was chosen."""

    text: str
    response_id: UUID
    item: int | None
    """Its place in the answer's list, from 1."""


class WireStepPermissions(WireModel):
    """The commands that the step allows now."""

    run: bool
    """`step.run`: generates answers, or completes failed and incomplete ones."""
    regenerate: bool
    select: bool
    merge: bool
    continue_: bool = Field(alias="continue", validation_alias="continue_")
    """`step.continue` of at least one answer."""
    skip: bool
    apply: bool
    """`step.apply` and the markdown export: the step has a text."""
    branch: bool


class WireRunPermissions(WireModel):
    """The commands that the run as a whole allows now."""

    pause: bool
    resume: bool
    delete: bool


class WireStepState(WireModel):
    """A step of a run."""

    step_name: str
    status: StepStatus
    started_at: datetime | None
    completed_at: datetime | None
    ai_responses: list[WireAIResponse] = Field(validation_alias="rated_responses")
    user_selection: int | None
    user_feedback: str | None
    merged_content: str | None
    retry_count: int
    content: str | None
    edited_content: str | None
    part: WireChosenPart | None
    instruction: str | None
    """The user's words for the models, in each prompt of the step."""
    passages: list[WirePassage]
    merged_from: list[WireMergePart]
    failures: list[Failure]
    streaming: list[Streaming]
    is_done: bool
    """Whether it is completed or skipped, so that the run can be rewound to it."""
    can: WireStepPermissions


class WireRunPrimer(WireModel):
    """The primer that a run is pinned to."""

    primer_id: str
    version: str


class NextStep(WireModel):
    """What followed a decision with `goOn`."""

    step: str
    """The step that was generated, or whose text was applied."""
    error: dict[str, JsonValue] | None
    """The `data` of the error that prevented it; the decision is kept."""


class WireRemark(WireModel):
    """What one or several models remark on a passage of the document."""

    remark_id: str
    run_id: UUID = Field(validation_alias="pipeline_run_id")
    response_ids: list[UUID]
    quote: str
    """The passage in the words of the models."""
    kind: str
    remark: str
    replacement: str | None
    count: int
    """How many models made it."""
    line: int | None
    """Its line in the document when it was reviewed, from 0; null without a place."""
    range: Range | None
    """Its place in the document of now, in `review.list`; null without one."""
    state: Literal["open", "applied", "dismissed"]
    """`applied` only in `review.list`, which reads the document."""


class WireReview(WireModel):
    """The remarks of a review, by their place; dismissed ones, too."""

    remarks: list[WireRemark]
    unread: dict[UUID, int]
    """The answers that could not be read as a whole, by `responseId`, and how many of
    their remarks could not; 0: the answer has no list of remarks."""
    dismissed_kinds: list[str]


class WirePipelineRun(WireModel):
    """A run with its steps and answers."""

    pipeline_run_id: UUID
    configuration_id: str
    parent_pipeline_run_id: UUID | None
    branch_point: str | None
    created_at: datetime
    current_step: str
    status: PipelineStatus
    user_inputs: dict[str, str]
    steps: dict[str, WireStepState]
    name: str | None
    uri: str | None
    primer: WireRunPrimer | None
    models: dict[str, list[str]]
    reasoning: Reasoning | None
    samples: int | None
    """How many answers of each model, as the user named it last."""
    last_models: list[str]
    """The models that the user named last for a step."""
    output: RunOutput
    output_path: str | None
    is_done: bool
    """Whether it is completed; regenerating its last step reopens it."""
    is_streaming: bool
    """Whether answers are streaming."""
    status_text: str
    """Its status in a few words, for people."""
    label: str
    """What tells it from other runs: its name, its passage or its title; plain text."""
    cost_usd: float | None
    can: WireRunPermissions
    next: NextStep | None = None
    """Only in the reply to a decision with `goOn`."""
    review: WireReview | None
    """What the answers remark, if it is a review."""
    applied: StepApplyResult | None = None
    """What happened to the text, if `goOn` applied it and the caller waits."""


class ViewSection(WireModel):
    """The place of a text in a view; lines count from 0."""

    kind: Literal["answer", "coming", "merge", "feedback", "left", "right"]
    response_id: UUID | None
    number: int | None
    """The answer's number."""
    index: int | None
    """The index in `aiResponses` of an answer that has ended."""
    heading_line: int
    first_line: int
    last_line: int
    """The last line of the text, included; an empty text has one blank line."""


class ViewAnswer(NamedAnswer):
    """An answer of a step's page, apart from its text; also of a call without one."""

    model: str
    state: Literal["ended", "streaming", "failed", "queued"]
    round: int
    """Answers that were generated together have the same; a later one is higher."""
    facts: str
    """Its length, duration, cost, and how much of it is marked, in words."""
    note: str
    """Why it is incomplete or missing, and what to do; blank if it is complete."""


class Conflict(WireModel):
    """A passage that the user changed as well; `ours` stays."""

    base: str
    ours: str
    theirs: str


NotAppliedReason = Literal["conflict", "container", "unfit", "typing", "declined"]


class StepApplyResult(WireModel):
    """What happened to a text; a pending one is kept and can be applied again."""

    applied: bool
    uri: str
    merged: bool
    """Whether the user's own changes were merged with the text."""
    conflicts: list[Conflict]
    pending: bool
    reason: NotAppliedReason | None = None
    """Why it was not applied: `container` and `unfit` mean that it has a form that
    cannot go there, or that the blocks around it would change."""


class WireStoreProblem(WireModel):
    """A problem that `verify` found."""

    key: str
    message: str


class ExtendedSource:
    """An object with added attributes, for pydantic to read a model from."""

    def __init__(self, source: object, **extra: object) -> None:
        self._source = source
        self.__dict__.update(extra)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the source has
        """Return an attribute of the source."""
        return getattr(self._source, name)


AnswerMarks: TypeAlias = Mapping[UUID, Mapping[str, int | None]]
"""What `view.read` adds to answers, by their ids."""
_NO_MARKS: AnswerMarks = {}


def run_to_wire(run: PipelineRun, marks: AnswerMarks = _NO_MARKS) -> WirePipelineRun:
    """Return the wire shape of a run."""
    return WirePipelineRun.model_validate(
        ExtendedSource(
            run,
            steps={
                name: step_to_wire(run, step, marks) for name, step in run.steps.items()
            },
            can=permitted.run_permissions(run),
            primer=run.used_primer,
            next=None,
            applied=None,
            review=review_to_wire(run),
            **status_fields(run),
        )
    )


def remark_to_wire(
    run: PipelineRun, placed: PlacedRemark, place: types.Range | None
) -> WireRemark:
    """Return the wire shape of a remark and its place in the document of now."""
    first = placed.remark.place
    source = ExtendedSource(
        placed.remark,
        pipeline_run_id=run.pipeline_run_id,
        line=first and run.document.line_of(first[0]),
        range=place,
        state=placed.state,
    )
    return WireRemark.model_validate(source)


def review_to_wire(run: PipelineRun) -> WireReview | None:
    """Return the wire shape of what a review remarks; None of any other run."""
    review = review_of(run)
    if review is None:
        return None
    placed = (PlacedRemark(remark, None) for remark in review.remarks)
    return WireReview(
        remarks=[remark_to_wire(run, each, None) for each in placed],
        unread=dict(review.unread),
        dismissed_kinds=[d.kind for d in run.dismissals if d.quote is None],
    )


def step_to_wire(
    run: PipelineRun, step: StepState, marks: AnswerMarks = _NO_MARKS
) -> WireStepState:
    """Return the wire shape of a step of `run`."""
    fields = ("rated_responses", "failures", "streaming")
    numbers, hidden = step.numbers, hidden_letters(step)

    def name_item(item: Any) -> ExtendedSource:  # noqa: ANN401 -- of three kinds
        key = item.response_id
        names = {"number": numbers[key], "letter": hidden.get(key)}
        return ExtendedSource(item, **names, **marks.get(key, {}))

    numbered = {name: [*map(name_item, getattr(step, name))] for name in fields}
    can = permitted.step_permissions(run, step)
    is_done = step.status in DONE_STATUSES
    return WireStepState.model_validate(
        ExtendedSource(step, is_done=is_done, can=can, **numbered)
    )


def status_fields(run: PipelineRun | RunSummary) -> dict[str, object]:
    """Return the status fields of a run or an entry of the list, and its label."""
    return {
        "label": wording.run_title(run),
        "is_done": run.status is PipelineStatus.COMPLETED,
        "status_text": wording.run_status_label(run),
    }
