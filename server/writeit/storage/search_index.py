"""The index of the words of all runs: one file of SQLite's FTS5 in the store's folder.

It is a cache: if it is absent, damaged or of another format, it is made again from the
runs, in the background. The first search makes it. It has the checksum of each run's
record, so a scan finds what any process has changed, and the state of the store that
was scanned last, so that nothing is scanned twice.

Its name is random and recorded in the user's data folder: a file that came with a
copied or cloned folder, or a journal for this one, is never opened. SQLite's rollback
journal is used, not its write-ahead log: it works on every filesystem, leaves no second
file in which deleted words stay, and a commit is too short to make others wait.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from uuid import UUID
from zlib import crc32

from writeit.domain.errors import StoreError
from writeit.ports.store import RunText
from writeit.storage import keys, location, provenance, reads
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.run_texts import read_run_texts
from writeit.text.search import joined_words

logger = logging.getLogger(__name__)

FILE_PATTERN = "search*.db*"
"""The files of an index, and what pretends to be one."""
_NAME = re.compile(r"search-[0-9a-f]{32}\.db")
_PLACE_COLUMNS = "run, text, place, step, response, model, at"
_TYPED_PLACE_COLUMNS = (  # without the types, SQLite would not use the indices
    "run INT, text INT, place TEXT, step TEXT, response BLOB, model TEXT, at INT"
)
_FTS_OPTIONS = "content='', columnsize=0, tokenize='ascii'"
_FTS_TABLES = ("words_data", "words_idx", "words_config")
SCHEMA = (
    # The number changes when words are split or folded in another way.
    "CREATE TABLE scanned (state_1 TEXT)",
    "CREATE TABLE run (id INTEGER PRIMARY KEY, run BLOB UNIQUE, root BLOB, stamp INT)",
    "CREATE TABLE text (id INTEGER PRIMARY KEY, digest BLOB UNIQUE)",
    f"CREATE TABLE place (id INTEGER PRIMARY KEY, {_TYPED_PLACE_COLUMNS})",
    "CREATE INDEX place_of_run ON place (run)",
    "CREATE INDEX place_of_text ON place (text)",
    f"CREATE VIRTUAL TABLE words USING fts5(joined, {_FTS_OPTIONS})",
)
"""`scanned` is empty while words of deleted texts may be left."""
_BATCH_SECONDS = 0.1
"""How long a search may have to wait for runs that are being indexed."""
_LOCK_SECONDS = 10.0
_PURGED_AT_ONCE = 500
_REST_FACTOR, _MAX_REST = 20, 5.0
"""How long the thread rests after an update: so many times as long, and seconds."""
_ENVIRONMENT_ERRORS = {
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_NOMEM),
}
"""Errors that say nothing about the content of the file."""


class SearchIndex:
    """The index of one store, with its thread and its only connection."""

    def __init__(self, environment: LmdbEnvironment) -> None:
        self.environment = environment
        self._folder = environment.folder
        self._note = provenance.record_path(self._folder).with_suffix(".search")
        self._connection: sqlite3.Connection | None = None
        self._path: Path | None = None
        self._lock = threading.RLock()
        """Held while the connection is used."""
        self._update_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_due, self._is_closing = threading.Event(), threading.Event()
        self._has_to_remove = False

    def update_soon(self) -> None:
        """Have the thread add what was written; nothing happens without an index."""
        if self._find_file() is None:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
        self._is_due.set()

    def remove_soon(self) -> None:
        """Have the thread remove the words of deleted runs; `close` waits for that."""
        self._has_to_remove = True
        self.update_soon()

    def remove_deleted(self) -> None:
        """Remove the words of deleted runs; if that fails, the file."""
        if self._find_file() is None:
            return
        try:
            self.update()
        except StoreError as error:
            logger.warning("%s", error.message)
            self._remove()

    def close(self) -> None:
        """End the thread and close the file."""
        self._is_closing.set()
        self._is_due.set()
        if self._thread is not None:
            self._thread.join()
        self._is_closing.clear()
        if self._has_to_remove:
            self.remove_deleted()
        self._disconnect()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Use the file; a damaged one is deleted.

        Raises:
            StoreError: it cannot be used now.
        """
        with self._lock:
            try:
                yield self._connect()
            except (sqlite3.Error, OSError) as error:
                message = f"The search index in {self._folder} cannot be used: {error}."
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                if isinstance(error, sqlite3.Error) and code not in _ENVIRONMENT_ERRORS:
                    logger.warning("%s It is made again.", message)
                    self._remove()
                raise StoreError(
                    f"{message} Everything else works.",
                    reason="search",
                    hint="Search again. If it fails again, check the free space and the"
                    " permissions of that folder.",
                ) from error

    def _work(self) -> None:
        while True:
            self._is_due.wait()
            if self._is_closing.is_set():
                return
            self._is_due.clear()
            began = time.monotonic()
            try:
                if self._has_to_remove:
                    self.remove_deleted()
                self.update()
            except StoreError as error:
                logger.warning("%s", error.message)
            rest = (time.monotonic() - began) * _REST_FACTOR
            self._is_closing.wait(min(rest, _MAX_REST))

    def update(self, seconds: float = -1) -> bool:
        """Make the index or bring it up to date; False if that takes more `seconds`.

        Raises:
            StoreError: it cannot be read or written.
        """
        deadline = time.monotonic() + (seconds if seconds >= 0 else float("inf"))
        if not self._update_lock.acquire(timeout=seconds):
            return False
        try:
            return self._update(deadline)
        except StoreError:
            if self._find_file() is not None:
                raise
            return self._update(deadline)  # it was damaged
        finally:
            self._update_lock.release()

    def _update(self, deadline: float) -> bool:
        device, inode, _ = self.environment.file_state
        # Not its `last_transaction_id`: that is one more while another process commits.
        with self.environment.read_transaction() as snapshot:
            state = f"{device}:{inode}:{snapshot.transaction_id}"
        with self.connection() as connection:
            scanned = connection.execute("SELECT * FROM scanned").fetchone()
            if scanned == (state,):
                return True
            stamps = dict(connection.execute("SELECT run, stamp FROM run"))
            file = _file_of(connection)
        had_to_remove, self._has_to_remove = self._has_to_remove, False
        queue = self._differing_runs(stamps)
        while queue:
            if self._is_closing.is_set() or time.monotonic() > deadline:
                self._has_to_remove |= had_to_remove
                return False
            with self.connection() as connection, _transaction(connection):
                self._write_runs(connection, queue)
        self._purge()
        with self.connection() as connection, _transaction(connection):
            if _file_of(connection) != file:  # another process made one meanwhile
                return False
            connection.execute("DELETE FROM scanned")
            connection.execute("INSERT INTO scanned VALUES (?)", (state,))
        return True

    def _differing_runs(self, stamps: dict[bytes, int]) -> list[UUID]:
        """Return the runs whose record has another checksum, the oldest last."""
        differing = []
        with self.environment.long_read_transaction() as snapshot:
            for key, raw in snapshot.scan(keys.RUNS):
                run_id = keys.trailing_id(key)
                if stamps.pop(run_id.bytes, None) != crc32(raw):
                    differing.append(run_id)
        return [*(UUID(bytes=run_id) for run_id in stamps), *reversed(differing)]

    def _write_runs(self, connection: sqlite3.Connection, queue: list[UUID]) -> None:
        """Write runs from the end of `queue`, for a short time.

        The store is read within the transaction of the index, so an older state of a
        run never replaces a newer one.
        """
        deadline, is_over = time.monotonic() + _BATCH_SECONDS, False
        while not is_over:
            run_id = queue.pop()
            is_over = not queue or time.monotonic() > deadline
            with self.environment.read_transaction() as snapshot:
                raw = snapshot.get(keys.run(run_id))
                root = reads.find_root(snapshot, run_id)
                try:
                    texts = read_run_texts(snapshot, run_id)
                except StoreError as error:
                    logger.warning("A run cannot be searched. %s", error.message)
                    texts = []
            _write_run(connection, run_id, root, texts)
            if raw is None:
                connection.execute("DELETE FROM run WHERE run = ?", (run_id.bytes,))
            else:
                stamp = (crc32(raw), run_id.bytes)
                connection.execute("UPDATE run SET stamp = ? WHERE run = ?", stamp)

    def _purge(self) -> None:
        """Remove the words of texts that no run has, for good."""
        with self.connection() as connection:
            if connection.execute("SELECT 1 FROM scanned").fetchone():
                return
            select = "SELECT id FROM text WHERE id NOT IN (SELECT text FROM place)"
            unused = [key for (key,) in connection.execute(select)]
        for start in range(0, len(unused), _PURGED_AT_ONCE):
            with self.connection() as connection, _transaction(connection):
                _delete_texts(connection, unused[start : start + _PURGED_AT_ONCE])
        with self.connection() as connection:
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")
            # `execute` would free one page only.
            connection.executescript("PRAGMA incremental_vacuum")

    # The file

    def _find_file(self) -> Path | None:
        """Return the file that this user's WriteIt made, if it is there."""
        with suppress(OSError, UnicodeDecodeError):
            name = self._note.read_text(encoding="ascii")
            path = self._folder / name
            if _NAME.fullmatch(name) and stat.S_ISREG(path.lstat().st_mode):
                return path
        return None

    def _connect(self) -> sqlite3.Connection:
        path = self._find_file()
        if self._connection is None or path is None or path != self._path:
            self._disconnect()
            with location.opening_lock(self._folder):
                self._path = self._find_file() or self._create_file()
                self._connection = _open_file(self._path)
        return self._connection

    def _create_file(self) -> Path:
        """Make an empty file, and delete all others that are called like one."""
        for path in self._folder.glob(FILE_PATTERN):
            logger.warning("%s was not made here and is deleted.", path)
            path.unlink()
        path = self._folder / f"search-{secrets.token_hex(16)}.db"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        location.make_private_folder(self._note.parent)
        self._note.write_text(path.name, encoding="ascii")
        return path

    def _disconnect(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _remove(self) -> None:
        with self._lock:
            self._disconnect()
            if path := self._find_file():
                path.unlink(missing_ok=True)
                path.with_name(f"{path.name}-journal").unlink(missing_ok=True)


def _open_file(path: Path) -> sqlite3.Connection:
    """Open an index; write the schema into a new file.

    Raises:
        sqlite3.Error: it is damaged, or something else.
    """
    connection = sqlite3.connect(
        path, _LOCK_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file
    for setting in (
        "trusted_schema = OFF",
        "secure_delete = ON",
        "cell_size_check = ON",
    ):
        connection.execute(f"PRAGMA {setting}")
    if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        with _transaction(connection):
            for statement in SCHEMA:
                connection.execute(statement)
    select = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    found = {sql for name, sql in connection.execute(select) if name not in _FTS_TABLES}
    if found != set(SCHEMA):
        raise sqlite3.DatabaseError("it has another format")
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _write_run(
    connection: sqlite3.Connection, run_id: UUID, root: UUID, texts: list[RunText]
) -> None:
    """Make the index have these texts of a run and no others."""
    execute, both = connection.execute, (run_id.bytes, root.bytes)
    execute("INSERT OR IGNORE INTO run (run, root) VALUES (?, ?)", both)
    row = execute("SELECT id FROM run WHERE run = ?", both[:1]).fetchone()
    new = {
        (
            *(row[0], _text_id(connection, text.text), text.place, text.step),
            *(text.response_id and text.response_id.bytes, text.model),
            int(text.at.timestamp()),
        )
        for text in texts
    }
    select = f"SELECT {_PLACE_COLUMNS}, id FROM place WHERE run = ?"  # noqa: S608 -- constants
    old = {place[:-1]: place[-1:] for place in execute(select, row).fetchall()}
    insert = f"INSERT INTO place ({_PLACE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 -- as above
    connection.executemany(insert, new - old.keys())
    if removed := [key for place, key in old.items() if place not in new]:
        connection.executemany("DELETE FROM place WHERE id = ?", removed)
        execute("DELETE FROM scanned")


def _file_of(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


def text_digest(text: str) -> bytes:
    """Return what the index knows a text by."""
    return blake2b(text.encode(errors="replace"), digest_size=16).digest()


def _text_id(connection: sqlite3.Connection, text: str) -> int:
    """Return the id of a text, which is added if it is new."""
    digest = (text_digest(text),)
    row = connection.execute("SELECT id FROM text WHERE digest = ?", digest).fetchone()
    if row is not None:
        return int(row[0])
    added = connection.execute("INSERT INTO text (digest) VALUES (?)", digest)
    words = (added.lastrowid, joined_words(text))
    connection.execute("INSERT INTO words (rowid, joined) VALUES (?, ?)", words)
    return int(words[0] or 0)


def _delete_texts(connection: sqlite3.Connection, ids: list[int]) -> None:
    """Delete texts, which are put together again from their words for FTS5."""
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.instances"
        " USING fts5vocab(main, words, instance)"
    )
    marks = f"({', '.join('?' * len(ids))})"
    select = f"SELECT doc, term FROM temp.instances WHERE doc IN {marks}"  # noqa: S608 -- marks
    rows = connection.execute(f"{select} ORDER BY doc, offset", ids).fetchall()
    delete = "INSERT INTO words (words, rowid, joined) VALUES ('delete', ?, ?)"
    for key, words in groupby(rows, key=lambda row: row[0]):
        connection.execute(delete, (key, " ".join(word for _, word in words)))
    connection.execute(f"DELETE FROM text WHERE id IN {marks}", ids)  # noqa: S608 -- as above
