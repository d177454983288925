"""Find texts in the index; each is read from its run and checked before it is shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from writeit.domain.errors import StoreError
from writeit.ports.store import RunText, SearchHit, SearchPage, SearchQuery
from writeit.storage import keys
from writeit.storage.run_texts import read_run_texts
from writeit.storage.search_index import SearchIndex, text_digest
from writeit.storage.snapshot import Snapshot
from writeit.text.search import SearchTerm, find_match, parse_query

_UPDATE_SECONDS = 0.4
"""How long a search waits for the index."""


class _Candidate(NamedTuple):
    """A text that the index found, and the cursor that follows it."""

    run_id: UUID
    place: str
    step: str | None
    digest: bytes
    cursor: str


def search(index: SearchIndex, query: SearchQuery) -> SearchPage:
    """Return one page of hits; it is partial while the index is being made.

    Raises:
        StoreError: there can be no index.
    """
    is_complete = index.update(_UPDATE_SECONDS)
    if not is_complete:
        index.update_soon()
    terms = parse_query(query.text)
    prefix = keys.run_by_uri(query.uri or "") + b":"
    with index.environment.long_read_transaction() as snapshot:
        runs = [keys.trailing_id(key).bytes for key in snapshot.scan_keys(prefix)]
    with index.connection() as connection:
        # Another process may have made a new file meanwhile.
        is_scanned = connection.execute("SELECT 1 FROM scanned").fetchone()
        found = _candidates(connection, query, terms, runs) if terms else iter(())
        page = list(islice(found, query.limit + 1))
    with index.environment.long_read_transaction() as snapshot:
        hits = list(_read_hits(snapshot, page[: query.limit], terms))
    more = page[query.limit - 1].cursor if len(page) > query.limit else None
    return SearchPage(hits, more, partial=not (is_complete and is_scanned))


def _candidates(
    connection: sqlite3.Connection,
    query: SearchQuery,
    terms: list[SearchTerm],
    runs: list[bytes],
) -> Iterator[_Candidate]:
    """Yield what the index has, the texts that came last first.

    The branches of a run share texts, so each is yielded once a tree and step.
    """
    start, _, skipped = (query.cursor or f"{2**62}.0").partition(".")
    where, values = _conditions(query)
    if query.uri is not None:
        select = "SELECT id FROM run WHERE run = ?"
        rows = [row for run in runs for row in connection.execute(select, (run,))]
        where += f" AND place.run IN ({', '.join(str(key) for (key,) in rows)})"
    select = (  # the conditions are constants
        "SELECT words.rowid, digest FROM words JOIN text ON text.id = words.rowid"  # noqa: S608
        " WHERE words MATCH ? AND words.rowid <= ? AND EXISTS (SELECT 1 FROM place"
        f" WHERE place.text = words.rowid{where}) ORDER BY words.rowid DESC"
    )
    select_places = (
        "SELECT MIN(run.id), run.run, place, step FROM place JOIN run"  # noqa: S608
        f" ON run.id = place.run WHERE place.text = ?{where}"
        " GROUP BY root, place, step ORDER BY 1 DESC LIMIT -1 OFFSET ?"
    )
    offset = int(skipped)
    parameters = (match_expression(terms), int(start), *values)
    for text, digest in connection.execute(select, parameters):
        places = connection.execute(select_places, (text, *values, offset))
        for number, (_, run, place, step) in enumerate(places, offset + 1):
            yield _Candidate(UUID(bytes=run), place, step, digest, f"{text}.{number}")
        offset = 0


def match_expression(terms: list[SearchTerm]) -> str:
    """Return the query for FTS5; no word of a term has a character that means more."""
    return " ".join(
        f'"{" ".join(term.words)}"{" *" if term.is_prefix else ""}' for term in terms
    )


def _conditions(query: SearchQuery) -> tuple[str, list[object]]:
    """Return what a place must fulfil besides, and its parameters."""
    conditions, values = [""], list[object]()
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


def _read_hits(
    snapshot: Snapshot, candidates: list[_Candidate], terms: list[SearchTerm]
) -> Iterator[SearchHit]:
    known: dict[UUID, list[RunText]] = {}
    for found in candidates:
        if found.run_id not in known:
            try:
                known[found.run_id] = read_run_texts(snapshot, found.run_id)
            except StoreError:  # it was logged when the run was indexed
                known[found.run_id] = []
        for text in known[found.run_id]:
            if (text.place, text.step) != (found.place, found.step):
                continue
            if text_digest(text.text) == found.digest:
                if match := find_match(text.text, terms):
                    yield SearchHit(found.run_id, text, match)
                break
