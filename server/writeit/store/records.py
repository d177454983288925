"""Runs, steps, responses and events as they are on the disk.

These are models of their own: the entities of `core` may change while what was
written long ago stays readable. A field that is gone or means something else is a new
VERSION of its record, and a function in its UPCASTS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from writeit.core.entity import Moment
from writeit.core.errors import FailureReason
from writeit.core.pipeline import Output
from writeit.core.run import PipelineStatus, StepStatus
from writeit.store.codec import Shared, Text


class Record(BaseModel):
    """A value as it is on the disk; `v` tells which version of its kind it is.

    Defaults are left out: they mean "nothing", and must not change their meaning
    without a new version.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, from_attributes=True, ser_json_inf_nan="strings"
    )

    VERSION: ClassVar[int] = 1
    UPCASTS: ClassVar[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = ()
    """The first one makes version 2 of version 1, and so on."""
    SPARSE: ClassVar[bool] = True
    """Whether defaults are left out; not where the defaults are those of `core`."""

    v: int = Field(default=1, exclude=True)


# --- A run ------------------------------------------------------------------------


class RunPrimerRecord(Record):
    """The primer that a run has pinned."""

    primer_id: str
    version: str
    text: Text


class DocumentRecord(Record):
    """The writer's document as it was when the run started."""

    text: Text = ""
    selection: Text = ""
    before: Text = ""
    after: Text = ""
    title: Text = ""
    path: Text = ""
    providers: tuple[str, ...] | None = None


class AppliedRecord(Record):
    """A document that a step's text stands in."""

    uri: str
    step: str
    at: Moment
    mode: Output


class RunFields(Record):
    """What a run has besides its steps."""

    pipeline_run_id: UUID
    configuration_id: str
    parent_pipeline_run_id: UUID | None = None
    branch_point: str | None = None
    created_at: Moment
    updated_at: Moment
    current_step: str
    status: PipelineStatus
    user_inputs: dict[str, Text] = Field(default_factory=dict)
    name: str | None = None
    uri: str | None = None
    primer: RunPrimerRecord | None = None
    models: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    output: Output
    output_path: str | None = None
    document: DocumentRecord = DocumentRecord()
    applied: tuple[AppliedRecord, ...] = ()


class RunRecord(RunFields):
    """`run:{id}`: a run, the number of its newest event, and its line in the list."""

    seq: int
    step_names: tuple[str, ...]
    title: str
    cost_usd: float | None = None


class Listing(Record):
    """The part of a RunRecord that the list of runs and the indices need."""

    model_config = ConfigDict(extra="ignore")

    VERSION: ClassVar[int] = RunRecord.VERSION
    UPCASTS = RunRecord.UPCASTS

    seq: int
    pipeline_run_id: UUID
    configuration_id: str
    parent_pipeline_run_id: UUID | None = None
    branch_point: str | None = None
    created_at: Moment
    updated_at: Moment
    current_step: str
    status: PipelineStatus
    name: str | None = None
    uri: str | None = None
    title: str
    cost_usd: float | None = None
    applied: tuple[AppliedRecord, ...] = ()


# --- A step -----------------------------------------------------------------------


class CallRecord(Record):
    """One answer asked of one model."""

    response_id: UUID
    model: str
    generation: int
    replaces: UUID | None = None
    merge: bool = False


class StreamingRecord(Record):
    """An answer on its way; its text is in the journal."""

    response_id: UUID
    model: str
    prompt: Text


class FailureRecord(Record):
    """A call that ended without any text."""

    response_id: UUID
    model: str
    reason: FailureReason
    message: Text


class PassageRecord(Record):
    """A passage taken towards a merge."""

    passage_id: UUID
    response_id: UUID
    text: Text


class MergePartRecord(Record):
    """A part of a merged text."""

    response_id: UUID | None = None
    text: Text


class BeforeRecord(Record):
    """What a regeneration has put aside."""

    status: StepStatus
    completed_at: Moment | None = None
    user_selection: int | None = None
    user_feedback: Text | None = None
    edited_content: Text | None = None
    merged_content: Text | None = None
    merged_from: tuple[MergePartRecord, ...] = ()
    retry_count: int = 0
    run_status: PipelineStatus


class StepRecord(Record):
    """`step:{run}:{step}`: a step; its responses are in `step_responses`."""

    step_name: str
    status: StepStatus
    started_at: Moment | None = None
    completed_at: Moment | None = None
    user_selection: int | None = None
    user_feedback: Text | None = None
    merged_content: Text | None = None
    retry_count: int = 0
    edited_content: Text | None = None
    ratings: dict[UUID, float] = Field(default_factory=dict)
    passages: tuple[PassageRecord, ...] = ()
    merged_from: tuple[MergePartRecord, ...] = ()
    calls: Shared[tuple[CallRecord, ...]] = ()
    streaming: tuple[StreamingRecord, ...] = ()
    failures: tuple[FailureRecord, ...] = ()
    before: BeforeRecord | None = None


class TokensRecord(Record):
    """What an answer cost."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost_usd: float | None = None
    estimated: bool = False


class ResponseRecord(Record):
    """`response:{id}`: an answer, as it was when it ended."""

    response_id: UUID
    model_name: str
    provider: str
    prompt_used: Text
    raw_output: Text
    processed: tuple[int, int] | None = None
    """Where the cleaned text begins and ends in the raw one, if it stands there."""
    processed_content: Text | None = None
    """The cleaned text, if it does not."""
    created_at: Moment
    usage_stats: TokensRecord
    processing_time: float
    quality_score: float | None = None
    partial: bool = False
    finish_reason: str | None = None
    first_token_seconds: float | None = None


# --- Events -----------------------------------------------------------------------


class StartStepRecord(StepRecord):
    """A step as its run began with it."""

    responses: tuple[int | UUID, ...] = ()
    """Each as its place among `calls`; by id if its call is not there."""


class StartRecord(RunFields):
    """A run as it began."""

    steps: tuple[StartStepRecord, ...]


class EventRecord(Record):
    """`event:{run}:{seq}`: an event, without the run or the response it is about."""

    event: dict[str, JsonValue]
    """Its small fields."""
    texts: dict[str, Text] = Field(default_factory=dict)
    """Its fields that may be long."""
    calls: tuple[CallRecord, ...] | None = None
    merged_from: tuple[MergePartRecord, ...] | None = None
    passage: PassageRecord | None = None
    response: UUID | None = None
    run: StartRecord | None = None
