"""Leases: taken and given back with the decisions, and taken over from the dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.bench import MODEL, OTHER, Bench, LivingProcesses
from writeit.domain.errors import Busy
from writeit.domain.operations import select
from writeit.domain.run import PipelineStatus, StepStatus
from writeit.domain.session import SessionProcess
from writeit.engine.engine import Engine
from writeit.engine.leases import LEASE_TIMEOUT, LeaseMonitor

if TYPE_CHECKING:
    from writeit.domain.run import PipelineRun


class Neighbour(LivingProcesses):
    """Another process."""

    def current_process(self) -> tuple[int, float]:
        """Not the bench's."""
        return 2, 0.0


def beside(bench: Bench) -> Engine:
    """An engine of another process on the same store."""
    processes = Neighbour()
    processes.dead = bench.processes.dead
    return Engine(
        models=bench.models,
        store=bench.store,
        clock=bench.clock,
        processes=processes,
        session=bench.engine.session.evolve(session_id=bench.clock.new_id()),
    )


def watch_of(bench: Bench) -> LeaseMonitor:
    """What keeps the leases of the bench's engine."""
    engine = bench.engine
    return LeaseMonitor(bench.store, engine.transactions, bench.clock, bench.processes)


async def streaming(bench: Bench) -> PipelineRun:
    """A run of the bench's engine with text on its way and a call of which none is."""
    run = await bench.run()
    gate = bench.models.gate(MODEL, "half ")
    silent = bench.models.gate(OTHER)
    await bench.ask(run, MODEL, OTHER)
    await gate.reached.wait()
    await silent.reached.wait()
    return run


async def test_the_lease_lasts_as_long_as_the_answers(bench: Bench) -> None:
    """Taken by the decision that asks, given back by the one that ends the last."""
    run = await streaming(bench)
    lease = bench.store.lease(run.pipeline_run_id)
    assert lease is not None
    assert lease.pid == 1
    await bench.engine.pause_run(run.pipeline_run_id)
    assert bench.store.lease(run.pipeline_run_id) is None


async def test_a_neighbour_is_told_who_is_busy(bench: Bench) -> None:
    """Another editor may not choose while this one streams, and hears why."""
    run = await streaming(bench)
    with pytest.raises(Busy) as busy:
        await beside(bench).execute(
            run.pipeline_run_id,
            lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
        )
    assert busy.value.data["pid"] == 1
    await bench.engine.close()


async def test_a_dead_owners_run_is_found_paused_with_what_was_journaled(
    bench: Bench,
) -> None:
    """Text becomes a partial answer, silence a failure, the run PAUSED."""
    run = await streaming(bench)
    bench.processes.dead.add(1)
    found = await beside(bench).load_run(run.pipeline_run_id)
    assert found.status is PipelineStatus.PAUSED
    step = found.steps["angles"]
    assert [(a.raw_output, a.partial) for a in step.ai_responses] == [("half ", True)]
    assert [failure.reason for failure in step.failures] == ["cancelled"]
    assert bench.store.lease(run.pipeline_run_id) is None
    await bench.engine.close()


async def test_an_owner_that_stood_still_learns_that_its_run_was_taken(
    bench: Bench,
) -> None:
    """Nothing is written twice, and what it says names the reason."""
    run = await streaming(bench)
    bench.processes.dead.add(1)
    await beside(bench).load_run(run.pipeline_run_id)
    await bench.engine.close()
    after = bench.stored(run)
    assert after.status is PipelineStatus.PAUSED
    assert len(after.steps["angles"].ai_responses) == 1
    assert any("taken over" in (e.message or "") for e in bench.finished())


async def test_a_living_owner_keeps_its_run(bench: Bench) -> None:
    """Looking does not take."""
    run = await streaming(bench)
    shown = await beside(bench).load_run(run.pipeline_run_id)
    assert shown.is_streaming
    await bench.engine.close()


async def test_an_owner_that_does_not_beat_has_lost_its_lease(bench: Bench) -> None:
    """A process that hangs cannot keep a run from everybody for ever."""
    run = await streaming(bench)
    for _ in range(int(LEASE_TIMEOUT.total_seconds()) + 1):
        bench.clock.now()
    shown = await beside(bench).load_run(run.pipeline_run_id)
    assert shown.steps["angles"].status is StepStatus.RUNNING
    assert not shown.is_streaming
    await bench.engine.close()


async def test_a_beat_keeps_the_lease(bench: Bench) -> None:
    """Heartbeats are renewed while there is something to keep."""
    run = await streaming(bench)
    before = bench.store.lease(run.pipeline_run_id)
    await watch_of(bench).renew_leases([run.pipeline_run_id])
    after = bench.store.lease(run.pipeline_run_id)
    assert before is not None
    assert after is not None
    assert after.heartbeat > before.heartbeat
    await bench.engine.close()


async def test_a_dead_processs_session_is_ended_by_the_next_that_looks(
    bench: Bench,
) -> None:
    """A session ends with its connection, and at the latest with its process."""
    await bench.run()
    mine = bench.engine.session.evolve(process=SessionProcess(pid=1, started=0.0))
    dead = mine.evolve(
        session_id=bench.clock.new_id(), process=SessionProcess(pid=7, started=0.0)
    )
    for session in (mine, dead):
        await bench.store.save_session(session)
    bench.processes.dead.add(7)
    await watch_of(bench).end_dead_sessions()
    active = [session.session_id for session in bench.store.active_sessions()]
    assert active == [mine.session_id]
    assert bench.store.session(dead.session_id) is not None
