"""One LMDB environment: its transactions, its growth, and what it counts.

Reads come from any thread and are short. Writes come from one thread only, the
`Writer`'s; LMDB's lock keeps other processes out meanwhile.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import lmdb

from writeit.store import failures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA_FILE = "data.mdb"
MAP_SIZE = 1 << 30
"""Bytes of address space at first; costs nothing until used, doubles when full."""
_LARGE = 1024
"""Bytes; values somewhat larger have pages of their own."""
_MAX_READERS = 510
_FOLLOW_SECONDS = 5.0
"""How long a reader tries to follow a map that another process has grown."""


@dataclass(slots=True)
class Counters:
    """What an environment has done since it was opened."""

    keys_read: int = 0
    keys_written: int = 0
    bytes_written: int = 0
    """Keys and values, written or replaced."""
    transactions: int = 0
    """Committed write transactions, each with one fsync."""
    pieces: int = 0
    """Pieces of work that these transactions carried."""
    growths: int = 0


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
        self._counters.keys_read += 1
        return self._txn.get(key)

    def scan(
        self, prefix: bytes, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield the keys of `prefix`, from `start` on, and their values, in order."""
        cursor = self._txn.cursor()
        found = cursor.set_range(start or prefix)
        while found and cursor.key().startswith(prefix):
            self._counters.keys_read += 1
            yield cursor.item()
            found = cursor.next()

    def scan_back(self, prefix: bytes, before: bytes) -> Iterator[bytes]:
        """Yield the keys of `prefix` that sort before `before`, the last one first."""
        cursor = self._txn.cursor()
        found = cursor.prev() if cursor.set_range(before) else cursor.last()
        while found and cursor.key().startswith(prefix):
            self._counters.keys_read += 1
            yield cursor.key()
            found = cursor.prev()

    def first(self, start: bytes) -> bytes | None:
        """Return the first key that is not before `start`, or None."""
        self._counters.keys_read += 1
        cursor = self._txn.cursor()
        return cursor.key() if cursor.set_range(start) else None


class Batch(Snapshot):
    """Reads and writes of one piece of work: all of them happen, or none."""

    def put(self, key: bytes, value: bytes) -> None:
        """Write `value` under `key`."""
        self._txn.put(key, value)
        self._count(key, value)

    def replace(self, key: bytes, old: bytes, value: bytes) -> None:
        """Write `value` under `key`, where `old` stands."""
        if len(old) > len(value) and len(old) >= _LARGE:
            # LMDB would keep the pages of the larger value, and its own offline
            # verifier takes that for damage.
            self.delete(key)
        self.put(key, value)

    def put_new(self, key: bytes, value: bytes) -> None:
        """Write `value` under `key` unless it is there."""
        if self._txn.put(key, value, overwrite=False):
            self._count(key, value)

    def delete(self, key: bytes) -> None:
        """Remove `key` if it is there."""
        self._txn.delete(key)

    def _count(self, key: bytes, value: bytes) -> None:
        self._counters.keys_written += 1
        self._counters.bytes_written += len(key) + len(value)


class Environment:
    """An open LMDB environment. Open it through `writeit.store.sharing`."""

    def __init__(self, folder: Path, map_size: int = MAP_SIZE) -> None:
        """Open the environment that is in `folder`.

        Raises:
            lmdb.Error: as LMDB found it.
        """
        self.folder = folder
        self.counters = Counters()
        self._data = folder / DATA_FILE
        # Held while a read goes on: a map must not move under a reader's feet.
        self._gate = threading.RLock()
        self._lmdb = lmdb.Environment(
            str(folder), map_size=map_size, max_readers=_MAX_READERS, mode=0o700
        )
        self._page_size = self._lmdb.stat()["psize"]
        # Readers that were killed keep old pages from being used again.
        self._lmdb.reader_check()

    def close(self) -> None:
        """Let go of the files."""
        with self._gate:
            self._lmdb.close()

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """Read from a consistent snapshot.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            txn = self._begin_reading()
            try:
                with txn:
                    yield Snapshot(txn, self.counters, self.folder)
            finally:
                self._gate.release()
        except lmdb.Error as error:
            raise failures.store_error(error, self.folder) from error

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction[bytes]]:
        """Write a group of pieces: commits at the end, aborts on any error."""
        with self._lmdb.begin(write=True) as txn:
            yield txn
        self.counters.transactions += 1
        self._reach_the_end()

    @contextmanager
    def piece(self, group: lmdb.Transaction[bytes]) -> Iterator[Batch]:
        """Write one piece within a group; its failure leaves the others alone."""
        with self._lmdb.begin(write=True, parent=group) as txn:
            yield Batch(txn, self.counters, self.folder)
        self.counters.pieces += 1

    def grow(self) -> None:
        """Double the map. No transaction of this thread may be open."""
        with self._gate:
            self._lmdb.set_mapsize(self._lmdb.info()["map_size"] * 2)
        self.counters.growths += 1

    def follow(self) -> None:
        """Take over the size that another process has given the map."""
        with self._gate:
            self._lmdb.set_mapsize(0)

    def missing_bytes(self) -> int:
        """Return by how much the data file is too short for all of its pages."""
        length = (self._lmdb.info()["last_pgno"] + 1) * self._page_size
        return max(0, length - self._data.stat().st_size)

    def _reach_the_end(self) -> None:
        """Make the data file as long as its pages are many.

        LMDB does not write pages at the end that were taken and freed again within
        one transaction. With them, a short file is known to be damaged at a glance.
        Another process may be writing: nothing here can shorten or overwrite.
        """
        missing = self.missing_bytes()
        if not missing or not hasattr(os, "posix_fallocate"):
            return
        with self._data.open("r+b") as data, suppress(OSError):
            # Without room it stays short, and the next to open it looks closely.
            end = data.seek(0, os.SEEK_END)
            os.posix_fallocate(data.fileno(), end + missing - 1, 1)

    def _begin_reading(self) -> lmdb.Transaction[bytes]:
        """Begin a read transaction and keep the gate; the caller releases it."""
        deadline = time.monotonic() + _FOLLOW_SECONDS
        while True:
            self._gate.acquire()
            try:
                return self._lmdb.begin()
            except (lmdb.MapResizedError, lmdb.ReadersFullError) as error:
                self._gate.release()
                if time.monotonic() > deadline:
                    raise
                self._make_way(error)
            except BaseException:
                self._gate.release()
                raise

    def _make_way(self, error: lmdb.Error) -> None:
        if isinstance(error, lmdb.ReadersFullError):
            self._lmdb.reader_check()
            return
        try:
            self.follow()
        except lmdb.Error:
            # Our writer is in a transaction and has followed already, or is about to.
            time.sleep(0.001)
