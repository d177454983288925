"""Branches and what is deleted with a run."""

from dataclasses import replace

import pytest

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, go_on, put, receive
from writeit.domain import events as e
from writeit.domain.errors import Busy, NotFound
from writeit.domain.run import PipelineRun
from writeit.ports.store import (
    DeletionCounts,
    RunCommit,
    RunQuery,
    StaleCommit,
    Store,
    UsageRecord,
)


async def test_drafts_are_deleted_with_their_run(store: Store) -> None:
    """A draft of a deleted run is refused, so that its words are not lost."""
    await store.commit(samples.started(a_run(1)))
    await store.save_draft(an_id(1), "angles", "merge", "Mine.")
    await store.save_draft(an_id(1), "angles", "feedback", "Shorter.")
    drafts = {"merge": "Mine.", "feedback": "Shorter."}
    assert store.drafts(an_id(1), "angles") == drafts
    await store.delete_run(an_id(1))
    assert store.drafts(an_id(1), "angles") == {}
    with pytest.raises(NotFound):
        await store.save_draft(an_id(1), "angles", "merge", "Mine.")


# Branches and deletion


async def branch(store: Store, parent: int, number: int) -> PipelineRun:
    """Return a branch of a stored run at its first step."""
    stored = store.get_run(an_id(parent))
    assert stored is not None
    child = stored.run.evolve(
        pipeline_run_id=an_id(number),
        parent_pipeline_run_id=an_id(parent),
        branch_point="angles",
        created_at=at(number),
        updated_at=at(number),
    )
    event = e.RunBranched(at=child.created_at, run=child)
    await store.commit(RunCommit(run=child, events=(event,), expected_seq=0))
    return child


async def family(store: Store) -> None:
    """Run 1 with an answer, its children 2 and 3, and 4, the child of 2."""
    await put(store, a_run(1, uri="file:///a.md"))
    await ask(store, an_id(1), 1001)
    await receive(store, an_id(1), answer(1001))
    for parent, number in ((1, 2), (1, 3), (2, 4)):
        await branch(store, parent, number)


def living(store: Store) -> list[int]:
    """Return the numbers of the runs that exist."""
    return [run.run_id.int & 0xFFFF for run in store.list_runs(RunQuery()).runs]


async def test_children_are_listed(store: Store) -> None:
    """Oldest first; none for a run without branches."""
    await family(store)
    assert store.children(an_id(1)) == [an_id(2), an_id(3)]
    assert store.children(an_id(2)) == [an_id(4)]
    assert store.children(an_id(4)) == []
    assert store.children(an_id(404)) == []


async def test_a_summary_can_be_read_alone(store: Store) -> None:
    """It is the same as in the list."""
    await family(store)
    lines = store.list_runs(RunQuery()).runs
    assert [store.summary(line.run_id) for line in lines] == lines
    assert store.summary(an_id(404)) is None


async def test_a_deleted_run_without_branches_is_removed(store: Store) -> None:
    """Its answers are kept, because other runs have them."""
    await family(store)
    assert await store.delete_run(an_id(4)) == DeletionCounts(runs=1, responses=0)
    assert living(store) == [3, 2, 1]
    assert store.get_run(an_id(4)) is None
    assert store.events(an_id(4)) == []
    assert store.summary(an_id(4)) is None
    assert store.children(an_id(2)) == []
    for number in (1, 2, 3):
        assert store.get_run(an_id(number)) is not None


async def test_a_deleted_parent_leaves_a_tombstone(store: Store) -> None:
    """Until its last branch is deleted."""
    await family(store)
    before = store.summary(an_id(2))
    assert before is not None
    assert await store.delete_run(an_id(2)) == DeletionCounts(runs=1, responses=0)
    assert living(store) == [4, 3, 1]
    assert store.get_run(an_id(2)) is None
    assert store.summary(an_id(2)) == replace(before, deleted=True)
    assert store.children(an_id(1)) == [an_id(2), an_id(3)]
    assert [r.run_id for r in store.list_runs(RunQuery(older_than=an_id(2))).runs] == [
        an_id(1)
    ]
    with pytest.raises(NotFound):
        await store.delete_run(an_id(2))
    assert await store.delete_run(an_id(4)) == DeletionCounts(runs=1, responses=0)
    assert store.summary(an_id(2)) is None
    assert store.children(an_id(1)) == [an_id(3)]


async def test_answers_are_deleted_with_the_last_run_that_has_them(
    store: Store,
) -> None:
    """Parent or branch."""
    await family(store)
    for number in (1, 2, 3):
        assert await store.delete_run(an_id(number)) == DeletionCounts(
            runs=1, responses=0
        )
    last = store.get_run(an_id(4))
    assert last is not None
    assert last.run.steps["angles"].ai_responses == (answer(1001),)
    assert await store.delete_run(an_id(4)) == DeletionCounts(runs=1, responses=1)
    assert [store.summary(an_id(number)) for number in (1, 2, 3, 4)] == [None] * 4


async def test_a_run_is_deleted_with_its_descendants(store: Store) -> None:
    """Also from a tombstone."""
    await family(store)
    await store.delete_run(an_id(2))
    deleted = await store.delete_run(an_id(2), descendants=True)
    assert deleted == DeletionCounts(runs=1, responses=0)
    assert living(store) == [3, 1]
    deleted = await store.delete_run(an_id(1), descendants=True)
    assert deleted == DeletionCounts(runs=2, responses=1)
    assert living(store) == []


async def test_a_streaming_run_is_not_deleted(store: Store) -> None:
    """Nor are the runs it would be deleted with."""
    await family(store)
    again = e.StepRegenerated(at=at(9), step="angles", calls=(samples.call(2000),))
    sent = e.ResponseStarted(
        at=at(9), step="angles", response_id=an_id(2000), model="a/b", prompt="p"
    )
    await go_on(store, an_id(4), again, sent)
    with pytest.raises(Busy):
        await store.delete_run(an_id(1), descendants=True)
    assert living(store) == [4, 3, 2, 1]
    assert await store.delete_run(an_id(3)) == DeletionCounts(runs=1, responses=0)
    with pytest.raises(NotFound):
        await store.delete_run(an_id(404))


async def test_a_deleted_run_is_removed_from_sessions(store: Store) -> None:
    """Deleting the active run clears active_pipeline_run_id."""
    await family(store)
    one = samples.session(901).evolve(active_pipeline_run_id=an_id(4))
    two = samples.session(902).evolve(active_pipeline_run_id=an_id(1))
    for session in (one, two):
        await store.save_session(session)
    await store.delete_run(an_id(4))
    assert store.session(an_id(901)) == one.evolve(active_pipeline_run_id=None)
    assert store.session(an_id(902)) == two


async def test_a_decision_on_a_deleted_run_is_stale(store: Store) -> None:
    """It is not written again."""
    await family(store)
    stored = store.get_run(an_id(4))
    assert stored is not None
    await store.delete_run(an_id(4))
    failed = e.RunFailed(at=at(9), message="late")
    with pytest.raises(StaleCommit):
        await store.commit(samples.decision(stored.run, stored.seq, failed))
    assert living(store) == [3, 2, 1]


# Usage


async def test_usage_counts_each_answer_once(store: Store) -> None:
    """With any number of runs that share it, also if all are deleted."""
    await family(store)
    (used,) = store.usage_records()
    assert used == UsageRecord(
        at=at(1),
        run_id=an_id(1),
        pipeline="tech-article",
        model="openai/gpt-4o",
        usage=answer(1001).usage_stats,
        seconds=1.5,
    )
    await store.delete_run(an_id(1), descendants=True)
    assert list(store.usage_records()) == [used]
