"""The wire contract: one model for the params and one for the result of each command.

Field names are the seed's in camelCase here and as they are on disk; keys of maps are
data and never recased. The JSON Schema, the documentation's table and other
languages' mirrors are generated from this file.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, SecretStr
from pydantic.alias_generators import to_camel

from writeit.domain.entity import UtcDatetime
from writeit.domain.errors import FailureReason
from writeit.domain.pipeline import AppliesTo, InputType, Output
from writeit.domain.run import PipelineStatus, StepStatus
from writeit.domain.session import ExportFormat
from writeit.lsp.convert import normalized_uri

DocumentUri = Annotated[str, AfterValidator(normalized_uri)]
"""A document's URI as a client spells it; however it is quoted, one is meant."""


class WireModel(BaseModel):
    """What all wire models share: camelCase, no unknown keys, made from entities."""

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


# --- shapes -----------------------------------------------------------------------


class WireTokenUsage(WireModel):
    """Tokens and cost of a call."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost_usd: float | None
    estimated: bool


class WireAIResponse(WireModel):
    """One model's answer, complete or partial."""

    response_id: UUID
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
    finish_reason: str | None
    first_token_seconds: float | None


class WirePassage(WireModel):
    """A passage taken towards a merge."""

    passage_id: UUID
    response_id: UUID
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


class Streaming(WireModel):
    """An answer on its way, with its journaled text."""

    response_id: UUID
    model: str
    text: str


class WireStepPermissions(WireModel):
    """The commands that a step takes now; a client need not know why."""

    run: bool
    """`step.run`: models can be asked, or again what failed or was cut."""
    regenerate: bool
    select: bool
    merge: bool
    skip: bool
    apply: bool
    """`step.apply`, and an export as markdown: the step has a text."""
    branch: bool


class WireRunPermissions(WireModel):
    """The commands that a run as a whole takes now."""

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
    passages: list[WirePassage]
    merged_from: list[WireMergePart]
    failures: list[Failure]
    streaming: list[Streaming]
    is_done: bool
    """Whether it is completed or skipped, so that a run can be rewound to it."""
    can: WireStepPermissions


class WireRunPrimer(WireModel):
    """The primer a run is pinned to."""

    primer_id: str
    version: str


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
    output: Output
    output_path: str | None
    is_done: bool
    """Whether it is completed; regenerating its last step opens it again."""
    is_streaming: bool
    """Whether answers are on their way."""
    status_text: str
    """Where it stands, in a few words for a person."""
    can: WireRunPermissions


class WireRunSummary(WireModel):
    """A line of the list of runs."""

    run_id: UUID
    name: str | None
    title: str
    pipeline: str
    uri: str | None
    status: PipelineStatus
    current_step: str
    parent_run_id: UUID | None
    branch_point: str | None
    created_at: datetime
    updated_at: datetime
    cost_usd: float | None
    is_done: bool
    status_text: str


class WireInputSpec(WireModel):
    """An input of a pipeline, for a form."""

    name: str
    type: InputType
    label: str
    required: bool
    default: str | int | float | bool | None
    options: list[str]
    help: str
    max_length: int | None
    from_: str | None = Field(alias="from", validation_alias="source")


class WireStepSpec(WireModel):
    """A step of a pipeline."""

    name: str
    description: str
    prompt: str
    models: list[str]
    samples: int
    max_tokens: int | None
    temperature: float | None


class WirePipelineConfiguration(WireModel):
    """A pipeline as its file says it."""

    id: str = Field(validation_alias="configuration_id")
    name: str
    description: str
    created: datetime
    applies_to: AppliesTo
    output: Output
    defaults: dict[str, JsonValue]
    inputs: list[WireInputSpec]
    steps: list[WireStepSpec]


class Problem(WireModel):
    """Something wrong with a file."""

    uri: str
    message: str
    severity: Literal["error", "warning", "information"]
    range: dict[str, Any]


class PipelineEntry(WireModel):
    """A line of the list of pipelines."""

    id: str
    name: str
    description: str
    applies_to: AppliesTo
    steps: list[str]
    inputs: list[WireInputSpec]
    uri: str
    problems: list[Problem]


class WireStylePrimer(WireModel):
    """A primer with its version."""

    primer_id: str
    version: str
    name: str
    description: str
    content: str
    voice_attributes: dict[str, str]
    example_openings: list[str]
    guidelines: dict[str, list[str]]
    created_at: datetime | None
    last_used: datetime | None


class WireModelInfo(WireModel):
    """A model, and why it cannot be used if it cannot."""

    id: str
    provider: str
    available: bool
    reason: str | None
    context_window: int | None
    input_cost_per_token: float | None
    output_cost_per_token: float | None


class WireUserPreferences(WireModel):
    """What the writer prefers."""

    default_models: dict[str, str]
    style_primer: str | None
    auto_save_enabled: bool
    streaming_buffer_size: int
    keyboard_shortcuts: dict[str, str]
    theme: str
    max_concurrent_pipelines: int
    export_format: ExportFormat


class WireUserSession(WireModel):
    """One connection of one writer."""

    session_id: UUID
    user_id: str
    active_pipeline_run_id: UUID | None
    workspace_path: str
    preferences: WireUserPreferences
    created_at: datetime
    last_activity: datetime
    websocket_connection_id: str | None


# --- params and results -------------------------------------------------------------


class Params(WireModel):
    """What every command may be given."""

    folder: str | None = None
    stream_token: str | None = None
    wait: bool = True


class Position(WireModel):
    """A place in a document, in the negotiated encoding."""

    line: int = Field(ge=0)
    character: int = Field(ge=0)


class Range(WireModel):
    """A stretch of a document."""

    start: Position
    end: Position


class RunParams(Params):
    """A command on a run."""

    run_id: UUID


class StepParams(RunParams):
    """A command on a step; the current one if none is named."""

    step: str | None = None


class PipelineListParams(Params):
    """`writeit.pipeline.list`."""

    uri: str | None = None


class PipelineShowParams(Params):
    """`writeit.pipeline.show`."""

    pipeline: str


class PrimerShowParams(Params):
    """`writeit.primer.show`."""

    primer: str
    version: str | None = None


class ModelListParams(Params):
    """`writeit.model.list`."""

    provider: str | None = None
    refresh: bool = False


class ModelInstallParams(Params):
    """`writeit.model.install`."""

    model: str


class KeysSetParams(Params):
    """`writeit.keys.set`; the key shows in no representation of this."""

    provider: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    key: SecretStr


class RunStartParams(Params):
    """`writeit.run.start`."""

    pipeline: str
    uri: DocumentUri | None = None
    range: Range | None = None
    inputs: dict[str, str | int | float | bool] = Field(default_factory=dict)
    primer: str | None = None
    models: dict[str, list[str] | str] = Field(default_factory=dict)
    output: Output | None = None
    output_path: str | None = None
    name: str | None = None


class RunListParams(Params):
    """`writeit.run.list`."""

    status: PipelineStatus | None = None
    pipeline: str | None = None
    uri: DocumentUri | None = None
    text: str | None = None
    limit: int = Field(default=50, ge=1, le=1000)
    before: UUID | None = None


class RunExportParams(RunParams):
    """`writeit.run.export`."""

    format: ExportFormat | None = None
    path: str | None = None
    include_history: bool = True


class StepPreviewParams(StepParams):
    """`writeit.step.preview`."""

    models: list[str] | None = Field(default=None, min_length=1)


class StepRunParams(StepParams):
    """`writeit.step.run`."""

    models: list[str] | None = Field(default=None, min_length=1)
    samples: int | None = Field(default=None, ge=1, le=10)


class StepSelectParams(StepParams):
    """`writeit.step.select`."""

    response: int = Field(ge=0)
    content: str | None = None
    feedback: str | None = None


class StepRegenerateParams(StepRunParams):
    """`writeit.step.regenerate`."""

    feedback: str | None = None


class StepTakeParams(StepParams):
    """`writeit.step.take`; `response` is an index, or an id while it streams."""

    response: int | UUID
    text: str


class StepMergeParams(StepParams):
    """`writeit.step.merge`; with `instruction` a model joins the parts."""

    responses: list[int] = Field(default_factory=list)
    passages: list[UUID] = Field(default_factory=list)
    content: str | None = None
    instruction: str | None = Field(default=None, min_length=1)
    model: str | None = None
    feedback: str | None = None


class StepFeedbackParams(StepParams):
    """`writeit.step.feedback`."""

    text: str


class StepApplyParams(StepParams):
    """`writeit.step.apply`; the last completed step if none is named."""

    mode: Output | None = None
    uri: DocumentUri | None = None


class DocumentPolishParams(Params):
    """`writeit.document.polish`; without a range all of the document's body."""

    uri: DocumentUri
    range: Range | None = None
    pipeline: str = "polish-passage"
    primer: str | None = None
    instruction: str | None = None
    models: list[str] | None = Field(default=None, min_length=1)
    samples: int | None = Field(default=None, ge=1, le=10)
    apply: bool = False


class DocumentFrontMatterParams(Params):
    """`writeit.document.frontMatter`; `inputs` fill what does not stand there yet."""

    uri: DocumentUri
    pipeline: str
    inputs: dict[str, str | int | float | bool] = Field(default_factory=dict)


class ResponseRateParams(StepParams):
    """`writeit.response.rate`; None takes the score back."""

    response: int = Field(ge=0)
    score: float | None = Field(ge=0, le=1)


class RunTreeParams(RunParams):
    """`writeit.run.tree`; with `depth` the subtree of the run, else its family."""

    depth: int | None = Field(default=None, ge=0, le=100)


class RunBranchParams(RunParams):
    """`writeit.run.branch`."""

    step: str
    name: str | None = None


class RunRewindParams(RunParams):
    """`writeit.run.rewind`."""

    step: str


class RunDeleteParams(RunParams):
    """`writeit.run.delete`."""

    descendants: bool = False


class Side(WireModel):
    """One side of a comparison; without a response what the next step gets."""

    run_id: UUID
    step: str
    response: int | UUID | None = None


class ViewSide(WireModel):
    """One side of a comparison that is shown.

    Besides answers it may be the document that the step's text is meant for: as it
    is now, or as the text proposes it.
    """

    run_id: UUID
    step: str
    response: int | UUID | Literal["content", "document", "proposed"] | None = None


class RunDiffParams(Params):
    """`writeit.run.diff`."""

    left: Side
    right: Side


class PreferencesSetParams(Params):
    """`writeit.preferences.set`: any of the fields; what is left out stays."""

    default_models: dict[str, str] | None = None
    style_primer: str | None = None
    auto_save_enabled: bool | None = None
    streaming_buffer_size: int | None = None
    keyboard_shortcuts: dict[str, str] | None = None
    theme: str | None = None
    max_concurrent_pipelines: int | None = None
    export_format: ExportFormat | None = None


class UsageShowParams(Params):
    """`writeit.usage.show`."""

    since: UtcDatetime | None = None
    by: Literal["model", "pipeline", "day", "run"] = "model"


class ViewOpenParams(Params):
    """`writeit.view.open`."""

    view: Literal["run", "step", "response", "compare", "prompt", "usage"]
    run_id: UUID | None = None
    step: str | None = None
    response_id: UUID | None = None
    left: ViewSide | None = None
    right: ViewSide | None = None


class ViewReadParams(Params):
    """`writeit.view.read`."""

    uri: str


class StoreBackupParams(Params):
    """`writeit.store.backup`: a new folder inside the workspace."""

    path: str


class StorePruneParams(Params):
    """`writeit.store.prune`; without a moment, finished runs of any age."""

    before: UtcDatetime | None = None
    dry_run: bool = True


class DocumentBinding(WireModel):
    """What a document's front matter says of a run to start on it."""

    pipeline: str | None
    inputs: dict[str, str]


class PipelineListResult(WireModel):
    """Every pipeline this folder can use; with `uri` what that document says."""

    pipelines: list[PipelineEntry]
    binding: DocumentBinding | None = None


class PrimerListResult(WireModel):
    """Every primer this folder can use."""

    primers: list[WireStylePrimer]


class ModelListResult(WireModel):
    """The models worth naming here."""

    models: list[WireModelInfo]


class KeysSetResult(WireModel):
    """Whether the key is kept."""

    provider: str
    stored: bool


class KeyEntry(WireModel):
    """Where a provider's key comes from; the key itself is never told."""

    provider: str
    source: Literal["environment", "keyring", "none"]


class KeysListResult(WireModel):
    """The usual providers, and those that settings and pipelines name."""

    providers: list[KeyEntry]


class PreviewedModel(WireModel):
    """How a prompt fits a model, what it may cost and where it would go."""

    id: str
    prompt_tokens: int
    context_window: int | None
    fits: bool | None
    min_cost_usd: float | None
    max_cost_usd: float | None
    destination: str
    allowed: bool
    """Whether the text may be sent there."""


class StepPreviewResult(WireModel):
    """A prompt exactly as it would be sent, and to whom."""

    prompt: str
    models: list[PreviewedModel]


class RunListResult(WireModel):
    """A page of runs, newest first; `next` is the `before` of the following page."""

    runs: list[WireRunSummary]
    next: UUID | None = None


class RunExportResult(WireModel):
    """What was exported, and where to if a path was given."""

    uri: str | None
    content: str


class RunTree(WireModel):
    """A run with the runs that branched off it."""

    run_id: UUID
    name: str | None
    title: str
    """What its document is called: for a list, where the run has no name."""
    branch_point: str | None
    status: PipelineStatus
    current_step: str
    is_done: bool
    status_text: str
    deleted: bool
    children: list[RunTree]
    more: bool
    """Whether children are left out because the tree is deep."""


class RunDeleteResult(WireModel):
    """How much went."""

    deleted_runs: int
    deleted_responses: int


class RunDiffResult(WireModel):
    """The difference of two texts, and where each can be read."""

    unified: str
    left_uri: str
    right_uri: str


class UsageRow(WireModel):
    """What the calls of one key used."""

    key: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    unknown_cost_calls: int
    seconds: float


class UsageShowResult(WireModel):
    """Rows by key, and their sum."""

    rows: list[UsageRow]
    total: UsageRow


class ViewOpenResult(WireModel):
    """Where the view is: a `writeit:` URI, or a file's."""

    uri: str


class ViewSection(WireModel):
    """A text of a view, and where it stands; lines count from 0."""

    kind: Literal["answer", "coming", "merge", "feedback", "left", "right"]
    response_id: UUID | None
    index: int | None
    """Of an answer that ended: its place in `aiResponses`."""
    heading_line: int
    first_line: int
    last_line: int
    """Of the text itself, both included; an empty one has a blank line."""


class ViewReadResult(WireModel):
    """A view's markdown, without markers, and its sections in order."""

    text: str
    sections: list[ViewSection]


class StoreStatusResult(WireModel):
    """Figures of a store; bytes are bytes."""

    path: str
    schema_version: int
    map_bytes: int
    used_bytes: int
    file_bytes: int
    runs: int
    responses: int
    texts: int
    events: int


class WireStoreProblem(WireModel):
    """One thing `verify` found."""

    key: str
    message: str


class StoreVerifyResult(WireModel):
    """What `verify` looked at and found."""

    ok: bool
    checked: int
    problems: list[WireStoreProblem]


class StoreBackupResult(WireModel):
    """Where the copy is."""

    uri: str


class StorePruneResult(WireModel):
    """How much went, or would go."""

    deleted_runs: int
    deleted_responses: int
    dry_run: bool


class Conflict(WireModel):
    """A stretch that the writer changed as well; `ours` is hers and stays."""

    base: str
    ours: str
    theirs: str


class StepApplyResult(WireModel):
    """What became of a text; a pending one is kept and can be applied again."""

    applied: bool
    uri: str
    merged: bool
    """Whether what the writer changed meanwhile stands beside it."""
    conflicts: list[Conflict]
    pending: bool


class EditRestoreResult(WireModel):
    """Whether the document is as it was before, but for what was typed since."""

    applied: bool
    uri: str


class FrontMatterResult(WireModel):
    """Whether the document has the block now."""

    applied: bool


class Accepted(WireModel):
    """The reply of a command that was told not to wait."""

    run_id: UUID | None = None
    step: str | None = None
