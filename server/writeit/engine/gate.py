"""How many runs stream at once; a further one waits, visibly, and starts by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Gate:
    """Lets a limited number in, first come, first served; the limit may change."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self, on_wait: Callable[[int], None]) -> None:
        """Come in, after a call of `on_wait` with the limit if it takes a while."""
        if self._inside < self.limit and not self._waiting:
            self._inside += 1
            return
        on_wait(self.limit)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                with suppress(ValueError):  # passed over already
                    self._waiting.remove(place)
            else:
                self._go()  # the place was given away in the same moment
            raise

    def leave(self, turn: asyncio.Task[None]) -> None:
        """Leave again; `turn` is the task of `enter`, still waiting or done."""
        if turn.done() and not turn.cancelled():
            self._go()
        else:
            turn.cancel()

    def _go(self) -> None:
        self._inside -= 1
        while self._waiting and self._inside < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self._inside += 1
                place.set_result(None)
