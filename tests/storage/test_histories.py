"""Random histories are read as they were committed."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from lmdb import verify as offline

from storage.histories import histories
from writeit.domain import state_machine
from writeit.domain.events import RunFailed
from writeit.ports.store import RunCommit, RunQuery, StaleCommit, Store, StoredRun
from writeit.storage.store import LmdbStore

modest = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


def dump(store: LmdbStore) -> dict[bytes, bytes]:
    """Return all keys and values on disk."""
    with store.snapshot() as snapshot:
        return dict(snapshot.scan(b""))


def newest(decisions: Sequence[RunCommit]) -> dict[UUID, StoredRun]:
    """Return each run as of its last decision."""
    return {
        d.run.pipeline_run_id: StoredRun(d.run, d.expected_seq + len(d.events))
        for d in decisions
    }


def check(store: Store, decisions: Sequence[RunCommit]) -> None:
    """Check that the store has exactly the committed state."""
    expected = newest(decisions)
    for run_id, stored in expected.items():
        assert store.get_run(run_id) == stored
        events = store.events(run_id)
        mine = [d for d in decisions if d.run.pipeline_run_id == run_id]
        assert tuple(events) == tuple(event for d in mine for event in d.events)
        assert state_machine.replay(events) == stored.run
    streaming = sorted(i for i, stored in expected.items() if stored.run.is_streaming)
    assert store.streaming_runs() == streaming
    assert len(store.list_runs(RunQuery(limit=1000)).runs) == len(expected)


async def committed(store: Store, decisions: Sequence[RunCommit]) -> None:
    """Commit all decisions; each must succeed."""
    for decision in decisions:
        seq = await store.commit(decision)
        assert seq == decision.expected_seq + len(decision.events)


@pytest.mark.rule("settled-27")
@given(histories())
@modest
def test_random_histories_are_kept(decisions: list[RunCommit]) -> None:
    """The store has what was committed, also after it is opened again."""
    with tempfile.TemporaryDirectory() as folder:
        for store in _opened_twice(Path(folder)):
            if not store.list_runs(RunQuery()).runs:
                asyncio.run(committed(store, decisions))
            check(store, decisions)
            assert offline.verify(folder) == []  # type: ignore[no-untyped-call]


def _opened_twice(folder: Path) -> Iterator[LmdbStore]:
    for _ in range(2):
        store = LmdbStore.open(folder)
        try:
            yield store
        finally:
            store.close()


@given(histories(max_size=20))
@modest
def test_a_refused_decision_changes_no_byte(decisions: list[RunCommit]) -> None:
    """A decision on an older state of a run changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        store = LmdbStore.open(Path(folder))
        try:
            asyncio.run(committed(store, decisions))
            before = dump(store)
            for stored in newest(decisions).values():
                event = RunFailed(at=stored.run.updated_at, message="late" * 100)
                late = RunCommit(
                    run=stored.run.evolve(name="late"),
                    events=(event,),
                    expected_seq=stored.seq - 1,
                )
                for stale in (late, replace(late, expected_seq=stored.seq + 1)):
                    with pytest.raises(StaleCommit):
                        asyncio.run(store.commit(stale))
            assert dump(store) == before
        finally:
            store.close()


@given(histories())
@modest
def test_replaying_a_history_writes_the_same_bytes(decisions: list[RunCommit]) -> None:
    """The bytes on disk depend only on the decisions, not on their grouping or time."""
    dumps = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("one", "two"):
            store = LmdbStore.open(Path(folder) / name)
            asyncio.run(committed(store, decisions))
            dumps.append(dump(store))
            store.close()
    assert dumps[0] == dumps[1]
