"""Where runs are kept, beside the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import (
        Iterator,
        Mapping,
    )
    from datetime import datetime
    from uuid import UUID

    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.session import UserPreferences, UserSession
    from writeit.ports.keeping import (
        Decision,
        Deleted,
        Lease,
        RunPage,
        RunQuery,
        RunSummary,
        StoredRun,
        UsageRecord,
    )


class Store(Protocol):
    """Where runs are kept, beside the workspace. Reads are fast and synchronous."""

    def last_write(self) -> int:
        """Return a number that rises with every write, by whichever process.

        Cheap enough to be looked at several times a second.
        """
        ...

    async def commit(self, decision: Decision) -> int:
        """Write a decision and return the run's new seq, once it is on the disk.

        Also folds the journal: text journaled for a response that ended is dropped.

        Raises:
            StaleDecision: `expected_seq` is no longer the run's.
            StoreError: it could not be written; nothing of it was.
        """
        ...

    def journal(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Append streamed text; it is on the disk at most 50 ms later.

        A failure to write shows as StoreError at the next `commit`.
        """
        ...

    def run(self, run_id: UUID) -> StoredRun | None:
        """Read a run with its answers; what streams stands with its journaled text."""
        ...

    def runs(self, query: RunQuery) -> RunPage:
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

    async def renew(self, leases: Mapping[UUID, Lease]) -> None:
        """Write new heartbeats, by run id, of leases that are still the owner's."""
        ...

    async def delete(self, run_id: UUID, *, descendants: bool = False) -> Deleted:
        """Delete a run, or its whole family below it.

        A run with children leaves a tombstone unless `descendants` go too. Answers
        stay while one run holds them; what a call cost stays in the usage.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of them are streaming; nothing was deleted.
            StoreError: nothing was deleted.
        """
        ...

    def usage(self, since: datetime | None = None) -> Iterator[UsageRecord]:
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
