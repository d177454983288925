"""Limits how many calls go to one provider at a time; waiting runs take turns."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from writeit.llm.providers.registry import get_provider

DEFAULT_CALLS_PER_PROVIDER: Final = 10
"""All samples of one model can stream at once."""
CALLS_PER_PROVIDER_VARIABLE: Final = "WRITEIT_CALLS_PER_PROVIDER"


class ProviderLimiter:
    """Limits the calls to one provider."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._active_by_run: Counter[str] = Counter()
        self._waiters: deque[tuple[str, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def slot(
        self, run_id: str, on_wait: Callable[[int], None]
    ) -> AsyncIterator[None]:
        """Hold a slot; call `on_wait` with the limit if all are taken."""
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
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((run_id, waiter))
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._waiters.remove((run_id, waiter))
            else:
                self._release(run_id)  # it got the slot at the same moment
            raise

    def _release(self, run_id: str) -> None:
        self._active_by_run[run_id] -= 1
        if not self._active_by_run[run_id]:
            del self._active_by_run[run_id]
        if waiting := [entry for entry in self._waiters if not entry[1].done()]:
            # The run with the fewest active calls is next, then the first to wait.
            following = min(waiting, key=lambda entry: self._active_by_run[entry[0]])
            self._waiters.remove(following)
            self._active_by_run[following[0]] += 1
            following[1].set_result(None)


class ProviderLimiters:
    """A limiter for each provider."""

    def __init__(self) -> None:
        self._limiters: dict[str, ProviderLimiter] = {}

    def for_provider(self, provider: str) -> ProviderLimiter:
        """Return a provider's limiter; the embedded model takes one call at a time."""
        if provider not in self._limiters:
            limit = get_provider(provider).max_calls or calls_per_provider()
            self._limiters[provider] = ProviderLimiter(limit)
        return self._limiters[provider]


def calls_per_provider() -> int:
    """Return how many calls go to one provider at a time, at least 1."""
    value = os.environ.get(CALLS_PER_PROVIDER_VARIABLE, DEFAULT_CALLS_PER_PROVIDER)
    try:
        return max(1, int(value))
    except ValueError:
        return DEFAULT_CALLS_PER_PROVIDER
