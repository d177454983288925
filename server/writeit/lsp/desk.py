"""What lies between the server and the writer's open documents, for one connection.

Her changes as they come, the texts that wait to be applied, one hand at a time on each
document.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from writeit.lsp.patience import comes

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.merge3 import Conflict
    from writeit.core.pipeline import Output


@dataclass(frozen=True, slots=True)
class Sent:
    """An edit that was sent: what the document was, what it is if the edit landed."""

    before: str
    text: str
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A text that could not be applied yet because the writer was typing."""

    run_id: UUID
    step: str
    uri: str
    mode: Output
    sent: Sent | None


class Desk:
    """The open documents of one connection."""

    def __init__(self) -> None:
        self.closed = False
        self.pending: dict[tuple[UUID, str], Pending] = {}
        """What is offered again, by run and step."""
        self._seen: defaultdict[str, int] = defaultdict(int)
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def changed(self, uri: str) -> None:
        """Take note that a document was opened, changed or closed."""
        uri = unquote(uri)
        self._seen[uri] += 1
        for waiting in self._waiting.pop(uri, ()):
            if not waiting.done():  # whoever waited may have been cancelled
                waiting.set_result(None)

    def close(self) -> None:
        """Let nothing wait any more: the editor goes away."""
        self.closed = True
        for uri in list(self._waiting):
            self.changed(uri)

    def seen(self, uri: str) -> int:
        """Count the changes of a document so far."""
        return self._seen[unquote(uri)]

    async def change_after(self, uri: str, seen: int, seconds: float) -> bool:
        """Wait until a document has had more than `seen` changes; say if it had."""
        uri = unquote(uri)
        if self._seen[uri] > seen:
            return True
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[uri].add(waiting)
        try:
            return await comes(waiting, seconds)
        finally:
            self._waiting[uri].discard(waiting)

    async def pause(self, uri: str, quiet: float, patience: float) -> bool:
        """Wait until a document is left alone for `quiet` seconds, but not for ever."""
        until = asyncio.get_running_loop().time() + patience
        while not self.closed and await self.change_after(uri, self.seen(uri), quiet):
            if asyncio.get_running_loop().time() > until:
                return False
        return True

    def hand_on(self, uri: str) -> asyncio.Lock:
        """Return the lock of a document: one text is applied to it at a time."""
        return self._locks[unquote(uri)]
