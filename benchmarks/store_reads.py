"""What a list page, an open run and a branch cost in a store of so many runs.

Printed for each size: keys and bytes, which are the same each time, and the time of
each as a ratio to the smallest store's. Sizes alternate; minimum and median of rounds.

    python benchmarks/store_reads.py [SIZE...]
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

from make_runs import make_runs

from writeit.domain import state_machine
from writeit.domain.operations import lifecycle
from writeit.ports.store import RunCommit, RunQuery
from writeit.storage.snapshot import Counters
from writeit.storage.store import LmdbStore

SIZES = (100, 1_000, 10_000)
ROUNDS = 21
REPEATS = 5
"""How often each round does the same; its time is the shortest of them."""
ANSWERS = 8
"""Of the run that is opened and branched: the same at each size."""
PAGE = RunQuery(limit=50)


class Side:
    """One store, and what is done in it."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size
        self.run_id = self._run_in_the_middle()
        self.times: dict[str, list[float]] = {name: [] for name in WORK}
        self.counts: dict[str, str] = {}

    def _run_in_the_middle(self) -> UUID:
        """A run of the usual size, with others before and behind it."""
        store = LmdbStore.open(self.folder)
        try:
            listed = store.list_runs(RunQuery(limit=self.size)).runs
            return next(
                run.run_id
                for run in listed[len(listed) // 2 :]
                if run.parent_run_id is None and _answers(store, run.run_id) == ANSWERS
            )
        finally:
            store.close()

    async def measure(self, name: str) -> None:
        """Do one thing a few times, each in a store that has read nothing yet."""
        best = float("inf")
        for _ in range(REPEATS):
            store = LmdbStore.open(self.folder)
            store.streaming_runs()
            before = _read(store.counters)
            began = time.perf_counter()
            undo = await WORK[name](store, self.run_id)
            best = min(best, time.perf_counter() - began)
            self.counts[name] = _difference(before, _read(store.counters))
            await undo()
            store.close()
        self.times[name].append(best)


async def nothing() -> None:
    """Undo a read."""


async def list_page(store: LmdbStore, _: UUID) -> Callable[[], Awaitable[object]]:
    """Read the first page of the list."""
    store.list_runs(PAGE)
    return nothing


async def list_far_page(
    store: LmdbStore, run_id: UUID
) -> Callable[[], Awaitable[object]]:
    """Read a page from the middle of the list."""
    store.list_runs(RunQuery(limit=PAGE.limit, older_than=run_id))
    return nothing


async def open_run(store: LmdbStore, run_id: UUID) -> Callable[[], Awaitable[object]]:
    """Read a run with all of its answers."""
    store.get_run(run_id)
    return nothing


async def branch(store: LmdbStore, run_id: UUID) -> Callable[[], Awaitable[object]]:
    """Branch a run at its third step, which reads it first."""
    stored = store.get_run(run_id)
    if stored is None:
        raise LookupError(run_id)
    run = stored.run
    event = lifecycle.branch(run, run.steps["draft"], uuid4(), run.updated_at, None)
    made = state_machine.apply_event(None, event)
    await store.commit(RunCommit(run=made, events=(event,), expected_seq=0))
    return lambda: store.delete_run(made.pipeline_run_id)


WORK = {
    "list page": list_page,
    "page from the middle": list_far_page,
    "open a run": open_run,
    "branch": branch,
}


def _answers(store: LmdbStore, run_id: UUID) -> int:
    stored = store.get_run(run_id)
    steps = stored.run.steps.values() if stored else ()
    return sum(len(step.ai_responses) for step in steps)


def _read(counters: Counters) -> tuple[int, int, int, int]:
    return (
        counters.keys_read,
        counters.bytes_read,
        counters.keys_written,
        counters.bytes_written,
    )


def _difference(before: tuple[int, ...], after: tuple[int, ...]) -> str:
    read, read_bytes, written, written_bytes = (
        new - old for old, new in zip(before, after, strict=True)
    )
    said = f"reads {read:4} keys, {read_bytes:7,} bytes"
    return (
        f"{said}; writes {written} keys, {written_bytes:,} bytes" if written else said
    )


async def main(sizes: list[int]) -> None:
    """Make the stores, measure, print."""
    with TemporaryDirectory() as place:
        os.environ["WRITEIT_DATA_DIR"] = f"{place}/data"
        sides = []
        for size in sizes:
            folder = Path(place) / str(size)
            began = time.perf_counter()
            await make_runs(folder, size)
            took = time.perf_counter() - began
            data = (folder / "data.mdb").stat().st_size
            print(f"{size:7,} runs made in {took:5.1f} s, {data / 1e6:,.0f} MB")
            sides.append(Side(folder, size))
        for _ in range(ROUNDS):
            for name in WORK:
                for side in sides:
                    await side.measure(name)
        for name in WORK:
            show(name, sides)


def show(name: str, sides: list[Side]) -> None:
    """Print one thing at all sizes."""
    print(f"{name} ({ROUNDS} rounds, alternating)")
    base = sides[0].times[name]
    for side in sides:
        times = side.times[name]
        middle = statistics.median(times)
        print(
            f"  {side.size:7,} runs: {side.counts[name]};"
            f" min {min(times) * 1e3:.2f} ms ({min(times) / min(base):.2f} x),"
            f" median {middle * 1e3:.2f} ms ({middle / statistics.median(base):.2f} x)"
        )


if __name__ == "__main__":
    asyncio.run(main([int(size) for size in sys.argv[1:]] or list(SIZES)))
