"""How answers end when they are stopped late, or when the store cannot write."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.engine_setup import MODEL, OTHER, EngineSetup
from support.waiting import TIMEOUT
from writeit.domain import events as e
from writeit.domain.errors import Busy, StoreError
from writeit.domain.operations import select
from writeit.domain.run import PipelineRun, PipelineStatus, StepStatus
from writeit.engine.leases import LeaseMonitor
from writeit.engine.requests import GenerateStep
from writeit.engine.streaming import ResponseFinished
from writeit.ports.store import RunCommit
from writeit.storage.store import LmdbStore

ALL = "all after the gate."
"""The whole text of a gated model."""
FULL = StoreError("the disk is full", reason="full", hint="Free some space.")
ANSWERS = (e.StepStarted, e.ResponseReceived)


class UnreliableStore(LmdbStore):
    """A store that is slow, or cannot write."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.full = False
        self.slow = False
        self.waiting = asyncio.Event()
        """Set when a commit waits for `release`."""
        self.release = asyncio.Event()

    async def commit(self, decision: RunCommit) -> int:
        """Write, or raise if full; if slow, answers wait for `release`."""
        if self.full:
            raise FULL
        if self.slow and isinstance(decision.events[0], ANSWERS):
            self.waiting.set()
            await self.release.wait()
        return await super().commit(decision)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[UnreliableStore]:
    """A store without faults until a test sets one."""
    store = UnreliableStore(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture
def setup(store: UnreliableStore) -> EngineSetup:
    """An engine with the unreliable store."""
    return EngineSetup(store=store)


async def test_a_stop_while_an_answer_is_written_keeps_it_whole(
    setup: EngineSetup, store: UnreliableStore
) -> None:
    """The answer ended before the stop, so it is complete; the run is PAUSED."""
    gate = setup.models.gate(MODEL, "all ")
    run = await setup.run()
    generation = await setup.ask(run)
    store.slow = True
    gate.open()
    await store.waiting.wait()
    pausing = asyncio.create_task(setup.engine.pause_run(run.pipeline_run_id))
    await asyncio.sleep(0)
    store.release.set()
    paused = await pausing
    state = await setup.engine.wait_for_generation(generation)
    assert [(a.raw_output, a.partial) for a in state.ai_responses] == [(ALL, False)]
    assert paused.status is PipelineStatus.PAUSED
    assert [end.status for end in setup.finished()] == ["complete"]


@pytest.mark.parametrize("moment", range(40))
async def test_a_pause_works_at_any_moment(setup: EngineSetup, moment: int) -> None:
    """Also when the last answer ends in the same turn of the loop."""
    setup.models.script(MODEL, "quick")
    run = await setup.run()
    await setup.ask(run)
    for _ in range(moment):
        await asyncio.sleep(0)
    paused = await setup.engine.pause_run(run.pipeline_run_id)
    assert paused.status is PipelineStatus.PAUSED
    assert setup.stored(run).status is PipelineStatus.PAUSED


async def test_cancelling_before_the_first_call_leaves_the_step_pending(
    setup: EngineSetup, store: UnreliableStore
) -> None:
    """The run is PAUSED and nothing is sent."""
    store.slow = True
    run = await setup.run()
    generation = asyncio.create_task(setup.ask(run))
    await store.waiting.wait()
    generation.cancel()
    await asyncio.sleep(0)
    store.release.set()
    with pytest.raises(asyncio.CancelledError):
        await generation
    after = setup.stored(run)
    assert after.steps["angles"].status is StepStatus.PENDING
    assert after.status is PipelineStatus.PAUSED
    assert setup.models.calls == []


async def interrupted(setup: EngineSetup, store: UnreliableStore) -> PipelineRun:
    """Return a run whose answer ended when the disk was full."""
    gate = setup.models.gate(MODEL, "all ")
    run = await setup.run()
    generation = await setup.ask(run)
    await gate.reached.wait()
    store.full = True
    gate.open()
    with pytest.raises(StoreError) as caught:
        await setup.engine.wait_for_generation(generation)
    assert caught.value.reason == "full"
    return run


async def test_an_answer_that_could_not_be_written_is_shown(
    setup: EngineSetup, store: UnreliableStore
) -> None:
    """The run is PAUSED in memory with its text; the stream has the error."""
    run = await interrupted(setup, store)
    shown = await setup.engine.load_run(run.pipeline_run_id)
    assert shown.status is PipelineStatus.PAUSED
    texts = [answer.raw_output for answer in shown.steps["angles"].ai_responses]
    assert texts == [ALL]
    (end,) = setup.finished()
    assert (end.index, end.status, end.message) == (None, "failed", FULL.message)


async def test_pending_writes_come_before_the_next_decision(
    setup: EngineSetup, store: UnreliableStore
) -> None:
    """The decision fails while the disk is full; afterwards nothing is missing."""
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


async def test_pending_writes_are_written_by_the_next_heartbeat(
    setup: EngineSetup, store: UnreliableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is released with them."""
    monkeypatch.setattr("writeit.engine.leases.HEARTBEAT_SECONDS", 0)
    run = await interrupted(setup, store)
    found = asyncio.Event()
    setup.engine.transactions.on_change = lambda _: found.set()
    setup.engine.start_monitoring()
    store.full = False
    await asyncio.wait_for(found.wait(), TIMEOUT)
    stored = store.get_run(run.pipeline_run_id)
    assert stored is not None
    assert stored.run.status is PipelineStatus.PAUSED
    assert store.lease(run.pipeline_run_id) is None
    await setup.engine.close()


async def test_the_next_answer_writes_the_pending_one(
    setup: EngineSetup, store: UnreliableStore
) -> None:
    """If the disk has space before the last answer ends, nothing is lost."""
    first, second = setup.models.gate(MODEL, "one"), setup.models.gate(OTHER, "two")
    run = await setup.run()
    generation = await setup.ask(run, MODEL, OTHER)
    await first.reached.wait()
    await second.reached.wait()
    store.full = True
    first.open()
    await setup.until_seen(ResponseFinished)
    store.full = False
    second.open()
    state = await setup.engine.wait_for_generation(generation)
    texts = [answer.raw_output for answer in state.ai_responses]
    assert texts == ["oneafter the gate.", "twoafter the gate."]
    assert setup.stored(run).status is PipelineStatus.RUNNING


async def test_an_engine_can_close_while_the_disk_is_full(
    setup: EngineSetup, store: UnreliableStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It logs the error, because an editor must be able to quit."""
    await interrupted(setup, store)
    await setup.engine.close()
    assert FULL.message in caplog.text


async def test_generating_or_deleting_a_busy_run_names_the_process(
    setup: EngineSetup,
) -> None:
    """Another engine cannot use the run while its answers stream."""
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


async def test_a_run_deleted_during_recovery_is_no_error(
    setup: EngineSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process recovered and deleted it at the same moment."""
    gate = setup.models.gate(MODEL, "half ")
    run = await setup.run()
    generation = await setup.ask(run)
    await gate.reached.wait()
    monitor = LeaseMonitor(
        setup.store, setup.engine.transactions, setup.clock, setup.processes
    )
    setup.processes.dead.add(1)
    monkeypatch.setattr(setup.store, "get_run", lambda _: None)
    assert await monitor.recover_lost_runs(set()) == [run.pipeline_run_id]
    monkeypatch.undo()
    gate.open()
    await setup.engine.wait_for_generation(generation)


async def test_a_stop_and_the_end_of_the_last_answer_are_one_decision(
    setup: EngineSetup,
) -> None:
    """A crash between two decisions would leave the run RUNNING without an owner."""
    run = await setup.run()
    gates = [setup.models.gate(model, "half ") for model in (MODEL, OTHER)]
    await setup.ask(run, MODEL, OTHER)
    for gate in gates:
        await gate.reached.wait()
    committed: list[tuple[type, ...]] = []
    write = setup.store.commit

    async def recording(commit: RunCommit) -> int:
        committed.append(tuple(type(event) for event in commit.events))
        return await write(commit)

    setup.store.commit = recording  # type: ignore[method-assign]  # to record commits
    await setup.engine.pause_run(run.pipeline_run_id)
    assert committed[-1] == (e.ResponseInterrupted, e.RunPaused)
    assert (e.RunPaused,) not in committed
