"""The interface to the store of runs, its maintenance, and what they exchange."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol
from uuid import UUID

from writeit.domain.entity import TokenUsage
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.run_bundle import Ancestor
from writeit.domain.run_summary import RunSummary
from writeit.domain.session import UserPreferences, UserSession
from writeit.text.search import TextMatch


class Store(Protocol):
    """The store of a workspace's runs. Reads are fast and synchronous."""

    def changed_runs(self, after: bytes | None) -> tuple[list[UUID], bytes]:
        """Return the runs that any process changed after a change, and the newest one.

        `after` is the newest change of an earlier call; None: no runs are returned. If
        the store does not have it, all runs of the newest changes are.
        """

    async def commit(self, commit: RunCommit) -> int:
        """Write a decision and return the run's new seq once it is on disk.

        Also drops the journaled text of responses that ended.

        Raises:
            StaleCommit: the run's seq is no longer `expected_seq`, or its parent has
                another branch by now.
            StoreError: nothing was written.
        """

    def append_journal(
        self, run_id: UUID, response_id: UUID, text: str, *, is_thought: bool = False
    ) -> None:
        """Append streamed text, or a thought, which is kept apart from the text.

        It is on disk at most 50 ms later.

        If it cannot be written, the next `commit` raises StoreError.
        """

    def get_run(self, run_id: UUID) -> StoredRun | None:
        """Return a run with its answers, and with the journaled text of streams."""

    def list_runs(self, query: RunQuery) -> RunPage:
        """List runs, newest first."""

    def events(self, run_id: UUID) -> list[Event]:
        """Return all events of a run, oldest first; the first has seq 1."""

    def streaming_runs(self) -> list[UUID]:
        """List the runs with streaming answers, including those of dead processes."""

    def summary(self, run_id: UUID) -> RunSummary | None:
        """Return the summary of a run, or of the tombstone it left."""

    def children(self, run_id: UUID) -> list[UUID]:
        """List the branches of a run, oldest first, including tombstones."""

    def lease(self, run_id: UUID) -> Lease | None:
        """Return which process is generating answers for a run."""

    async def renew_leases(self, leases: Mapping[UUID, Lease]) -> None:
        """Write new heartbeats, by run id, of leases that still have the same owner."""

    async def delete_run(
        self, run_id: UUID, *, descendants: bool = False
    ) -> DeletionCounts:
        """Delete a run, with `descendants` all its branches too.

        Otherwise a run with branches leaves a tombstone. Answers are kept as long as
        another run has them; the usage of calls is always kept.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of the runs are streaming; nothing was deleted.
            StoreError: nothing was deleted.
        """

    def usage_records(self, since: datetime | None = None) -> Iterator[UsageRecord]:
        """Yield the usage of calls, oldest first, each answer once."""

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Return a configuration."""

    def primer(self, primer_id: str, version: str | None = None) -> StylePrimer | None:
        """Return a version of a primer, by default the one used last."""

    def primer_versions(self, primer_id: str) -> list[StylePrimer]:
        """Return the stored versions of a primer, in the order of their creation."""

    async def search(self, query: SearchQuery) -> SearchPage:
        """Return where the words of a query are, the texts stored last first.

        The first search makes the index, in the background.

        Raises:
            StoreError: there can be no index.
        """

    def active_run_of(self, uri: str) -> UUID | None:
        """Return the run that any session last activated for a document."""

    def drafts(self, run_id: UUID, step: str) -> Mapping[str, str]:
        """Return what the user typed in a step and no decision has taken.

        By `feedback`, `merge` or the id of an answer; `review` has the changes of its
        applied text that the user kept.
        """

    async def save_draft(
        self,
        run_id: UUID,
        step: str,
        place: str,
        text: str,
        replaces: str | None = None,
    ) -> str | None:
        """Keep what the user typed until a decision has it; a blank text deletes it.

        Nothing is written over a text other than `replaces`, which is returned.

        Raises:
            NotFound: the run was deleted.
            StoreError: it could not be written.
        """

    async def save_session(
        self, session: UserSession, activated: PipelineRun | None = None
    ) -> None:
        """Write a session and list it as active.

        The documents of `activated` are about that run from now on.

        Raises:
            StoreError: it could not be written.
        """

    async def end_session(self, session_id: UUID) -> None:
        """Remove a session from the active ones; the session itself is kept."""

    def session(self, session_id: UUID) -> UserSession | None:
        """Return a session."""

    def preferences(self) -> UserPreferences | None:
        """Return the preferences that any session saved last."""

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Save preferences for later sessions.

        Raises:
            StoreError: they could not be written.
        """

    def active_sessions(self) -> list[UserSession]:
        """Return the active sessions."""

    def take_notices(self) -> list[str]:
        """Return new messages for the user: another program replaced the store."""

    def close(self) -> None:
        """Write what is pending, then close the store."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run and the number of its newest event."""

    run: PipelineRun
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommit:
    """What is written in one transaction."""

    run: PipelineRun
    """The run after the events."""
    events: tuple[Event, ...]
    expected_seq: int
    """The seq of the run's newest event when the decision was made; 0 for none."""
    configuration: PipelineConfiguration | None = None
    """Stored if it is new."""
    primer: StylePrimer | None = None
    """Stored if its version is new; its use is recorded."""
    session: UserSession | None = None
    activates: bool = False
    """Whether the run's documents are about it from now on."""
    lease: Lease | None = None
    """Taken with the decision that starts calls."""
    release_lease: bool = False
    siblings: tuple[UUID, ...] | None = None
    """The branches that the parent had when a branch was decided; None: any."""
    ancestors: tuple[Ancestor, ...] | None = None
    """The ancestors of an imported run, the nearest first; otherwise None.

    Those that are not in the store get a tombstone.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The process that generates answers for a run; no other process may."""

    owner: UUID
    """The session of the process."""
    pid: int
    process_started: float
    """Seconds since the epoch, because pids are reused."""
    heartbeat: datetime
    """When the owner last renewed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionCounts:
    """What was deleted."""

    runs: int
    responses: int
    """Answers that no other run has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """The usage of one call, for `usage.show` and budgets."""

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
    """A document that a run was started on or applied to."""
    text: str | None = None
    """Part of the name, the title or the passage's first words, in any case."""
    passages: bool | None = None
    """Only runs about a passage and reviews (True), only others (False)."""
    limit: int = 50
    older_than: UUID | None = None
    """Only runs older than this one."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of runs, and the `older_than` of the next page."""

    runs: list[RunSummary] = field(default_factory=list)
    next_older_than: UUID | None = None


SearchPlace = Literal["prompt", "answer", "feedback", "applied", "title"]
"""What a text is that was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """Words to find, and which texts to search."""

    text: str
    """See `parse_query` in `writeit.text.search`."""
    places: tuple[SearchPlace, ...] = ()
    """All places if it is empty."""
    uri: str | None = None
    """A document that the run was started on or applied to."""
    model: str | None = None
    """A model with or without its provider; only its answers and their prompts."""
    since: datetime | None = None
    limit: int = 50
    cursor: str | None = None
    """The `next_cursor` of the page before."""


@dataclass(frozen=True, slots=True)
class RunText:
    """A text of a run, and where it is."""

    place: SearchPlace
    text: str
    at: datetime
    step: str | None = None
    response_id: UUID | None = None
    model: str | None = None
    uri: str | None = None
    """The document of an applied text."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A text that has the words."""

    run_id: UUID
    text: RunText
    match: TextMatch


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of hits; `partial` while the index lacks some runs."""

    hits: list[SearchHit] = field(default_factory=list)
    next_cursor: str | None = None
    partial: bool = False


class StaleCommit(Exception):
    """The run has changed since it was read: read it again and decide again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """Figures of a store."""

    path: Path
    schema: int
    map_bytes: int = 0
    used_bytes: int = 0
    file_bytes: int = 0
    runs: int = 0
    responses: int = 0
    texts: int = 0
    events: int = 0


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """One problem that `verify` found."""

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What `verify` checked and found."""

    checked: int
    problems: list[StoreProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """Where a store was (None if nothing had to be moved) and where it is now."""

    source: Path | None
    target: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """What a restore replaces; if it was only shown, `kept_in` is None."""

    backup_runs: int
    store_runs: int
    """Runs in the present store; 0 if it cannot be read."""
    damage: str | None
    """Why the present store cannot be read."""
    replaced: list[RunSummary]
    """Runs of the present store that the backup lacks or has in an older state."""
    kept_in: Path | None
    """The folder that has the replaced store now."""


class Maintenance(Protocol):
    """Maintenance of a store; methods may take long and run off the event loop."""

    async def status(self) -> StoreStatus:
        """Return the figures of the store."""

    async def verify(self) -> VerifyResult:
        """Check structure, text hashes, and every entity against its events."""

    async def compact(self) -> StoreStatus:
        """Delete unused texts and free their disk space.

        Raises:
            Busy: another process has the store open; nothing was changed.
        """

    async def backup(self, path: Path) -> Path:
        """Copy a consistent store to a new folder, while it is in use.

        Raises:
            InvalidParams: `path` exists already.
            StoreError: it could not be written; nothing incomplete is left.
        """

    async def prune(self, cutoff: datetime, *, dry_run: bool = True) -> DeletionCounts:
        """Delete finished runs not changed since `cutoff`; only count if `dry_run`."""


def is_deleted_run(store: Store, run_id: UUID) -> bool:
    """Return whether a run is not in the store, or only as a tombstone."""
    summary = store.summary(run_id)
    return summary is None or summary.deleted
