"""The index of the words of all runs: one SQLite file in the store's folder.

It is a cache: if it is absent, damaged or of another format, it is made again from the
runs, in the background. The first search makes it. It has the run up to which it was
made, and the newest change of the store that it has: see `changes`.

Texts are numbered, and 1,920 of them are a block. A row is a word in a block, with one
character for each of its texts that has the word. Of a pair of Chinese characters, the
second is one of 16 only: else the index would be larger than the texts. So a search
reads one block after the other until its page is full, and a text is removed within one
block. FTS5 cannot do that: it finds what a text adds to its index only with the text,
and drops it at a later time. Where in a text a word is, is not stored; a phrase and
Chinese are checked in the text.

Its name is random and recorded in the user's data folder: a file that came with a
copied or cloned folder, or a journal for this one, is never opened. SQLite's rollback
journal is used, not its write-ahead log: it works on every filesystem, leaves no second
file in which deleted words stay, and a commit is too short to make others wait.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import stat
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import chain, groupby, pairwise
from pathlib import Path
from uuid import UUID

from writeit.domain.errors import StoreError
from writeit.storage import changes, keys, location, provenance, reads
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.run_texts import read_run_texts
from writeit.storage.snapshot import Snapshot
from writeit.text.search import indexed_word, joined_words

logger = logging.getLogger(__name__)

FILE_PATTERN = "search*.db*"
"""The files of an index, and what pretends to be one."""
BLOCK_SIZE, _GAP = 1920, 128
"""Texts; their characters have one byte after a smaller gap, else two."""
_GAPS = "".join(map(chr, range(_GAP)))
SCHEMA = (
    # The number changes when words are split or folded in another way.
    "CREATE TABLE state_3 (change BLOB, made BLOB)",
    "CREATE TABLE run (id INTEGER PRIMARY KEY, run BLOB UNIQUE, root BLOB)",
    "CREATE TABLE text (id INTEGER PRIMARY KEY, digest BLOB UNIQUE)",
    (
        "CREATE TABLE place (text INT, run INT, place, step, model, at,"
        " PRIMARY KEY (text, run, place, step)) WITHOUT ROWID"
    ),
    "CREATE INDEX place_of_run ON place (run)",
    "CREATE TABLE word (block, word, texts, PRIMARY KEY (block, word)) WITHOUT ROWID",
)
_ADD_TEXTS = (
    "INSERT INTO word VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET texts = append(texts, excluded.texts)"
)
_BATCH_SECONDS, _PAUSE = 0.4, 0.02
"""How long a search may have to wait for runs that are being indexed, and its turn."""
_LOCK_SECONDS = 10.0
_REST = 1.0
"""How long the thread rests after an update."""


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
        self._start_lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_due, self._is_closing = threading.Event(), threading.Event()
        self._has_deleted = False

    def update_soon(self, *, remove: bool = False) -> None:
        """Have the thread add what was written; nothing happens without an index.

        `close` sees to it that the words of deleted runs are gone with `remove`.
        """
        self._has_deleted |= remove
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
        try:
            with self.transaction("IMMEDIATE") as (connection, snapshot):
                if state := _read_state(connection):
                    changed = map(keys.trailing_id, _changes(snapshot, state))
                    gone = (i for i in changed if not snapshot.get(keys.run(i)))
                    _write_runs(connection, snapshot, gone)
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
        if self._has_deleted:
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
            try:
                self.update()
            except StoreError as error:
                logger.warning("%s", error.message)
            self._is_closing.wait(_REST)

    def update(self, seconds: float = threading.TIMEOUT_MAX) -> bool:
        """Make the index or bring it up to date; False if that takes more `seconds`.

        Raises:
            StoreError: it cannot be read or written.
        """
        deadline = time.monotonic() + seconds
        try:
            return self._update(deadline)
        except StoreError:
            if self._find_file() is not None:
                raise
            return self._update(deadline)  # it was damaged

    def _update(self, deadline: float) -> bool:
        while not self._write_batch(min(deadline, time.monotonic() + _BATCH_SECONDS)):
            if self._is_closing.wait(_PAUSE) or time.monotonic() > deadline:
                return False
        return True

    def _write_batch(self, deadline: float) -> bool:
        """Write missing runs until a time; return whether there are no more."""
        with self.transaction() as (connection, snapshot):
            if is_current(connection, snapshot):
                return True
        with self.transaction("IMMEDIATE") as (connection, snapshot):
            state = _read_state(connection)
            state = state or (changes.newest_change(snapshot), keys.RUNS)

            def take(start: _State) -> Iterator[UUID]:
                nonlocal state
                for run_id, following in _find_missing(snapshot, start):
                    state = following
                    yield run_id
                    if time.monotonic() > deadline:
                        break

            _write_runs(connection, snapshot, take(state))
            connection.execute("DELETE FROM state_3")
            connection.execute("INSERT INTO state_3 VALUES (?, ?)", state)
            return is_current(connection, snapshot)

    @contextmanager
    def transaction(
        self, kind: str = "DEFERRED"
    ) -> Iterator[tuple[sqlite3.Connection, Snapshot]]:
        """Use the index, and the store as it was at the same time or later.

        So the index never has a change that the store lacks, and an older state of a
        run never replaces a newer one.

        Raises:
            StoreError: one of them cannot be used now.
        """
        with self.connection() as connection, connection:
            connection.execute(f"BEGIN {kind}")
            _read_state(connection)  # what is read is as of now
            with self.environment.long_read_transaction() as snapshot:
                yield connection, snapshot

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
    connection.create_function("append", 2, append_texts)
    for setting in ("trusted_schema = 0", "secure_delete = 1", "cell_size_check = 1"):
        connection.execute(f"PRAGMA {setting}")
    if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA:
                connection.execute(statement)
    select = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
    if {sql for (sql,) in connection.execute(select)} != set(SCHEMA):
        raise sqlite3.DatabaseError("it has another format")
    return connection


def encode_texts(numbers: Iterable[int], last: int = -_GAP) -> str:
    """Return rising numbers in a block as characters, after `last`."""
    gaps = pairwise(chain((last,), numbers))
    return "".join([chr(b - a if b - a < _GAP else b + _GAP) for a, b in gaps])


def decode_texts(texts: str) -> list[int]:
    """Return the numbers in a block that characters stand for."""
    number, numbers = 0, list[int]()
    for code in map(ord, texts):
        number = number + code if code < _GAP else code - _GAP
        numbers.append(number)
    return numbers


def append_texts(texts: str, added: str) -> str:
    """Return encoded texts and more of them, which follow."""
    known = texts.rstrip(_GAPS)  # much faster than to decode them
    last = ord(known[-1]) - _GAP + sum(texts[len(known) :].encode())
    return texts + encode_texts((ord(added[0]) - _GAP,), last) + added[1:]


_Words = defaultdict[int, defaultdict[str, list[int]]]
"""By block and word the new texts that have it."""
_State = tuple[bytes, bytes]
"""The newest change that the index has, and where the runs that it lacks begin."""


def _read_state(connection: sqlite3.Connection) -> _State | None:
    state: _State | None = connection.execute("SELECT * FROM state_3").fetchone()
    return state


def is_current(connection: sqlite3.Connection, snapshot: Snapshot) -> bool:
    """Return whether the index has all of a state of the store."""
    state = _read_state(connection)
    return state is not None and not any(_find_missing(snapshot, state))


def _find_missing(snapshot: Snapshot, state: _State) -> Iterator[tuple[UUID, _State]]:
    """Yield the runs that the index lacks, each with the state that follows."""
    change, made = state
    for change in _changes(snapshot, state):
        yield keys.trailing_id(change), (change, made)
    for key in snapshot.scan_keys(keys.RUNS, made):
        yield keys.trailing_id(key), (change, keys.next_key(key))


def _changes(snapshot: Snapshot, state: _State) -> Iterator[bytes]:
    try:
        return changes.changes_after(snapshot, state[0])
    except LookupError as error:
        raise sqlite3.DatabaseError("it is not the index of this store") from error


def _write_runs(
    connection: sqlite3.Connection, snapshot: Snapshot, run_ids: Iterable[UUID]
) -> None:
    """Make the index have the texts that these runs have now."""
    words: _Words = defaultdict(lambda: defaultdict(list))
    written, removed = set[UUID](), set[int]()
    for run_id in run_ids:
        if run_id not in written:
            written.add(run_id)
            removed |= _write_run(connection, snapshot, run_id, words)
    _delete_unused(connection, removed)
    for block, added in words.items():
        rows = [(block, word, encode_texts(n)) for word, n in sorted(added.items())]
        connection.executemany(_ADD_TEXTS, rows)


def _write_run(
    connection: sqlite3.Connection, snapshot: Snapshot, run_id: UUID, words: _Words
) -> set[int]:
    """Write a run, but not the words of new texts; return the texts that it had."""
    try:
        texts = read_run_texts(snapshot, run_id)
    except StoreError as error:
        logger.warning("A run cannot be searched. %s", error.message)
        texts = []
    row = (run_id.bytes, reads.find_root(snapshot, run_id).bytes)
    connection.execute("INSERT OR IGNORE INTO run (run, root) VALUES (?, ?)", row)
    select = "SELECT id FROM run WHERE run = ?"
    (number,) = connection.execute(select, row[:1]).fetchone()
    delete = "DELETE FROM place WHERE run = ? RETURNING text"
    removed = {text for (text,) in connection.execute(delete, (number,))}
    insert = "INSERT OR IGNORE INTO place VALUES (?, ?, ?, ?, ?, ?)"
    for text in texts:
        place = (_text_id(connection, text.text, words), number, text.place)
        at = int(text.at.timestamp())
        connection.execute(insert, (*place, text.step or "", text.model, at))
    if not texts:
        connection.execute("DELETE FROM run WHERE id = ?", (number,))
    return removed


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
    for word in {indexed_word(word) for word in joined_words(text).split()}:
        words[block][word].append(number)
    return added.lastrowid or 0


def _delete_unused(connection: sqlite3.Connection, texts: set[int]) -> None:
    """Delete those texts that no run has."""
    find = "SELECT 1 FROM place WHERE text = ?"
    used = {text for text in texts if connection.execute(find, (text,)).fetchone()}
    unused = sorted(texts - used)
    for block, those in groupby(unused, key=lambda text: text // BLOCK_SIZE):
        numbers = {text % BLOCK_SIZE for text in those}
        rows = connection.execute("SELECT * FROM word WHERE block = ?", (block,))
        had = ((word, decode_texts(texts)) for _, word, texts in rows)
        changed = [
            (encode_texts(n for n in texts if n not in numbers), block, word)
            for word, texts in had
            if not numbers.isdisjoint(texts)
        ]
        update = "UPDATE word SET texts = ? WHERE block = ? AND word = ?"
        connection.executemany(update, changed)
        delete = "DELETE FROM word WHERE block = ? AND texts = ''"
        connection.execute(delete, (block,))
    delete = "DELETE FROM text WHERE id = ?"
    connection.executemany(delete, [(text,) for text in unused])
