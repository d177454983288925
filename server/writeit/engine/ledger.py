"""Reads a run, decides, writes the decision down; again if somebody was quicker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from writeit.core import machine
from writeit.core.errors import NotFound
from writeit.ports import Decision, StaleDecision

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide import Events
    from writeit.core.run import PipelineRun
    from writeit.core.session import UserSession
    from writeit.ports import Clock, Store, StoredRun


class Ledger:
    """The one way in which the engine changes a stored run."""

    def __init__(self, store: Store, clock: Clock, session: UserSession) -> None:
        self.session = session
        """The session on whose behalf decisions are made; stored with each."""
        self._store = store
        self._clock = clock

    def read(self, run_id: UUID) -> StoredRun:
        """Read a run.

        Raises:
            NotFound: there is no such run in this store.
        """
        stored = self._store.run(run_id)
        if stored is None:
            raise NotFound(
                f"There is no run {run_id} in this workspace.",
                hint="writeit.run.list names the runs that are here.",
            )
        return stored

    async def decide(
        self, run_id: UUID, decision: Callable[[PipelineRun, datetime], Events]
    ) -> PipelineRun:
        """Commit what `decision` makes of the run as it is; return the run after it.

        `decision` may be called again if another writer was quicker, so it must be
        pure. No events mean that nothing is written.

        Raises:
            WriteItError: what `decision` raises, or the store's StoreError.
        """
        while True:
            stored = self.read(run_id)
            # A clock set back must not break the order of a step's times.
            at = max(self._clock.now(), stored.run.updated_at)
            events = decision(stored.run, at)
            if not events:
                return stored.run
            run = machine.replay(events, stored.run)
            try:
                await self._write(
                    Decision(run=run, events=tuple(events), expected_seq=stored.seq)
                )
            except StaleDecision:
                continue
            return run

    async def start(self, decision: Decision) -> None:
        """Commit a new run and make it the session's active one.

        Raises:
            StoreError: nothing was written.
        """
        run_id = decision.run.pipeline_run_id
        await self._write(decision, active_pipeline_run_id=run_id)

    async def _write(self, decision: Decision, **changes: object) -> None:
        """Commit a decision together with the session it was made in."""
        session = self.session.evolve(last_activity=self._clock.now(), **changes)
        await self._store.commit(replace(decision, session=session))
        self.session = session
