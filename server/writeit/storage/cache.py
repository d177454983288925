"""Caches of what was read or written last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar
from uuid import UUID

from writeit.domain.answer import AIResponse
from writeit.ports.store import StoredRun

V = TypeVar("V")

RESPONSE_CACHE_BYTES = 16 << 20
_RESPONSE_OVERHEAD_BYTES = 1024
"""Bytes of an answer besides its texts, roughly."""
_MAX_CACHED_RUNS = 16


class LruCache(Generic[V]):
    """Values by id up to a total size; the least recently used are removed first."""

    def __init__(self, limit: int, size_of: Callable[[V], int] = lambda _: 1) -> None:
        self._limit = limit
        self._size_of = size_of
        self._entries: OrderedDict[UUID, V] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0

    def get(self, key: UUID) -> V | None:
        """Return the value of `key`, or None."""
        with self._lock:
            value = self._entries.get(key)
            if value is not None:
                self._entries.move_to_end(key)
            return value

    def add(self, key: UUID, value: V) -> None:
        """Keep a value, and remove others that exceed the limit."""
        with self._lock:
            replaced = self._entries.pop(key, None)
            if replaced is not None:
                self.size -= self._size_of(replaced)
            self._entries[key] = value
            self.size += self._size_of(value)
            while self.size > self._limit:
                _, removed = self._entries.popitem(last=False)
                self.size -= self._size_of(removed)


class RunCache:
    """The runs used last, each with the record it was read from.

    A run's record has the number of its newest event, so a run is up to date as long
    as its record has the same bytes, whichever process wrote it. Streamed text is not
    part of it.
    """

    def __init__(self) -> None:
        self._runs: LruCache[tuple[bytes, StoredRun]] = LruCache(_MAX_CACHED_RUNS)

    def get(self, run_id: UUID, record: bytes | None) -> StoredRun | None:
        """Return the run if it is cached with this record."""
        cached = self._runs.get(run_id)
        return cached[1] if cached is not None and cached[0] == record else None

    def add(self, record: bytes, stored: StoredRun) -> None:
        """Keep a run with its record."""
        self._runs.add(stored.run.pipeline_run_id, (record, stored))


class Caches:
    """The caches of one store."""

    def __init__(self) -> None:
        self.responses = LruCache(RESPONSE_CACHE_BYTES, cached_bytes)
        """Answers, which never change; its size is in bytes."""
        self.runs = RunCache()


def cached_bytes(response: AIResponse) -> int:
    """Return the bytes of an answer, with one byte per character: most are Latin."""
    texts = (response.prompt_used, response.raw_output, response.processed_content)
    return _RESPONSE_OVERHEAD_BYTES + sum(map(len, texts))
