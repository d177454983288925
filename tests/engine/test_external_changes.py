"""Changes that other processes make to runs are found."""

from engine.test_leases import other_engine
from support.engine_setup import MODEL, EngineSetup
from writeit.domain.operations import select
from writeit.engine.leases import ExternalChanges


def polling(setup: EngineSetup) -> ExternalChanges:
    """Return a poller that has seen the present state."""
    changes = ExternalChanges(setup.store, setup.engine.transactions)
    assert changes.poll() == ([], [])
    return changes


async def test_a_decision_of_another_process_is_found_once(setup: EngineSetup) -> None:
    """A second poll returns nothing."""
    run = await setup.run()
    changes = polling(setup)
    await other_engine(setup).execute(
        run.pipeline_run_id,
        lambda run, at: select.skip_step(run, run.steps["angles"], at),
    )
    assert changes.poll() == ([run.pipeline_run_id], [])
    assert changes.poll() == ([], [])


async def test_own_decisions_are_not_reported(setup: EngineSetup) -> None:
    """They were reported when they were made."""
    run = await setup.run()
    changes = polling(setup)
    await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.skip_step(run, run.steps["angles"], at),
    )
    assert changes.poll() == ([], [])


async def test_streams_of_another_process_are_reported(setup: EngineSetup) -> None:
    """A poll returns them, without the engine's own runs."""
    run = await setup.run()
    changes = polling(setup)
    gate = setup.models.gate(MODEL, "half ")
    await setup.ask(run, MODEL)
    await gate.reached.wait()
    assert changes.poll([run.pipeline_run_id]) == ([], [])
    assert changes.poll() == ([], [run.pipeline_run_id])
    await setup.engine.pause_run(run.pipeline_run_id)


async def test_a_run_deleted_by_another_process_is_found(setup: EngineSetup) -> None:
    """So its lens can be removed."""
    run = await setup.run()
    changes = polling(setup)
    await other_engine(setup).delete_run(run.pipeline_run_id)
    assert changes.poll() == ([run.pipeline_run_id], [])


async def test_a_change_of_an_old_run_is_found(setup: EngineSetup) -> None:
    """However many runs are newer."""
    runs = [await setup.run() for _ in range(60)]
    changes = polling(setup)
    await other_engine(setup).execute(
        runs[0].pipeline_run_id,
        lambda run, at: select.skip_step(run, run.steps["angles"], at),
    )
    assert changes.poll() == ([runs[0].pipeline_run_id], [])
