"""The one thread that writes: it takes all that waits and commits it at once.

Theory of operation. Each piece of work runs in a nested transaction of its own, so
that one that is stale or fails leaves the others alone; the group then costs one
fsync. A piece may be submitted to be written within some time; it is taken along by
any group before. Results are handed out only after the group is on the disk.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import lmdb

from writeit.domain.errors import StoreError
from writeit.storage import errors, keys
from writeit.storage.checksum import add_text_checksum
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.snapshot import Batch

# --- The one thread that writes: it takes all that waits and commits it at once -------

T = TypeVar("T")

WRITE_TIMEOUT = 10.0
"""Seconds to wait for a turn to write before saying that somebody is in the way."""


@dataclass(slots=True)
class _WriteRequest:
    work: Callable[[Batch], Any]
    due: float
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None

    def try_begin(self) -> bool:
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


def write_timeout_error(folder: Path) -> StoreError:
    """Build the error for a piece of work that never had its turn."""
    reason = f"another program has been writing for {WRITE_TIMEOUT:.0f} seconds"
    return errors.locked_error(folder, reason)


class Writer:
    """Group commit on a thread of its own."""

    def __init__(self, environment: LmdbEnvironment) -> None:
        self._environment = environment
        self._condition = threading.Condition()
        self._queue: list[_WriteRequest] = []
        self._closing = False
        self._thread = threading.Thread(
            target=self._write_groups, name="writeit-store", daemon=True
        )
        self._thread.start()

    def submit(self, work: Callable[[Batch], T], *, delay: float = 0.0) -> Future[T]:
        """Have `work` written, at most `within` seconds from now.

        `work` may be called again if the group has to be repeated. A future that is
        cancelled before its turn is not written.

        Raises:
            StoreError: the store was closed.
        """
        piece = _WriteRequest(work, time.monotonic() + delay)
        with self._condition:
            if self._closing and threading.current_thread() is not self._thread:
                raise errors.locked_error(self._environment.folder, "it was closed")
            self._queue.append(piece)
            self._condition.notify()
        return piece.future

    def submit_and_wait(self, work: Callable[[Batch], T]) -> T:
        """Have `work` written and wait for it; not for the event loop.

        Raises:
            StoreError: it could not be written.
        """
        future = self.submit(work)
        try:
            return future.result(WRITE_TIMEOUT)
        except TimeoutError:
            if future.cancel():
                raise write_timeout_error(self._environment.folder) from None
            return future.result()

    def close(self) -> bool:
        """Write what waits and end the thread; False if somebody is in the way."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(WRITE_TIMEOUT)
        return not self._thread.is_alive()

    def _write_groups(self) -> None:
        while pieces := self._next_group():
            failure = self._commit_group(pieces)
            for piece in pieces:
                piece.resolve(failure)

    def _next_group(self) -> list[_WriteRequest]:
        """Wait for work; nothing means that there will be none any more."""
        with self._condition:
            while not self._closing and (patience := self._seconds_until_due()) > 0:
                self._condition.wait(None if patience == float("inf") else patience)
            taken, self._queue = self._queue, []
            return taken

    def _seconds_until_due(self) -> float:
        """Seconds until the next piece is due."""
        due = min((piece.due for piece in self._queue), default=float("inf"))
        return due - time.monotonic()

    def _commit_group(self, requests: Sequence[_WriteRequest]) -> Exception | None:
        """Commit a group, growing the map as often as that takes."""
        environment = self._environment
        while True:
            try:
                with environment.write_transaction() as group:
                    for piece in requests:
                        self._run_request(group, piece)
            except lmdb.MapFullError as error:
                if failure := self._resize_map(environment.grow_map, error):
                    return failure
            except lmdb.MapResizedError as error:
                if failure := self._resize_map(environment.adopt_map_size, error):
                    return failure
            except lmdb.Error as error:
                return errors.to_store_error(error, environment.folder)
            else:
                return None

    def _resize_map(
        self, remedy: Callable[[], None], cause: lmdb.Error
    ) -> Exception | None:
        try:
            remedy()
        except lmdb.Error as error:
            failure = errors.to_store_error(error, self._environment.folder)
            failure.__cause__ = cause
            return failure
        return None

    def _run_request(
        self, group: lmdb.Transaction[bytes], request: _WriteRequest
    ) -> None:
        """Do one piece; what LMDB reports is everybody's matter, all else its own."""
        if not request.try_begin():
            return
        request.error = None
        try:
            with self._environment.nested_transaction(group) as batch:
                request.result = request.work(batch)
        except lmdb.Error:
            raise
        except Exception as error:  # noqa: BLE001 -- raised where the work was asked for
            request.error = error


# --- Streamed text on its way to the disk, at most 50 ms behind -----------------------

JOURNAL_DELAY = 0.03
"""Seconds; what is left of the 50 ms is for the disk."""

_ResponseKey = tuple["UUID", "UUID"]


class Journal:
    """The text of answers on their way, by run and response."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._pending: dict[_ResponseKey, list[tuple[int, str]]] = defaultdict(list)
        self._lengths: dict[_ResponseKey, int] = defaultdict(int)
        self._submitted: dict[_ResponseKey, int] = {}
        self._ended: set[_ResponseKey] = set()
        """Stored whole by a decision that is being written."""
        self._scheduled = False
        self._failure: BaseException | None = None

    def append(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Have `text` written soon.

        Raises:
            StoreError: the store was closed.
        """
        answer = (run_id, response_id)
        with self._lock:
            self._pending[answer].append((self._lengths[answer], text))
            self._lengths[answer] += len(text)
        self.schedule_write(JOURNAL_DELAY)

    def schedule_write(self, delay: float = 0.0) -> None:
        """Have what waits written, also if it could not be written before."""
        with self._lock:
            if self._scheduled or not self._pending:
                return
            self._scheduled = True
        self._writer.submit(self._write_pending, delay=delay).add_done_callback(
            self._on_written
        )

    def close(self) -> None:
        """Write all that waits.

        Raises:
            StoreError: it could not be written.
        """
        while self._pending:
            self.schedule_write()
            # It goes along with this, or before.
            self._writer.submit_and_wait(lambda _: None)
            if self._failure is not None:
                raise self._failure

    def pending_text(self, run_id: UUID) -> dict[UUID, list[tuple[int, str]]]:
        """What of a run's answers may not be on the disk yet."""
        with self._lock:
            return {
                response_id: list(pieces)
                for (run, response_id), pieces in self._pending.items()
                if run == run_id
            }

    def mark_ended(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Write no more of answers that a decision stores whole, just now.

        Without this the text could be written again behind it in the same group.
        `forget` follows if the decision is on the disk, `keep` if it is not.
        """
        with self._lock:
            self._ended.update((run_id, each) for each in response_ids)

    def unmark_ended(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Go on writing answers whose end could not be written."""
        with self._lock:
            self._ended.difference_update((run_id, each) for each in response_ids)

    def discard(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Drop the text of answers that ended; they are stored whole."""
        with self._lock:
            for response_id in response_ids:
                self._pending.pop((run_id, response_id), None)
                self._lengths.pop((run_id, response_id), None)
                self._ended.discard((run_id, response_id))

    def _write_pending(self, batch: Batch) -> None:
        with self._lock:
            waiting = {
                answer: list(pieces)
                for answer, pieces in self._pending.items()
                if answer not in self._ended
            }
            self._submitted = {
                answer: len(pieces) for answer, pieces in waiting.items()
            }
        for (run_id, response_id), pieces in waiting.items():
            text = "".join(piece for _, piece in pieces)
            key = keys.journal(run_id, response_id, pieces[0][0])
            # Half a surrogate pair cannot be stored; the answer itself is checked.
            batch.put(key, add_text_checksum(key, text.encode(errors="replace")))

    def _on_written(self, future: Future[None]) -> None:
        with self._lock:
            self._scheduled = False
            self._failure = future.exception()
            if self._failure is not None:
                return  # it waits for the next decision, which meets the same trouble
            for answer, count in self._submitted.items():
                del self._pending[answer][:count]
                if not self._pending[answer]:
                    del self._pending[answer]
            more = bool(self._pending)
        if more:
            self.schedule_write(JOURNAL_DELAY)
