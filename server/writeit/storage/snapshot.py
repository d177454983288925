"""Reads and writes of keys within one transaction, with counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lmdb

DATA_FILE = "data.mdb"
_OVERFLOW_BYTES = 1024
"""Bytes; values somewhat larger have pages of their own."""


@dataclass(slots=True)
class Counters:
    """Counts of an environment's reads and writes since it was opened."""

    keys_read: int = 0
    bytes_read: int = 0
    """Bytes of the keys and values returned."""
    keys_written: int = 0
    bytes_written: int = 0
    """Bytes of the keys and values written."""
    transactions: int = 0
    """Committed write transactions, each with one fsync."""
    nested_transactions: int = 0
    """Write requests that these transactions carried."""
    map_growths: int = 0


class Snapshot:
    """Reads within one transaction: all see the same state."""

    def __init__(
        self, txn: lmdb.Transaction[bytes], counters: Counters, folder: Path
    ) -> None:
        self._txn = txn
        self._counters = counters
        self.folder = folder

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None."""
        value = self._txn.get(key)
        self._counters.keys_read += 1
        self._counters.bytes_read += len(key) + len(value or b"")
        return value

    def scan(
        self, prefix: bytes, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield the keys of `prefix`, from `start` on, and their values, in order."""
        cursor = self._txn.cursor()
        for key in self._walk(cursor, cursor.set_range(start or prefix), prefix):
            value = cursor.value()
            self._counters.bytes_read += len(value)
            yield key, value

    def scan_keys(self, prefix: bytes, start: bytes = b"") -> Iterator[bytes]:
        """Yield the keys of `prefix`, from `start` on, without reading their values."""
        cursor = self._txn.cursor()
        return self._walk(cursor, cursor.set_range(start or prefix), prefix)

    @property
    def transaction_id(self) -> int:
        """The number of the transaction whose state this is."""
        return self._txn.id()

    def scan_keys_reversed(self, prefix: bytes, end: bytes) -> Iterator[bytes]:
        """Yield the keys of `prefix` that sort before `end`, the last one first."""
        cursor = self._txn.cursor()
        has_key = cursor.prev() if cursor.set_range(end) else cursor.last()
        return self._walk(cursor, has_key, prefix, cursor.prev)

    def _walk(
        self,
        cursor: lmdb.Cursor[bytes],
        has_key: bool,
        prefix: bytes,
        move: Callable[[], bool] | None = None,
    ) -> Iterator[bytes]:
        """Yield the keys of `prefix` from the cursor on, by default the next ones."""
        while has_key and (key := cursor.key()).startswith(prefix):
            self._counters.keys_read += 1
            self._counters.bytes_read += len(key)
            yield key
            has_key = (move or cursor.next)()

    def first_key(self, start: bytes) -> bytes | None:
        """Return the first key that is not before `start`, or None."""
        self._counters.keys_read += 1
        cursor = self._txn.cursor()
        return cursor.key() if cursor.set_range(start) else None


class Batch(Snapshot):
    """Reads and writes of one request: all of the writes happen, or none."""

    def put(self, key: bytes, value: bytes) -> None:
        """Write `value` under `key`."""
        self._txn.put(key, value)
        self._count_write(key, value)

    def replace(self, key: bytes, old: bytes, value: bytes) -> None:
        """Write `value` under `key`, which has the value `old`."""
        if len(old) > len(value) and len(old) >= _OVERFLOW_BYTES:
            # LMDB would keep the pages of the larger value, which its own offline
            # verifier reports as damage.
            self.delete(key)
        self.put(key, value)

    def put_if_absent(self, key: bytes, value: bytes) -> None:
        """Write `value` under `key` unless the key exists."""
        if self._txn.put(key, value, overwrite=False):
            self._count_write(key, value)

    def delete(self, key: bytes) -> None:
        """Delete `key` if it exists."""
        self._txn.delete(key)

    def _count_write(self, key: bytes, value: bytes) -> None:
        self._counters.keys_written += 1
        self._counters.bytes_written += len(key) + len(value)


class MemoryBatch(Batch):
    """A batch on a dict; an empty one is the state of a store before its creation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None."""
        return self.entries.get(key)

    def scan(
        self, prefix: bytes, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield the keys of `prefix`, from `start` on, and their values, in order."""
        for key in sorted(self.entries):
            if key.startswith(prefix) and key >= (start or prefix):
                yield key, self.entries[key]

    def scan_keys(self, prefix: bytes, start: bytes = b"") -> Iterator[bytes]:
        """Yield the keys of `prefix`, from `start` on."""
        return (key for key, _ in self.scan(prefix, start or None))

    def scan_keys_reversed(self, prefix: bytes, end: bytes) -> Iterator[bytes]:
        """Yield the keys of `prefix` that sort before `end`, the last one first."""
        return reversed([key for key in self.scan_keys(prefix) if key < end])

    def first_key(self, start: bytes) -> bytes | None:
        """Return the first key that is not before `start`, or None."""
        return min((key for key in self.entries if key >= start), default=None)

    def put(self, key: bytes, value: bytes) -> None:
        """Write `value` under `key`."""
        self.entries[key] = value

    def put_if_absent(self, key: bytes, value: bytes) -> None:
        """Write `value` under `key` unless the key exists."""
        self.entries.setdefault(key, value)

    def delete(self, key: bytes) -> None:
        """Delete `key` if it exists."""
        self.entries.pop(key, None)
