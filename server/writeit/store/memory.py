"""The store's fake: the same behaviour, kept in memory and gone with it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from writeit.core.session import LOCAL_USER
from writeit.ports import RunPage, StoredRun
from writeit.store import listing, shapes, writing

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.run import PipelineRun
    from writeit.core.session import UserSession
    from writeit.ports import Decision, RunQuery, RunSummary


class MemoryStore:
    """Runs, kept while this object lives."""

    def __init__(self) -> None:
        self._runs: dict[UUID, StoredRun] = {}
        self._events: dict[UUID, list[Event]] = defaultdict(list)
        self._journal: dict[tuple[UUID, UUID], str] = defaultdict(str)
        self._configurations: dict[str, PipelineConfiguration] = {}
        self._primers: dict[tuple[str, str], StylePrimer] = {}
        self._newest: dict[str, str] = {}
        self._sessions: dict[UUID, UserSession] = {}
        self._active: set[UUID] = set()

    async def commit(self, decision: Decision) -> int:
        """Keep a decision and return the run's new seq.

        Raises:
            StaleDecision: `expected_seq` is no longer the run's.
        """
        await asyncio.sleep(0)  # others get their turn, as while a disk writes
        run_id = decision.run.pipeline_run_id
        before = self._runs.get(run_id)
        seq = writing.check_seq(decision, before.seq if before else 0)
        self._runs[run_id] = StoredRun(shapes.without_streamed(decision.run), seq)
        self._events[run_id] += decision.events
        for response_id in writing.ended(decision.events):
            self._journal.pop((run_id, response_id), None)
        self._keep_what_comes_along(decision)
        return seq

    def journal(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Append streamed text."""
        self._journal[run_id, response_id] += text

    def run(self, run_id: UUID) -> StoredRun | None:
        """Read a run with its answers; what streams stands with its journaled text."""
        stored = self._runs.get(run_id)
        if stored is None:
            return None
        run = shapes.with_streamed(
            stored.run, lambda response: self._journal.get((run_id, response), "")
        )
        return StoredRun(run, stored.seq)

    def runs(self, query: RunQuery) -> RunPage:
        """List runs, newest first.

        Raises:
            NotFound: there is no run `query.before`.
        """
        found = [
            summary
            for summary in self._summaries(query.before)
            if listing.matches(query, summary)
        ]
        page = found[: query.limit]
        more = len(found) > len(page) and page
        return RunPage(page, page[-1].run_id if more else None)

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first; their place + 1 is their seq."""
        return list(self._events.get(run_id, ()))

    def streaming_runs(self) -> list[UUID]:
        """List the runs that have answers on their way."""
        return sorted(
            run_id for run_id, stored in self._runs.items() if stored.run.is_streaming
        )

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        return self._configurations.get(configuration_id)

    def primer(self, primer_id: str, version: str | None = None) -> StylePrimer | None:
        """Read a primer: the version asked for, else the one used last."""
        newest = self._newest.get(primer_id, "")
        return self._primers.get((primer_id, newest if version is None else version))

    async def save_session(self, session: UserSession) -> None:
        """Keep a session and list it as active."""
        await asyncio.sleep(0)
        self._keep_session(session)

    async def end_session(self, session_id: UUID) -> None:
        """Take a session off the list of active ones; the session itself stays."""
        await asyncio.sleep(0)
        self._active.discard(session_id)

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        return self._sessions.get(session_id)

    def active_sessions(self) -> list[UserSession]:
        """Read the sessions that are active now."""
        sessions = (self._sessions[session_id] for session_id in sorted(self._active))
        return [session for session in sessions if session.user_id == LOCAL_USER]

    def close(self) -> None:
        """Nothing waits here."""

    def _keep_what_comes_along(self, decision: Decision) -> None:
        if decision.configuration is not None:
            configuration = decision.configuration
            self._configurations.setdefault(
                configuration.configuration_id, configuration
            )
        if decision.primer is not None:
            self._keep_primer(decision.primer, decision)
        if decision.session is not None:
            self._keep_session(decision.session)

    def _keep_primer(self, primer: StylePrimer, decision: Decision) -> None:
        key = (primer.primer_id, primer.version)
        created_at, last_used = writing.primer_dates(
            primer, self._primers.get(key), writing.moment_of(decision)
        )
        self._primers[key] = primer.evolve(created_at=created_at, last_used=last_used)
        self._newest[primer.primer_id] = primer.version

    def _keep_session(self, session: UserSession) -> None:
        self._sessions[session.session_id] = session
        self._active.add(session.session_id)

    def _summaries(self, before: UUID | None) -> list[RunSummary]:
        """All runs, newest first, from behind the run `before`."""
        ordered = sorted(
            (stored.run for stored in self._runs.values()), key=_age, reverse=True
        )
        if before is not None:
            if before not in self._runs:
                raise listing.unknown_run(before)
            cursor = _age(self._runs[before].run)
            ordered = [run for run in ordered if _age(run) < cursor]
        return [shapes.summary(shapes.run_record(run, 0)) for run in ordered]


def _age(run: PipelineRun) -> tuple[object, str]:
    return run.created_at, str(run.pipeline_run_id)
