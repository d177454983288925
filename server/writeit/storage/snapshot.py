"""Reading and writing keys within one transaction, and counting what was done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lmdb

DATA_FILE = "data.mdb"
_OVERFLOW_BYTES = 1024
"""Bytes; values somewhat larger have pages of their own."""


@dataclass(slots=True)
class Counters:
    """What an environment has done since it was opened."""

    keys_read: int = 0
    bytes_read: int = 0
    """Keys and values that were handed out."""
    keys_written: int = 0
    bytes_written: int = 0
    """Keys and values, written or replaced."""
    transactions: int = 0
    """Committed write transactions, each with one fsync."""
    nested_transactions: int = 0
    """Pieces of work that these transactions carried."""
    map_growths: int = 0


class Snapshot:
    """Reads within one transaction: all of them see the same moment."""

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
        found = cursor.set_range(start or prefix)
        while found and cursor.key().startswith(prefix):
            key, value = cursor.item()
            self._counters.keys_read += 1
            self._counters.bytes_read += len(key) + len(value)
            yield key, value
            found = cursor.next()

    def scan_keys(self, prefix: bytes) -> Iterator[bytes]:
        """Yield the keys of `prefix` in order; their values are not touched."""
        cursor = self._txn.cursor()
        found = cursor.set_range(prefix)
        while found and cursor.key().startswith(prefix):
            key = cursor.key()
            self._counters.keys_read += 1
            self._counters.bytes_read += len(key)
            yield key
            found = cursor.next()

    @property
    def transaction_id(self) -> int:
        """Which state of the store this is: the number of its transaction."""
        return self._txn.id()

    def scan_keys_reversed(self, prefix: bytes, end: bytes) -> Iterator[bytes]:
        """Yield the keys of `prefix` that sort before `before`, the last one first."""
        cursor = self._txn.cursor()
        found = cursor.prev() if cursor.set_range(end) else cursor.last()
        while found and cursor.key().startswith(prefix):
            key = cursor.key()
            self._counters.keys_read += 1
            self._counters.bytes_read += len(key)
            yield key
            found = cursor.prev()

    def first_key(self, start: bytes) -> bytes | None:
        """Return the first key that is not before `start`, or None."""
        self._counters.keys_read += 1
        cursor = self._txn.cursor()
        return cursor.key() if cursor.set_range(start) else None


class EmptySnapshot(Snapshot):
    """The snapshot of a store that was not created yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: bytes) -> bytes | None:  # noqa: ARG002 -- as in `Snapshot`
        """Return None."""
        return None

    def scan(
        self,
        prefix: bytes,  # noqa: ARG002 -- as in `Snapshot`
        start: bytes | None = None,  # noqa: ARG002 -- as in `Snapshot`
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield nothing."""
        return iter(())

    def scan_keys(self, prefix: bytes) -> Iterator[bytes]:  # noqa: ARG002 -- as in `Snapshot`
        """Yield nothing."""
        return iter(())

    def scan_keys_reversed(self, prefix: bytes, end: bytes) -> Iterator[bytes]:  # noqa: ARG002 -- as in `Snapshot`
        """Yield nothing."""
        return iter(())

    def first_key(self, start: bytes) -> bytes | None:  # noqa: ARG002 -- as in `Snapshot`
        """Return None."""
        return None


class Batch(Snapshot):
    """Reads and writes of one piece of work: all of them happen, or none."""

    def put(self, key: bytes, value: bytes) -> None:
        """Write `value` under `key`."""
        self._txn.put(key, value)
        self._count_write(key, value)

    def replace(self, key: bytes, old: bytes, value: bytes) -> None:
        """Write `value` under `key`, where `old` stands."""
        if len(old) > len(value) and len(old) >= _OVERFLOW_BYTES:
            # LMDB would keep the pages of the larger value, and its own offline
            # verifier takes that for damage.
            self.delete(key)
        self.put(key, value)

    def put_if_absent(self, key: bytes, value: bytes) -> None:
        """Write `value` under `key` unless it is there."""
        if self._txn.put(key, value, overwrite=False):
            self._count_write(key, value)

    def delete(self, key: bytes) -> None:
        """Remove `key` if it is there."""
        self._txn.delete(key)

    def _count_write(self, key: bytes, value: bytes) -> None:
        self._counters.keys_written += 1
        self._counters.bytes_written += len(key) + len(value)
