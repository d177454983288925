"""What other processes write about runs: two editors may have one workspace open."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from writeit.core.errors import StoreError
from writeit.ports import RunQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from writeit.engine.ledger import Ledger
    from writeit.ports import Store

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the store is asked whether anybody wrote; that alone reads nothing."""

NEWEST = 50
"""How many of the newest runs are looked at, besides those that stream."""


class Others:
    """Finds out which runs another process has decided about, or lets stream."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self._last_write: int | None = None
        self._known: dict[UUID, datetime | None] = {}
        """When those that were looked at last were decided about; None is deleted."""

    async def keep(
        self,
        ours: Callable[[], Collection[UUID]],
        on_change: Callable[[UUID], object],
        on_flow: Callable[[UUID], object],
    ) -> None:
        """Look until cancelled; a store in trouble is looked at again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                changed, flowing = self.look(ours())
            except StoreError as error:
                logger.warning("what others wrote cannot be read: %s", error.message)
                continue
            for run_id in changed:
                on_change(run_id)
            for run_id in flowing:
                on_flow(run_id)

    def look(self, ours: Collection[UUID] = ()) -> tuple[list[UUID], list[UUID]]:
        """Return the runs decided about elsewhere since the last look.

        And those that stream there. The first look finds nothing: it learns what is
        there.
        """
        last_write = self._store.last_write()
        if last_write == self._last_write:
            return [], []
        first, self._last_write = self._last_write is None, last_write
        flowing = [r for r in self._store.streaming_runs() if r not in ours]
        page = self._store.runs(RunQuery(limit=NEWEST))
        now: dict[UUID, datetime | None] = {s.run_id: s.updated_at for s in page.runs}
        now |= {run_id: self._moment(run_id) for run_id in flowing}
        gone = {r: self._moment(r) for r in self._known if r not in now}
        changed = [run_id for run_id in now | gone if self._is_news(run_id, now | gone)]
        self._known = now
        return ([], []) if first else (changed, flowing)

    def _moment(self, run_id: UUID) -> datetime | None:
        summary = self._store.summary(run_id)
        return None if summary is None or summary.deleted else summary.updated_at

    def _is_news(self, run_id: UUID, now: Mapping[UUID, datetime | None]) -> bool:
        """Whether a run is not as we saw it last, nor as we left it ourselves."""
        moment = now[run_id]
        known = run_id in self._known and self._known[run_id] == moment
        return not known and self._ledger.decided.get(run_id) != moment
