"""Reads a run, applies an operation and commits its events; retries on a conflict.

The commit that starts streaming takes the run's lease and the one that ends the last
answer releases it, so no other process calls models for the run in between.

If the store cannot take the end of an answer (the disk is full), the write stays
pending: the run is shown as if it were written, and it is written as soon as possible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import Busy, InvalidTransition, NotFound
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import PipelineRun
from writeit.domain.session import UserSession
from writeit.ports.store import Lease, RunCommit, StaleCommit, Store, StoredRun
from writeit.ports.system import Clock, Processes

Operation = Callable[[PipelineRun, datetime], Events]
"""Returns the events that change a run at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class _PendingWrite:
    """The end of an answer that is not stored yet."""

    operation: Operation
    timestamp: datetime


def _pending_events(pending: Iterable[_PendingWrite], run: PipelineRun) -> Events:
    """Return the pending events, without answers that another process has ended."""
    events: Events = ()
    for write in pending:
        try:
            more = write.operation(run, max(write.timestamp, run.updated_at))
            run = state_machine.replay(more, run)
        except (Busy, InvalidTransition):
            continue
        events += more
    return events


class RunTransactions:
    """The only code of the engine that changes a stored run."""

    def __init__(
        self, store: Store, clock: Clock, processes: Processes, session: UserSession
    ) -> None:
        self.session = session
        """Stored with each commit."""
        self.on_change: Callable[[UUID], object] = lambda _: None
        """Called with each run that was changed, also by another process."""
        self.last_own_changes: dict[UUID, datetime] = {}
        """When this session last changed a run, by run."""
        self._store = store
        self._clock = clock
        self._processes = processes
        self._pending_by_run: dict[UUID, list[_PendingWrite]] = defaultdict(list)

    def read_run(self, run_id: UUID) -> StoredRun:
        """Read a run, with its pending writes applied.

        Raises:
            NotFound: the run does not exist.
        """
        stored = self._read_stored_run(run_id)
        pending = _pending_events(self._pending_by_run.get(run_id, ()), stored.run)
        return replace(stored, run=state_machine.replay(pending, stored.run))

    def _read_stored_run(self, run_id: UUID) -> StoredRun:
        stored = self._store.get_run(run_id)
        if stored is None:
            raise NotFound(
                f"This workspace has no run {run_id}.",
                hint="List runs with: writeit log",
            )
        return stored

    async def execute(
        self, run_id: UUID, operation: Operation, *, by_user: bool = False
    ) -> PipelineRun:
        """Commit the events of an operation; return the new run.

        `by_user` says that the user caused it, which is an activity of the session.

        The operation must be pure: it is called again if another process committed
        first. If it returns no events, nothing is written.

        Raises:
            WriteItError: what the operation raises, or the store's StoreError.
        """
        await self.flush(run_id)
        if by_user:
            self.note_activity()
        return await self._execute(run_id, operation)

    def note_activity(self) -> None:
        """Note that the user did something; stored with the next commit."""
        self.session = self.session.evolve(last_activity=self._clock.now())

    def queue_write(self, run_id: UUID, operation: Operation) -> None:
        """Keep an operation that could not be stored, to write it before others."""
        self._pending_by_run[run_id].append(_PendingWrite(operation, self._clock.now()))

    @property
    def pending_writes(self) -> tuple[UUID, ...]:
        """The runs with pending writes."""
        return tuple(self._pending_by_run)

    async def flush(self, run_id: UUID) -> None:
        """Store the pending writes of a run.

        Raises:
            StoreError: they still cannot be stored.
        """
        pending = tuple(self._pending_by_run.get(run_id, ()))
        if not pending:
            return
        with suppress(NotFound):  # the run was deleted
            await self._execute(run_id, lambda run, _: _pending_events(pending, run))
        queued = self._pending_by_run.pop(run_id, [])
        if queued_meanwhile := [write for write in queued if write not in pending]:
            self._pending_by_run[run_id] = queued_meanwhile

    async def _execute(self, run_id: UUID, operation: Operation) -> PipelineRun:
        while True:
            stored = self._read_stored_run(run_id)
            # A clock that was set back must not break the order of a step's times.
            now = max(self._clock.now(), stored.run.updated_at)
            try:
                events = operation(stored.run, now)
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
                        lease=self.new_lease()
                        if run.is_streaming and not stored.run.is_streaming
                        else None,
                        release_lease=stored.run.is_streaming and not run.is_streaming,
                    )
                )
            except StaleCommit:
                continue
            return run

    async def create_run(self, commit: RunCommit, *, activate: bool = True) -> None:
        """Commit a new run, and make it active unless told otherwise.

        Raises:
            StoreError: nothing was written.
        """
        self.note_activity()
        active = {"active_pipeline_run_id": commit.run.pipeline_run_id}
        await self._commit(commit, **(active if activate else {}))

    def new_lease(self) -> Lease:
        """Return a lease of this session with a fresh heartbeat."""
        pid, started = self._processes.current_process()
        return Lease(
            owner=self.session.session_id,
            pid=pid,
            process_started=started,
            heartbeat=self._clock.now(),
        )

    def with_lease_owner(self, run_id: UUID, busy: Busy) -> Busy:
        """Name the process that holds the lease, unless it is this session's."""
        lease = self._store.lease(run_id)
        is_named = "pid" in busy.data
        if is_named or lease is None or lease.owner == self.session.session_id:
            return busy
        return Busy(
            f"Another editor (process {lease.pid}) is generating answers for this run.",
            hint="Wait, or stop it there.",
            **busy.data,
            pid=lease.pid,
            sessionId=str(lease.owner),
        )

    async def _commit(self, commit: RunCommit, **changes: object) -> None:
        """Commit a change together with the session.

        The documents of the active run are about it, also after a restart.
        """
        session = self.session.evolve(**changes)
        is_active = session.active_pipeline_run_id == commit.run.pipeline_run_id
        is_new = session.active_pipeline_run_id != self.session.active_pipeline_run_id
        is_applied = any(isinstance(event, e.TextApplied) for event in commit.events)
        await self._store.commit(
            replace(
                commit,
                session=session,
                activates=is_active and (is_new or is_applied),
            )
        )
        self.session = session
        self.last_own_changes[commit.run.pipeline_run_id] = commit.run.updated_at
        self.on_change(commit.run.pipeline_run_id)

    async def save_session(
        self, *, activated: PipelineRun | None = None, **changes: object
    ) -> UserSession:
        """Change and store the session; the documents of `activated` are about it.

        Raises:
            StoreError: it could not be written; the session is unchanged.
        """
        session = self.session.evolve(last_activity=self._clock.now(), **changes)
        await self._store.save_session(session, activated)
        self.session = session
        return session
