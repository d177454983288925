"""Records: values as JSON with a version, long texts by reference, upcast on read.

A text of 256 bytes or more is stored once, under the SHA-256 of its bytes; records that
share it have `{"text": "<sha256>"}` in its place. Only fields of the type `StoredText`
can have a reference, so a user's text cannot be mistaken for one.

Fields are encoded in their order here: reordering them changes stored bytes.
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

from writeit.domain.answer import Call
from writeit.domain.entity import UtcDatetime, find_unknown_value
from writeit.domain.errors import FailureReason
from writeit.domain.pipeline import PipelineConfiguration, RunOutput
from writeit.domain.primer import LintRule
from writeit.domain.remarks import Dismissal
from writeit.domain.run import AppliedText, PipelineStatus, StepStatus
from writeit.domain.session import UserPreferences, UserSession
from writeit.storage.integrity import strip_checksum

MIN_SHARED_TEXT_BYTES = 256
"""A text of as many bytes is stored by reference."""

EMPTY_VALUE = b'{"v":1}'  # of a key without a value


class RecordTooNew(ValueError):
    """A newer version of WriteIt wrote the record."""


def describe_newer(error: BaseException) -> str | None:
    """Return what a newer WriteIt added to an undamaged record, or None."""
    if isinstance(error, RecordTooNew):
        return str(error)
    place = find_unknown_value(error) if isinstance(error, ValidationError) else None
    return f"this one does not know {place}" if place else None


class SharedTexts:
    """The long texts of a record that is being encoded, by their digest."""

    def __init__(self) -> None:
        self.by_digest: dict[str, bytes] = {}

    def fold(self, text: str) -> JsonValue:
        """Return `text`, or a reference to it if it is long."""
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
"""A string that is stored by reference if it is long."""


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


R = TypeVar("R", bound="Record")
T = TypeVar("T")
SharedJson = Annotated[
    T, BeforeValidator(_unfold_json), WrapSerializer(_fold_json, when_used="json")
]
"""A list that many records share; its JSON is stored like a long text."""


def encode_record(record: Record, texts: SharedTexts) -> bytes:
    """Return `record` as JSON, and add its long texts to `texts`."""
    body = record.model_dump_json(exclude_defaults=record.OMIT_DEFAULTS, context=texts)
    comma = "" if body == "{}" else ","
    return f'{{"v":{record.VERSION}{comma}{body[1:]}'.encode()


def reject_text_reference(digest: str) -> str:
    """Raise ValueError: these records have no long texts."""
    raise ValueError(f"an unexpected reference to text {digest}")


def decode_record(
    record_type: type[R],
    raw: bytes,
    read_text: Callable[[str], str] = reject_text_reference,
) -> R:
    """Decode a record; `read_text` returns a long text by its digest.

    Raises:
        RecordTooNew: it has a higher version.
        ValueError: it is no such record, or has unknown fields.
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
        raise ValueError(f"a {record_type.__name__} has no version")
    if version > record_type.VERSION:
        raise RecordTooNew(
            f"a {record_type.__name__} has version {version}, not {record_type.VERSION}"
        )
    for step in record_type.UPCASTS[version - 1 :]:
        data = step(data)
    return {**data, "v": record_type.VERSION}


class Record(BaseModel):
    """A stored value; `v` is the version of its kind.

    Defaults are omitted, so a default must not change without a new version.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, from_attributes=True, ser_json_inf_nan="strings"
    )

    VERSION: ClassVar[int] = 1
    UPCASTS: ClassVar[tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]] = ()
    """The first one converts version 1 to 2, and so on."""
    OMIT_DEFAULTS: ClassVar[bool] = True
    """Whether defaults are omitted; False where they are those of a domain entity."""

    v: int = Field(default=1, exclude=True)


class RunPrimerRecord(Record):
    """The primer that a run uses."""

    primer_id: str
    version: str
    text: StoredText


class SourceFileRecord(Record):
    """A file that the document's front matter names."""

    name: str
    uri: str
    text: StoredText
    providers: tuple[str, ...] | None = None


class DocumentRecord(Record):
    """The user's document when the run started."""

    text: StoredText = ""
    selection: StoredText = ""
    before: StoredText = ""
    after: StoredText = ""
    title: StoredText = ""
    path: StoredText = ""
    providers: tuple[str, ...] | None = None
    notes: tuple[SourceFileRecord, ...] = ()
    context: tuple[SourceFileRecord, ...] = ()
    primer: str | None = None
    first_line: int = 0


class RunHead(Record):
    """The first fields of a run."""

    pipeline_run_id: UUID
    configuration_id: str
    parent_pipeline_run_id: UUID | None = None
    branch_point: str | None = None
    created_at: UtcDatetime
    updated_at: UtcDatetime
    current_step: str
    status: PipelineStatus


class RunFields(RunHead):
    """The fields of a run besides its steps."""

    user_inputs: dict[str, StoredText] = Field(default_factory=dict)
    name: str | None = None
    uri: str | None = None
    primer: RunPrimerRecord | None = None
    models: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    reasoning: str | int | None = None
    samples: int | None = None
    last_models: tuple[str, ...] = ()
    front_matter_inputs: tuple[str, ...] = ()
    output: RunOutput
    output_path: str | None = None
    document: DocumentRecord = DocumentRecord()
    applied: tuple[AppliedText, ...] = ()
    dismissals: SharedJson[tuple[Dismissal, ...]] = ()


class RunRecord(RunFields):
    """`run:{id}`: a run, the number of its newest event, and its summary."""

    seq: int
    step_names: tuple[str, ...]
    title: str
    cost_usd: float | None = None
    incomplete: bool = False
    blind: bool = False


class SelectionRecord(Record):
    """The part of a DocumentRecord that most readers need: long texts are not read."""

    model_config = ConfigDict(extra="ignore")

    selection: JsonValue = ""  # the text, or the reference to it
    notes: tuple[dict[str, JsonValue], ...] = Field(default=(), exclude=True)
    context: tuple[dict[str, JsonValue], ...] = Field(default=(), exclude=True)


class RunSummaryRecord(RunHead):
    """The part of a RunRecord that the list of runs and the indices need."""

    model_config = ConfigDict(extra="ignore")

    VERSION: ClassVar[int] = RunRecord.VERSION
    UPCASTS = RunRecord.UPCASTS

    seq: int
    name: str | None = None
    uri: str | None = None
    title: str
    output: RunOutput = "new_file"
    cost_usd: float | None = None
    incomplete: bool = False
    blind: bool = False
    document: SelectionRecord = SelectionRecord()
    applied: tuple[AppliedText, ...] = ()


# Steps and responses


class StreamingRecord(Record):
    """An answer that is streaming; its text is in the journal."""

    response_id: UUID
    model: str
    prompt: StoredText


class TokenUsageRecord(Record):
    """The tokens and the cost of an answer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost_usd: float | None = None
    estimated: bool = False
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


class FailureRecord(Record):
    """A call that ended without text."""

    response_id: UUID
    model: str
    reason: FailureReason
    message: StoredText
    usage: TokenUsageRecord | None = None


class PassageRecord(Record):
    """A passage added to a merge."""

    passage_id: UUID
    response_id: UUID | None = None
    text: StoredText
    own_words: bool = False
    """True without a response, so that an older WriteIt says `too_new`."""


class MergePartRecord(Record):
    """A part of a merged text."""

    response_id: UUID | None = None
    text: StoredText


class BeforeRegenerationRecord(Record):
    """The state of a step before its regeneration."""

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
    """`step:{run}:{step}`: a step; `step_responses` has its responses."""

    step_name: str
    status: StepStatus
    started_at: UtcDatetime | None = None
    completed_at: UtcDatetime | None = None
    user_selection: int | None = None
    user_feedback: StoredText | None = None
    merged_content: StoredText | None = None
    retry_count: int = 0
    edited_content: StoredText | None = None
    instruction: StoredText | None = None
    ratings: dict[UUID, float] = Field(default_factory=dict)
    passages: tuple[PassageRecord, ...] = ()
    merged_from: tuple[MergePartRecord, ...] = ()
    calls: SharedJson[tuple[Call, ...]] = ()
    streaming: tuple[StreamingRecord, ...] = ()
    failures: tuple[FailureRecord, ...] = ()
    failed_cost_usd: float | None = None
    before: BeforeRegenerationRecord | None = None


class ResponseRecord(Record):
    """`response:{id}`: an answer that ended."""

    response_id: UUID
    model_name: str
    provider: str
    prompt_used: StoredText
    raw_output: StoredText
    processed: tuple[int, int] | None = None
    """Start and end of the cleaned text in the raw text, if it is part of that."""
    processed_content: StoredText | None = None
    """The cleaned text, if it is not."""
    created_at: UtcDatetime
    usage_stats: TokenUsageRecord
    processing_time: float
    quality_score: float | None = None
    partial: bool = False
    finish_reason: str | None = None
    first_token_seconds: float | None = None
    thinking: StoredText | None = None
    continues: UUID | None = None
    notes: tuple[str, ...] = ()


# Events


class RunStartStepRecord(StepRecord):
    """A step of a new run."""

    responses: tuple[int | UUID, ...] = ()
    """Each by its index in `calls`, or by id if its call is not there."""


class RunStartRecord(RunFields):
    """A new run."""

    steps: tuple[RunStartStepRecord, ...]


class EventRecord(Record):
    """`event:{run}:{seq}`: an event; its response is referred to by id."""

    event: dict[str, JsonValue]
    """Its small fields."""
    texts: dict[str, StoredText] = Field(default_factory=dict)
    """Its long fields."""
    calls: tuple[Call, ...] | None = None
    merged_from: tuple[MergePartRecord, ...] | None = None
    passage: PassageRecord | None = None
    response: UUID | None = None
    run: RunStartRecord | None = None


class LeaseRecord(Record):
    """`lease:{run}`: which process is calling models for a run."""

    owner: UUID
    pid: int
    process_started: float
    heartbeat: UtcDatetime


class UsageEntryRecord(Record):
    """`usage:{time}:{response}`: the usage of an answer."""

    at: UtcDatetime
    run_id: UUID
    pipeline: str
    model: str
    usage: TokenUsageRecord
    seconds: float


class ConfigurationRecord(Record):
    """`config:{id}`: a configuration."""

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
    lint: tuple[LintRule, ...] = ()
    created_at: UtcDatetime
    last_used: UtcDatetime


class NewestPrimerRecord(Record):
    """`primer:{id}`: the version of a primer that was used last."""

    newest: str


class ActiveDocumentRecord(Record):
    """`active_document:{hash}`: the run that a document is about."""

    run_id: UUID


class DraftsRecord(Record):
    """`draft:{run}:{step}`: what the user typed and no decision has taken."""

    texts: dict[str, str]
    """By `feedback`, `merge`, `review` or the id of an answer."""


class SessionRecord(Record):
    """`session:{id}`: a session."""

    OMIT_DEFAULTS: ClassVar[bool] = False
    session: UserSession


class PreferencesRecord(Record):
    """`preferences:{user}`: a user's preferences for later sessions."""

    OMIT_DEFAULTS: ClassVar[bool] = False
    preferences: UserPreferences
