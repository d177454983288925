"""Previews: the prompt as it would be sent, to whom, at what cost; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.bench import MODEL, OTHER, PIPELINE
from writeit.domain.errors import InvalidTransition, NotFound
from writeit.domain.operations import select
from writeit.engine.requests import GenerateStep

if TYPE_CHECKING:
    from support.bench import Bench
    from writeit.domain.run import PipelineRun
    from writeit.engine.queries import StepPreview

CAPPED = PIPELINE.evolve(
    steps=tuple(step.evolve(max_tokens=97) for step in PIPELINE.steps)
)


async def preview(
    bench: Bench, run: PipelineRun, *models: str, step: str | None = None
) -> StepPreview:
    """What a step would send."""
    asked = GenerateStep(run_id=run.pipeline_run_id, step=step, models=models or None)
    return await bench.engine.preview_step(asked)


async def test_the_prompt_is_what_is_sent_and_nothing_is_sent(bench: Bench) -> None:
    """Looked at first, sent then: the same words; the run is as it was."""
    run = await bench.run(CAPPED)
    shown = await preview(bench, run, MODEL)
    assert bench.models.calls == []
    assert bench.stored(run) == run
    await bench.engine.wait_for_generation(await bench.ask(run))
    assert bench.models.calls[0].prompt == shown.prompt == "Angles on rivers"


async def test_each_model_says_fit_cost_and_place(bench: Bench) -> None:
    """The prompt alone, the longest answer, and what is unknown."""
    bench.models.windows[MODEL] = 99
    bench.models.prices[OTHER] = None
    shown = await preview(bench, await bench.run(CAPPED), MODEL, OTHER, MODEL)
    first, second = shown.models
    assert (first.id, first.prompt_tokens, first.context_window) == (MODEL, 3, 99)
    assert not first.fits
    assert first.min_cost_usd == pytest.approx(3e-6)
    assert first.max_cost_usd == pytest.approx(100e-6)
    assert second.fits
    assert (second.min_cost_usd, second.max_cost_usd) == (None, None)
    assert second.destination == "this machine"


async def test_without_a_longest_length_the_highest_cost_is_unknown(
    bench: Bench,
) -> None:
    """The lowest is known all the same."""
    (only,) = (await preview(bench, await bench.run(), MODEL)).models
    assert only.min_cost_usd == pytest.approx(3e-6)
    assert only.max_cost_usd is None


async def test_models_are_those_a_run_would_ask(bench: Bench) -> None:
    """The embedded one if nothing is named; none at all leaves the prompt."""
    run = await bench.run()
    assert (await preview(bench, run)).models == []
    bench.models.embedded = True
    (only,) = (await preview(bench, run)).models
    assert only.id == "embedded/smollm2-135m"


async def test_an_asked_step_shows_its_prompt_and_models_again(bench: Bench) -> None:
    """Answered, or completed: what step.run would send, not what a revision would."""
    run = await bench.run()
    await bench.engine.wait_for_generation(await bench.ask(run, OTHER, MODEL))
    again = await preview(bench, run)
    assert [model.id for model in again.models] == [OTHER, MODEL]
    await bench.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    earlier = await preview(bench, run, step="angles")
    assert earlier == again
    assert (await preview(bench, run, MODEL)).prompt.startswith("Draft of Echo:")


async def test_a_step_behind_an_open_one_has_no_prompt_yet(bench: Bench) -> None:
    """It is made from choices that are not made."""
    run = await bench.run()
    with pytest.raises(InvalidTransition, match="angles"):
        await preview(bench, run, MODEL, step="draft")
    with pytest.raises(NotFound):
        await preview(bench, run, MODEL, step="drat")
    with pytest.raises(NotFound):
        await preview(bench, run, "nobody/x")
