"""Where runs are kept, beside the workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from writeit.domain.entity import TokenUsage
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.run_bundle import Ancestor
from writeit.domain.run_summary import RunSummary
from writeit.domain.session import UserPreferences, UserSession

# --- Where runs are kept, beside the workspace ----------------------------------------


class Store(Protocol):
    """Where runs are kept, beside the workspace. Reads are fast and synchronous."""

    def last_transaction_id(self) -> int:
        """Return a number that rises with every write, by whichever process.

        Cheap enough to be looked at several times a second.
        """
        ...

    async def commit(self, commit: RunCommit) -> int:
        """Write a decision and return the run's new seq, once it is on the disk.

        Also folds the journal: text journaled for a response that ended is dropped.

        Raises:
            StaleDecision: `expected_seq` is no longer the run's.
            StoreError: it could not be written; nothing of it was.
        """
        ...

    def append_journal(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Append streamed text; it is on the disk at most 50 ms later.

        A failure to write shows as StoreError at the next `commit`.
        """
        ...

    def get_run(self, run_id: UUID) -> StoredRun | None:
        """Read a run with its answers; what streams stands with its journaled text."""
        ...

    def list_runs(self, query: RunQuery) -> RunPage:
        """List runs, newest first."""
        ...

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first; their place + 1 is their seq."""
        ...

    def streaming_runs(self) -> list[UUID]:
        """List the runs that have answers on their way (or had, when all went dark)."""
        ...

    def summary(self, run_id: UUID) -> RunSummary | None:
        """Read the summary of a run, or of the tombstone it left."""
        ...

    def children(self, run_id: UUID) -> list[UUID]:
        """List the runs that branched off a run, oldest first; tombstones too."""
        ...

    def lease(self, run_id: UUID) -> Lease | None:
        """Read who is asking models for a run."""
        ...

    async def renew_leases(self, leases: Mapping[UUID, Lease]) -> None:
        """Write new heartbeats, by run id, of leases that are still the owner's."""
        ...

    async def delete_run(
        self, run_id: UUID, *, descendants: bool = False
    ) -> DeletionCounts:
        """Delete a run, or its whole family below it.

        A run with children leaves a tombstone unless `descendants` go too. Answers
        stay while one run holds them; what a call cost stays in the usage.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of them are streaming; nothing was deleted.
            StoreError: nothing was deleted.
        """
        ...

    def usage_records(self, since: datetime | None = None) -> Iterator[UsageRecord]:
        """Read what calls used, oldest first; each answer counts once."""
        ...

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        ...

    def primer(self, primer_id: str, version: str | None = None) -> StylePrimer | None:
        """Read a primer: the version asked for, else the one used last."""
        ...

    async def save_session(self, session: UserSession) -> None:
        """Write a session and list it as active.

        Raises:
            StoreError: it could not be written.
        """
        ...

    async def end_session(self, session_id: UUID) -> None:
        """Take a session off the list of active ones; the session itself stays."""
        ...

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        ...

    def preferences(self) -> UserPreferences | None:
        """Read the preferences that were saved last, whatever session saved them."""
        ...

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Keep preferences for the sessions to come.

        Raises:
            StoreError: they could not be written.
        """
        ...

    def active_sessions(self) -> list[UserSession]:
        """Read the sessions that are active now."""
        ...

    def close(self) -> None:
        """Write what is still waiting, then let go of the store."""
        ...


# --- What is written into a store and read from it, whole or not at all ---------------


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run and the number of its newest event."""

    run: PipelineRun
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommit:
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
    release_lease: bool = False
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
class DeletionCounts:
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
    older_than: UUID | None = None
    """Only runs older than this one."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of runs; `next` is the `before` of the page that follows."""

    runs: list[RunSummary] = field(default_factory=list)
    next_older_than: UUID | None = None


class StaleCommit(Exception):
    """Somebody decided about the run meanwhile: read it again and decide anew."""


# --- The care of a store: figures, verification, space, copies, pruning ---------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """Figures of a store."""

    path: Path
    schema: int
    map_bytes: int
    used_bytes: int
    file_bytes: int
    runs: int
    responses: int
    texts: int
    events: int


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """One thing that `verify` found."""

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What `verify` looked at and found; it is well if there are no problems."""

    checked: int
    problems: list[StoreProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """Where a store was, None if nothing was to be moved, and where it belongs."""

    source: Path | None
    target: Path


class Maintenance(Protocol):
    """The care of a store; every method may take long and runs off the event loop."""

    async def status(self) -> StoreStatus:
        """Count what is there."""
        ...

    async def verify(self) -> VerifyResult:
        """Check structure, text hashes, and every entity against its events."""
        ...

    async def compact(self) -> StoreStatus:
        """Drop texts nobody refers to and give free pages back to the disk.

        Raises:
            Busy: another process has the store open; nothing was changed.
        """
        ...

    async def backup(self, path: Path) -> Path:
        """Copy a consistent store to a new folder, while it is in use.

        Raises:
            InvalidParams: there is something at `path` already.
            StoreError: it could not be written; nothing half done is left.
        """
        ...

    async def prune(self, cutoff: datetime, *, dry_run: bool = True) -> DeletionCounts:
        """Delete finished runs last touched before a moment; count them if dry."""
        ...
