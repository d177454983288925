"""Values as JSON: a version in front, long texts by reference, upcast on read.

A text of 256 bytes or more stands in the store once, under the SHA-256 of its bytes,
however many records share it; a record holds `{"text": "<sha256>"}` in its place.
Which fields may do so is said by their type, `Text`, so no writer's words can be
mistaken for a reference.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    WrapSerializer,
)

from writeit.domain.entity import UtcDatetime, find_unknown_value
from writeit.domain.errors import FailureReason
from writeit.domain.pipeline import Output, PipelineConfiguration
from writeit.domain.run import PipelineStatus, StepStatus
from writeit.domain.session import UserPreferences, UserSession
from writeit.storage.checksum import strip_checksum

# --- Values as JSON: a version in front, long texts by reference, upcast on read ------

MIN_SHARED_TEXT_BYTES = 256
"""Bytes from which on a text is stored apart."""

EMPTY_VALUE = b'{"v":1}'
"""The value of a key that says it all."""


class RecordTooNew(ValueError):
    """A newer version of this program wrote the record."""


def describe_newer(error: BaseException) -> str | None:
    """Return what of a newer program made a record that is whole unreadable, if so."""
    if isinstance(error, RecordTooNew):
        return str(error)
    place = find_unknown_value(error) if isinstance(error, ValidationError) else None
    return f"this one does not know {place}" if place else None


class SharedTexts:
    """The long texts of a record that is being written, by their digest."""

    def __init__(self) -> None:
        self.by_digest: dict[str, bytes] = {}

    def fold(self, text: str) -> JsonValue:
        """Return what stands for `text` in the record."""
        data = text.encode()
        if len(data) < MIN_SHARED_TEXT_BYTES:
            return text
        digest = hashlib.sha256(data).hexdigest()
        self.by_digest[digest] = data
        return {"text": digest}


def _fold(text: str, info: SerializationInfo[SharedTexts]) -> JsonValue:
    return info.context.fold(text)


def _unfold(value: object, info: ValidationInfo[Callable[[str], str]]) -> object:
    if isinstance(value, dict) and set(value) == {"text"}:
        return info.context(value["text"])
    return value


StoredText = Annotated[
    str, BeforeValidator(_unfold), PlainSerializer(_fold, when_used="json")
]
"""A string that may be long, and may be shared by many records."""


def _fold_json(
    value: object,
    handler: SerializerFunctionWrapHandler,
    info: SerializationInfo[SharedTexts],
) -> JsonValue:
    plain = handler(value)
    folded = info.context.fold(json.dumps(plain, separators=(",", ":")))
    return plain if isinstance(folded, str) else folded


def _unfold_json(value: object, info: ValidationInfo[Callable[[str], str]]) -> object:
    text = _unfold(value, info)
    return value if text is value else json.loads(str(text))


T = TypeVar("T")
SharedJson = Annotated[
    T, BeforeValidator(_unfold_json), WrapSerializer(_fold_json, when_used="json")
]
"""A list that many records have in common; its JSON is stored like a long text."""


R = TypeVar("R", bound="Record")


def encode_record(record: Record, texts: SharedTexts) -> bytes:
    """Return `record` as JSON; its long texts are added to `texts`."""
    body = record.model_dump_json(exclude_defaults=record.OMIT_DEFAULTS, context=texts)
    comma = "" if body == "{}" else ","
    return f'{{"v":{record.VERSION}{comma}{body[1:]}'.encode()


def decode_record(
    record_type: type[R], raw: bytes, read_text: Callable[[str], str]
) -> R:
    """Read a record; `text` finds a long text by its digest.

    Raises:
        TooNew: it has a higher version.
        ValueError: it is not a record of this kind, or has more than this one knows:
            `newer` tells which, once the checksum was found to be right.
    """
    raw = strip_checksum(raw)
    if raw.startswith(
        (b'{"v":%d,' % record_type.VERSION, b'{"v":%d}' % record_type.VERSION)
    ):
        return record_type.model_validate_json(raw, context=read_text)
    return record_type.model_validate(_upcast(record_type, raw), context=read_text)


def _upcast(record_type: type[R], raw: bytes) -> dict[str, Any]:
    data = json.loads(raw)
    version = data.get("v") if isinstance(data, dict) else None
    if not isinstance(version, int) or version < 1:
        msg = f"a {record_type.__name__} has no version"
        raise ValueError(msg)
    if version > record_type.VERSION:
        msg = (
            f"a {record_type.__name__} has version {version}, not {record_type.VERSION}"
        )
        raise RecordTooNew(msg)
    for step in record_type.UPCASTS[version - 1 :]:
        data = step(data)
    return {**data, "v": record_type.VERSION}


# --- Runs, steps, responses and events as they are on the disk ------------------------


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
    OMIT_DEFAULTS: ClassVar[bool] = True
    """Whether defaults are left out; not where the defaults are those of `core`."""

    v: int = Field(default=1, exclude=True)


# --- A run ------------------------------------------------------------------------


class RunPrimerRecord(Record):
    """The primer that a run has pinned."""

    primer_id: str
    version: str
    text: StoredText


class DocumentRecord(Record):
    """The writer's document as it was when the run started."""

    text: StoredText = ""
    selection: StoredText = ""
    before: StoredText = ""
    after: StoredText = ""
    title: StoredText = ""
    path: StoredText = ""
    providers: tuple[str, ...] | None = None


class AppliedRecord(Record):
    """A document that a step's text stands in."""

    uri: str
    step: str
    at: UtcDatetime
    mode: Output


class RunFields(Record):
    """What a run has besides its steps."""

    pipeline_run_id: UUID
    configuration_id: str
    parent_pipeline_run_id: UUID | None = None
    branch_point: str | None = None
    created_at: UtcDatetime
    updated_at: UtcDatetime
    current_step: str
    status: PipelineStatus
    user_inputs: dict[str, StoredText] = Field(default_factory=dict)
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


class RunSummaryRecord(Record):
    """The part of a RunRecord that the list of runs and the indices need."""

    model_config = ConfigDict(extra="ignore")

    VERSION: ClassVar[int] = RunRecord.VERSION
    UPCASTS = RunRecord.UPCASTS

    seq: int
    pipeline_run_id: UUID
    configuration_id: str
    parent_pipeline_run_id: UUID | None = None
    branch_point: str | None = None
    created_at: UtcDatetime
    updated_at: UtcDatetime
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
    prompt: StoredText


class FailureRecord(Record):
    """A call that ended without any text."""

    response_id: UUID
    model: str
    reason: FailureReason
    message: StoredText


class PassageRecord(Record):
    """A passage taken towards a merge."""

    passage_id: UUID
    response_id: UUID
    text: StoredText


class MergePartRecord(Record):
    """A part of a merged text."""

    response_id: UUID | None = None
    text: StoredText


class BeforeRegenerationRecord(Record):
    """What a regeneration has put aside."""

    status: StepStatus
    completed_at: UtcDatetime | None = None
    user_selection: int | None = None
    user_feedback: StoredText | None = None
    edited_content: StoredText | None = None
    merged_content: StoredText | None = None
    merged_from: tuple[MergePartRecord, ...] = ()
    retry_count: int = 0
    run_status: PipelineStatus


class StepRecord(Record):
    """`step:{run}:{step}`: a step; its responses are in `step_responses`."""

    step_name: str
    status: StepStatus
    started_at: UtcDatetime | None = None
    completed_at: UtcDatetime | None = None
    user_selection: int | None = None
    user_feedback: StoredText | None = None
    merged_content: StoredText | None = None
    retry_count: int = 0
    edited_content: StoredText | None = None
    ratings: dict[UUID, float] = Field(default_factory=dict)
    passages: tuple[PassageRecord, ...] = ()
    merged_from: tuple[MergePartRecord, ...] = ()
    calls: SharedJson[tuple[CallRecord, ...]] = ()
    streaming: tuple[StreamingRecord, ...] = ()
    failures: tuple[FailureRecord, ...] = ()
    before: BeforeRegenerationRecord | None = None


class TokenUsageRecord(Record):
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
    prompt_used: StoredText
    raw_output: StoredText
    processed: tuple[int, int] | None = None
    """Where the cleaned text begins and ends in the raw one, if it stands there."""
    processed_content: StoredText | None = None
    """The cleaned text, if it does not."""
    created_at: UtcDatetime
    usage_stats: TokenUsageRecord
    processing_time: float
    quality_score: float | None = None
    partial: bool = False
    finish_reason: str | None = None
    first_token_seconds: float | None = None


# --- Events -----------------------------------------------------------------------


class RunStartStepRecord(StepRecord):
    """A step as its run began with it."""

    responses: tuple[int | UUID, ...] = ()
    """Each as its place among `calls`; by id if its call is not there."""


class RunStartRecord(RunFields):
    """A run as it began."""

    steps: tuple[RunStartStepRecord, ...]


class EventRecord(Record):
    """`event:{run}:{seq}`: an event, without the run or the response it is about."""

    event: dict[str, JsonValue]
    """Its small fields."""
    texts: dict[str, StoredText] = Field(default_factory=dict)
    """Its fields that may be long."""
    calls: tuple[CallRecord, ...] | None = None
    merged_from: tuple[MergePartRecord, ...] | None = None
    passage: PassageRecord | None = None
    response: UUID | None = None
    run: RunStartRecord | None = None


# --- Records beside the runs ----------------------------------------------------


class LeaseRecord(Record):
    """`lease:{run}`: who is asking models for a run."""

    owner: UUID
    pid: int
    process_started: float
    heartbeat: UtcDatetime


class UsageEntryRecord(Record):
    """`usage:{time}:{response}`: what an answer used."""

    at: UtcDatetime
    run_id: UUID
    pipeline: str
    model: str
    usage: TokenUsageRecord
    seconds: float


class ConfigurationRecord(Record):
    """`config:{id}`: a configuration, whole."""

    OMIT_DEFAULTS: ClassVar[bool] = False
    configuration: PipelineConfiguration


class PrimerRecord(Record):
    """`primer:{id}:{version}`: a version of a primer."""

    primer_id: str
    name: str
    description: StoredText = ""
    content: StoredText
    voice_attributes: dict[str, StoredText]
    example_openings: tuple[StoredText, ...] = ()
    guidelines: dict[str, tuple[StoredText, ...]]
    created_at: UtcDatetime
    last_used: UtcDatetime


class NewestPrimerRecord(Record):
    """`primer:{id}`: the version that was used last."""

    newest: str


class SessionRecord(Record):
    """`session:{id}`: a session."""

    OMIT_DEFAULTS: ClassVar[bool] = False
    session: UserSession


class PreferencesRecord(Record):
    """`preferences:{user}`: what a user prefers, for the sessions to come."""

    OMIT_DEFAULTS: ClassVar[bool] = False
    preferences: UserPreferences
