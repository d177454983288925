"""One LMDB environment: its transactions, its growth, its files.

Reads come from any thread and are short. Writes come one at a time, nearly all from
the `Writer`'s thread; LMDB's lock excludes other processes. Maintenance reads for long,
copies, and reopens the files. Three locks order these, always taken in the order in
which `LmdbEnvironment` lists them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import lmdb

from writeit.domain.errors import StoreError
from writeit.storage import errors, location
from writeit.storage.errors import StoreReplaced
from writeit.storage.file_watch import FileState, FileWatch
from writeit.storage.snapshot import DATA_FILE, Batch, Counters, Snapshot

T = TypeVar("T")

INITIAL_MAP_SIZE = 1 << 30
"""Bytes of address space at first; doubles when full."""
_MAX_READERS = 510
_RETRY_SECONDS = 0.001
_RESIZE_TIMEOUT = 5.0
"""Seconds for which a reader tries to adopt a map that another process has grown."""


class LmdbEnvironment:
    """An open LMDB environment. Open it through `writeit.storage.opening`."""

    def __init__(self, folder: Path, map_size: int = INITIAL_MAP_SIZE) -> None:
        """Open the environment in `folder`.

        Raises:
            lmdb.Error: it cannot be opened.
        """
        self.folder = folder
        self.counters = Counters()
        self.check_schema: Callable[[Snapshot], object] = lambda _: None
        """Raises StoreError if a newer WriteIt has migrated the store."""
        self._refusal: StoreError | None = None
        """Why the store cannot be read."""
        self._has_unsaved_commit = False
        """Whether the open file has a commit that nobody will find."""
        self._data_path = folder / DATA_FILE
        # Held during a write transaction.
        self._write_lock = threading.RLock()
        # Held during a long read or a copy: the map must not be moved.
        self._map_lock = threading.RLock()
        # Held during a short read, for the same reason.
        self._read_lock = threading.RLock()
        self._lmdb, self._files = _open_files(folder, map_size)
        self._page_size = self._lmdb.stat()["psize"]
        # Readers that were killed keep old pages from being reused.
        self._lmdb.reader_check()

    def close(self) -> None:
        """Close the files."""
        with self._read_lock:
            self._lmdb.close()
            self._files.close()

    @property
    def is_replaced(self) -> bool:
        """Whether another program replaced, deleted or overwrote the files.

        Raises:
            StoreError: they could not be opened again after a failed write.
        """
        with self._read_lock:
            try:
                self._files.check()
                self._files.check_newest(self._counted_transactions)
            except StoreReplaced:
                return True
            except (lmdb.MapResizedError, lmdb.ReadersFullError):
                return False  # the next read recovers from it
            except lmdb.PanicError:
                pass
            else:
                return False
        self._reopen_lmdb()
        return False

    def _reopen_lmdb(self) -> None:
        """Open the files again after a meta page could not be written.

        Until then LMDB refuses all work.
        """
        with (
            errors.as_store_errors(self.folder),
            self._write_lock,
            self._map_lock,
            self._read_lock,
            location.opening_lock(self.folder),
        ):
            with suppress(lmdb.PanicError), self._lmdb.begin():
                return  # another thread has opened them
            size = self._lmdb.info()["map_size"]
            self._lmdb.close()
            self._lmdb = _open_lmdb(self.folder, size)

    def _counted_transactions(self) -> int:
        """Return the number of the newest transaction by the lock file."""
        with self._lmdb.begin() as txn:
            return txn.id()

    @property
    def is_intact(self) -> bool:
        """Whether what is open can be read: it may no longer be in the folder."""
        return not self._files.is_overwritten

    @property
    def file_state(self) -> FileState:
        """The data file and its newest transaction."""
        return self._files.state

    def replace_files(self, prepare: Callable[[bool], None]) -> bool:
        """Open the files that are in the folder now, which `prepare` checks or creates.

        It gets whether the data file was overwritten. If it fails, reads go on with the
        old file, unless that was overwritten. Return False if only the lock file was
        replaced.

        Raises:
            StoreError, lmdb.Error, OSError: they cannot be opened.
        """
        with self._write_lock, self._map_lock, self._read_lock:
            location.create_store_folder(self.folder)
            with location.opening_lock(self.folder):
                if self._files.is_same_lock_file:
                    # It counts the transactions of the old file, and the processes
                    # that have it open find out by this.
                    (self.folder / location.LOCK_FILE).unlink()
                prepare(self._files.is_overwritten)
                size = self._lmdb.info()["map_size"]
                is_same = self._files.is_same_data_file
                if is_same:
                    self._files.is_overwritten = True  # it cannot be read until then
                    self._lmdb.close()  # LMDB must not open one file twice
                opened = _open_files(self.folder, size)
            self._check_new_schema(opened)
            self.close()
            self._lmdb, self._files = opened
            self._has_unsaved_commit = False
            return not is_same

    def _check_new_schema(self, opened: tuple[lmdb.Environment, FileWatch]) -> None:
        try:
            with opened[0].begin() as txn:
                self.check_schema(Snapshot(txn, self.counters, self.folder))
        except BaseException:
            for each in opened:
                each.close()
            raise

    def refuse_reads(self, error: StoreError) -> None:
        """Raise `error` in reads, if they would show what is not true."""
        if self._has_unsaved_commit or not self.is_intact:
            self._refusal = error

    def allow_reads(self) -> None:
        """Read the file that is open."""
        self._refusal = None

    @contextmanager
    def read_transaction(self) -> Iterator[Snapshot]:
        """Read from a consistent snapshot.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            txn = self._begin_read()
            try:
                with txn:
                    yield Snapshot(txn, self.counters, self.folder)
            finally:
                self._read_lock.release()
        except lmdb.Error as error:
            raise errors.to_store_error(error, self.folder) from error

    @contextmanager
    def write_transaction(self) -> Iterator[lmdb.Transaction[bytes]]:
        """Write a group of requests: commits at the end, aborts on any error.

        Raises:
            StoreReplaced: it is not in the files that are in the folder now.
            StoreError: a newer WriteIt has migrated the store.
        """
        with self._write_lock, ExitStack() as stack:
            self._files.check()
            with self._lmdb.begin(write=True) as txn:
                number = txn.id()
                # No other process opens the files again before the commit.
                stack.enter_context(location.opening_lock(self.folder, shared=True))
                self._files.check_before_write(number)
                self.check_schema(Snapshot(txn, self.counters, self.folder))
                yield txn
            self.counters.transactions += 1
            try:
                self._files.check_after_write(number, self._is_committed)
            except StoreReplaced:
                self._has_unsaved_commit = True
                raise
            self._extend_data_file()

    @contextmanager
    def nested_transaction(self, group: lmdb.Transaction[bytes]) -> Iterator[Batch]:
        """Write one request within a group; its failure does not affect the others."""
        with self._lmdb.begin(write=True, parent=group) as txn:
            yield Batch(txn, self.counters, self.folder)
        self.counters.nested_transactions += 1

    def _is_committed(self, number: int) -> bool:
        """Return whether a transaction wrote anything."""
        try:
            return self._counted_transactions() >= number
        except lmdb.MapResizedError:
            return True

    def write_once(self, work: Callable[[Batch], T]) -> T:
        """Write in a transaction of its own, on this thread; a full map grows.

        Raises:
            lmdb.Error: nothing was written.
        """
        while True:
            try:
                with (
                    self.write_transaction() as group,
                    self.nested_transaction(group) as batch,
                ):
                    return work(batch)
            except lmdb.MapFullError:
                self.grow_map()
            except lmdb.MapResizedError:
                self.adopt_map_size()

    @contextmanager
    def long_read_transaction(self) -> Iterator[Snapshot]:
        """Read for any time; short reads and writes are not blocked.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            with self._map_lock:
                txn = self._begin_read()
                self._read_lock.release()
                with txn:
                    yield Snapshot(txn, self.counters, self.folder)
        except lmdb.Error as error:
            raise errors.to_store_error(error, self.folder) from error

    def copy_to(self, target: Path, *, compact: bool) -> None:
        """Copy a consistent state into the folder `target`, without blocking others.

        Raises:
            lmdb.Error: the store cannot be read.
            OSError: the copy could not be written.
        """
        with self._map_lock:
            self._lmdb.copy(str(target), compact=compact)
        location.fsync_path(target / DATA_FILE)
        location.fsync_path(target)

    @contextmanager
    def block_writes(self) -> Iterator[None]:
        """Block all other writes of this process."""
        with self._write_lock:
            yield

    @contextmanager
    def exclusive_access(self) -> Iterator[None]:
        """Close the files, lock them against all processes, and open them again.

        Raises:
            StoreInUse: another process has them open.
            lmdb.Error: they could not be opened again.
        """
        with (
            self._write_lock,
            self._map_lock,
            self._read_lock,
            location.opening_lock(self.folder),  # it is not moved while it is closed
        ):
            self._files.check()
            size = self._lmdb.info()["map_size"]
            self.close()
            try:
                with location.exclusive_lock(self.folder):
                    yield
            finally:
                self._lmdb, self._files = _open_files(self.folder, size)

    def meta_pages(self) -> bytes:
        """Return both meta pages: they change with every transaction."""
        with self._data_path.open("rb") as data:
            return data.read(2 * self._page_size)

    def sizes(self) -> tuple[int, int, int]:
        """Return the bytes of the map, the bytes in use, and the bytes of the file."""
        with self._read_lock:
            stat, size = self._lmdb.stat(), self._lmdb.info()["map_size"]
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return size, pages * self._page_size, self._data_path.stat().st_size

    def grow_map(self) -> None:
        """Double the map. No transaction of this thread may be open."""
        with self._map_lock, self._read_lock:
            self._lmdb.set_mapsize(self._lmdb.info()["map_size"] * 2)
        self.counters.map_growths += 1

    def adopt_map_size(self) -> None:
        """Adopt the map size that another process has set."""
        with self._map_lock, self._read_lock:
            self._lmdb.set_mapsize(0)

    def missing_bytes(self) -> int:
        """Return the bytes by which the data file is too short for its pages."""
        length = (self._lmdb.info()["last_pgno"] + 1) * self._page_size
        return max(0, length - self._data_path.stat().st_size)

    def _extend_data_file(self) -> None:
        """Extend the data file to the length of its pages.

        LMDB does not write pages at the end that were allocated and freed within one
        transaction. With them, a file that is too short is known to be damaged.
        Another process may be writing: this can neither shorten nor overwrite.
        """
        missing = self.missing_bytes()
        if not missing or not hasattr(os, "posix_fallocate"):
            return
        with self._data_path.open("r+b") as data, suppress(OSError):
            # On a full disk it stays short, and the next process checks every page.
            end = data.seek(0, os.SEEK_END)
            os.posix_fallocate(data.fileno(), end + missing - 1, 1)

    def _begin_read(self) -> lmdb.Transaction[bytes]:
        """Begin a read transaction and hold the read lock; the caller releases it."""
        deadline = time.monotonic() + _RESIZE_TIMEOUT
        if self._refusal is not None:
            raise self._refusal
        while True:
            self._read_lock.acquire()
            try:
                return self._lmdb.begin()
            except (lmdb.MapResizedError, lmdb.ReadersFullError) as error:
                self._read_lock.release()
                if time.monotonic() > deadline:
                    raise
                self._recover_from_read_error(error)
            except BaseException:
                self._read_lock.release()
                raise

    def _recover_from_read_error(self, error: lmdb.Error) -> None:
        if isinstance(error, lmdb.ReadersFullError):
            with self._read_lock:
                self._lmdb.reader_check()
            return
        if not self._map_lock.acquire(timeout=_RETRY_SECONDS):
            return
        try:
            self.adopt_map_size()
        except lmdb.Error:
            # This process's writer is in a transaction and adopts the size itself.
            time.sleep(_RETRY_SECONDS)
        finally:
            self._map_lock.release()


@contextmanager
def read_unused_store(folder: Path) -> Iterator[Snapshot]:
    """Read the store in `folder`, which no process writes.

    Raises:
        lmdb.Error: it cannot be read.
    """
    size = (folder / DATA_FILE).stat().st_size
    with (
        lmdb.Environment(str(folder), map_size=size, readonly=True, lock=False) as env,
        env.begin() as txn,
    ):
        yield Snapshot(txn, Counters(), folder)


def _open_files(folder: Path, map_size: int) -> tuple[lmdb.Environment, FileWatch]:
    """Open the files in `folder`, which no other process opens now.

    Raises:
        lmdb.Error, OSError: they cannot be opened.
    """
    opened = _open_lmdb(folder, map_size)
    if _has_foreign_lock_file(opened):
        opened.close()
        (folder / location.LOCK_FILE).unlink()
        opened = _open_lmdb(folder, map_size)
    try:
        return opened, FileWatch(folder)
    except OSError:
        opened.close()
        raise


def _open_lmdb(folder: Path, map_size: int) -> lmdb.Environment:
    return lmdb.Environment(
        str(folder), map_size=map_size, max_readers=_MAX_READERS, mode=0o700
    )


def _has_foreign_lock_file(opened: lmdb.Environment) -> bool:
    """Return whether the lock file counts the transactions of another data file.

    It does if the data file was replaced and another process still has the old one
    open. No process writes now, so the two numbers do not differ for another reason.
    """
    try:
        with opened.begin() as txn:
            return bool(txn.id() != opened.info()["last_txnid"])
    except (lmdb.MapResizedError, lmdb.ReadersFullError):
        return False
