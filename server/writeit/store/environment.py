"""One LMDB environment: its transactions, its growth, its files.

Reads come from any thread and are short. Writes come one at a time, nearly all from
the `Writer`'s thread; LMDB's lock keeps other processes out meanwhile. The care of a
store reads for long, copies, and closes and opens the files again: three locks say
who has to wait, taken in the order in which `Environment` lists them.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

import lmdb

from writeit.store import failures, locks
from writeit.store.snapshot import DATA_FILE, Batch, Counters, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

MAP_SIZE = 1 << 30
"""Bytes of address space at first; costs nothing until used, doubles when full."""
_MAX_READERS = 510
_PAUSE = 0.001
_FOLLOW_SECONDS = 5.0
"""How long a reader tries to follow a map that another process has grown."""


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
        # Held while somebody writes, from the first page to the last.
        self._turn = threading.RLock()
        # Held while a long read or a copy goes on: the map must stay where it is.
        self._still = threading.RLock()
        # Held while a read goes on, for the same reason; nobody waits for it long.
        self._gate = threading.RLock()
        self._lmdb = _engine(folder, map_size)
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
        with self._turn:
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

    def write_once(self, work: Callable[[Batch], T]) -> T:
        """Write one piece in a transaction of its own, on this thread.

        Raises:
            lmdb.Error: as LMDB found it; a map that is full grows.
        """
        while True:
            try:
                with self.write() as group, self.piece(group) as batch:
                    return work(batch)
            except lmdb.MapFullError:
                self.grow()
            except lmdb.MapResizedError:
                self.follow()

    @contextmanager
    def read_long(self) -> Iterator[Snapshot]:
        """Read for as long as it takes; short reads and writes go on meanwhile.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            with self._still:
                txn = self._begin_reading()
                self._gate.release()
                with txn:
                    yield Snapshot(txn, self.counters, self.folder)
        except lmdb.Error as error:
            raise failures.store_error(error, self.folder) from error

    def copy(self, target: Path, *, compact: bool) -> None:
        """Copy a consistent state into the folder `target`; all else goes on.

        Raises:
            lmdb.Error: as LMDB found it.
            OSError: it could not be written.
        """
        with self._still:
            self._lmdb.copy(str(target), compact=compact)
        locks.sync(target / DATA_FILE)
        locks.sync(target)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let nobody in this process write meanwhile."""
        with self._turn:
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let go of the files, be the only one who has them, and open them again.

        Raises:
            InUse: another process has them open.
            lmdb.Error: they could not be opened again.
        """
        with (
            self._turn,
            self._still,
            self._gate,
            locks.one_at_a_time(self.folder),  # it is not moved while it is closed
        ):
            size = self._lmdb.info()["map_size"]
            self._lmdb.close()
            try:
                with locks.sole_use(self.folder):
                    yield
            finally:
                self._lmdb = _engine(self.folder, size)

    def head(self) -> bytes:
        """Return both meta pages: they change with every transaction."""
        with self._data.open("rb") as data:
            return data.read(2 * self._page_size)

    def last_write(self) -> int:
        """Return the number of the newest transaction, whichever process wrote it."""
        with self._gate:
            return int(self._lmdb.info()["last_txnid"])

    def figures(self) -> tuple[int, int, int]:
        """Return the bytes of the map, those in use, and those of the file."""
        with self._gate:
            stat, size = self._lmdb.stat(), self._lmdb.info()["map_size"]
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return size, pages * self._page_size, self._data.stat().st_size

    def grow(self) -> None:
        """Double the map. No transaction of this thread may be open."""
        with self._still, self._gate:
            self._lmdb.set_mapsize(self._lmdb.info()["map_size"] * 2)
        self.counters.growths += 1

    def follow(self) -> None:
        """Take over the size that another process has given the map."""
        with self._still, self._gate:
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
            with self._gate:
                self._lmdb.reader_check()
            return
        if not self._still.acquire(timeout=_PAUSE):
            return
        try:
            self.follow()
        except lmdb.Error:
            # Our writer is in a transaction and has followed already, or is about to.
            time.sleep(_PAUSE)
        finally:
            self._still.release()


def _engine(folder: Path, map_size: int) -> lmdb.Environment:
    return lmdb.Environment(
        str(folder), map_size=map_size, max_readers=_MAX_READERS, mode=0o700
    )
