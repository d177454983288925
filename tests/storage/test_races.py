"""Two processes that commit to one run at the same time."""

import asyncio
import threading
from pathlib import Path

import pytest

from storage import samples
from storage.samples import a_run, an_id, answer, ask, put
from writeit.domain import events as e
from writeit.domain.errors import NotFound
from writeit.domain.operations import lifecycle
from writeit.ports.store import RunCommit, StaleCommit, Store
from writeit.storage import keys
from writeit.storage.snapshot import Batch
from writeit.storage.store import LmdbStore


async def test_nothing_branches_off_a_run_that_was_deleted_meanwhile(
    store: Store,
) -> None:
    """The child would belong to a family that is not there; nothing is written."""
    parent = await put(store, a_run(1))
    event = lifecycle.branch(
        parent, parent.steps["angles"], an_id(2), samples.at(9), "late"
    )
    await store.delete_run(an_id(1))
    with pytest.raises(NotFound):
        await store.commit(RunCommit(run=event.run, events=(event,), expected_seq=0))
    assert store.get_run(an_id(2)) is None
    assert store.children(an_id(1)) == []


async def test_a_branch_is_decided_by_the_branches_that_are_there(
    store: Store,
) -> None:
    """Of two that know of none the second is refused, and nothing is written."""
    parent = await put(store, a_run(1))
    for number in (2, 3):
        event = lifecycle.branch(
            parent, parent.steps["angles"], an_id(number), samples.at(9), None
        )
        commit = RunCommit(run=event.run, events=(event,), expected_seq=0, siblings=())
        if number == 3:
            with pytest.raises(StaleCommit):
                await store.commit(commit)
        else:
            await store.commit(commit)
    assert store.children(an_id(1)) == [an_id(2)]


async def test_text_that_comes_with_the_end_of_its_answer_leaves_no_trace(
    tmp_path: Path,
) -> None:
    """It is stored with the answer; written behind it, nobody would remove it."""
    store = LmdbStore.open(tmp_path / "store")
    await put(store, a_run(1))
    await ask(store, an_id(1), 11)
    writing, go_on = threading.Event(), threading.Event()

    def stand_still(_: Batch) -> None:
        writing.set()
        go_on.wait(10)

    assert store.environment_and_writer is not None
    _, writer = store.environment_and_writer
    store.append_journal(an_id(1), an_id(11), "one ")
    still = writer.submit(stand_still)
    await asyncio.to_thread(writing.wait, 10)
    store.append_journal(an_id(1), an_id(11), "two")
    stored = store.get_run(an_id(1))
    assert stored is not None
    ended = e.ResponseReceived(
        at=stored.run.updated_at, step="angles", response=answer(11, "one two")
    )
    ending = asyncio.create_task(
        store.commit(samples.decision(stored.run, stored.seq, ended))
    )
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wrap_future(still)
    await ending
    await asyncio.wrap_future(writer.submit(lambda _: None))
    with store.snapshot() as snapshot:
        left = list(snapshot.scan(keys.journal_prefix(an_id(1), an_id(11))))
    assert left == []
    store.close()
