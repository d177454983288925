"""A script that tests run as another process on a store. It reports on stdout.

child.py commit FOLDER           commits runs and journals text until it is killed
child.py record FOLDER           commits runs with their pipeline until it is killed
child.py say FOLDER NAME COUNT   decides COUNT times on run 1, beside others
child.py grow FOLDER MEGABYTES   stores that much
child.py hold FOLDER SECONDS     keeps the write lock that long
child.py full FOLDER             reaches a limit on file sizes, which is then raised
child.py fail FOLDER             stores a run on a disk that fails
child.py search FOLDER NAME      searches until it is killed, and writes a run each time
child.py deny FOLDER             opens it as somebody who may not write there
"""

import asyncio
import contextlib
import json
import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))

import lmdb

from storage import samples
from writeit.domain import events as e
from writeit.domain.errors import StoreError
from writeit.domain.run import PipelineRun
from writeit.ports.store import SearchQuery, StaleCommit
from writeit.storage import search_index
from writeit.storage.location import store_folder
from writeit.storage.store import LmdbStore

NOBODY = 65534


def tell(**report: object) -> None:
    """Report one thing."""
    print(json.dumps(report), flush=True)  # noqa: T201 -- this is how a child reports


async def commit(folder: Path) -> None:
    """Report each run and each word once the store has acknowledged it."""
    store = LmdbStore.open(folder)
    run = await samples.put(store, samples.a_run(1))
    await samples.ask(store, run.pipeline_run_id, 11)
    for number in range(2, 1_000_000):
        store.append_journal(run.pipeline_run_id, samples.an_id(11), f"{number} ")
        await samples.put(store, samples.a_run(number))
        tell(run=number)


async def record(folder: Path) -> None:
    """Report each run with its pipeline once the store has acknowledged it."""
    store = LmdbStore.open(folder)
    pipeline = samples.configuration()
    for number in range(100, 1_000_000):
        commit = samples.started(samples.a_run(number, primer=None))
        await store.commit(replace(commit, configuration=pipeline))
        tell(run=number)


async def say(folder: Path, name: str, count: int) -> None:
    """Give feedback to run 1, and retry if another process was first."""
    store = LmdbStore.open(folder)
    stale = sent = 0
    while sent < count:
        stored = store.get_run(samples.an_id(1))
        if stored is None:
            raise LookupError(samples.an_id(1))
        words = e.FeedbackGiven(
            at=stored.run.updated_at, step="angles", text=f"{name} {sent}"
        )
        try:
            await store.commit(samples.decision(stored.run, stored.seq, words))
        except StaleCommit:
            stale += 1
        else:
            sent += 1
    store.close()
    tell(stale=stale)


async def grow(folder: Path, megabytes: int) -> None:
    """Store enough that a small map must grow."""
    store = LmdbStore.open(folder, map_size=1 << 20)
    for number in range(1000, 1000 + megabytes):
        text = f"{number}" * (1 << 18)
        await samples.put(store, samples.a_run(number, user_inputs={"text": text}))
    tell(growths=store.counters.map_growths)
    store.close()


def hold(folder: Path, seconds: float) -> None:
    """Block all other writers."""
    with lmdb.Environment(str(folder)) as environment, environment.begin(write=True):
        tell(holding=True)
        time.sleep(seconds)


async def full(folder: Path) -> None:
    """Reach a limit on file sizes, as on a full disk."""
    store = LmdbStore.open(folder)
    run = await samples.put(store, samples.a_run(1))
    run_id = run.pipeline_run_id
    await samples.ask(store, run_id, 11)
    size = (folder / "data.mdb").stat().st_size
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, hard))
    big = samples.a_run(2, user_inputs={"text": "x" * 1_000_000})
    reasons = [await _reason(store, big), await _reason(store, big)]
    store.append_journal(run_id, samples.an_id(11), "y" * 1_000_000)
    await asyncio.sleep(0.1)
    stored = store.get_run(run_id)
    shown = len(stored.run.steps["angles"].streaming[0].text) if stored else 0
    reasons.append(await _reason(store, samples.a_run(3)))
    tell(
        reasons=reasons, shown=shown, second=store.get_run(samples.an_id(2)) is not None
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    tell(reasons=[await _reason(store, big)])
    store.close()


async def fail(folder: Path) -> None:
    """Store a run on a disk that fails."""
    store = LmdbStore(folder)
    store.open_existing()
    try:
        await samples.put(store, samples.a_run(1))
    except StoreError as error:
        tell(reason=error.reason, message=error.message)
    else:
        tell(reason="none", message="")


async def _reason(store: LmdbStore, run: PipelineRun) -> str:
    try:
        await samples.put(store, run)
    except StoreError as error:
        return error.reason
    return "stored"


async def search(folder: Path, name: str) -> None:
    """Report what was found of the runs written before, one run at a time."""
    search_index._BATCH_SECONDS = 0.0  # noqa: SLF001 -- to be killed in between
    store = LmdbStore.open(folder)
    for number in range(1_000_000):
        page = await store.search(SearchQuery(text=name, limit=1000))
        tell(found=len(page.hits), written=number, partial=page.partial)
        if name:
            run = samples.a_run(1).evolve(pipeline_run_id=uuid4(), name=f"{name} 1")
            await samples.put(store, run)


def place(folder: Path) -> None:
    """Locate the store of a workspace without permission to write."""
    _be_nobody()
    found, message = store_folder(folder)
    tell(folder=str(found), message=message)


def _be_nobody() -> None:
    """Give up the permission to write."""
    if os.geteuid() == 0:
        os.setuid(NOBODY)


def deny(folder: Path) -> None:
    """Open a store without permission to write."""
    _be_nobody()
    try:
        LmdbStore.open(folder)
    except StoreError as error:
        tell(reason=error.reason, message=error.message, hint=error.hint)


def main(verb: str, folder: str, *rest: str) -> None:  # noqa: C901 -- one case a verb
    """Run the command of the first argument."""
    path = Path(folder)
    with contextlib.suppress(BrokenPipeError):
        match verb, rest:
            case "commit", ():
                asyncio.run(commit(path))
            case "record", ():
                asyncio.run(record(path))
            case "say", (name, count):
                asyncio.run(say(path, name, int(count)))
            case "grow", (megabytes,):
                asyncio.run(grow(path, int(megabytes)))
            case "hold", (seconds,):
                hold(path, float(seconds))
            case "full", ():
                asyncio.run(full(path))
            case "fail", ():
                asyncio.run(fail(path))
            case "deny", ():
                deny(path)
            case "search", (name,):
                asyncio.run(search(path, name))
            case "place", ():
                place(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
