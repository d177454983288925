"""Wire models of what runs are made with: pipelines, primers, models, preferences."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import (
    Field,
    JsonValue,
)

from writeit.domain.pipeline import AppliesTo, InputType, Reasoning, RunOutput
from writeit.domain.session import ExportFormat
from writeit.engine.precedence import WantKind
from writeit.lsp.shapes import PathText, WireModel


class Problem(WireModel):
    """A problem in a file."""

    uri: str
    message: str
    severity: Literal["error", "warning", "information"]
    range: dict[str, Any]


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
    primer: bool
    choose: Literal["answer", "item"]
    """What is offered first: a whole answer, or an item of its list."""
    reasoning: Reasoning | None


class WirePipelineConfiguration(WireModel):
    """A pipeline as its file defines it."""

    id: str = Field(validation_alias="configuration_id")
    name: str
    description: str
    created: datetime
    applies_to: AppliesTo
    output: RunOutput
    defaults: dict[str, JsonValue]
    inputs: list[WireInputSpec]
    steps: list[WireStepSpec]


class PipelineEntry(WireModel):
    """An entry of the list of pipelines."""

    id: str
    name: str
    description: str
    applies_to: AppliesTo
    output: RunOutput
    steps: list[str]
    inputs: list[WireInputSpec]
    uri: str
    problems: list[Problem]
    usable: bool
    """Whether a run can be started of it: its file has no errors and is the nearest."""


class DocumentBinding(WireModel):
    """What a document's front matter sets for a new run."""

    pipeline: str | None
    inputs: dict[str, str]


class PrimerVersion(WireModel):
    """A stored version of a primer."""

    version: str
    created_at: datetime | None
    last_used: datetime | None


class WireLintRule(WireModel):
    """Words that an editor marks in a document with a style."""

    avoid: list[str]
    prefer: list[str]
    note: str


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
    lint: list[WireLintRule] = Field(default=[])
    created_at: datetime | None
    last_used: datetime | None
    versions: list[PrimerVersion] = Field(default=[])
    """The stored versions that runs were started with, the oldest first."""
    uri: str | None = None
    """Its file."""
    problems: list[Problem] = Field(default=[])
    usable: bool = True
    """Whether a run can use it: its file has no errors and is the nearest."""


class WireWant(WireModel):
    """One thing that a file of a folder would cause."""

    kind: WantKind
    value: str
    source: str = Field(alias="from")
    """The file that names it."""


class WireModelInfo(WireModel):
    """A model, and why it is unavailable if it is."""

    id: str
    provider: str
    available: bool
    reason: str | None
    context_window: int | None
    input_cost_per_token: float | None
    output_cost_per_token: float | None


class PreviewedModel(WireModel):
    """Whether a prompt fits a model, what it may cost and where it would be sent."""

    id: str
    prompt_tokens: int
    context_window: int | None
    fits: bool | None
    min_cost_usd: float | None
    max_cost_usd: float | None
    destination: str
    allowed: bool
    """Whether the text may be sent there."""


class KeyEntry(WireModel):
    """Where a provider's key comes from; never the key itself."""

    provider: str
    source: Literal["environment", "keyring", "none"]


class WireModelSamples(WireModel):
    """A model, and how many answers it is to give to each step."""

    model: str
    samples: int = Field(default=1, ge=1, le=10)


class WireUserPreferences(WireModel):
    """The user's preferences."""

    models: list[WireModelSamples]
    """The models of every step for which nothing else names any."""
    default_models: dict[str, str]
    style_primer: str | None
    auto_save_enabled: bool
    streaming_buffer_size: int
    keyboard_shortcuts: dict[str, str]
    theme: str
    max_concurrent_pipelines: int
    export_format: ExportFormat


class WireUserSession(WireModel):
    """One connection of one user."""

    session_id: UUID
    user_id: str
    active_pipeline_run_id: UUID | None
    workspace_path: PathText
    preferences: WireUserPreferences
    created_at: datetime
    last_activity: datetime
    websocket_connection_id: str | None
