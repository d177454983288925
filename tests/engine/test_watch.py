"""Leases: taken and given back with the decisions, and taken over from the dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.engine_setup import MODEL, OTHER, EngineSetup, FakeProcesses
from writeit.domain.errors import Busy
from writeit.domain.operations import select
from writeit.domain.run import PipelineStatus, StepStatus
from writeit.domain.session import SessionProcess
from writeit.engine.engine import Engine
from writeit.engine.leases import LEASE_TIMEOUT, LeaseMonitor

if TYPE_CHECKING:
    from writeit.domain.run import PipelineRun


class Neighbour(FakeProcesses):
    """Another process."""

    def current_process(self) -> tuple[int, float]:
        """Not the test's."""
        return 2, 0.0


def beside(setup: EngineSetup) -> Engine:
    """An engine of another process on the same store."""
    processes = Neighbour()
    processes.dead = setup.processes.dead
    return Engine(
        models=setup.models,
        store=setup.store,
        clock=setup.clock,
        processes=processes,
        session=setup.engine.session.evolve(session_id=setup.clock.new_id()),
    )


def watch_of(setup: EngineSetup) -> LeaseMonitor:
    """What keeps the leases of the test's engine."""
    engine = setup.engine
    return LeaseMonitor(setup.store, engine.transactions, setup.clock, setup.processes)


async def streaming(setup: EngineSetup) -> PipelineRun:
    """A run of the test's engine with text on its way and a call of which none is."""
    run = await setup.run()
    gate = setup.models.gate(MODEL, "half ")
    silent = setup.models.gate(OTHER)
    await setup.ask(run, MODEL, OTHER)
    await gate.reached.wait()
    await silent.reached.wait()
    return run


async def test_the_lease_lasts_as_long_as_the_answers(setup: EngineSetup) -> None:
    """Taken by the decision that asks, given back by the one that ends the last."""
    run = await streaming(setup)
    lease = setup.store.lease(run.pipeline_run_id)
    assert lease is not None
    assert lease.pid == 1
    await setup.engine.pause_run(run.pipeline_run_id)
    assert setup.store.lease(run.pipeline_run_id) is None


async def test_a_neighbour_is_told_who_is_busy(setup: EngineSetup) -> None:
    """Another editor may not choose while this one streams, and hears why."""
    run = await streaming(setup)
    with pytest.raises(Busy) as busy:
        await beside(setup).execute(
            run.pipeline_run_id,
            lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
        )
    assert busy.value.data["pid"] == 1
    await setup.engine.close()


async def test_a_dead_owners_run_is_found_paused_with_what_was_journaled(
    setup: EngineSetup,
) -> None:
    """Text becomes a partial answer, silence a failure, the run PAUSED."""
    run = await streaming(setup)
    setup.processes.dead.add(1)
    found = await beside(setup).load_run(run.pipeline_run_id)
    assert found.status is PipelineStatus.PAUSED
    step = found.steps["angles"]
    assert [(a.raw_output, a.partial) for a in step.ai_responses] == [("half ", True)]
    assert [failure.reason for failure in step.failures] == ["cancelled"]
    assert setup.store.lease(run.pipeline_run_id) is None
    await setup.engine.close()


async def test_an_owner_that_stood_still_learns_that_its_run_was_taken(
    setup: EngineSetup,
) -> None:
    """Nothing is written twice, and what it says names the reason."""
    run = await streaming(setup)
    setup.processes.dead.add(1)
    await beside(setup).load_run(run.pipeline_run_id)
    await setup.engine.close()
    after = setup.stored(run)
    assert after.status is PipelineStatus.PAUSED
    assert len(after.steps["angles"].ai_responses) == 1
    messages = [e.message or "" for e in setup.finished()]
    assert any("taken over this run" in message for message in messages)


async def test_a_living_owner_keeps_its_run(setup: EngineSetup) -> None:
    """Looking does not take."""
    run = await streaming(setup)
    shown = await beside(setup).load_run(run.pipeline_run_id)
    assert shown.is_streaming
    await setup.engine.close()


async def test_an_owner_that_does_not_beat_has_lost_its_lease(
    setup: EngineSetup,
) -> None:
    """A process that hangs cannot keep a run from everybody for ever."""
    run = await streaming(setup)
    for _ in range(int(LEASE_TIMEOUT.total_seconds()) + 1):
        setup.clock.now()
    shown = await beside(setup).load_run(run.pipeline_run_id)
    assert shown.steps["angles"].status is StepStatus.RUNNING
    assert not shown.is_streaming
    await setup.engine.close()


async def test_a_beat_keeps_the_lease(setup: EngineSetup) -> None:
    """Heartbeats are renewed while there is something to keep."""
    run = await streaming(setup)
    before = setup.store.lease(run.pipeline_run_id)
    await watch_of(setup).renew_leases([run.pipeline_run_id])
    after = setup.store.lease(run.pipeline_run_id)
    assert before is not None
    assert after is not None
    assert after.heartbeat > before.heartbeat
    await setup.engine.close()


async def test_a_dead_processs_session_is_ended_by_the_next_that_looks(
    setup: EngineSetup,
) -> None:
    """A session ends with its connection, and at the latest with its process."""
    await setup.run()
    mine = setup.engine.session.evolve(process=SessionProcess(pid=1, started=0.0))
    dead = mine.evolve(
        session_id=setup.clock.new_id(), process=SessionProcess(pid=7, started=0.0)
    )
    for session in (mine, dead):
        await setup.store.save_session(session)
    setup.processes.dead.add(7)
    await watch_of(setup).end_dead_sessions()
    active = [session.session_id for session in setup.store.active_sessions()]
    assert active == [mine.session_id]
    assert setup.store.session(dead.session_id) is not None
