"""The one thread that writes: it commits all queued requests as a group.

Each request runs in a nested transaction of its own, so one that is stale or fails does
not affect the others; the group costs one fsync. A request may have a delay; an earlier
group takes it along. Results are delivered when the group is on the disk.
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
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.errors import StoreReplaced
from writeit.storage.integrity import add_text_checksum
from writeit.storage.reopening import Reopener
from writeit.storage.snapshot import Batch

T = TypeVar("T")

WRITE_TIMEOUT = 10.0
"""Seconds to wait for the write lock before reporting that the store is locked."""


@dataclass(slots=True)
class _WriteRequest:
    work: Callable[[Batch], Any]
    due: float
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None

    def try_begin(self) -> bool:
        """Return whether to run it: its future was not cancelled before it began."""
        return self.future.running() or self.future.set_running_or_notify_cancel()

    def resolve(self, failure: Exception | None) -> None:
        """Set the result of the future; `failure` is the failure of the group."""
        if self.future.cancelled():
            return
        if error := failure or self.error:
            self.future.set_exception(error)
        else:
            self.future.set_result(self.result)


def write_timeout_error(folder: Path) -> StoreError:
    """Return the error for a request that never began."""
    reason = f"earlier writes have taken over {WRITE_TIMEOUT:.0f} seconds"
    return errors.locked_error(folder, reason)


class Writer:
    """Group commit on a thread of its own."""

    def __init__(
        self, environment: LmdbEnvironment, prepare: Callable[[bool], None]
    ) -> None:
        """Start the thread.

        `prepare` checks or creates the files that replaced the store's.
        """
        self.reopener = Reopener(environment, prepare)
        self._environment = environment
        self._condition = threading.Condition()
        self._queue: list[_WriteRequest] = []
        self._closing = False
        self._thread = threading.Thread(
            target=self._write_groups, name="writeit-store", daemon=True
        )
        self._thread.start()

    def submit(self, work: Callable[[Batch], T], *, delay: float = 0.0) -> Future[T]:
        """Queue `work`, to be written at most `delay` seconds from now.

        `work` may be called again if the group has to be repeated. It is not called if
        its future is cancelled before it begins.

        Raises:
            StoreError: the store was closed.
        """
        request = _WriteRequest(work, time.monotonic() + delay)
        with self._condition:
            if self._closing and threading.current_thread() is not self._thread:
                raise errors.locked_error(self._environment.folder, "it was closed")
            self._queue.append(request)
            self._condition.notify()
        return request.future

    def submit_and_wait(self, work: Callable[[Batch], T]) -> T:
        """Write and wait for it; not for the event loop.

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
        """Write what is queued and end the thread; False if that takes too long."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(WRITE_TIMEOUT)
        return not self._thread.is_alive()

    def _write_groups(self) -> None:
        while requests := self._next_group():
            failure: Exception | None
            try:
                failure = self._commit_group(requests)
            except Exception as error:  # noqa: BLE001 -- raised in each request
                failure = error
            for request in requests:
                request.resolve(failure)

    def _next_group(self) -> list[_WriteRequest]:
        """Wait for requests; an empty list means that the writer was closed."""
        with self._condition:
            while not self._closing and (timeout := self._seconds_until_due()) > 0:
                self._condition.wait(None if timeout == float("inf") else timeout)
            requests, self._queue = self._queue, []
            return requests

    def _seconds_until_due(self) -> float:
        due = min((request.due for request in self._queue), default=float("inf"))
        return due - time.monotonic()

    def _commit_group(self, requests: Sequence[_WriteRequest]) -> Exception | None:
        """Commit a group, and grow the map as often as necessary."""
        environment = self._environment
        while True:
            if replaced := self.reopener.open_replaced():
                return replaced
            try:
                with environment.write_transaction() as group:
                    for request in requests:
                        self._run_request(group, request)
            except (lmdb.MapFullError, lmdb.MapResizedError) as error:
                if failure := self._resize_map(error):
                    return failure
            except StoreError as error:
                return error  # a newer WriteIt has migrated the store
            except (lmdb.Error, OSError) as error:
                if not isinstance(error, StoreReplaced) and not environment.is_replaced:
                    return errors.to_store_error(error, environment.folder)
            else:
                return None

    def _resize_map(self, cause: lmdb.Error) -> Exception | None:
        try:
            if isinstance(cause, lmdb.MapFullError):
                self._environment.grow_map()
            else:
                self._environment.adopt_map_size()
        except lmdb.Error as error:
            failure = errors.to_store_error(error, self._environment.folder)
            failure.__cause__ = cause
            return failure
        return None

    def _run_request(
        self, group: lmdb.Transaction[bytes], request: _WriteRequest
    ) -> None:
        """Run one request; an error of LMDB fails the group, any other the request."""
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


# Streamed text, on the disk at most 50 ms after it arrived

JOURNAL_DELAY = 0.03
"""Seconds; the rest of the 50 ms is for the disk."""

_ResponseKey = tuple["UUID", "UUID"]


class Journal:
    """The text of answers that are streaming, by run and response."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        writer.reopener.journals.add(self)
        self._lock = threading.Lock()
        self._pending: dict[_ResponseKey, list[tuple[int, str]]] = defaultdict(list)
        self._texts: dict[_ResponseKey, str] = defaultdict(str)
        """All text of the answers that stream."""
        self._submitted: dict[_ResponseKey, int] = {}
        self._ended: set[_ResponseKey] = set()
        """Answers whose end is being written by a commit."""
        self._scheduled = False
        self._failure: BaseException | None = None

    def append(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Write `text` soon.

        Raises:
            StoreError: the store was closed.
        """
        key = (run_id, response_id)
        with self._lock:
            self._pending[key].append((len(self._texts[key]), text))
            self._texts[key] += text
        self.schedule_write(JOURNAL_DELAY)

    def schedule_write(self, delay: float = 0.0) -> None:
        """Write pending text, also if it could not be written before."""
        with self._lock:
            if self._scheduled or not self._pending:
                return
            self._scheduled = True
        self._writer.submit(self._write_pending, delay=delay).add_done_callback(
            self._on_written
        )

    def write_again(self) -> None:
        """Write all text of the answers that stream, to a store that was replaced."""
        with self._lock:
            for key, text in self._texts.items():
                self._pending[key] = [(0, text)]
            self._submitted.clear()
        self.schedule_write()

    def close(self) -> None:
        """Write all pending text.

        Raises:
            StoreError: it could not be written.
        """
        self._writer.reopener.journals.discard(self)
        while self._pending:
            self.schedule_write()
            # The text is written in the same group, or before.
            self._writer.submit_and_wait(lambda _: None)
            if self._failure is not None:
                raise self._failure

    def pending_text(self, run_id: UUID) -> dict[UUID, list[tuple[int, str]]]:
        """Return the text of a run's answers that may not be on the disk yet."""
        with self._lock:
            return {
                response_id: list(pieces)
                for (run, response_id), pieces in self._pending.items()
                if run == run_id
            }

    def mark_ended(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Stop writing answers that a commit stores now.

        Otherwise the text could be written after the commit in the same group.
        `discard` follows if the commit is on the disk, `unmark_ended` if it is not.
        """
        with self._lock:
            self._ended.update((run_id, response) for response in response_ids)

    def unmark_ended(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Resume writing answers whose end could not be written."""
        with self._lock:
            self._ended.difference_update((run_id, one) for one in response_ids)

    def discard(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Drop the text of answers that ended and are stored."""
        with self._lock:
            for key in ((run_id, response_id) for response_id in response_ids):
                self._pending.pop(key, None)
                self._texts.pop(key, None)
                self._ended.discard(key)

    def _write_pending(self, batch: Batch) -> None:
        with self._lock:
            pending = {
                key: list(pieces)
                for key, pieces in self._pending.items()
                if key not in self._ended
            }
            self._submitted = {key: len(pieces) for key, pieces in pending.items()}
        for (run_id, response_id), pieces in pending.items():
            text = "".join(piece for _, piece in pieces)
            key = keys.journal(run_id, response_id, pieces[0][0])
            # Half a surrogate pair cannot be encoded; the complete answer is checked.
            batch.put(key, add_text_checksum(key, text.encode(errors="replace")))

    def _on_written(self, future: Future[None]) -> None:
        with self._lock:
            self._scheduled = False
            self._failure = future.exception()
            if self._failure is not None:
                return  # the next commit tries again, and reports the failure
            for key, count in self._submitted.items():
                del self._pending[key][:count]
                if not self._pending[key]:
                    del self._pending[key]
            more = bool(self._pending)
        if more:
            self.schedule_write(JOURNAL_DELAY)
