"""The index of the words of all runs: one SQLite file in the store's folder.

It is a cache: if it is absent, damaged or of another format, it is made again from the
runs, in the background. The first search makes it. It has the checksum of each run's
record, so a scan finds what any process has changed, and the state of the store that
was scanned last, so that nothing is scanned twice.

Texts are numbered, and 2,047 of them are a block. A row is a word in a block, with one
character for each of its texts that has the word. So a search reads one block after the
other until its page is full, and a text is removed within one block. FTS5 cannot do
that: it finds what a text adds to its index only with the text, and drops it at a later
time. Where in a text a word is, is not stored; a phrase is checked in its text.

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
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from uuid import UUID
from zlib import crc32

from writeit.domain.errors import StoreError
from writeit.ports.store import RunText
from writeit.storage import keys, location, provenance, reads
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.run_texts import read_run_texts
from writeit.storage.snapshot import DATA_FILE
from writeit.text.search import joined_words

logger = logging.getLogger(__name__)

FILE_PATTERN = "search*.db*"
"""The files of an index, and what pretends to be one."""
BLOCK_SIZE = 2047
"""Texts; their characters have one or two bytes."""
SCHEMA = (
    # The number changes when words are split or folded in another way.
    "CREATE TABLE scanned (state_2 TEXT)",
    "CREATE TABLE run (id INTEGER PRIMARY KEY, run BLOB UNIQUE, root BLOB, stamp INT)",
    "CREATE TABLE text (id INTEGER PRIMARY KEY, digest BLOB UNIQUE)",
    "CREATE TABLE place (run INT, text INT, place TEXT, step TEXT, model TEXT, at INT)",
    "CREATE INDEX place_of_run ON place (run)",
    "CREATE INDEX place_of_text ON place (text)",
    "CREATE TABLE word (block, word, texts, PRIMARY KEY (block, word)) WITHOUT ROWID",
)
_ADD_RUN = (
    "INSERT INTO run (run, root, stamp) VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET stamp = excluded.stamp RETURNING id"
)
_ADD_TEXTS = (
    "INSERT INTO word VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET texts = texts || excluded.texts"
)
_BATCH_SECONDS = 0.5
"""How long a search may have to wait for runs that are being indexed."""
_LOCK_SECONDS = 10.0
_REST_FACTOR, _MAX_REST = 20, 5.0
"""How long the thread rests after an update: so many times as long, and seconds."""


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
        self._update_lock, self._start_lock = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_due, self._is_closing = threading.Event(), threading.Event()
        self._has_to_remove = False

    def update_soon(self, *, remove: bool = False) -> None:
        """Have the thread add what was written; nothing happens without an index.

        `close` waits for it to `remove` the words of deleted runs.
        """
        self._has_to_remove |= remove
        if self._is_closing.is_set() or self._find_file() is None:
            return
        with self._start_lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
        self._is_due.set()

    def remove_deleted(self, *, compact: bool = False) -> None:
        """Remove the words of deleted runs; if that fails, the file.

        What is left of moved words in free space is removed with `compact`.
        """
        if self._find_file() is None:
            return
        self._has_to_remove = True  # the thread stops adding
        try:
            with self._update_lock:
                self._update(deadline=0)
            if compact:
                with self.connection() as connection:
                    connection.execute("VACUUM")
        except StoreError as error:
            logger.warning("%s", error.message)
            self._remove()
        self.update_soon()

    def close(self) -> None:
        """End the thread and close the file."""
        self._is_closing.set()
        self._is_due.set()
        if self._thread is not None:
            self._thread.join()
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
                # Others say nothing about the content of the file.
                if not isinstance(error, sqlite3.OperationalError | OSError):
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
                self.remove_deleted() if self._has_to_remove else self.update()
            except StoreError as error:
                logger.warning("%s", error.message)
            rest = (time.monotonic() - began) * _REST_FACTOR
            self._is_closing.wait(min(rest, _MAX_REST))

    def update(self, seconds: float = threading.TIMEOUT_MAX) -> bool:
        """Make the index or bring it up to date; False if that takes more `seconds`.

        Raises:
            StoreError: it cannot be read or written.
        """
        deadline = time.monotonic() + seconds
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
        """Remove what was deleted, then add until the deadline."""
        had_to_remove, self._has_to_remove = self._has_to_remove, False
        try:
            with self.connection() as connection:
                state = self._store_state()
                scanned = connection.execute("SELECT * FROM scanned").fetchone()
                if scanned == (state,):
                    return True
                stamps = dict(connection.execute("SELECT run, stamp FROM run"))
                path = self._path
            queue, added = self._differing_runs(stamps)
            while queue:
                has_to_stop = self._is_closing.is_set() or self._has_to_remove
                if len(queue) <= added and (has_to_stop or time.monotonic() > deadline):
                    return False
                with self.connection() as connection, _transaction(connection):
                    self._write_runs(connection, queue)
        except BaseException:
            self._has_to_remove |= had_to_remove
            raise
        with self.connection() as connection, _transaction(connection):
            if self._path != path:  # another process made one meanwhile
                return False
            connection.execute("DELETE FROM scanned")
            connection.execute("INSERT INTO scanned VALUES (?)", (state,))
        return True

    def _store_state(self) -> str:
        """Return a text that differs as soon as the store does."""
        # Compacting counts from the start again, perhaps in an inode used before.
        data = (self._folder / DATA_FILE).stat()
        number = self.environment.last_transaction_id()
        return f"{data.st_dev}:{data.st_ino}:{data.st_mtime_ns}:{number}"

    def _differing_runs(self, stamps: dict[bytes, int]) -> tuple[list[UUID], int]:
        """Return the runs whose record has another checksum, the oldest last.

        The number is that of the runs that exist; the deleted ones follow.
        """
        differing = []
        with self.environment.long_read_transaction() as snapshot:
            for key, raw in snapshot.scan(keys.RUNS):
                run_id = keys.trailing_id(key)
                if stamps.pop(run_id.bytes, None) != crc32(raw):
                    differing.append(run_id)
        deleted = [UUID(bytes=run_id) for run_id in stamps]
        return [*reversed(differing), *deleted], len(differing)

    def _write_runs(self, connection: sqlite3.Connection, queue: list[UUID]) -> None:
        """Write runs from the end of `queue`, for a short time.

        The store is read within the transaction of the index, so an older state of a
        run never replaces a newer one.
        """
        deadline, is_over = time.monotonic() + _BATCH_SECONDS, False
        words: _Words = defaultdict(lambda: defaultdict(str))
        removed: set[int] = set()
        with self.environment.long_read_transaction() as snapshot:
            while not is_over:
                run_id = queue.pop()
                is_over = not queue or time.monotonic() > deadline
                try:
                    texts = read_run_texts(snapshot, run_id)
                except StoreError as error:
                    logger.warning("A run cannot be searched. %s", error.message)
                    texts = []
                raw, root = (
                    snapshot.get(keys.run(run_id)),
                    reads.find_root(snapshot, run_id),
                )
                row = (run_id.bytes, root.bytes, crc32(raw or b""))
                ((key,),) = connection.execute(_ADD_RUN, row).fetchall()
                removed |= _write_places(connection, key, texts, words)
                if raw is None:
                    connection.execute("DELETE FROM run WHERE id = ?", (key,))
        _delete_unused(connection, removed)
        for block, added in words.items():
            rows = [(block, word, texts) for word, texts in sorted(added.items())]
            connection.executemany(_ADD_TEXTS, rows)

    # The file

    def _find_file(self) -> Path | None:
        """Return the file that this user's WriteIt made, if it is there."""
        with suppress(OSError, UnicodeDecodeError):
            path = self._folder / self._note.read_text(encoding="ascii")
            if stat.S_ISREG(path.lstat().st_mode):
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
    select = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
    if {sql for (sql,) in connection.execute(select)} != set(SCHEMA):
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


_Words = defaultdict[int, defaultdict[str, str]]
"""By block and word the characters of the new texts."""


def _write_places(
    connection: sqlite3.Connection, run: int, texts: list[RunText], words: _Words
) -> set[int]:
    """Make a run have these texts; return those that it had besides."""
    rows = connection.execute("SELECT text FROM place WHERE run = ?", (run,))
    before = {text for (text,) in rows}
    connection.execute("DELETE FROM place WHERE run = ?", (run,))
    places = [
        (
            *(run, _text_id(connection, text.text, words), text.place, text.step),
            *(text.model, int(text.at.timestamp())),
        )
        for text in texts
    ]
    connection.executemany("INSERT INTO place VALUES (?, ?, ?, ?, ?, ?)", places)
    return before - {place[1] for place in places}


def text_digest(text: str) -> bytes:
    """Return what the index knows a text by: the beginning of its key in the store."""
    return sha256(text.encode(errors="replace")).digest()[:16]


def _text_id(connection: sqlite3.Connection, text: str, words: _Words) -> int:
    """Return the id of a text, which is added if it is new."""
    digest = (text_digest(text),)
    row = connection.execute("SELECT id FROM text WHERE digest = ?", digest).fetchone()
    if row is not None:
        return int(row[0])
    added = connection.execute("INSERT INTO text (digest) VALUES (?)", digest)
    block, number = divmod(added.lastrowid or 0, BLOCK_SIZE)
    added_words, character = words[block], chr(number + 1)
    for word in set(joined_words(text).split()):
        added_words[word] += character
    return added.lastrowid or 0


def _delete_unused(connection: sqlite3.Connection, texts: set[int]) -> None:
    """Delete those texts that no run has."""
    find = "SELECT 1 FROM place WHERE text = ?"
    used = {text for text in texts if connection.execute(find, (text,)).fetchone()}
    unused = sorted(texts - used)
    for block, those in groupby(unused, key=lambda text: text // BLOCK_SIZE):
        numbers = [re.escape(chr(text % BLOCK_SIZE + 1)) for text in those]
        pattern = re.compile(f"[{''.join(numbers)}]")
        rows = connection.execute("SELECT * FROM word WHERE block = ?", (block,))
        changed = [
            (pattern.sub("", texts), block, word)
            for _, word, texts in rows
            if pattern.search(texts)
        ]
        update = "UPDATE word SET texts = ? WHERE block = ? AND word = ?"
        connection.executemany(update, changed)
        delete = "DELETE FROM word WHERE block = ? AND texts = ''"
        connection.execute(delete, (block,))
    delete = "DELETE FROM text WHERE id = ?"
    connection.executemany(delete, [(text,) for text in unused])
