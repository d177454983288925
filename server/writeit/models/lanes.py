"""At most so many calls to one provider at a time; while some wait, runs take turns."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from writeit.models.providers import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

USUAL: Final = 10
"""As many samples as one model may be asked for stream side by side."""
VARIABLE: Final = "WRITEIT_CALLS_PER_PROVIDER"


class Lane:
    """The way to one provider."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._inside: Counter[str] = Counter()
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def turn(
        self, whose: str, on_wait: Callable[[int], None]
    ) -> AsyncIterator[None]:
        """Hold a place; `on_wait` hears of the number of places if all are taken."""
        if self._waiting or self._inside.total() >= self._places:
            on_wait(self._places)
            await self._wait(whose)
        else:
            self._inside[whose] += 1
        try:
            yield
        finally:
            self._leave(whose)

    async def _wait(self, whose: str) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((whose, place))
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._waiting.remove((whose, place))
            else:
                self._leave(whose)  # it was given the place in the same moment
            raise

    def _leave(self, whose: str) -> None:
        self._inside[whose] -= 1
        if not self._inside[whose]:
            del self._inside[whose]
        if waiting := [entry for entry in self._waiting if not entry[1].done()]:
            # The run with the fewest calls inside is next; of equals who came first.
            following = min(waiting, key=lambda entry: self._inside[entry[0]])
            self._waiting.remove(following)
            self._inside[following[0]] += 1
            following[1].set_result(None)


class Lanes:
    """A lane for each provider."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}

    def of(self, provider: str) -> Lane:
        """Return the lane of `provider`; the embedded model answers one at a time."""
        if provider not in self._lanes:
            places = 1 if provider == EMBEDDED else calls_per_provider()
            self._lanes[provider] = Lane(places)
        return self._lanes[provider]


def calls_per_provider() -> int:
    """Return how many calls go to one provider at a time."""
    try:
        return max(1, int(os.environ.get(VARIABLE, USUAL)))
    except ValueError:
        return USUAL
