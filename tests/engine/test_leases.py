"""Leases: acquired and released with decisions, and recovered from dead processes."""

import pytest

from support.engine_setup import MODEL, OTHER, EngineSetup, FakeProcesses
from writeit.domain.errors import Busy
from writeit.domain.operations import select
from writeit.domain.run import PipelineRun, PipelineStatus, StepStatus
from writeit.domain.session import SessionProcess
from writeit.engine.engine import Engine
from writeit.engine.leases import LEASE_TIMEOUT, LeaseMonitor


class OtherProcess(FakeProcesses):
    """Reports another process as the current one."""

    def current_process(self) -> tuple[int, float]:
        """Return a pid that is not the test engine's."""
        return 2, 0.0


def other_engine(setup: EngineSetup) -> Engine:
    """Return an engine of another process on the same store."""
    processes = OtherProcess()
    processes.dead = setup.processes.dead
    return Engine(
        models=setup.models,
        store=setup.store,
        clock=setup.clock,
        processes=processes,
        session=setup.engine.session.evolve(session_id=setup.clock.new_id()),
    )


def lease_monitor(setup: EngineSetup) -> LeaseMonitor:
    """Return the lease monitor of the test's engine."""
    engine = setup.engine
    return LeaseMonitor(setup.store, engine.transactions, setup.clock, setup.processes)


async def streaming(setup: EngineSetup) -> PipelineRun:
    """Return a run with one call that has sent text and one that has not."""
    run = await setup.run()
    gate = setup.models.gate(MODEL, "half ")
    silent = setup.models.gate(OTHER)
    await setup.ask(run, MODEL, OTHER)
    await gate.reached.wait()
    await silent.reached.wait()
    return run


async def test_the_lease_lasts_until_the_last_answer_ends(setup: EngineSetup) -> None:
    """It is written and removed with the decisions."""
    run = await streaming(setup)
    lease = setup.store.lease(run.pipeline_run_id)
    assert lease is not None
    assert lease.pid == 1
    await setup.engine.pause_run(run.pipeline_run_id)
    assert setup.store.lease(run.pipeline_run_id) is None


async def test_another_process_gets_busy_with_the_owners_pid(
    setup: EngineSetup,
) -> None:
    """Another editor cannot choose while answers stream."""
    run = await streaming(setup)
    with pytest.raises(Busy) as busy:
        await other_engine(setup).execute(
            run.pipeline_run_id,
            lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
        )
    assert busy.value.data["pid"] == 1
    await setup.engine.close()


async def test_the_run_of_a_dead_owner_keeps_its_journaled_text(
    setup: EngineSetup,
) -> None:
    """Calls with text are partial answers, changes failures; the run is PAUSED."""
    run = await streaming(setup)
    setup.processes.dead.add(1)
    found = await other_engine(setup).load_run(run.pipeline_run_id)
    assert found.status is PipelineStatus.PAUSED
    step = found.steps["angles"]
    assert [(a.raw_output, a.partial) for a in step.ai_responses] == [("half ", True)]
    assert [failure.reason for failure in step.failures] == ["cancelled"]
    assert setup.store.lease(run.pipeline_run_id) is None
    await setup.engine.close()


async def test_a_suspended_owner_learns_that_it_lost_its_run(
    setup: EngineSetup,
) -> None:
    """Nothing is written twice, and the message has the reason."""
    run = await streaming(setup)
    setup.processes.dead.add(1)
    await other_engine(setup).load_run(run.pipeline_run_id)
    await setup.engine.close()
    after = setup.stored(run)
    assert after.status is PipelineStatus.PAUSED
    assert len(after.steps["angles"].ai_responses) == 1
    messages = [e.message or "" for e in setup.finished()]
    assert any("taken over this run" in message for message in messages)


async def test_reading_does_not_recover_the_run_of_a_live_owner(
    setup: EngineSetup,
) -> None:
    """The answers go on streaming."""
    run = await streaming(setup)
    shown = await other_engine(setup).load_run(run.pipeline_run_id)
    assert shown.is_streaming
    await setup.engine.close()


async def test_an_owner_without_heartbeats_loses_its_lease(setup: EngineSetup) -> None:
    """A process that hangs cannot block a run forever."""
    run = await streaming(setup)
    for _ in range(int(LEASE_TIMEOUT.total_seconds()) + 1):
        setup.clock.now()
    shown = await other_engine(setup).load_run(run.pipeline_run_id)
    assert shown.steps["angles"].status is StepStatus.RUNNING
    assert not shown.is_streaming
    await setup.engine.close()


async def test_a_heartbeat_renews_the_lease(setup: EngineSetup) -> None:
    """Only leases of the runs passed are renewed."""
    run = await streaming(setup)
    before = setup.store.lease(run.pipeline_run_id)
    await lease_monitor(setup).renew_leases([run.pipeline_run_id])
    after = setup.store.lease(run.pipeline_run_id)
    assert before is not None
    assert after is not None
    assert after.heartbeat > before.heartbeat
    await setup.engine.close()


@pytest.mark.rule("settled-33")
async def test_the_session_of_a_dead_process_is_ended(setup: EngineSetup) -> None:
    """The next process that checks ends it."""
    await setup.run()
    mine = setup.engine.session.evolve(process=SessionProcess(pid=1, started=0.0))
    dead = mine.evolve(
        session_id=setup.clock.new_id(), process=SessionProcess(pid=7, started=0.0)
    )
    for session in (mine, dead):
        await setup.store.save_session(session)
    setup.processes.dead.add(7)
    await lease_monitor(setup).end_dead_sessions()
    active = [session.session_id for session in setup.store.active_sessions()]
    assert active == [mine.session_id]
    assert setup.store.session(dead.session_id) is not None
