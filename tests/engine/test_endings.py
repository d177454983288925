"""How answers end when somebody stops them late, or the store does not take them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from support.engine_setup import MODEL, OTHER, EngineSetup
from support.waiting import TIMEOUT
from writeit.domain import events as e
from writeit.domain.errors import Busy, StoreError
from writeit.domain.operations import select
from writeit.domain.run import PipelineStatus, StepStatus
from writeit.engine.leases import LeaseMonitor
from writeit.engine.requests import GenerateStep
from writeit.engine.streaming import ResponseFinished
from writeit.storage.store import LmdbStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from writeit.domain.run import PipelineRun
    from writeit.ports.store import RunCommit

ALL = "all after the gate."
"""What a gated model has said in the end."""
FULL = StoreError("the disk is full", reason="full", hint="Free some space.")


ANSWERS = (e.StepStarted, e.ResponseReceived)


class MoodyStore(LmdbStore):
    """A store that takes its time, or does not take anything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.full = False
        self.slow = False
        self.waiting = asyncio.Event()
        """Set once something waits to be written."""
        self.release = asyncio.Event()

    async def commit(self, decision: RunCommit) -> int:
        """Write, unless full; what is about answers waits until `release`, if slow."""
        if self.full:
            raise FULL
        if self.slow and isinstance(decision.events[0], ANSWERS):
            self.waiting.set()
            await self.release.wait()
        return await super().commit(decision)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MoodyStore]:
    """A store that takes everything at once until told otherwise."""
    store = MoodyStore(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture
def setup(store: MoodyStore) -> EngineSetup:
    """An engine with that store."""
    return EngineSetup(store=store)


async def test_a_stop_while_an_answer_is_written_down_does_not_lose_it(
    setup: EngineSetup, store: MoodyStore
) -> None:
    """It ended before the stop, so it is whole; the run is PAUSED all the same."""
    gate = setup.models.gate(MODEL, "all ")
    run = await setup.run()
    asking = await setup.ask(run)
    store.slow = True
    gate.open()
    await store.waiting.wait()
    pausing = asyncio.create_task(setup.engine.pause_run(run.pipeline_run_id))
    await asyncio.sleep(0)
    store.release.set()
    paused = await pausing
    state = await setup.engine.wait_for_generation(asking)
    assert [(a.raw_output, a.partial) for a in state.ai_responses] == [(ALL, False)]
    assert paused.status is PipelineStatus.PAUSED
    assert [end.status for end in setup.finished()] == ["complete"]


@pytest.mark.parametrize("moment", range(40))
async def test_a_pause_pauses_at_whatever_moment_it_comes(
    setup: EngineSetup, moment: int
) -> None:
    """Also when the last answer ends in the same turn of the loop."""
    setup.models.script(MODEL, "quick")
    run = await setup.run()
    await setup.ask(run)
    for _ in range(moment):
        await asyncio.sleep(0)
    paused = await setup.engine.pause_run(run.pipeline_run_id)
    assert paused.status is PipelineStatus.PAUSED
    assert setup.stored(run).status is PipelineStatus.PAUSED


async def test_a_cancel_before_the_first_call_leaves_nothing_behind(
    setup: EngineSetup, store: MoodyStore
) -> None:
    """The run waits for nobody: PAUSED, its step PENDING, nothing sent."""
    store.slow = True
    run = await setup.run()
    asking = asyncio.create_task(setup.ask(run))
    await store.waiting.wait()
    asking.cancel()
    await asyncio.sleep(0)
    store.release.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    after = setup.stored(run)
    assert after.steps["angles"].status is StepStatus.PENDING
    assert after.status is PipelineStatus.PAUSED
    assert setup.models.calls == []


async def interrupted(setup: EngineSetup, store: MoodyStore) -> PipelineRun:
    """A run whose answer ended when the disk was full."""
    gate = setup.models.gate(MODEL, "all ")
    run = await setup.run()
    asking = await setup.ask(run)
    await gate.reached.wait()
    store.full = True
    gate.open()
    with pytest.raises(StoreError) as told:
        await setup.engine.wait_for_generation(asking)
    assert told.value.reason == "full"
    return run


async def test_an_answer_the_store_does_not_take_is_shown_all_the_same(
    setup: EngineSetup, store: MoodyStore
) -> None:
    """The run is PAUSED in memory, its text there, and the stream says why."""
    run = await interrupted(setup, store)
    shown = await setup.engine.load_run(run.pipeline_run_id)
    assert shown.status is PipelineStatus.PAUSED
    texts = [answer.raw_output for answer in shown.steps["angles"].ai_responses]
    assert texts == [ALL]
    (end,) = setup.finished()
    assert (end.index, end.status, end.message) == (None, "failed", FULL.message)


async def test_what_the_store_did_not_take_is_written_before_the_next_decision(
    setup: EngineSetup, store: MoodyStore
) -> None:
    """Refused while the disk is full, and with room again nothing is missing."""
    run = await interrupted(setup, store)

    async def choose() -> PipelineRun:
        return await setup.engine.execute(
            run.pipeline_run_id,
            lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
        )

    with pytest.raises(StoreError):
        await choose()
    store.full = False
    chosen = await choose()
    assert chosen.steps["angles"].content == ALL
    kinds = [event.type for event in store.events(run.pipeline_run_id)]
    assert kinds[-5:] == [
        "response_received",
        "run_paused",
        "run_resumed",
        "response_selected",
        "step_completed",
    ]
    assert setup.engine.transactions.pending_writes == ()


async def test_what_the_store_did_not_take_is_written_by_itself(
    setup: EngineSetup, store: MoodyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as there is room, at the next beat; the lease is given back then."""
    monkeypatch.setattr("writeit.engine.leases.HEARTBEAT_SECONDS", 0)
    run = await interrupted(setup, store)
    found = asyncio.Event()
    setup.engine.start_monitoring(lambda _: found.set())
    store.full = False
    await asyncio.wait_for(found.wait(), TIMEOUT)
    stored = store.get_run(run.pipeline_run_id)
    assert stored is not None
    assert stored.run.status is PipelineStatus.PAUSED
    assert store.lease(run.pipeline_run_id) is None
    await setup.engine.close()


async def test_an_answer_in_time_takes_the_one_before_it_along(
    setup: EngineSetup, store: MoodyStore
) -> None:
    """The disk had room again before the last answer ended: no error, nothing lost."""
    first, second = setup.models.gate(MODEL, "one"), setup.models.gate(OTHER, "two")
    run = await setup.run()
    asking = await setup.ask(run, MODEL, OTHER)
    await first.reached.wait()
    await second.reached.wait()
    store.full = True
    first.open()
    await setup.until_seen(ResponseFinished)
    store.full = False
    second.open()
    state = await setup.engine.wait_for_generation(asking)
    texts = [answer.raw_output for answer in state.ai_responses]
    assert texts == ["oneafter the gate.", "twoafter the gate."]
    assert setup.stored(run).status is PipelineStatus.RUNNING


async def test_an_engine_ends_while_the_disk_is_full(
    setup: EngineSetup, store: MoodyStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so and goes; an editor must be able to quit."""
    await interrupted(setup, store)
    await setup.engine.close()
    assert FULL.message in caplog.text


async def test_who_is_busy_is_told_to_whoever_asks_too(setup: EngineSetup) -> None:
    """Not only to those who choose."""
    gate = setup.models.gate(MODEL, "half ")
    run = await setup.run()
    await setup.ask(run)
    await gate.reached.wait()
    other = EngineSetup(store=setup.store, models=setup.models)
    other.engine.transactions.session = other.engine.session.evolve(
        session_id=setup.clock.new_id()
    )
    with pytest.raises(Busy) as busy:
        await other.engine.generate(
            GenerateStep(run_id=run.pipeline_run_id, models=(MODEL,))
        )
    assert busy.value.data["pid"] == 1
    with pytest.raises(Busy) as busy:
        await other.engine.delete_run(run.pipeline_run_id)
    assert busy.value.data["pid"] == 1
    await setup.engine.close()


async def test_one_run_that_is_gone_does_not_end_the_watch(
    setup: EngineSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else took it over and deleted it in the same moment."""
    gate = setup.models.gate(MODEL, "half ")
    run = await setup.run()
    asking = await setup.ask(run)
    await gate.reached.wait()
    watch = LeaseMonitor(
        setup.store, setup.engine.transactions, setup.clock, setup.processes
    )
    setup.processes.dead.add(1)
    monkeypatch.setattr(setup.store, "get_run", lambda _: None)
    assert await watch.recover_lost_runs(set()) == [run.pipeline_run_id]
    monkeypatch.undo()
    gate.open()
    await setup.engine.wait_for_generation(asking)


async def test_a_stop_and_the_end_of_the_last_answer_are_one_decision(
    setup: EngineSetup,
) -> None:
    """Killed between the two, the run would be RUNNING and nobody's."""
    run = await setup.run()
    gates = [setup.models.gate(model, "half ") for model in (MODEL, OTHER)]
    await setup.ask(run, MODEL, OTHER)
    for gate in gates:
        await gate.reached.wait()
    committed: list[tuple[type, ...]] = []
    write = setup.store.commit

    async def watched(commit: RunCommit) -> int:
        committed.append(tuple(type(event) for event in commit.events))
        return await write(commit)

    setup.store.commit = watched  # type: ignore[method-assign]  # to look on
    await setup.engine.pause_run(run.pipeline_run_id)
    cut = e.ResponseInterrupted
    assert committed[-1] == (cut, e.RunPaused)
    assert (e.RunPaused,) not in committed
