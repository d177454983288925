"""Find texts in the index; each is read from its run and checked before it is shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from uuid import UUID

from writeit.domain.errors import StoreError
from writeit.ports.store import RunText, SearchHit, SearchPage, SearchQuery
from writeit.storage import keys
from writeit.storage.run_texts import read_run_texts
from writeit.storage.search_index import BLOCK_SIZE, SearchIndex, text_digest
from writeit.storage.snapshot import Snapshot
from writeit.text.search import SearchTerm, find_match, parse_query

_UPDATE_SECONDS = 0.4
"""How long a search waits for the index."""
_MAX_MISSES = 500
"""Texts of a page that have the words of a phrase, but not the phrase."""


_Candidate = tuple[str, UUID, str, str | None, bytes]
"""The cursor that follows a text, its run, place and step, and its digest."""


def search(index: SearchIndex, query: SearchQuery) -> SearchPage:
    """Return one page of hits; it is partial while the index is being made.

    Raises:
        StoreError: there can be no index.
    """
    is_complete = index.update(_UPDATE_SECONDS)
    if not is_complete:
        index.update_soon()
    terms = parse_query(query.text)
    hits, misses, cursor, more = list[SearchHit](), 0, query.cursor, None
    known: dict[UUID, list[RunText]] = {}
    with (
        index.connection() as connection,
        index.environment.long_read_transaction() as snapshot,
    ):
        # Another process may have made a new file meanwhile.
        is_scanned = connection.execute("SELECT 1 FROM scanned").fetchone()
        for found in _candidates(connection, snapshot, query, terms):
            if len(hits) == query.limit or misses == _MAX_MISSES:
                more = cursor
                break
            hit = _read_hit(snapshot, found, terms, known)
            hits += [hit] if hit else []
            misses += not hit
            cursor = found[0]
    return SearchPage(hits, more, partial=not (is_complete and is_scanned))


def _candidates(
    connection: sqlite3.Connection,
    snapshot: Snapshot,
    query: SearchQuery,
    terms: list[SearchTerm],
) -> Iterator[_Candidate]:
    """Yield the texts that have all words of the terms, those that came last first.

    The branches of a run share texts, so each is yielded once a tree and step.
    """
    (newest,) = connection.execute("SELECT IFNULL(MAX(id), 0) FROM text").fetchone()
    cursor, _, skipped = (query.cursor or f"{newest}.0").partition(".")
    start, (where, values) = int(cursor), _conditions(snapshot, query)
    for block in range(min(start, newest) // BLOCK_SIZE, -1, -1):
        numbers = map(ord, _texts_with(connection, block, terms))
        texts = [str(block * BLOCK_SIZE + number - 1) for number in numbers]
        select = (  # numbers and constants
            "SELECT text, digest, MIN(run.id), run.run, place, step FROM place"  # noqa: S608
            " JOIN run ON run.id = place.run JOIN text ON text.id = text"
            f" WHERE text IN ({', '.join(texts)}) AND text <= ?{where}"
            " GROUP BY text, root, place, step ORDER BY text DESC, 3 DESC"
        )
        rows = connection.execute(select, (start, *values)).fetchall() if texts else ()
        for text, places in groupby(rows, key=lambda row: int(row[0])):
            for number, (_, digest, _, run, place, step) in enumerate(places, 1):
                if text < start or number > int(skipped):
                    yield f"{text}.{number}", UUID(bytes=run), place, step, digest


def _texts_with(
    connection: sqlite3.Connection, block: int, terms: list[SearchTerm]
) -> set[str]:
    """Return the characters of the texts of a block that have all words."""
    select = "SELECT texts FROM word WHERE block = ? AND word BETWEEN ? AND ?"
    found: set[str] | None = None
    for term in terms:
        for word in term.words:
            is_begun = term.is_prefix and word is term.words[-1]
            end = f"{word}\U0010ffff" if is_begun else word
            rows = connection.execute(select, (block, word, end))
            having = set[str]().union(*(texts for (texts,) in rows))
            found = having if found is None else found & having
            if not found:
                return found
    return found or set()


def _conditions(snapshot: Snapshot, query: SearchQuery) -> tuple[str, list[object]]:
    """Return what a place must fulfil besides, and its parameters."""
    conditions, values = [""], list[object]()
    if query.uri is not None:
        index = snapshot.scan_keys(keys.run_by_uri(query.uri) + b":")
        values += [keys.trailing_id(key).bytes for key in index]
        conditions.append(f"run.run IN ({', '.join('?' * len(values))})")
    if query.places:
        conditions.append(f"place IN ({', '.join('?' * len(query.places))})")
        values += query.places
    if query.model is not None:
        conditions.append("? IN (model, substr(model, instr(model, '/') + 1))")
        values.append(query.model)
    if query.since is not None:
        conditions.append("at >= ?")
        values.append(query.since.timestamp())
    return " AND ".join(conditions), values


def _read_hit(
    snapshot: Snapshot,
    found: _Candidate,
    terms: list[SearchTerm],
    known: dict[UUID, list[RunText]],
) -> SearchHit | None:
    """Return a text that has the terms, or None; `known` has what was read before."""
    _, run_id, place, step, digest = found
    if any(len(term.words) > 1 for term in terms):  # most texts are long, and read fast
        for _, raw in snapshot.scan(keys.text(digest.hex())):
            if find_match(raw.decode(), terms) is None:
                return None
    if run_id not in known:
        with suppress(StoreError):  # it was logged when the run was indexed
            known[run_id] = read_run_texts(snapshot, run_id)
    for text in known.get(run_id, ()):
        if (text.place, text.step, text_digest(text.text)) == (place, step, digest):
            match = find_match(text.text, terms)
            return SearchHit(run_id, text, match) if match else None
    return None
