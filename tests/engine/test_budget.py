"""Budgets: what could cost too much is not sent, and what is unknown is said."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from support.engine_setup import MODEL, OTHER, PIPELINE
from writeit.domain.errors import BudgetExceeded, ModelError, StoreError
from writeit.domain.operations import select
from writeit.domain.run import PipelineStatus
from writeit.domain.session import CostLimits, Settings
from writeit.engine.precedence import ModelSelection
from writeit.engine.streaming import GenerationNotice

if TYPE_CHECKING:
    from support.engine_setup import EngineSetup
    from writeit.domain.run import PipelineRun

CAPPED = PIPELINE.evolve(
    steps=tuple(step.evolve(max_tokens=97) for step in PIPELINE.steps)
)
"""Three words of prompt and 97 tokens of answer: at most 100 tokens a call."""
CALL = 1e-4
"""US dollars that a call of the first step may cost."""


def limited(
    setup: EngineSetup, run: float | None = None, day: float | None = None
) -> None:
    """Set limits in the writer's settings."""
    limits = CostLimits(run=run, day=day)
    setup.wishes = ModelSelection(settings=Settings(max_cost_usd=limits))


async def answered(setup: EngineSetup, run: PipelineRun, *models: str) -> None:
    """Ask the current step and wait for the end."""
    await setup.engine.wait_for_generation(await setup.ask(run, *models))


@pytest.mark.parametrize(
    ("models", "limit", "sent"),
    [
        ((MODEL,), CALL, True),
        ((MODEL,), 0.99 * CALL, False),
        ((MODEL, OTHER), 2 * CALL, True),
        ((MODEL, OTHER), 1.9 * CALL, False),
        ((MODEL,), 0.0, False),
    ],
)
@pytest.mark.parametrize("scope", ["run", "day"])
async def test_the_worst_case_of_all_calls_has_to_fit(
    setup: EngineSetup, scope: str, models: tuple[str, ...], limit: float, sent: bool
) -> None:
    """A limit met exactly is kept; one that is passed stops every call of the step."""
    limited(setup, **{scope: limit})
    run = await setup.run(CAPPED)
    if sent:
        await answered(setup, run, *models)
        assert len(setup.models.calls) == len(models)
        return
    with pytest.raises(BudgetExceeded) as refused:
        await setup.ask(run, *models)
    data = refused.value.to_json()
    assert data["kind"] == "budget_exceeded"
    assert (data["scope"], data["spent"], data["limit"]) == (scope, 0.0, limit)
    assert data["estimate"] == pytest.approx(len(models) * CALL)
    assert f"maxCostUsd.{scope}" in data["hint"]
    assert setup.models.calls == []
    assert setup.stored(run).status is PipelineStatus.INITIALIZING


async def test_what_a_run_has_spent_counts(setup: EngineSetup) -> None:
    """The second step is refused by what the first one cost, to the cent."""
    limited(setup, run=CALL + 20e-6)
    run = await setup.run(CAPPED)
    setup.models.script(MODEL, "word " * 50)
    await answered(setup, run)
    chosen = await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    with pytest.raises(BudgetExceeded) as refused:
        await setup.ask(chosen)
    assert refused.value.data["spent"] == pytest.approx(53e-6)
    assert len(setup.models.calls) == 1


async def test_a_day_counts_every_run_and_ends_at_midnight(setup: EngineSetup) -> None:
    """Another run's cost counts today and not tomorrow; each run is its own."""
    limited(setup, run=CALL, day=CALL + 20e-6)
    setup.models.script(MODEL, "word " * 50)
    await answered(setup, await setup.run(CAPPED))
    second = await setup.run(CAPPED)
    with pytest.raises(BudgetExceeded) as refused:
        await setup.ask(second)
    assert refused.value.data["scope"] == "day"
    assert refused.value.data["spent"] == pytest.approx(53e-6)
    setup.clock.ahead = timedelta(days=1)
    await answered(setup, second)


async def test_answers_on_their_way_count_at_their_worst(setup: EngineSetup) -> None:
    """Until they end: then what they cost counts."""
    limited(setup, day=1.5 * CALL)
    gate = setup.models.gate(MODEL, "slowly ")
    first = await setup.ask(await setup.run(CAPPED))
    await gate.reached.wait()
    second = await setup.run(CAPPED)
    with pytest.raises(BudgetExceeded) as refused:
        await setup.ask(second)
    assert refused.value.data["streaming"] == pytest.approx(CALL)
    gate.open()
    await setup.engine.wait_for_generation(first)
    await answered(setup, second)


async def test_two_at_the_same_moment_do_not_both_get_the_last_cent(
    setup: EngineSetup,
) -> None:
    """What is planned is set aside before anything is written or sent."""
    limited(setup, day=1.5 * CALL)
    runs = [await setup.run(CAPPED) for _ in range(2)]
    results = await asyncio.gather(*map(setup.ask, runs), return_exceptions=True)
    assert [type(r) is BudgetExceeded for r in results].count(True) == 1
    for result in results:
        if not isinstance(result, BaseException):
            await setup.engine.wait_for_generation(result)
    assert len(setup.models.calls) == 1


async def test_what_was_set_aside_is_free_again_when_nothing_came_of_it(
    setup: EngineSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store failed, or the provider: neither costs the day anything."""
    limited(setup, day=CALL)
    run = await setup.run(CAPPED)
    with monkeypatch.context() as patch:

        async def full(_: object) -> int:
            raise StoreError("The disk is full.", reason="full")

        patch.setattr(setup.store, "commit", full)
        with pytest.raises(StoreError):
            await setup.ask(run)
    setup.models.script(MODEL, ModelError("no", reason="invalid_request"))
    with pytest.raises(ModelError):
        await answered(setup, run)
    await answered(setup, run)


@pytest.mark.parametrize("limits", [{"run": 0.0}, {"day": 0.0}, {}])
async def test_an_unknown_price_does_not_block_and_is_said(
    setup: EngineSetup, limits: dict[str, float]
) -> None:
    """Unknown is unknown: never 0, never too much; without a limit nobody asks."""
    limited(setup, **limits)
    setup.models.prices[MODEL] = None
    await answered(setup, await setup.run(CAPPED))
    notices = [(n.code, n.title) for n in setup.of(GenerationNotice)]
    said = [("unknownCost", f"{MODEL}: cost unknown")]
    assert notices == (said if limits else [])


async def test_an_answer_without_a_longest_length_is_unknown_too(
    setup: EngineSetup,
) -> None:
    """No max_tokens in the step and none in the map: nobody knows the worst case."""
    limited(setup, run=1e-9)
    await answered(setup, await setup.run())
    assert [n.code for n in setup.of(GenerationNotice)] == ["unknownCost"]


async def test_what_is_free_and_what_is_refused_anyway_costs_nothing(
    setup: EngineSetup,
) -> None:
    """The embedded model runs on a budget of nothing."""
    limited(setup, run=0.0, day=0.0)
    setup.models.prices[MODEL] = 0.0
    setup.models.refusals[OTHER] = ModelError("no key", reason="auth")
    await answered(setup, await setup.run(CAPPED), MODEL, OTHER)
    assert setup.of(GenerationNotice) == []
