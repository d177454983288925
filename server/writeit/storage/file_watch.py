"""Notice that another program replaced, deleted or overwrote a store's files.

Sync tools, `git clean` and copies do so while servers run. LMDB would go on with the
file that it has mapped, which nobody will ever find again, or with a mixture of two.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from writeit.storage.errors import StoreReplaced
from writeit.storage.integrity import META_BYTES, page_size, transaction_number
from writeit.storage.location import LOCK_FILE
from writeit.storage.snapshot import DATA_FILE

MetaPages = tuple[bytes, bytes]
FileState = tuple[int, int, int]
"""Device and inode of a data file, and its newest transaction."""


class FileWatch:
    """The files of an open store, as this process last saw them."""

    def __init__(self, folder: Path) -> None:
        """Remember the files in `folder`, which LMDB has just opened.

        Raises:
            OSError: they are gone already.
        """
        self._paths = (folder / DATA_FILE, folder / LOCK_FILE)
        self._data = os.open(self._paths[0], os.O_RDONLY)
        self._identities = [_identity(path) for path in self._paths]
        self._page_size = page_size(self._read(0, META_BYTES))
        self._size = os.fstat(self._data).st_size
        self._metas = self._meta_pages()
        self._newest = max(map(transaction_number, self._metas))
        self.is_overwritten = False
        """Whether the open file itself was changed, so that reading it is not safe."""
        self._own: tuple[int, bytes] | None = None
        """The last transaction of this process, with its meta page."""

    def close(self) -> None:
        """Close the data file."""
        os.close(self._data)

    @property
    def is_same_data_file(self) -> bool:
        """Whether the data file is still the one that is open."""
        return _identity(self._paths[0]) == self._identities[0]

    @property
    def is_same_lock_file(self) -> bool:
        """Whether the lock file is still the one that is open."""
        return _identity(self._paths[1]) == self._identities[1]

    @property
    def state(self) -> FileState:
        """The data file and its newest transaction."""
        device, inode = self._identities[0] or (0, 0)
        return device, inode, self._newest

    def check(self) -> MetaPages:
        """Check the files before the map is read; return their meta pages.

        Raises:
            StoreReplaced: they were replaced, deleted, cut, or overwritten by an older
                copy.
        """
        if self.is_overwritten:
            raise self._overwritten()
        size, newest = self._size, self._newest  # before: another thread may write now
        if os.fstat(self._data).st_size < size:
            raise self._overwritten("cut")
        metas = self._meta_pages()
        if max(map(transaction_number, metas)) < newest:
            raise self._overwritten()
        if not (self.is_same_data_file and self.is_same_lock_file):
            raise StoreReplaced("another program replaced or deleted its files")
        return metas

    def check_newest(self, count: Callable[[], int]) -> None:
        """Compare the newest transaction in the data file with that of the lock file.

        `count` returns the latter. Another process may commit meanwhile, and writes
        into the data file first.

        Raises:
            StoreReplaced: they differ, so the data file was overwritten.
        """
        before = count()
        newest = max(map(transaction_number, self._meta_pages()))
        if not before <= newest <= count() + 1:
            raise self._overwritten()

    def check_before_write(self, txn_id: int) -> None:
        """Check the files at the start of the write transaction `txn_id`.

        LMDB counts transactions in the lock file, and each is in the data file too.

        Raises:
            StoreReplaced: as of `check`, or the two differ.
        """
        self._metas = self.check()
        newest = txn_id - 1
        page = self._metas[newest & 1]
        if max(map(transaction_number, self._metas)) != newest or (
            self._own is not None and self._own[0] == newest and self._own[1] != page
        ):
            raise self._overwritten()
        self._newest = newest

    def check_after_write(
        self, txn_id: int, is_committed: Callable[[int], bool]
    ) -> None:
        """Check that the transaction `txn_id` is in the file that others will find.

        `is_committed` returns False if it changed nothing; it reads the map.

        Raises:
            StoreReplaced: it is not, or the file was overwritten meanwhile.
        """
        if not self.is_same_data_file:
            raise StoreReplaced("another program replaced or deleted its data file")
        size, metas = os.fstat(self._data).st_size, self._meta_pages()
        own, other = metas[txn_id & 1], metas[1 - (txn_id & 1)]
        if size < self._size:
            raise self._overwritten("cut")
        if transaction_number(own) < txn_id:
            if is_committed(txn_id):
                raise self._overwritten()
            return
        if transaction_number(own) == txn_id:
            # Later numbers are of processes that have written since.
            if (
                other != self._metas[1 - (txn_id & 1)]
                and transaction_number(other) < txn_id
            ):
                raise self._overwritten()
            self._own = (txn_id, own)
        self._newest = max(map(transaction_number, metas))
        self._size = size

    def _overwritten(self, how: str = "overwrote") -> StoreReplaced:
        self.is_overwritten = True
        return StoreReplaced(f"another program {how} its data file")

    def _meta_pages(self) -> MetaPages:
        return self._read(0, META_BYTES), self._read(self._page_size, META_BYTES)

    def _read(self, offset: int, count: int) -> bytes:
        """Read from the file: its map has no such page if the file was cut."""
        return os.pread(self._data, count, offset).ljust(count, b"\0")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
