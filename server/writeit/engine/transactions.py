"""Reads a run, decides, writes the decision down; again if somebody was quicker.

A decision that makes answers stream takes the run's lease, the one that ends the last
of them gives it back, in the same transaction. Between the two nobody else asks
models for the run.

How an answer ended is known to nobody else. If the store does not take it (the disk is
full), it is owed: shown with the run as if it were written, and written as soon as that
is possible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from writeit.domain import state_machine
from writeit.domain.errors import Busy, InvalidTransition, NotFound
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import PipelineRun
from writeit.domain.session import UserSession
from writeit.ports.store import Lease, RunCommit, StaleCommit, Store, StoredRun
from writeit.ports.system import Clock, Processes

Operation = Callable[["PipelineRun", "datetime"], "Events"]
"""What a decision does to a run as it is, at a moment."""


@dataclass(frozen=True, slots=True, eq=False)
class _PendingWrite:
    """An ending that the store has not taken yet."""

    operation: Operation
    timestamp: datetime


def _pending_events(pending: Iterable[_PendingWrite], run: PipelineRun) -> Events:
    """What is owed to a run, without what another editor has ended meanwhile."""
    events: Events = ()
    for each in pending:
        try:
            more = each.operation(run, max(each.timestamp, run.updated_at))
            run = state_machine.replay(more, run)
        except (Busy, InvalidTransition):
            continue
        events += more
    return events


class RunTransactions:
    """The one way in which the engine changes a stored run."""

    def __init__(
        self, store: Store, clock: Clock, processes: Processes, session: UserSession
    ) -> None:
        self.session = session
        """The session on whose behalf decisions are made; stored with each."""
        self.on_change: Callable[[UUID], object] = lambda _: None
        """Called with each run that a decision was written about."""
        self.last_own_changes: dict[UUID, datetime] = {}
        """When this session last decided about a run, by run."""
        self._store = store
        self._clock = clock
        self._processes = processes
        self._pending_by_run: dict[UUID, list[_PendingWrite]] = defaultdict(list)

    def read_run(self, run_id: UUID) -> StoredRun:
        """Read a run, with the endings of answers that the store has not taken yet.

        Raises:
            NotFound: there is no such run in this store.
        """
        stored = self._read_stored_run(run_id)
        owed = self._pending_by_run.get(run_id, ())
        return replace(
            stored,
            run=state_machine.replay(_pending_events(owed, stored.run), stored.run),
        )

    def _read_stored_run(self, run_id: UUID) -> StoredRun:
        stored = self._store.get_run(run_id)
        if stored is None:
            raise NotFound(
                f"There is no run {run_id} in this workspace.",
                hint="writeit.run.list names the runs that are here.",
            )
        return stored

    async def execute(self, run_id: UUID, operation: Operation) -> PipelineRun:
        """Commit what `decision` makes of the run as it is; return the run after it.

        `decision` may be called again if another writer was quicker, so it must be
        pure. No events mean that nothing is written.

        Raises:
            WriteItError: what `decision` raises, or the store's StoreError.
        """
        await self.flush(run_id)
        return await self._execute(run_id, operation)

    def queue_write(self, run_id: UUID, operation: Operation) -> None:
        """Keep what became of answers and could not be written.

        It is shown meanwhile, and written before anything else about the run.
        """
        self._pending_by_run[run_id].append(_PendingWrite(operation, self._clock.now()))

    @property
    def pending_writes(self) -> tuple[UUID, ...]:
        """The runs of which something could not be written yet."""
        return tuple(self._pending_by_run)

    async def flush(self, run_id: UUID) -> None:
        """Write what could not be written before.

        Raises:
            StoreError: it still cannot.
        """
        owed = tuple(self._pending_by_run.get(run_id, ()))
        if not owed:
            return
        with suppress(NotFound):  # somebody has deleted the run
            await self._execute(run_id, lambda run, _: _pending_events(owed, run))
        left = [
            each for each in self._pending_by_run.pop(run_id, []) if each not in owed
        ]
        if left:
            self._pending_by_run[run_id] = left

    async def _execute(self, run_id: UUID, operation: Operation) -> PipelineRun:
        while True:
            stored = self._read_stored_run(run_id)
            # A clock set back must not break the order of a step's times.
            at = max(self._clock.now(), stored.run.updated_at)
            try:
                events = operation(stored.run, at)
            except Busy as busy:
                raise self.with_lease_owner(run_id, busy) from None
            if not events:
                return stored.run
            run = state_machine.replay(events, stored.run)
            try:
                await self._commit(
                    RunCommit(
                        run=run,
                        events=tuple(events),
                        expected_seq=stored.seq,
                        lease=self._lease_to_take(stored.run, run),
                        release_lease=stored.run.is_streaming and not run.is_streaming,
                    )
                )
            except StaleCommit:
                continue
            return run

    async def create_run(self, commit: RunCommit, *, activate: bool = True) -> None:
        """Commit a new run, the session's active one unless told otherwise.

        Raises:
            StoreError: nothing was written.
        """
        if activate:
            await self._commit(
                commit, active_pipeline_run_id=commit.run.pipeline_run_id
            )
        else:
            await self._commit(commit)

    def new_lease(self) -> Lease:
        """Return a lease of this session, its heartbeat now."""
        pid, started = self._processes.current_process()
        return Lease(
            owner=self.session.session_id,
            pid=pid,
            process_started=started,
            heartbeat=self._clock.now(),
        )

    def _lease_to_take(self, before: PipelineRun, after: PipelineRun) -> Lease | None:
        if after.is_streaming and not before.is_streaming:
            return self.new_lease()
        return None

    def with_lease_owner(self, run_id: UUID, busy: Busy) -> Busy:
        """Say who is busy, where it is not this session."""
        lease = self._store.lease(run_id)
        told = "pid" in busy.data
        if told or lease is None or lease.owner == self.session.session_id:
            return busy
        return Busy(
            f"{busy.message} Another editor asked for them (process {lease.pid}).",
            hint="Wait for them, or stop them in that editor; what came is kept.",
            **busy.data,
            pid=lease.pid,
            sessionId=str(lease.owner),
        )

    async def _commit(self, commit: RunCommit, **changes: object) -> None:
        """Commit a decision together with the session it was made in."""
        session = self.session.evolve(last_activity=self._clock.now(), **changes)
        await self._store.commit(replace(commit, session=session))
        self.session = session
        self.last_own_changes[commit.run.pipeline_run_id] = commit.run.updated_at
        self.on_change(commit.run.pipeline_run_id)

    async def save_session(self, **changes: object) -> UserSession:
        """Change the session itself.

        Raises:
            StoreError: it could not be written; the session is as it was.
        """
        session = self.session.evolve(last_activity=self._clock.now(), **changes)
        await self._store.save_session(session)
        self.session = session
        return session
