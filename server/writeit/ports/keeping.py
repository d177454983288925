"""What is written into a store and read from it, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from writeit.core.dossier import Ancestor
    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.run import PipelineRun, PipelineStatus
    from writeit.core.session import UserSession
    from writeit.core.usage import TokenUsage


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run and the number of its newest event."""

    run: PipelineRun
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is written whole or not at all."""

    run: PipelineRun
    """The run as it is after the events."""
    events: tuple[Event, ...]
    expected_seq: int
    """The number of the run's newest event when the decision was made; 0 for none."""
    configuration: PipelineConfiguration | None = None
    """Stored if it is new."""
    primer: StylePrimer | None = None
    """Stored if its version is new; its use is recorded."""
    session: UserSession | None = None
    lease: Lease | None = None
    """Taken with the decision; given back with the decision that ends the asking."""
    release: bool = False
    ancestors: tuple[Ancestor, ...] | None = None
    """Of a run that comes from elsewhere: what it branched off, the nearest first.
    Those that nobody knows here leave a tombstone. None of a run that is our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who is asking models for a run right now: nobody else may."""

    owner: UUID
    """The session of the process that asks."""
    pid: int
    process_started: float
    """Seconds since the epoch when that process started: pids are used again."""
    heartbeat: datetime
    """When the owner last said that it lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A line of the list of runs; read without opening the run."""

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
    """The URIs of what it is about: its source, and what its texts were applied to."""
    applied_to: tuple[str, ...] = ()
    """The URIs of the documents that texts of it stand in."""
    deleted: bool = False
    """Whether only a tombstone is left, for the sake of its children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a deletion took away."""

    runs: int
    responses: int
    """Answers that no run holds any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """One call, for the sums of `usage.show` and for budgets."""

    at: datetime
    run_id: UUID
    pipeline: str
    model: str
    usage: TokenUsage
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs to list, newest first."""

    status: PipelineStatus | None = None
    pipeline: str | None = None
    """The pipeline's name."""
    uri: str | None = None
    """A document that a run was started on, or that a text of it was applied to."""
    text: str | None = None
    """Found in name or title, whatever the case."""
    limit: int = 50
    before: UUID | None = None
    """Only runs older than this one."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of runs; `next` is the `before` of the page that follows."""

    runs: list[RunSummary] = field(default_factory=list)
    next: UUID | None = None


class StaleDecision(Exception):
    """Somebody decided about the run meanwhile: read it again and decide anew."""
