"""What another process does with runs is found out, and only that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.test_watch import beside
from support.bench import MODEL
from support.waiting import awaited
from writeit.core import decide
from writeit.engine.others import NEWEST, Others

if TYPE_CHECKING:
    from support.bench import Bench


def looking(bench: Bench) -> Others:
    """Eyes of the bench's engine that know what is there."""
    others = Others(bench.store, bench.engine.ledger)
    assert others.look() == ([], [])
    return others


async def test_a_decision_made_elsewhere_is_found_once(bench: Bench) -> None:
    """And a second look finds nothing."""
    run = await bench.run()
    others = looking(bench)
    await beside(bench).decide(
        run.pipeline_run_id, lambda run, at: decide.skip(run, run.steps["angles"], at)
    )
    assert others.look() == ([run.pipeline_run_id], [])
    assert others.look() == ([], [])


async def test_what_we_decide_ourselves_is_no_news(bench: Bench) -> None:
    """It was told when it was decided."""
    run = await bench.run()
    others = looking(bench)
    await bench.engine.decide(
        run.pipeline_run_id, lambda run, at: decide.skip(run, run.steps["angles"], at)
    )
    assert others.look() == ([], [])


async def test_answers_that_stream_elsewhere_are_told_of_while_they_do(
    bench: Bench,
) -> None:
    """Each look finds them if text has come since; ours are not among them."""
    run = await bench.run()
    others = looking(bench)
    gate = bench.models.gate(MODEL, "half ")
    await bench.ask(run, MODEL)
    await gate.reached.wait()
    assert others.look([run.pipeline_run_id]) == ([], [])
    written = bench.store.last_write()
    bench.store.journal(run.pipeline_run_id, bench.engine.new_id(), "more")
    await awaited(lambda: bench.store.last_write() > written)
    assert others.look()[1] == [run.pipeline_run_id]
    await bench.engine.pause(run.pipeline_run_id)


async def test_a_run_deleted_elsewhere_is_found(bench: Bench) -> None:
    """Its lens goes."""
    run = await bench.run()
    others = looking(bench)
    await beside(bench).delete(run.pipeline_run_id)
    assert others.look() == ([run.pipeline_run_id], [])


async def test_looking_costs_the_same_however_many_runs_there_are(
    bench: Bench,
) -> None:
    """What falls off the newest is let go."""
    runs = [await bench.run() for _ in range(NEWEST + 5)]
    others = looking(bench)
    newer = await beside(bench).branch(runs[-1].pipeline_run_id, "angles")
    assert others.look() == ([newer.pipeline_run_id], [])
