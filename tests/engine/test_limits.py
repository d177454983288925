"""Cost limits: calls above a limit are not sent; unknown costs are reported."""

import asyncio
from datetime import timedelta

import pytest

from support.engine_setup import MODEL, OTHER, PIPELINE, EngineSetup
from writeit.domain.errors import BudgetExceeded, ModelError, StoreError
from writeit.domain.operations import select
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.session import CostLimits, Settings
from writeit.engine.precedence import ModelSelection
from writeit.engine.streaming import GenerationNotice

CAPPED = PIPELINE.evolve(
    steps=tuple(step.evolve(max_tokens=97) for step in PIPELINE.steps)
)
"""Three words of prompt and 97 tokens of answer: at most 100 tokens a call."""
CALL = 1e-4
"""US dollars that a call of the first step may cost."""


def limited(
    setup: EngineSetup, run: float | None = None, day: float | None = None
) -> None:
    """Set limits in the user's settings."""
    limits = CostLimits(run=run, day=day)
    setup.wishes = ModelSelection(settings=Settings(max_cost_usd=limits))


async def generate_step(setup: EngineSetup, run: PipelineRun, *models: str) -> None:
    """Generate the current step and wait for its end."""
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
async def test_the_highest_cost_of_all_calls_must_be_within_the_limit(
    setup: EngineSetup, scope: str, models: tuple[str, ...], limit: float, sent: bool
) -> None:
    """A cost equal to the limit is allowed; a higher one stops every call."""
    limited(setup, **{scope: limit})
    run = await setup.run(CAPPED)
    if sent:
        await generate_step(setup, run, *models)
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


async def test_earlier_cost_of_the_run_counts(setup: EngineSetup) -> None:
    """The cost of the first step makes the second one exceed the limit."""
    limited(setup, run=CALL + 20e-6)
    run = await setup.run(CAPPED)
    setup.models.script(MODEL, "word " * 50)
    await generate_step(setup, run)
    chosen = await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    with pytest.raises(BudgetExceeded) as refused:
        await setup.ask(chosen)
    assert refused.value.data["spent"] == pytest.approx(53e-6)
    assert len(setup.models.calls) == 1


async def test_a_day_counts_all_runs_until_midnight(setup: EngineSetup) -> None:
    """Another run's cost counts today, not tomorrow, and not for the run's limit."""
    limited(setup, run=CALL, day=CALL + 20e-6)
    setup.models.script(MODEL, "word " * 50)
    await generate_step(setup, await setup.run(CAPPED))
    second = await setup.run(CAPPED)
    with pytest.raises(BudgetExceeded) as refused:
        await setup.ask(second)
    assert refused.value.data["scope"] == "day"
    assert refused.value.data["spent"] == pytest.approx(53e-6)
    setup.clock.ahead = timedelta(days=1)
    await generate_step(setup, second)


async def test_streaming_answers_count_with_their_highest_cost(
    setup: EngineSetup,
) -> None:
    """When they end, their actual cost counts."""
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
    await generate_step(setup, second)


async def test_two_generations_at_once_cannot_exceed_the_limit(
    setup: EngineSetup,
) -> None:
    """The planned cost is reserved before anything is written or sent."""
    limited(setup, day=1.5 * CALL)
    runs = [await setup.run(CAPPED) for _ in range(2)]
    results = await asyncio.gather(*map(setup.ask, runs), return_exceptions=True)
    assert [type(r) is BudgetExceeded for r in results].count(True) == 1
    for result in results:
        if not isinstance(result, BaseException):
            await setup.engine.wait_for_generation(result)
    assert len(setup.models.calls) == 1


async def test_a_failed_generation_frees_its_reserved_cost(
    setup: EngineSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of the store or of the provider costs nothing."""
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
        await generate_step(setup, run)
    await generate_step(setup, run)


@pytest.mark.parametrize("limits", [{"run": 0.0}, {"day": 0.0}, {}])
async def test_an_unknown_price_is_reported_and_does_not_block(
    setup: EngineSetup, limits: dict[str, float]
) -> None:
    """The notice appears only if a limit is set."""
    limited(setup, **limits)
    setup.models.prices[MODEL] = None
    await generate_step(setup, await setup.run(CAPPED))
    notices = [(n.code, n.title) for n in setup.of(GenerationNotice)]
    expected = [("unknownCost", f"{MODEL}: cost unknown")]
    assert notices == (expected if limits else [])


async def test_a_cost_without_a_longest_answer_is_unknown(setup: EngineSetup) -> None:
    """Neither the step nor the price list sets a maximum number of tokens."""
    limited(setup, run=1e-9)
    await generate_step(setup, await setup.run())
    assert [n.code for n in setup.of(GenerationNotice)] == ["unknownCost"]


async def test_free_and_refused_calls_cost_nothing(setup: EngineSetup) -> None:
    """A free model can run with a limit of 0."""
    limited(setup, run=0.0, day=0.0)
    setup.models.prices[MODEL] = 0.0
    setup.models.refusals[OTHER] = ModelError("no key", reason="auth")
    await generate_step(setup, await setup.run(CAPPED), MODEL, OTHER)
    assert setup.of(GenerationNotice) == []
