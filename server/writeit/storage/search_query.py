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
from writeit.storage.search_index import (
    BLOCK_SIZE,
    SearchIndex,
    decode_texts,
    is_current,
    text_digest,
)
from writeit.storage.snapshot import Snapshot
from writeit.text.search import (
    SearchTerm,
    find_match,
    has_terms,
    indexed_word,
    parse_query,
)

_UPDATE_SECONDS = 0.25
"""How long a search waits for the index."""
_MAX_MISSES = 1000
"""Texts of a page that have the words in the index, but not the words of a phrase."""


_Place = tuple[str, str, bytes]
"""The place and step of a text, and its digest."""
_Candidate = tuple[str, UUID, _Place]
"""The cursor that follows a text, its run, and where it is there."""


def search(index: SearchIndex, query: SearchQuery) -> SearchPage:
    """Return one page of hits; it is partial while the index is being made.

    Raises:
        StoreError: there can be no index.
    """
    if not index.update(_UPDATE_SECONDS):
        index.update_soon()
    terms = parse_query(query.text)
    hits, misses, cursor, more = list[SearchHit](), 0, query.cursor, None
    known: dict[UUID, dict[_Place, RunText]] = {}
    with index.transaction() as (connection, snapshot):
        for found in _candidates(connection, snapshot, query, terms):
            if len(hits) == query.limit or misses == _MAX_MISSES:
                more = cursor
                break
            hit = _read_hit(snapshot, found, terms, known)
            hits += [hit] if hit else []
            misses += not hit
            cursor, _, _ = found
        return SearchPage(hits, more, partial=not is_current(connection, snapshot))


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
        numbers = _texts_with(connection, block, terms)
        texts = [str(block * BLOCK_SIZE + number) for number in numbers]
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
                    found = (place, step, digest)
                    yield f"{text}.{number}", UUID(bytes=run), found


def _texts_with(
    connection: sqlite3.Connection, block: int, terms: list[SearchTerm]
) -> set[int]:
    """Return the numbers of the texts of a block that may have all words."""
    select = "SELECT texts FROM word WHERE block = ? AND word BETWEEN ? AND ?"
    found: set[int] | None = None
    for term in terms:
        for place, word in enumerate(map(indexed_word, term.words), 1):
            is_begun = term.is_prefix and place == len(term.words)
            end = f"{word}\U0010ffff" if is_begun else word
            rows = connection.execute(select, (block, word, end))
            having = set[int]().union(*(decode_texts(texts) for (texts,) in rows))
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
    known: dict[UUID, dict[_Place, RunText]],
) -> SearchHit | None:
    """Return a text that has the terms, or None; `known` has what was read before."""
    _, run_id, where = found
    for _, raw in snapshot.scan(keys.text(where[-1].hex())):  # much faster than the run
        if not has_terms(raw.decode(), terms):
            return None
    if run_id not in known:
        known[run_id] = {}
        with suppress(StoreError):  # it was logged when the run was indexed
            known[run_id] = {
                (text.place, text.step or "", text_digest(text.text)): text
                for text in read_run_texts(snapshot, run_id)
            }
    text = known[run_id].get(where)
    match = text and find_match(text.text, terms)
    return SearchHit(run_id, text, match) if text and match else None
