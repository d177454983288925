"""What another process does with runs is found out, and only that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.test_watch import beside
from support.engine_setup import MODEL
from support.waiting import wait_until_async
from writeit.domain.operations import select
from writeit.engine.leases import MAX_POLLED_RUNS, ExternalChanges

if TYPE_CHECKING:
    from support.engine_setup import EngineSetup


def looking(setup: EngineSetup) -> ExternalChanges:
    """Eyes of the test's engine that know what is there."""
    others = ExternalChanges(setup.store, setup.engine.transactions)
    assert others.poll() == ([], [])
    return others


async def test_a_decision_made_elsewhere_is_found_once(setup: EngineSetup) -> None:
    """And a second look finds nothing."""
    run = await setup.run()
    others = looking(setup)
    await beside(setup).execute(
        run.pipeline_run_id,
        lambda run, at: select.skip_step(run, run.steps["angles"], at),
    )
    assert others.poll() == ([run.pipeline_run_id], [])
    assert others.poll() == ([], [])


async def test_what_we_decide_ourselves_is_no_news(setup: EngineSetup) -> None:
    """It was told when it was decided."""
    run = await setup.run()
    others = looking(setup)
    await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.skip_step(run, run.steps["angles"], at),
    )
    assert others.poll() == ([], [])


async def test_answers_that_stream_elsewhere_are_told_of_while_they_do(
    setup: EngineSetup,
) -> None:
    """Each look finds them if text has come since; ours are not among them."""
    run = await setup.run()
    others = looking(setup)
    gate = setup.models.gate(MODEL, "half ")
    await setup.ask(run, MODEL)
    await gate.reached.wait()
    assert others.poll([run.pipeline_run_id]) == ([], [])
    written = setup.store.last_transaction_id()
    setup.store.append_journal(run.pipeline_run_id, setup.engine.new_id(), "more")
    await wait_until_async(lambda: setup.store.last_transaction_id() > written)
    assert others.poll()[1] == [run.pipeline_run_id]
    await setup.engine.pause_run(run.pipeline_run_id)


async def test_a_run_deleted_elsewhere_is_found(setup: EngineSetup) -> None:
    """Its lens goes."""
    run = await setup.run()
    others = looking(setup)
    await beside(setup).delete_run(run.pipeline_run_id)
    assert others.poll() == ([run.pipeline_run_id], [])


async def test_looking_costs_the_same_however_many_runs_there_are(
    setup: EngineSetup,
) -> None:
    """What falls off the newest is let go."""
    runs = [await setup.run() for _ in range(MAX_POLLED_RUNS + 5)]
    others = looking(setup)
    newer = await beside(setup).branch_run(runs[-1].pipeline_run_id, "angles")
    assert others.poll() == ([newer.pipeline_run_id], [])
