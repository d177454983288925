"""The one thread that writes: it takes all that waits and commits it at once.

Theory of operation. Each piece of work runs in a nested transaction of its own, so
that one that is stale or fails leaves the others alone; the group then costs one
fsync. A piece may be submitted to be written within some time; it is taken along by
any group before. Results are handed out only after the group is on the disk.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import lmdb

from writeit.store import failures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from writeit.core.errors import StoreError
    from writeit.store.environment import Environment
    from writeit.store.snapshot import Batch

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds to wait for a turn to write before saying that somebody is in the way."""


@dataclass(slots=True)
class _Piece:
    work: Callable[[Batch], Any]
    due: float
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None

    def taken(self) -> bool:
        """Whether to do it: nobody gave up waiting before it began."""
        return self.future.running() or self.future.set_running_or_notify_cancel()

    def resolve(self, failure: Exception | None) -> None:
        """Tell whoever waits; `failure` is what became of the whole group."""
        if self.future.cancelled():
            return
        if error := failure or self.error:
            self.future.set_exception(error)
        else:
            self.future.set_result(self.result)


def no_turn(folder: Path) -> StoreError:
    """Build the error for a piece of work that never had its turn."""
    reason = f"another program has been writing for {PATIENCE:.0f} seconds"
    return failures.locked(folder, reason)


class Writer:
    """Group commit on a thread of its own."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._wake = threading.Condition()
        self._queue: list[_Piece] = []
        self._closing = False
        self._thread = threading.Thread(
            target=self._run, name="writeit-store", daemon=True
        )
        self._thread.start()

    def submit(self, work: Callable[[Batch], T], *, within: float = 0.0) -> Future[T]:
        """Have `work` written, at most `within` seconds from now.

        `work` may be called again if the group has to be repeated. A future that is
        cancelled before its turn is not written.

        Raises:
            StoreError: the store was closed.
        """
        piece = _Piece(work, time.monotonic() + within)
        with self._wake:
            if self._closing and threading.current_thread() is not self._thread:
                raise failures.locked(self._environment.folder, "it was closed")
            self._queue.append(piece)
            self._wake.notify()
        return piece.future

    def finish(self, work: Callable[[Batch], T]) -> T:
        """Have `work` written and wait for it; not for the event loop.

        Raises:
            StoreError: it could not be written.
        """
        future = self.submit(work)
        try:
            return future.result(PATIENCE)
        except TimeoutError:
            if future.cancel():
                raise no_turn(self._environment.folder) from None
            return future.result()

    def close(self) -> bool:
        """Write what waits and end the thread; False if somebody is in the way."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while pieces := self._next_group():
            failure = self._written(pieces)
            for piece in pieces:
                piece.resolve(failure)

    def _next_group(self) -> list[_Piece]:
        """Wait for work; nothing means that there will be none any more."""
        with self._wake:
            while not self._closing and (patience := self._patience()) > 0:
                self._wake.wait(None if patience == float("inf") else patience)
            taken, self._queue = self._queue, []
            return taken

    def _patience(self) -> float:
        """Seconds until the next piece is due."""
        due = min((piece.due for piece in self._queue), default=float("inf"))
        return due - time.monotonic()

    def _written(self, pieces: Sequence[_Piece]) -> Exception | None:
        """Commit a group, growing the map as often as that takes."""
        environment = self._environment
        while True:
            try:
                with environment.write() as group:
                    for piece in pieces:
                        self._attempt(group, piece)
            except lmdb.MapFullError as error:
                if failure := self._tried(environment.grow, error):
                    return failure
            except lmdb.MapResizedError as error:
                if failure := self._tried(environment.follow, error):
                    return failure
            except lmdb.Error as error:
                return failures.store_error(error, environment.folder)
            else:
                return None

    def _tried(self, remedy: Callable[[], None], cause: lmdb.Error) -> Exception | None:
        try:
            remedy()
        except lmdb.Error as error:
            failure = failures.store_error(error, self._environment.folder)
            failure.__cause__ = cause
            return failure
        return None

    def _attempt(self, group: lmdb.Transaction[bytes], piece: _Piece) -> None:
        """Do one piece; what LMDB reports is everybody's matter, all else its own."""
        if not piece.taken():
            return
        piece.error = None
        try:
            with self._environment.piece(group) as batch:
                piece.result = piece.work(batch)
        except lmdb.Error:
            raise
        except Exception as error:  # noqa: BLE001 -- raised where the work was asked for
            piece.error = error
