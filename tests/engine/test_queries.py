"""Previews: the prompt, its models and their cost. Nothing is sent."""

import pytest

from support.engine_setup import MODEL, OTHER, PIPELINE, EngineSetup
from writeit.domain.errors import InvalidTransition, NotFound, NotTrusted
from writeit.domain.operations import select
from writeit.domain.run import PipelineRun
from writeit.engine.precedence import ModelSelection
from writeit.engine.queries import StepPreview
from writeit.engine.requests import GenerateStep, RegenerateStep
from writeit.engine.usage import count_choices

CAPPED = PIPELINE.evolve(
    steps=tuple(step.evolve(max_tokens=97) for step in PIPELINE.steps)
)


async def preview(
    setup: EngineSetup, run: PipelineRun, *models: str, step: str | None = None
) -> StepPreview:
    """Return the preview of a step."""
    asked = GenerateStep(run_id=run.pipeline_run_id, step=step, models=models or None)
    return await setup.engine.preview_step(asked)


async def test_the_preview_shows_the_prompt_that_is_sent_later(
    setup: EngineSetup,
) -> None:
    """The preview sends nothing and does not change the run."""
    run = await setup.run(CAPPED)
    shown = await preview(setup, run, MODEL)
    assert setup.models.calls == []
    assert setup.stored(run) == run
    await setup.engine.wait_for_generation(await setup.ask(run))
    assert setup.models.calls[0].prompt == shown.prompt == "Angles on rivers"


async def test_the_preview_shows_fit_cost_and_host_of_each_model(
    setup: EngineSetup,
) -> None:
    """The lowest and highest cost, or None if a price is unknown."""
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


async def test_without_max_tokens_the_highest_cost_is_unknown(
    setup: EngineSetup,
) -> None:
    """The lowest cost is known."""
    (only,) = (await preview(setup, await setup.run(), MODEL)).models
    assert only.min_cost_usd == pytest.approx(3e-6)
    assert only.max_cost_usd is None


async def test_the_preview_has_the_models_a_run_would_use(setup: EngineSetup) -> None:
    """By default the embedded model; without any model, only the prompt."""
    run = await setup.run()
    assert (await preview(setup, run)).models == []
    setup.models.embedded = True
    (only,) = (await preview(setup, run)).models
    assert only.id == "embedded/smollm2-135m"


async def test_an_answered_step_shows_its_prompt_and_models(setup: EngineSetup) -> None:
    """Also if it is completed: what `step.run` would send, not a revision."""
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


async def test_a_step_after_an_open_one_has_no_prompt(setup: EngineSetup) -> None:
    """Its prompt needs choices that are not made yet."""
    run = await setup.run()
    with pytest.raises(InvalidTransition, match="angles"):
        await preview(setup, run, MODEL, step="draft")
    with pytest.raises(NotFound):
        await preview(setup, run, MODEL, step="drat")
    with pytest.raises(NotFound):
        await preview(setup, run, "nobody/x")


async def test_choices_are_counted_once_for_each_decision(setup: EngineSetup) -> None:
    """Of a branch only what was decided in it; shared answers are offered once."""
    run = await setup.run()
    await (await setup.ask(run, MODEL, OTHER)).wait()
    index = [a.model for a in setup.stored(run).steps["angles"].ai_responses].index(
        OTHER
    )
    await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(
            run, run.steps["angles"], index, at, content="mine"
        ),
    )
    child = await setup.engine.branch_run(run.pipeline_run_id, "angles")
    regenerate = RegenerateStep(
        run_id=child.pipeline_run_id, models=(MODEL,), model_selection=setup.wishes
    )
    await (await setup.engine.generate(regenerate)).wait()
    first, second = count_choices(setup.store)
    assert [first.model, second.model] == [MODEL, OTHER]
    assert (first.offered, first.chosen, first.regenerated) == (2, 0, 1)
    assert (second.offered, second.chosen, second.edited) == (1, 1, 1)


async def test_what_would_tell_a_hidden_model_waits_for_the_choice(
    setup: EngineSetup,
) -> None:
    """Counts, and why one of the models cannot be called; of all models it is said."""
    setup.wishes = ModelSelection(blind=True)
    run = await setup.run()
    run_id = run.pipeline_run_id
    await (await setup.ask(run, MODEL, OTHER)).wait()
    assert count_choices(setup.store) == []

    async def refusal(*models: str) -> str:
        only = ModelSelection(blind=True, providers=("nobody",))
        again = RegenerateStep(run_id=run_id, models=models, model_selection=only)
        with pytest.raises(NotTrusted) as refused:
            await setup.engine.generate(again)
        return f"{refused.value.message} {refused.value.hint}"

    assert "openai" in await refusal(MODEL, OTHER)
    assert "openai" not in await refusal(MODEL)
    await setup.engine.execute(
        run_id, lambda run, at: select.select_response(run, run.steps["angles"], 0, at)
    )
    assert {count.blind for count in count_choices(setup.store)} == {True}
