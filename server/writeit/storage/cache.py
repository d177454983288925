"""What was read or written last, kept as long as it is certainly still true."""

from __future__ import annotations

import threading
from collections import OrderedDict
from uuid import UUID

from writeit.domain.run import AIResponse
from writeit.ports.store import StoredRun

RESPONSE_CACHE_BYTES = 16 << 20
_RESPONSE_OVERHEAD_BYTES = 1024
"""Bytes of an answer besides its texts, roughly."""
_MAX_CACHED_RUNS = 16


class ResponseCache:
    """The answers read last; they never change. The least recently used leave first."""

    def __init__(self, limit: int = RESPONSE_CACHE_BYTES) -> None:
        self._limit = limit
        self._entries: OrderedDict[UUID, AIResponse] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0
        """Bytes kept now, as far as they can be told."""

    def get(self, response_id: UUID) -> AIResponse | None:
        """Return the answer if it is kept."""
        with self._lock:
            response = self._entries.get(response_id)
            if response is not None:
                self._entries.move_to_end(response_id)
            return response

    def add(self, response: AIResponse) -> None:
        """Keep an answer, and let others go for it."""
        with self._lock:
            if response.response_id in self._entries:
                return
            self._entries[response.response_id] = response
            self.size += _cached_bytes(response)
            while self.size > self._limit:
                _, gone = self._entries.popitem(last=False)
                self.size -= _cached_bytes(gone)


class RunCache:
    """The runs in use, each with the record it was made of.

    A run's record holds the number of its newest event, so as long as the record is
    the same, byte for byte, all of the run is: also when another process writes.
    Streamed text is not part of it.
    """

    def __init__(self, limit: int = _MAX_CACHED_RUNS) -> None:
        self._limit = limit
        self._entries: OrderedDict[UUID, tuple[bytes, StoredRun]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, run_id: UUID, record: bytes | None) -> StoredRun | None:
        """Return the run if it is kept and still has this record."""
        with self._lock:
            kept = self._entries.get(run_id)
            if kept is None or kept[0] != record:
                return None
            self._entries.move_to_end(run_id)
            return kept[1]

    def add(self, record: bytes, stored: StoredRun) -> None:
        """Keep a run, and let another go for it."""
        with self._lock:
            run_id = stored.run.pipeline_run_id
            self._entries[run_id] = (record, stored)
            self._entries.move_to_end(run_id)
            if len(self._entries) > self._limit:
                self._entries.popitem(last=False)


class Caches:
    """Both, as one store has them."""

    def __init__(self) -> None:
        self.responses = ResponseCache()
        self.runs = RunCache()


def _cached_bytes(response: AIResponse) -> int:
    """Bytes, counting each character once: most texts are Latin."""
    texts = (response.prompt_used, response.raw_output, response.processed_content)
    return _RESPONSE_OVERHEAD_BYTES + sum(map(len, texts))
