"""What lies between the server and the writer's open documents, for one connection.

Her changes as they come, the texts that wait to be applied, one hand at a time on each
document.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.domain.pipeline import Output
    from writeit.text.merge3 import MergeConflict


# --- Waiting for an editor for some seconds in which the server could have heard it ---

WAIT_PARTS = 10
MAX_WAIT_PARTS = 3 * WAIT_PARTS
"""Parts, counted or not: nobody is waited for for ever."""


async def wait_done(future: asyncio.Future[Any], seconds: float) -> bool:
    """Wait for a future, at most so many seconds; say whether it is done.

    It is not cancelled when it does not come.
    """
    clock, part, left = (
        asyncio.get_running_loop().time,
        seconds / WAIT_PARTS,
        WAIT_PARTS,
    )
    for _ in range(MAX_WAIT_PARTS):
        began = clock()
        done, _ = await asyncio.wait({future}, timeout=part)
        if done:
            return True
        left -= clock() - began < 2 * part
        if left == 0:
            return False
    return False


# --- What lies between the server and the writer's open documents, for one connection -


@dataclass(frozen=True, slots=True)
class SentEdit:
    """An edit that was sent: what the document was, what it is if the edit landed."""

    text_before: str
    text_after: str
    conflicts: tuple[MergeConflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApply:
    """A text that could not be applied yet because the writer was typing."""

    run_id: UUID
    step: str
    uri: str
    mode: Output
    sent_edit: SentEdit | None


class EditSession:
    """The open documents of one connection."""

    def __init__(self) -> None:
        self.is_closed = False
        self.pending_applies: dict[tuple[UUID, str], PendingApply] = {}
        """What is offered again, by run and step."""
        self._change_counts: defaultdict[str, int] = defaultdict(int)
        self._change_waiters: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(
            set
        )
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def notify_change(self, uri: str) -> None:
        """Take note that a document was opened, changed or closed."""
        uri = unquote(uri)
        self._change_counts[uri] += 1
        for waiting in self._change_waiters.pop(uri, ()):
            if not waiting.done():  # whoever waited may have been cancelled
                waiting.set_result(None)

    def close(self) -> None:
        """Let nothing wait any more: the editor goes away."""
        self.is_closed = True
        for uri in list(self._change_waiters):
            self.notify_change(uri)

    def change_count(self, uri: str) -> int:
        """Count the changes of a document so far."""
        return self._change_counts[unquote(uri)]

    async def wait_for_change(self, uri: str, known_count: int, seconds: float) -> bool:
        """Wait until a document has had more than `seen` changes; say if it had."""
        uri = unquote(uri)
        if self._change_counts[uri] > known_count:
            return True
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._change_waiters[uri].add(waiting)
        try:
            return await wait_done(waiting, seconds)
        finally:
            self._change_waiters[uri].discard(waiting)

    async def wait_for_idle(
        self, uri: str, idle_seconds: float, max_seconds: float
    ) -> bool:
        """Wait until a document is left alone for `quiet` seconds, but not for ever."""
        until = asyncio.get_running_loop().time() + max_seconds
        while not self.is_closed and await self.wait_for_change(
            uri, self.change_count(uri), idle_seconds
        ):
            if asyncio.get_running_loop().time() > until:
                return False
        return True

    def document_lock(self, uri: str) -> asyncio.Lock:
        """Return the lock of a document: one text is applied to it at a time."""
        return self._locks[unquote(uri)]
