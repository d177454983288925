"""Leases: ours are renewed while we ask; runs of the dead are found and taken over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from writeit.domain import state_machine
from writeit.domain.entity import TokenUsage
from writeit.domain.errors import NotFound, StoreError
from writeit.domain.events import Event
from writeit.domain.operations import generate, lifecycle
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import (
    AIResponse,
    PipelineRun,
    PipelineStatus,
    StreamingResponse,
    split_model_id,
)
from writeit.engine.generation import CHARACTERS_PER_TOKEN, MIN_PROCESSING_SECONDS
from writeit.engine.transactions import RunTransactions
from writeit.ports.store import Lease, RunQuery, Store
from writeit.ports.system import Clock, Processes
from writeit.text.markdown import clean_output

# --- What other processes write about runs: two editors may have one workspace open ---

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""How often the store is asked whether anybody wrote; that alone reads nothing."""

MAX_POLLED_RUNS = 50
"""How many of the newest runs are looked at, besides those that stream."""


class ExternalChanges:
    """Finds out which runs another process has decided about, or lets stream."""

    def __init__(self, store: Store, transactions: RunTransactions) -> None:
        self._store = store
        self._transactions = transactions
        self._last_write: int | None = None
        self._last_seen: dict[UUID, datetime | None] = {}
        """When those that were looked at last were decided about; None is deleted."""

    async def poll_until_cancelled(
        self,
        own_runs: Callable[[], Collection[UUID]],
        on_change: Callable[[UUID], object],
        on_text: Callable[[UUID], object],
    ) -> None:
        """Look until cancelled; a store in trouble is looked at again."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                changed, flowing = self.poll(own_runs())
            except StoreError as error:
                logger.warning("what others wrote cannot be read: %s", error.message)
                continue
            for run_id in changed:
                on_change(run_id)
            for run_id in flowing:
                on_text(run_id)

    def poll(self, own_runs: Collection[UUID] = ()) -> tuple[list[UUID], list[UUID]]:
        """Return the runs decided about elsewhere since the last look.

        And those that stream there. The first look finds nothing: it learns what is
        there.
        """
        last_write = self._store.last_transaction_id()
        if last_write == self._last_write:
            return [], []
        first, self._last_write = self._last_write is None, last_write
        flowing = [r for r in self._store.streaming_runs() if r not in own_runs]
        page = self._store.list_runs(RunQuery(limit=MAX_POLLED_RUNS))
        now: dict[UUID, datetime | None] = {s.run_id: s.updated_at for s in page.runs}
        now |= {run_id: self._last_update(run_id) for run_id in flowing}
        gone = {r: self._last_update(r) for r in self._last_seen if r not in now}
        changed = [
            run_id
            for run_id in now | gone
            if self._is_external_change(run_id, now | gone)
        ]
        self._last_seen = now
        return ([], []) if first else (changed, flowing)

    def _last_update(self, run_id: UUID) -> datetime | None:
        summary = self._store.summary(run_id)
        return None if summary is None or summary.deleted else summary.updated_at

    def _is_external_change(
        self, run_id: UUID, updates: Mapping[UUID, datetime | None]
    ) -> bool:
        """Whether a run is not as we saw it last, nor as we left it ourselves."""
        moment = updates[run_id]
        known = run_id in self._last_seen and self._last_seen[run_id] == moment
        return not known and self._transactions.last_own_changes.get(run_id) != moment


# --- Leases: ours are renewed while we ask; runs of the dead are found and taken over -

HEARTBEAT_SECONDS = 2.0
"""How often leases are renewed and others' looked at."""

LEASE_TIMEOUT = timedelta(seconds=30)
"""A process that lives but has not beaten for so long has lost its leases."""

OWNER_ENDED_MESSAGE = "The editor that asked for this answer ended before it."


class LeaseMonitor:
    """Keeps this session's leases and finds the runs of owners that are gone."""

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
        on_change: Callable[[UUID], None],
        on_text: Callable[[UUID], None],
    ) -> None:
        """Keep watch from now on, and look at what other processes write.

        `asked` says which runs we ask models for; what others decide about is found,
        too, and what streams there flows.
        """
        if not self._tasks:
            keeping = self.monitor_until_cancelled(active_runs, on_change)
            looking = self._external_changes.poll_until_cancelled(
                active_runs, on_change, on_text
            )
            self._tasks = [asyncio.create_task(w) for w in (keeping, looking)]

    async def stop(self) -> None:
        """Keep watch no longer."""
        for keeping in self._tasks:
            keeping.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def monitor_until_cancelled(
        self,
        active_runs: Callable[[], Iterable[UUID]],
        on_change: Callable[[UUID], None],
    ) -> None:
        """Beat until cancelled; a store in trouble is tried again at the next beat."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                await self.renew_leases(
                    (*active_runs(), *self._transactions.pending_writes)
                )
                for run_id in self._transactions.pending_writes:
                    await self._transactions.flush(run_id)
                    on_change(run_id)
                await self.end_dead_sessions()
                for run_id in await self.recover_lost_runs(set(active_runs())):
                    on_change(run_id)
            except StoreError as error:
                logger.warning("leases: %s", error.message)

    async def end_dead_sessions(self) -> None:
        """A session whose process is gone is ended by the next that looks."""
        for session in self._store.active_sessions():
            home = session.process
            if home and not self._processes.is_alive(home.pid, home.started):
                await self._store.end_session(session.session_id)

    async def renew_leases(self, active_runs: Iterable[UUID]) -> None:
        """Say that the owner of these runs' leases lives."""
        leases = {run_id: self._transactions.new_lease() for run_id in active_runs}
        if leases:
            await self._store.renew_leases(leases)

    async def recover_lost_runs(self, own_runs: set[UUID]) -> list[UUID]:
        """Take over every run whose owner is gone; return them."""
        lost = [
            run_id
            for run_id in self._store.streaming_runs()
            if run_id not in own_runs and self.is_lost(run_id)
        ]
        for run_id in lost:
            with suppress(NotFound):  # taken over and deleted by another, just now
                await self.recover_run(run_id)
        return lost

    def is_lost(self, run_id: UUID) -> bool:
        """Say whether nobody lives who will end what streams in a run."""
        lease = self._store.lease(run_id)
        if lease is None:
            return True
        if not self._processes.is_alive(lease.pid, lease.process_started):
            return True
        return self._clock.now() - lease.heartbeat > LEASE_TIMEOUT

    async def recover_run(self, run_id: UUID) -> PipelineRun:
        """End what streamed with what was journaled of it; the run is PAUSED."""
        lost = self._store.lease(run_id)
        logger.info("run %s lost its owner %s", run_id, lost and lost.pid)

        def decision(run: PipelineRun, at: datetime) -> Events:
            if not run.is_streaming or not self._is_same_lease(run_id, lost):
                return ()
            return _recovery_events(run, at)

        return await self._transactions.execute(run_id, decision)

    def _is_same_lease(self, run_id: UUID, expected: Lease | None) -> bool:
        """Whether the lease is the one that was found dead, whoever looks now."""
        now = self._store.lease(run_id)
        if now is None or expected is None:
            return now is expected
        return replace(now, heartbeat=expected.heartbeat) == expected


def _recovery_events(run: PipelineRun, now: datetime) -> Events:
    """Every streaming answer cut or failed, then the run paused if it still runs."""
    events: list[Event] = []
    for state in run.steps.values():
        calls = {call.response_id: call for call in state.calls}
        for stream in state.streaming:
            if stream.text.strip():
                response = _partial_response(stream, now)
                events += generate.interrupt_response(
                    state.step_name, response, "cancelled", now
                )
            else:
                call = calls[stream.response_id]
                events += generate.fail_response(
                    state.step_name, call, "cancelled", OWNER_ENDED_MESSAGE, now
                )
    after = state_machine.replay(events, run)
    if after.status is PipelineStatus.RUNNING:
        events += lifecycle.pause(after, now, OWNER_ENDED_MESSAGE)
    return tuple(events)


def _partial_response(stream: StreamingResponse, now: datetime) -> AIResponse:
    provider, name = split_model_id(stream.model)
    prompt = len(stream.prompt) // CHARACTERS_PER_TOKEN + 1
    completion = len(stream.text) // CHARACTERS_PER_TOKEN + 1
    return AIResponse(
        response_id=stream.response_id,
        model_name=name,
        provider=provider,
        prompt_used=stream.prompt,
        raw_output=stream.text,
        processed_content=clean_output(stream.text),
        created_at=now,
        usage_stats=TokenUsage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            estimated=True,
        ),
        processing_time=MIN_PROCESSING_SECONDS,
        partial=True,
        finish_reason="cancelled",
    )
