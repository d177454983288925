"""Watches other processes: renews leases, recovers runs of dead owners, polls changes.

Two editors may have one workspace open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from writeit.domain import state_machine
from writeit.domain.errors import NotFound, StoreError
from writeit.domain.events import Event
from writeit.domain.operations import generate, lifecycle
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.engine.prepared import continued_answer
from writeit.engine.responses import (
    build_response,
    estimated_usage,
    has_text,
)
from writeit.engine.transactions import RunTransactions
from writeit.ports.store import Lease, Store
from writeit.ports.system import Clock, Processes
from writeit.text.thoughts import estimated_tokens

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""How often the store's log of changed runs is read."""


class ExternalChanges:
    """Finds the runs that another process has changed or is streaming."""

    def __init__(self, store: Store, transactions: RunTransactions) -> None:
        self._store = store
        self._transactions = transactions
        self._newest_change: bytes | None = None

    async def poll_until_cancelled(
        self,
        own_runs: Callable[[], Collection[UUID]],
        on_text: Callable[[UUID], object],
        on_notice: Callable[[str], object],
    ) -> None:
        """Poll until cancelled; after a store error, poll again."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for notice in self._store.take_notices():
                logger.warning("store: %s", notice)
                on_notice(notice)
            try:
                changed, streaming = self.poll(own_runs())
            except StoreError as error:
                logger.warning("external changes: %s", error.message)
                continue
            for run_id in changed:
                self._transactions.on_change(run_id)
            for run_id in streaming:
                on_text(run_id)

    def poll(self, own_runs: Collection[UUID] = ()) -> tuple[list[UUID], list[UUID]]:
        """Return the runs other processes changed since the last poll, and stream now.

        The first poll returns no changes.
        """
        changed, self._newest_change = self._store.changed_runs(self._newest_change)
        streaming = [r for r in self._store.streaming_runs() if r not in own_runs]
        return [r for r in changed if not self._is_own_change(r)], streaming

    def _is_own_change(self, run_id: UUID) -> bool:
        """Return whether this process was the last that changed a run."""
        summary = self._store.summary(run_id)
        if summary is None or summary.deleted:
            return False
        return self._transactions.last_own_changes.get(run_id) == summary.updated_at


HEARTBEAT_SECONDS = 2.0
"""How often leases are renewed and those of others are checked."""

LEASE_TIMEOUT = timedelta(seconds=30)
"""A live process without a heartbeat for this long loses its leases."""

OWNER_ENDED_MESSAGE = "The editor was closed before this answer was complete."


class LeaseMonitor:
    """Renews this session's leases and recovers the runs of dead owners."""

    def __init__(
        self,
        store: Store,
        transactions: RunTransactions,
        clock: Clock,
        processes: Processes,
    ) -> None:
        self._store = store
        self._transactions = transactions
        self._clock = clock
        self._processes = processes
        self._external_changes = ExternalChanges(store, transactions)
        self._tasks: list[asyncio.Task[None]] = []

    def start(
        self,
        active_runs: Callable[[], Collection[UUID]],
        on_text: Callable[[UUID], None],
        on_notice: Callable[[str], object],
    ) -> None:
        """Start monitoring leases and polling other processes' changes.

        `active_runs` returns the runs this process generates answers for.
        """
        if not self._tasks:
            monitor = self.monitor_until_cancelled(active_runs)
            poll = self._external_changes.poll_until_cancelled(
                active_runs, on_text, on_notice
            )
            self._tasks = [asyncio.create_task(monitor), asyncio.create_task(poll)]

    async def stop(self) -> None:
        """Stop monitoring."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def monitor_until_cancelled(
        self, active_runs: Callable[[], Iterable[UUID]]
    ) -> None:
        """Monitor until cancelled; after a store error, go on at the next heartbeat."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                await self.renew_leases(
                    (*active_runs(), *self._transactions.pending_writes)
                )
                for run_id in self._transactions.pending_writes:
                    await self._transactions.flush(run_id)
                await self.end_dead_sessions()
                await self.recover_lost_runs(set(active_runs()))
            except StoreError as error:
                logger.warning("leases: %s", error.message)

    async def end_dead_sessions(self) -> None:
        """End the sessions whose process has ended."""
        for session in self._store.active_sessions():
            process = session.process
            if process and not self._processes.is_alive(process.pid, process.started):
                await self._store.end_session(session.session_id)

    async def renew_leases(self, active_runs: Iterable[UUID]) -> None:
        """Give the leases of these runs a fresh heartbeat."""
        leases = {run_id: self._transactions.new_lease() for run_id in active_runs}
        if leases:
            await self._store.renew_leases(leases)

    async def recover_lost_runs(self, own_runs: set[UUID]) -> list[UUID]:
        """Recover every run whose owner is gone; return them."""
        lost = [
            run_id
            for run_id in self._store.streaming_runs()
            if run_id not in own_runs and self.is_lost(run_id)
        ]
        for run_id in lost:
            with suppress(NotFound):  # another process has just deleted it
                await self.recover_run(run_id)
        return lost

    def is_lost(self, run_id: UUID) -> bool:
        """Say whether a run has no live owner that will end its answers."""
        lease = self._store.lease(run_id)
        if lease is None:
            return True
        if not self._processes.is_alive(lease.pid, lease.process_started):
            return True
        return self._clock.now() - lease.heartbeat > LEASE_TIMEOUT

    async def recover_run(self, run_id: UUID) -> PipelineRun:
        """End the streaming answers with their journaled text; pause the run."""
        lost = self._store.lease(run_id)
        logger.info("run %s lost its owner %s", run_id, lost and lost.pid)

        def recover(run: PipelineRun, now: datetime) -> Events:
            if not run.is_streaming or not self._is_same_lease(run_id, lost):
                return ()
            return _recovery_events(run, now)

        return await self._transactions.execute(run_id, recover)

    def _is_same_lease(self, run_id: UUID, expected: Lease | None) -> bool:
        """Return whether no other process has taken the lease meanwhile."""
        lease = self._store.lease(run_id)
        if lease is None or expected is None:
            return lease is expected
        return replace(lease, heartbeat=expected.heartbeat) == expected


def _recovery_events(run: PipelineRun, now: datetime) -> Events:
    """Make each streaming answer partial or failed, then pause the run."""
    events: list[Event] = []
    for state in run.steps.values():
        calls = {call.response_id: call for call in state.calls}
        for stream in state.streaming:
            received = stream.text + stream.thoughts
            usage = estimated_usage(
                estimated_tokens(stream.prompt), estimated_tokens(received)
            )
            if has_text(stream, run.document):
                response = build_response(
                    stream,
                    usage,
                    "cancelled",
                    now,
                    document=run.document,
                    continued=continued_answer(state, calls.get(stream.response_id)),
                    partial=True,
                )
                events += generate.interrupt_response(
                    state.step_name, response, "cancelled", now
                )
            else:
                call = calls[stream.response_id]
                events += generate.fail_response(
                    state.step_name,
                    call,
                    "cancelled",
                    OWNER_ENDED_MESSAGE,
                    now,
                    usage if received else None,
                )
    after = state_machine.replay(events, run)
    if after.status is PipelineStatus.RUNNING:
        events += lifecycle.pause(after, now, OWNER_ENDED_MESSAGE)
    return tuple(events)
