"""At most so many calls to one provider at a time; while some wait, runs take turns."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from writeit.llm.providers.registry import EMBEDDED

DEFAULT_CALLS_PER_PROVIDER: Final = 10
"""As many samples as one model may be asked for stream side by side."""
CALLS_PER_PROVIDER_VARIABLE: Final = "WRITEIT_CALLS_PER_PROVIDER"


class ProviderLimiter:
    """The way to one provider."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._active_by_run: Counter[str] = Counter()
        self._waiters: deque[tuple[str, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def slot(
        self, run_id: str, on_wait: Callable[[int], None]
    ) -> AsyncIterator[None]:
        """Hold a place; `on_wait` hears of the number of places if all are taken."""
        if self._waiters or self._active_by_run.total() >= self._limit:
            on_wait(self._limit)
            await self._wait_for_slot(run_id)
        else:
            self._active_by_run[run_id] += 1
        try:
            yield
        finally:
            self._release(run_id)

    async def _wait_for_slot(self, run_id: str) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((run_id, place))
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._waiters.remove((run_id, place))
            else:
                self._release(run_id)  # it was given the place in the same moment
            raise

    def _release(self, run_id: str) -> None:
        self._active_by_run[run_id] -= 1
        if not self._active_by_run[run_id]:
            del self._active_by_run[run_id]
        if waiting := [entry for entry in self._waiters if not entry[1].done()]:
            # The run with the fewest calls inside is next; of equals who came first.
            following = min(waiting, key=lambda entry: self._active_by_run[entry[0]])
            self._waiters.remove(following)
            self._active_by_run[following[0]] += 1
            following[1].set_result(None)


class ProviderLimiters:
    """A lane for each provider."""

    def __init__(self) -> None:
        self._limiters: dict[str, ProviderLimiter] = {}

    def for_provider(self, provider: str) -> ProviderLimiter:
        """Return the lane of `provider`; the embedded model answers one at a time."""
        if provider not in self._limiters:
            places = 1 if provider == EMBEDDED else calls_per_provider()
            self._limiters[provider] = ProviderLimiter(places)
        return self._limiters[provider]


def calls_per_provider() -> int:
    """Return how many calls go to one provider at a time."""
    try:
        return max(
            1,
            int(
                os.environ.get(CALLS_PER_PROVIDER_VARIABLE, DEFAULT_CALLS_PER_PROVIDER)
            ),
        )
    except ValueError:
        return DEFAULT_CALLS_PER_PROVIDER
