"""A run as lists and trees show it, and what of it is out of date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from writeit.domain.document import RunDocument
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What lists and trees show of a run, read without opening the run."""

    run_id: UUID
    name: str | None
    title: str
    pipeline: str
    configuration_id: str
    uri: str | None
    status: PipelineStatus
    current_step: str
    parent_run_id: UUID | None
    branch_point: str | None
    created_at: datetime
    updated_at: datetime
    cost_usd: float | None
    documents: tuple[str, ...] = ()
    """URIs of its source and of the documents its texts were applied to."""
    files: tuple[str, ...] = ()
    """URIs of the files that its source named as notes or as context."""
    applied_to: tuple[str, ...] = ()
    """URIs of the documents that contain text of it now."""
    passage: str = ""
    """The first words of the passage that it is about, "" of a whole document."""
    is_review: bool = False
    incomplete: bool = False
    """Whether a chosen answer is incomplete and was not edited."""
    is_blind: bool = False
    """Whether its cost is hidden, because it would tell models before the choice."""
    deleted: bool = False
    """Whether only a tombstone is left, kept for its branches."""


@dataclass(frozen=True, slots=True)
class RunNode:
    """A run in its tree of branches."""

    summary: RunSummary
    children: tuple[RunNode, ...] = ()
    passages: tuple[RunNode, ...] = ()
    """The runs about passages of its documents, newest first; only of a root."""
    more: bool = False
    """Whether it has branches or passages that were not read."""


@dataclass(frozen=True, slots=True)
class TodaysTexts:
    """What a run would be started with today; None: it is gone, or cannot be read."""

    document: RunDocument | None = None
    front_matter_inputs: Mapping[str, str] = field(default_factory=dict)
    configuration: PipelineConfiguration | None = None
    primers: Mapping[str, StylePrimer] = field(default_factory=dict)
    """The style primers that can be used, by id."""
    own_pipelines: frozenset[str] = frozenset()


StaleKind = Literal["source", "pipeline", "primer", "step"]


@dataclass(frozen=True, slots=True)
class StaleReason:
    """What has changed since a step was generated."""

    kind: StaleKind
    name: str
    """The file, the pipeline, the style primer, or the earlier step."""
    is_named: bool = False
    """Whether it is a file that the document's front matter names."""


@dataclass(frozen=True, slots=True)
class StaleStep:
    """A step that would get another prompt today."""

    step: str
    reasons: tuple[StaleReason, ...]
