"""The list of runs: which index to walk, and what passes the filters."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from writeit.core.errors import NotFound
from writeit.core.run import PipelineStatus
from writeit.core.session import LOCAL_USER
from writeit.ports import RunPage
from writeit.store import keys, reading, shapes
from writeit.store.records import Listing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from writeit.ports import RunQuery, RunSummary
    from writeit.store.snapshot import Snapshot


def matches(query: RunQuery, run: RunSummary) -> bool:
    """Whether a run passes the filters; an empty filter passes all."""
    words = (query.text or "").casefold()
    return (
        query.status in {None, run.status}
        and query.pipeline in {None, run.pipeline}
        and (query.uri is None or query.uri in run.documents)
        and (words in run.title.casefold() or words in (run.name or "").casefold())
    )


def page(snapshot: Snapshot, query: RunQuery) -> RunPage:
    """Read one page of the list, and no further.

    Raises:
        NotFound: there is no run `query.before`.
    """
    runs: list[RunSummary] = []
    for key in _newest_first(snapshot, query):
        if len(runs) >= query.limit:
            return RunPage(runs, runs[-1].run_id if runs else None)
        run = shapes.summary(_listing(snapshot, keys.id_at_end(key)))
        if matches(query, run):
            runs.append(run)
    return RunPage(runs)


def summary(snapshot: Snapshot, run_id: UUID) -> RunSummary | None:
    """Read the line of one run, or of the tombstone it left."""
    found = _found(snapshot, run_id)
    if found is not None:
        return shapes.summary(found)
    left = _left(snapshot, run_id)
    return None if left is None else shapes.summary(left, deleted=True)


def unknown_run(run_id: UUID) -> NotFound:
    """Build the refusal for a cursor that is not a run."""
    return NotFound(
        f"There is no run {run_id} to list on from.", hint="List from the start."
    )


def _newest_first(snapshot: Snapshot, query: RunQuery) -> Iterator[bytes]:
    """Walk the narrowest index that holds all runs asked for."""
    before = _cursor(snapshot, query.before)
    if query.uri is not None:
        return _walk(snapshot, keys.run_by_uri(query.uri), before)
    if query.pipeline is not None:
        indices = [
            _walk(snapshot, index, before)
            for index in _configurations(snapshot, query.pipeline)
        ]
        return heapq.merge(*indices, key=_tail, reverse=True)
    if query.status is PipelineStatus.COMPLETED:
        return _walk(snapshot, keys.completed_runs(LOCAL_USER), before)
    return _walk(snapshot, keys.recent_runs(LOCAL_USER), before)


def _walk(snapshot: Snapshot, index: bytes, before: bytes) -> Iterator[bytes]:
    prefix = index + b":"
    return snapshot.scan_back(prefix, prefix + before)


def _tail(key: bytes) -> bytes:
    return key[-keys.TAIL_LENGTH :]


def _cursor(snapshot: Snapshot, before: UUID | None) -> bytes:
    """Where to begin: how the keys of the run `before` end, or behind all."""
    if before is None:
        return keys.after_prefix(b"")
    run = _found(snapshot, before) or _left(snapshot, before)
    if run is None:
        raise unknown_run(before)
    return keys.tail(run.created_at, before)


def _configurations(snapshot: Snapshot, pipeline: str) -> Iterator[bytes]:
    """The indices of all configurations of a pipeline, by leaping over their runs."""
    prefix = keys.run_by_pipeline(pipeline)
    key = snapshot.first(prefix)
    while key is not None and key.startswith(prefix):
        index = key[: -keys.TAIL_LENGTH - 1]
        yield index
        key = snapshot.first(keys.after_prefix(index + b":"))


def _listing(snapshot: Snapshot, run_id: UUID) -> Listing:
    found = _found(snapshot, run_id)
    if found is None:
        raise reading.missing(snapshot, keys.run(run_id))
    return found


def _found(snapshot: Snapshot, run_id: UUID) -> Listing | None:
    return reading.record(snapshot, Listing, keys.run(run_id), reading.no_text)


def _left(snapshot: Snapshot, run_id: UUID) -> Listing | None:
    return reading.record(snapshot, Listing, keys.tombstone(run_id), reading.no_text)
