"""Previews: the prompt as it would be sent, to whom, at what cost; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.engine_setup import MODEL, OTHER, PIPELINE
from writeit.domain.errors import InvalidTransition, NotFound
from writeit.domain.operations import select
from writeit.engine.requests import GenerateStep

if TYPE_CHECKING:
    from support.engine_setup import EngineSetup
    from writeit.domain.run import PipelineRun
    from writeit.engine.queries import StepPreview

CAPPED = PIPELINE.evolve(
    steps=tuple(step.evolve(max_tokens=97) for step in PIPELINE.steps)
)


async def preview(
    setup: EngineSetup, run: PipelineRun, *models: str, step: str | None = None
) -> StepPreview:
    """What a step would send."""
    asked = GenerateStep(run_id=run.pipeline_run_id, step=step, models=models or None)
    return await setup.engine.preview_step(asked)


async def test_the_prompt_is_what_is_sent_and_nothing_is_sent(
    setup: EngineSetup,
) -> None:
    """Looked at first, sent then: the same words; the run is as it was."""
    run = await setup.run(CAPPED)
    shown = await preview(setup, run, MODEL)
    assert setup.models.calls == []
    assert setup.stored(run) == run
    await setup.engine.wait_for_generation(await setup.ask(run))
    assert setup.models.calls[0].prompt == shown.prompt == "Angles on rivers"


async def test_each_model_says_fit_cost_and_place(setup: EngineSetup) -> None:
    """The prompt alone, the longest answer, and what is unknown."""
    setup.models.windows[MODEL] = 99
    setup.models.prices[OTHER] = None
    shown = await preview(setup, await setup.run(CAPPED), MODEL, OTHER, MODEL)
    first, second = shown.models
    assert (first.id, first.prompt_tokens, first.context_window) == (MODEL, 3, 99)
    assert not first.fits
    assert first.min_cost_usd == pytest.approx(3e-6)
    assert first.max_cost_usd == pytest.approx(100e-6)
    assert second.fits
    assert (second.min_cost_usd, second.max_cost_usd) == (None, None)
    assert second.destination == "this machine"


async def test_without_a_longest_length_the_highest_cost_is_unknown(
    setup: EngineSetup,
) -> None:
    """The lowest is known all the same."""
    (only,) = (await preview(setup, await setup.run(), MODEL)).models
    assert only.min_cost_usd == pytest.approx(3e-6)
    assert only.max_cost_usd is None


async def test_models_are_those_a_run_would_ask(setup: EngineSetup) -> None:
    """The embedded one if nothing is named; none at all leaves the prompt."""
    run = await setup.run()
    assert (await preview(setup, run)).models == []
    setup.models.embedded = True
    (only,) = (await preview(setup, run)).models
    assert only.id == "embedded/smollm2-135m"


async def test_an_asked_step_shows_its_prompt_and_models_again(
    setup: EngineSetup,
) -> None:
    """Answered, or completed: what step.run would send, not what a revision would."""
    run = await setup.run()
    await setup.engine.wait_for_generation(await setup.ask(run, OTHER, MODEL))
    again = await preview(setup, run)
    assert [model.id for model in again.models] == [OTHER, MODEL]
    await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    earlier = await preview(setup, run, step="angles")
    assert earlier == again
    assert (await preview(setup, run, MODEL)).prompt.startswith("Draft of Echo:")


async def test_a_step_behind_an_open_one_has_no_prompt_yet(setup: EngineSetup) -> None:
    """It is made from choices that are not made."""
    run = await setup.run()
    with pytest.raises(InvalidTransition, match="angles"):
        await preview(setup, run, MODEL, step="draft")
    with pytest.raises(NotFound):
        await preview(setup, run, MODEL, step="drat")
    with pytest.raises(NotFound):
        await preview(setup, run, "nobody/x")
