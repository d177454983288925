"""Answers never change, so those read last are kept, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.run import AIResponse

CACHE_BYTES = 16 << 20
_OVERHEAD = 1024
"""Bytes of an answer besides its texts, roughly."""


class ResponseCache:
    """The answers read last, least recently used leaving first."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[UUID, AIResponse] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0
        """Bytes kept now, as far as they can be told."""

    def get(self, response_id: UUID) -> AIResponse | None:
        """Return the answer if it is kept."""
        with self._lock:
            response = self._kept.get(response_id)
            if response is not None:
                self._kept.move_to_end(response_id)
            return response

    def add(self, response: AIResponse) -> None:
        """Keep an answer, and let others go for it."""
        with self._lock:
            if response.response_id in self._kept:
                return
            self._kept[response.response_id] = response
            self.size += _weight(response)
            while self.size > self._limit:
                _, gone = self._kept.popitem(last=False)
                self.size -= _weight(gone)


def _weight(response: AIResponse) -> int:
    """Bytes, counting each character once: most texts are Latin."""
    texts = (response.prompt_used, response.raw_output, response.processed_content)
    return _OVERHEAD + sum(map(len, texts))
