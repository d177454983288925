"""Readers and the writer at once: nothing is lost or read twice."""

import asyncio
import threading
from pathlib import Path

from storage.samples import a_run, an_id, answer, ask, put, receive
from support.waiting import wait_until_async
from writeit.storage.store import LmdbStore


async def test_streamed_text_is_always_whole(lmdb_store: LmdbStore) -> None:
    """At each moment of its way from memory to the disk."""
    run = await put(lmdb_store, a_run())
    await ask(lmdb_store, run.pipeline_run_id, 11)
    expected = ""
    for number in range(600):
        piece = f"{number} "
        expected += piece
        lmdb_store.append_journal(run.pipeline_run_id, an_id(11), piece)
        stored = lmdb_store.get_run(run.pipeline_run_id)
        assert stored is not None
        assert stored.run.steps["angles"].streaming[0].text == expected
        if number % 7 == 0:
            await asyncio.sleep(0.003)
    assert lmdb_store.counters.transactions >= 5


async def test_readers_do_not_notice_that_the_map_grows(tmp_path: Path) -> None:
    """They wait for a moment, each other read is as if nothing was."""
    store = LmdbStore.open(tmp_path / "store", map_size=1 << 17)
    run = await put(store, a_run())
    stop, problems, reads = threading.Event(), list[Exception](), [0]

    def read() -> None:
        while not stop.is_set():
            try:
                assert store.get_run(run.pipeline_run_id) is not None
                assert store.events(run.pipeline_run_id)
            except Exception as error:  # noqa: BLE001 -- shown below
                problems.append(error)
                return
            reads[0] += 1

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    await ask(store, run.pipeline_run_id, *range(100, 140))
    for number in range(100, 140):
        text = f"{number}" * 100_000
        await receive(store, run.pipeline_run_id, answer(number, text))
    await wait_until_async(lambda: reads[0] > 10 or problems)
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert store.counters.map_growths >= 5
    store.close()


async def test_two_stores_on_a_folder_share_the_writer(tmp_path: Path) -> None:
    """Decisions of both are written in turn, none is lost."""
    one, two = (LmdbStore.open(tmp_path / "store") for _ in range(2))
    commits = [put(store, a_run(n)) for n, store in enumerate([one, two] * 50, 1)]
    await asyncio.gather(*commits)
    assert one.counters is two.counters
    for number in range(1, 101):
        assert one.get_run(an_id(number)) == two.get_run(an_id(number)) is not None
    one.close()
    two.close()
