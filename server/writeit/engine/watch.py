"""Leases: ours are renewed while we ask; runs of the dead are found and taken over."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from writeit.core import decide, machine
from writeit.core.errors import NotFound, StoreError
from writeit.core.run import AIResponse, PipelineStatus, split_model_id
from writeit.core.text import processed
from writeit.core.usage import TokenUsage
from writeit.engine.draft import CHARACTERS_PER_TOKEN, SHORTEST
from writeit.engine.others import Others

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide import Events
    from writeit.core.events import Event
    from writeit.core.run import PipelineRun, StreamingResponse
    from writeit.engine.ledger import Ledger
    from writeit.ports import Clock, Lease, Processes, Store

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
"""How often leases are renewed and others' looked at."""

STALE = timedelta(seconds=30)
"""A process that lives but has not beaten for so long has lost its leases."""

LOST = "The editor that asked for this answer ended before it."


class Watch:
    """Keeps this session's leases and finds the runs of owners that are gone."""

    def __init__(
        self, store: Store, ledger: Ledger, clock: Clock, processes: Processes
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._processes = processes
        self._others = Others(store, ledger)
        self._keeping: list[asyncio.Task[None]] = []

    def start(
        self,
        asked: Callable[[], Collection[UUID]],
        on_found: Callable[[UUID], None],
        on_flow: Callable[[UUID], None],
    ) -> None:
        """Keep watch from now on, and look at what other processes write.

        `asked` says which runs we ask models for; what others decide about is found,
        too, and what streams there flows.
        """
        if not self._keeping:
            keeping = self.keep(asked, on_found)
            looking = self._others.keep(asked, on_found, on_flow)
            self._keeping = [asyncio.create_task(w) for w in (keeping, looking)]

    async def stop(self) -> None:
        """Keep watch no longer."""
        for keeping in self._keeping:
            keeping.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    async def keep(
        self, asked: Callable[[], Iterable[UUID]], on_found: Callable[[UUID], None]
    ) -> None:
        """Beat until cancelled; a store in trouble is tried again at the next beat."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self.beat((*asked(), *self._ledger.owing))
                for run_id in self._ledger.owing:
                    await self._ledger.settle(run_id)
                    on_found(run_id)
                await self.end_sessions_of_the_dead()
                for run_id in await self.find_lost(set(asked())):
                    on_found(run_id)
            except StoreError as error:
                logger.warning("leases: %s", error.message)

    async def end_sessions_of_the_dead(self) -> None:
        """A session whose process is gone is ended by the next that looks."""
        for session in self._store.active_sessions():
            home = session.process
            if home and not self._processes.alive(home.pid, home.started):
                await self._store.end_session(session.session_id)

    async def beat(self, asked: Iterable[UUID]) -> None:
        """Say that the owner of these runs' leases lives."""
        leases = {run_id: self._ledger.lease() for run_id in asked}
        if leases:
            await self._store.renew(leases)

    async def find_lost(self, ours: set[UUID]) -> list[UUID]:
        """Take over every run whose owner is gone; return them."""
        lost = [
            run_id
            for run_id in self._store.streaming_runs()
            if run_id not in ours and self.is_lost(run_id)
        ]
        for run_id in lost:
            with suppress(NotFound):  # taken over and deleted by another, just now
                await self.take_over(run_id)
        return lost

    def is_lost(self, run_id: UUID) -> bool:
        """Say whether nobody lives who will end what streams in a run."""
        lease = self._store.lease(run_id)
        if lease is None:
            return True
        if not self._processes.alive(lease.pid, lease.process_started):
            return True
        return self._clock.now() - lease.heartbeat > STALE

    async def take_over(self, run_id: UUID) -> PipelineRun:
        """End what streamed with what was journaled of it; the run is PAUSED."""
        lost = self._store.lease(run_id)
        logger.info("run %s lost its owner %s", run_id, lost and lost.pid)

        def decision(run: PipelineRun, at: datetime) -> Events:
            if not run.is_streaming or not self._still(run_id, lost):
                return ()
            return _ended(run, at)

        return await self._ledger.decide(run_id, decision)

    def _still(self, run_id: UUID, lost: Lease | None) -> bool:
        """Whether the lease is the one that was found dead, whoever looks now."""
        now = self._store.lease(run_id)
        if now is None or lost is None:
            return now is lost
        return replace(now, heartbeat=lost.heartbeat) == lost


def _ended(run: PipelineRun, at: datetime) -> Events:
    """Every streaming answer cut or failed, then the run paused if it still runs."""
    events: list[Event] = []
    for state in run.steps.values():
        calls = {call.response_id: call for call in state.calls}
        for stream in state.streaming:
            if stream.text.strip():
                response = _partial(stream, at)
                events += decide.interrupt(state.step_name, response, "cancelled", at)
            else:
                call = calls[stream.response_id]
                events += decide.fail(state.step_name, call, "cancelled", LOST, at)
    after = machine.replay(events, run)
    if after.status is PipelineStatus.RUNNING:
        events += decide.pause(after, at, LOST)
    return tuple(events)


def _partial(stream: StreamingResponse, at: datetime) -> AIResponse:
    provider, name = split_model_id(stream.model)
    prompt = len(stream.prompt) // CHARACTERS_PER_TOKEN + 1
    completion = len(stream.text) // CHARACTERS_PER_TOKEN + 1
    return AIResponse(
        response_id=stream.response_id,
        model_name=name,
        provider=provider,
        prompt_used=stream.prompt,
        raw_output=stream.text,
        processed_content=processed(stream.text),
        created_at=at,
        usage_stats=TokenUsage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            estimated=True,
        ),
        processing_time=SHORTEST,
        partial=True,
        finish_reason="cancelled",
    )
