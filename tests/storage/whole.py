"""A small store in which every kind of key stands, as the product writes them."""

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, put, receive, select
from writeit.domain import state_machine
from writeit.domain.operations import generate, lifecycle
from writeit.domain.primer import RunPrimer
from writeit.domain.run import PipelineRun
from writeit.domain.session import UserPreferences
from writeit.ports.store import Lease, RunCommit
from writeit.storage.store import LmdbStore

FINISHED, CHILD, DELETED, GRANDCHILD, STREAMING = (an_id(n) for n in range(1, 6))


async def begin(store: LmdbStore, run_id: UUID, **fields: object) -> PipelineRun:
    """Start a run as the engine does: with configuration, primer and session."""
    primer = samples.primer()
    pinned = RunPrimer(
        primer_id=primer.primer_id, version=primer.version, text=primer.content
    )
    run = a_run(run_id.int & 0xFFFF, primer=pinned, **fields)
    decision = samples.started(run)
    await store.commit(
        replace(
            decision,
            configuration=samples.configuration(),
            primer=primer,
            session=samples.session(),
            activates=True,
        )
    )
    return run


async def finish(store: LmdbStore, run_id: UUID, first: int) -> None:
    """Take a run through all of its steps, with two answers each."""
    for index in range(len(samples.STEPS)):
        numbers = (first + 2 * index, first + 2 * index + 1)
        await ask(store, run_id, *numbers)
        for number in numbers:
            text = f"Answer {number}. " * (1 if number % 2 else 400)
            await receive(store, run_id, answer(number, text))
        await select(store, run_id)


async def branch(store: LmdbStore, parent: UUID, child: UUID, step: str) -> PipelineRun:
    """Branch off a run."""
    stored = store.get_run(parent)
    assert stored is not None
    run = stored.run
    moment = at(child.int & 0xFFFF)
    event = lifecycle.branch(run, run.steps[step], child, moment, "another way")
    made = state_machine.apply_event(None, event)
    await store.commit(RunCommit(run=made, events=(event,), expected_seq=0))
    return made


async def fill(store: LmdbStore) -> None:
    """Write something of every kind."""
    await begin(store, FINISHED, uri="file:///notes/bees.md")
    await finish(store, FINISHED, 100)
    await branch(store, FINISHED, CHILD, "draft")
    await branch(store, FINISHED, DELETED, "outline")
    await branch(store, DELETED, GRANDCHILD, "angles")
    await store.delete_run(DELETED)
    await begin(store, STREAMING)
    lease = Lease(owner=an_id(900), pid=1, process_started=1.5, heartbeat=at(9))
    stored = store.get_run(STREAMING)
    assert stored is not None
    run, call = stored.run, samples.call(200)
    events = (
        *generate.start_generation(run, run.steps["angles"], [call], at(9)),
        generate.start_response("angles", call, "Write about bees. " * 30, at(9)),
    )
    await store.commit(replace(samples.decision(run, stored.seq, *events), lease=lease))
    for piece in ("Bees dance, ", "and so do we; ", "who could not?"):
        store.append_journal(STREAMING, an_id(200), piece)
        await asyncio.sleep(0.05)
    await store.save_draft(STREAMING, "angles", "feedback", "Shorter.")
    await store.save_preferences(UserPreferences())


def whole_store(folder: Path) -> Path:
    """Make such a store, and close it."""

    async def make() -> None:
        store = LmdbStore.open(folder)
        await fill(store)
        store.close()

    asyncio.run(make())
    return folder


def filled(folder: Path) -> Path:
    """A closed store with a run in it; returns its data file."""

    async def fill() -> None:
        store = LmdbStore.open(folder)
        for number in range(1, 20):
            text = f"{number}" * 5000
            await put(store, a_run(number, user_inputs={"text": text}))
        store.close()

    asyncio.run(fill())
    return folder / "data.mdb"
