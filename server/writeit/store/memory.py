"""The store's fake: the same behaviour, kept in memory and gone with it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from writeit.core.session import LOCAL_USER
from writeit.ports import Deleted, RunPage, StoredRun
from writeit.store import arriving, deleting, listing, shapes, writing
from writeit.store.memory_kin import Kin, age, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from uuid import UUID

    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.session import UserPreferences, UserSession
    from writeit.ports import Decision, Lease, RunQuery, RunSummary, UsageRecord


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
        self._kin = Kin(self._runs)
        self._leases: dict[UUID, Lease] = {}
        self._preferences: UserPreferences | None = None
        self._usage: dict[UUID, UsageRecord] = {}
        self._writes = 0

    def last_write(self) -> int:
        """Return a number that rises with every write."""
        return self._writes

    async def commit(self, decision: Decision) -> int:
        """Keep a decision and return the run's new seq.

        Raises:
            StaleDecision: `expected_seq` is no longer the run's.
            NotFound: it branches off a run that was deleted meanwhile.
            BadExport: it comes from elsewhere and contradicts what is here.
        """
        await asyncio.sleep(0)  # others get their turn, as while a disk writes
        run_id = decision.run.pipeline_run_id
        before = self._runs.get(run_id)
        seq = writing.check_seq(decision, before.seq if before else 0)
        if decision.ancestors is None:
            writing.check_parent(decision, self._runs.__contains__)
        else:
            self._kin.make_room(decision.run, decision.ancestors)
        self._runs[run_id] = StoredRun(shapes.without_streamed(decision.run), seq)
        self._writes += 1
        self._events[run_id] += decision.events
        for response_id in writing.ended(decision.events):
            self._journal.pop((run_id, response_id), None)
        self._usage |= shapes.used_by(decision.run, decision.events)
        self._keep_what_comes_along(decision)
        return seq

    def journal(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Append streamed text."""
        self._journal[run_id, response_id] += text
        self._writes += 1

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

    def summary(self, run_id: UUID) -> RunSummary | None:
        """Read the summary of a run, or of the tombstone it left."""
        stored = self._runs.get(run_id)
        if stored is None:
            return self._kin.tombstones.get(run_id)
        return line_of(stored.run)

    def children(self, run_id: UUID) -> list[UUID]:
        """List the runs that branched off a run, oldest first; tombstones too."""
        return self._kin.children(run_id)

    def lease(self, run_id: UUID) -> Lease | None:
        """Read who is asking models for a run."""
        return self._leases.get(run_id)

    async def renew(self, leases: Mapping[UUID, Lease]) -> None:
        """Keep new heartbeats, by run id, of leases that are still the owner's."""
        await asyncio.sleep(0)
        for run_id, lease in leases.items():
            held = self._leases.get(run_id)
            if held is not None and held.owner == lease.owner:
                self._leases[run_id] = lease

    async def delete(self, run_id: UUID, *, descendants: bool = False) -> Deleted:
        """Delete a run, or its whole family below it.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of them are streaming; nothing was deleted.
        """
        await asyncio.sleep(0)
        if run_id not in self._runs and not (
            descendants and run_id in self._kin.tombstones
        ):
            raise deleting.no_run(run_id)
        doomed = self._kin.down_from(run_id) if descendants else [run_id]
        living = [each for each in doomed if each in self._runs]
        for each in living:
            if self._runs[each].run.is_streaming:
                raise deleting.streaming(each)
        before = self._answers()
        for each in living:
            self._bury(each)
        self._kin.drop_tombstones()
        return Deleted(runs=len(living), responses=len(before - self._answers()))

    def usage(self, since: datetime | None = None) -> Iterator[UsageRecord]:
        """Read what calls used, oldest first; each answer counts once."""
        for _, used in sorted(self._usage.items(), key=lambda i: (i[1].at, i[0])):
            if since is None or used.at >= since:
                yield used

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

    def preferences(self) -> UserPreferences | None:
        """Read the preferences that were saved last, whatever session saved them."""
        return self._preferences

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Keep preferences for the sessions to come."""
        await asyncio.sleep(0)
        self._preferences = preferences

    def active_sessions(self) -> list[UserSession]:
        """Read the sessions that are active now."""
        sessions = (self._sessions[session_id] for session_id in sorted(self._active))
        return [session for session in sessions if session.user_id == LOCAL_USER]

    def close(self) -> None:
        """Nothing waits here."""

    def _answers(self) -> set[UUID]:
        return {
            response_id
            for stored in self._runs.values()
            for response_id in arriving.answers_of(stored.run)
        }

    def _bury(self, run_id: UUID) -> None:
        self._writes += 1
        gone = line_of(self._runs.pop(run_id).run)
        self._kin.tombstones[run_id] = replace(gone, deleted=True)
        self._events.pop(run_id, None)
        self._leases.pop(run_id, None)
        for key, session in self._sessions.items():
            if session.active_pipeline_run_id == run_id:
                self._sessions[key] = session.evolve(active_pipeline_run_id=None)

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
        if decision.release:
            self._leases.pop(decision.run.pipeline_run_id, None)
        elif decision.lease is not None:
            self._leases[decision.run.pipeline_run_id] = decision.lease

    def _keep_primer(self, primer: StylePrimer, decision: Decision) -> None:
        key = (primer.primer_id, primer.version)
        created_at, last_used = writing.primer_dates(
            primer, self._primers.get(key), writing.moment_of(decision)
        )
        self._primers[key] = primer.evolve(created_at=created_at, last_used=last_used)
        if decision.ancestors is None:
            self._newest[primer.primer_id] = primer.version
        else:
            self._newest.setdefault(primer.primer_id, primer.version)

    def _keep_session(self, session: UserSession) -> None:
        self._writes += 1
        self._sessions[session.session_id] = session
        self._active.add(session.session_id)

    def _summaries(self, before: UUID | None) -> list[RunSummary]:
        """All runs, newest first, from behind the run `before`."""
        living = (line_of(stored.run) for stored in self._runs.values())
        ordered = sorted(living, key=age, reverse=True)
        if before is not None:
            known = {run.run_id: run for run in self._kin.all()}
            if before not in known:
                raise listing.unknown_run(before)
            cursor = age(known[before])
            ordered = [run for run in ordered if age(run) < cursor]
        return ordered
