"""Streamed text on its way to the disk, at most 50 ms behind.

Text waits here until the writer thread has committed it, so what could not be written
is still here to be shown and tried again. Each piece knows at which character of the
answer it begins: what is on the disk and what waits can be joined without a gap.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from writeit.store import keys
from writeit.store.seal import sealed_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future
    from uuid import UUID

    from writeit.store.snapshot import Batch
    from writeit.store.writer import Writer

DELAY = 0.03
"""Seconds; what is left of the 50 ms is for the disk."""

_Answer = tuple["UUID", "UUID"]


class Journal:
    """The text of answers on their way, by run and response."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._waiting: dict[_Answer, list[tuple[int, str]]] = defaultdict(list)
        self._lengths: dict[_Answer, int] = defaultdict(int)
        self._taken: dict[_Answer, int] = {}
        self._ended: set[_Answer] = set()
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
            self._waiting[answer].append((self._lengths[answer], text))
            self._lengths[answer] += len(text)
        self.hurry(DELAY)

    def hurry(self, within: float = 0.0) -> None:
        """Have what waits written, also if it could not be written before."""
        with self._lock:
            if self._scheduled or not self._waiting:
                return
            self._scheduled = True
        self._writer.submit(self._write, within=within).add_done_callback(self._written)

    def close(self) -> None:
        """Write all that waits.

        Raises:
            StoreError: it could not be written.
        """
        while self._waiting:
            self.hurry()
            # It goes along with this, or before.
            self._writer.finish(lambda _: None)
            if self._failure is not None:
                raise self._failure

    def waiting(self, run_id: UUID) -> dict[UUID, list[tuple[int, str]]]:
        """What of a run's answers may not be on the disk yet."""
        with self._lock:
            return {
                response_id: list(pieces)
                for (run, response_id), pieces in self._waiting.items()
                if run == run_id
            }

    def end(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Write no more of answers that a decision stores whole, just now.

        Without this the text could be written again behind it in the same group.
        `forget` follows if the decision is on the disk, `keep` if it is not.
        """
        with self._lock:
            self._ended.update((run_id, each) for each in response_ids)

    def keep(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Go on writing answers whose end could not be written."""
        with self._lock:
            self._ended.difference_update((run_id, each) for each in response_ids)

    def forget(self, run_id: UUID, response_ids: Iterable[UUID]) -> None:
        """Drop the text of answers that ended; they are stored whole."""
        with self._lock:
            for response_id in response_ids:
                self._waiting.pop((run_id, response_id), None)
                self._lengths.pop((run_id, response_id), None)
                self._ended.discard((run_id, response_id))

    def _write(self, batch: Batch) -> None:
        with self._lock:
            waiting = {
                answer: list(pieces)
                for answer, pieces in self._waiting.items()
                if answer not in self._ended
            }
            self._taken = {answer: len(pieces) for answer, pieces in waiting.items()}
        for (run_id, response_id), pieces in waiting.items():
            text = "".join(piece for _, piece in pieces)
            key = keys.journal(run_id, response_id, pieces[0][0])
            # Half a surrogate pair cannot be stored; the answer itself is checked.
            batch.put(key, sealed_text(key, text.encode(errors="replace")))

    def _written(self, future: Future[None]) -> None:
        with self._lock:
            self._scheduled = False
            self._failure = future.exception()
            if self._failure is not None:
                return  # it waits for the next decision, which meets the same trouble
            for answer, count in self._taken.items():
                del self._waiting[answer][:count]
                if not self._waiting[answer]:
                    del self._waiting[answer]
            more = bool(self._waiting)
        if more:
            self.hurry(DELAY)
