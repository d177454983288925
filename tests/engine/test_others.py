"""What another process does with runs is found out, and only that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.test_watch import beside
from support.bench import MODEL
from support.waiting import awaited
from writeit.domain.operations import select
from writeit.engine.leases import MAX_POLLED_RUNS, ExternalChanges

if TYPE_CHECKING:
    from support.bench import Bench


def looking(bench: Bench) -> ExternalChanges:
    """Eyes of the bench's engine that know what is there."""
    others = ExternalChanges(bench.store, bench.engine.transactions)
    assert others.poll() == ([], [])
    return others


async def test_a_decision_made_elsewhere_is_found_once(bench: Bench) -> None:
    """And a second look finds nothing."""
    run = await bench.run()
    others = looking(bench)
    await beside(bench).execute(
        run.pipeline_run_id,
        lambda run, at: select.skip_step(run, run.steps["angles"], at),
    )
    assert others.poll() == ([run.pipeline_run_id], [])
    assert others.poll() == ([], [])


async def test_what_we_decide_ourselves_is_no_news(bench: Bench) -> None:
    """It was told when it was decided."""
    run = await bench.run()
    others = looking(bench)
    await bench.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.skip_step(run, run.steps["angles"], at),
    )
    assert others.poll() == ([], [])


async def test_answers_that_stream_elsewhere_are_told_of_while_they_do(
    bench: Bench,
) -> None:
    """Each look finds them if text has come since; ours are not among them."""
    run = await bench.run()
    others = looking(bench)
    gate = bench.models.gate(MODEL, "half ")
    await bench.ask(run, MODEL)
    await gate.reached.wait()
    assert others.poll([run.pipeline_run_id]) == ([], [])
    written = bench.store.last_transaction_id()
    bench.store.append_journal(run.pipeline_run_id, bench.engine.new_id(), "more")
    await awaited(lambda: bench.store.last_transaction_id() > written)
    assert others.poll()[1] == [run.pipeline_run_id]
    await bench.engine.pause_run(run.pipeline_run_id)


async def test_a_run_deleted_elsewhere_is_found(bench: Bench) -> None:
    """Its lens goes."""
    run = await bench.run()
    others = looking(bench)
    await beside(bench).delete_run(run.pipeline_run_id)
    assert others.poll() == ([run.pipeline_run_id], [])


async def test_looking_costs_the_same_however_many_runs_there_are(
    bench: Bench,
) -> None:
    """What falls off the newest is let go."""
    runs = [await bench.run() for _ in range(MAX_POLLED_RUNS + 5)]
    others = looking(bench)
    newer = await beside(bench).branch_run(runs[-1].pipeline_run_id, "angles")
    assert others.poll() == ([newer.pipeline_run_id], [])
