"""Models that think: their room, what it costs, and what becomes of their thoughts."""

import pytest

from support.engine_setup import MODEL, PIPELINE, EngineSetup
from writeit.domain.errors import BudgetExceeded
from writeit.domain.pipeline import PipelineConfiguration, Reasoning
from writeit.domain.session import CostLimits, ModelSettings, Settings
from writeit.engine.precedence import ModelSelection, StartRequest
from writeit.engine.requests import GenerateStep
from writeit.ports.models import ModelCall

WINDOW = 100_000


def pipeline(
    reasoning: Reasoning | None = None, max_tokens: int | None = 97
) -> PipelineConfiguration:
    """Two steps with a longest text."""
    steps = (
        step.evolve(max_tokens=max_tokens, reasoning=reasoning)
        for step in PIPELINE.steps
    )
    return PIPELINE.evolve(steps=tuple(steps))


async def sent(setup: EngineSetup, configuration: PipelineConfiguration) -> ModelCall:
    """Generate the first step; return its call."""
    setup.models.windows.setdefault(MODEL, WINDOW)
    run = await setup.run(configuration)
    await setup.engine.wait_for_generation(await setup.ask(run))
    return setup.models.calls[-1]


@pytest.mark.parametrize(
    ("reasoning", "thinks", "room"),
    [
        ("none", True, 0),
        ("low", False, 2_048),
        ("medium", False, 8_192),
        ("high", False, 24_576),
        (3_000, False, 3_000),
        (None, True, 8_192),
        (None, False, 0),
    ],
)
async def test_thinking_gets_room_besides_the_text(
    setup: EngineSetup, reasoning: Reasoning | None, *, thinks: bool, room: int
) -> None:
    """`max_tokens` stays the length of the text."""
    setup.models.thinkers = {MODEL} if thinks else set()
    call = await sent(setup, pipeline(reasoning))
    assert (call.max_tokens, call.thinking_room) == (97, room)
    assert call.reasoning == reasoning


async def test_the_room_ends_at_the_limits_of_the_model(setup: EngineSetup) -> None:
    """Text and thinking together are at most what the model can write and hold."""
    setup.models.output_limits[MODEL] = 1_000
    assert (await sent(setup, pipeline("high"))).thinking_room == 903
    setup.models.windows[MODEL] = 500
    assert (await sent(setup, pipeline("high"))).thinking_room == 400


async def test_the_value_nearest_to_the_user_counts(setup: EngineSetup) -> None:
    """Param, run, front matter, step, setting; the timeout is a setting only."""
    settings = Settings(models=ModelSettings(timeout=7.5), reasoning="low")
    named = [
        (None, ModelSelection(settings=settings), "low"),
        (1_000, ModelSelection(settings=settings), 1_000),
        (1_000, ModelSelection(front_matter_reasoning={"*": 2_000}), 2_000),
        (
            1_000,
            ModelSelection(front_matter_reasoning={"*": 2_000, "angles": 3_000}),
            3_000,
        ),
        (1_000, ModelSelection(reasoning=4_000), 4_000),
    ]
    for of_step, setup.wishes, expected in named:
        call = await sent(setup, pipeline(of_step))
        assert call.reasoning == expected
        if setup.wishes.settings is settings:
            assert call.timeout == 7.5


async def test_a_run_keeps_what_it_was_started_with(setup: EngineSetup) -> None:
    """It counts more than the front matter, also after the store was read again."""
    setup.models.windows[MODEL] = WINDOW
    setup.wishes = ModelSelection(front_matter_reasoning={"*": "high"})
    request = StartRequest(
        configuration=pipeline(), inputs={"source": "x"}, reasoning="low"
    )
    run = await setup.engine.start_run(request)
    assert setup.stored(run).reasoning == "low"
    await setup.engine.wait_for_generation(await setup.ask(run))
    assert setup.models.calls[-1].reasoning == "low"


async def test_preview_and_budget_count_all_of_the_room(setup: EngineSetup) -> None:
    """Three words of prompt, 97 tokens of text and 2,048 of thinking."""
    setup.models.windows[MODEL] = WINDOW
    limits = CostLimits(run=2_147e-6)
    setup.wishes = ModelSelection(settings=Settings(max_cost_usd=limits))
    run = await setup.run(pipeline("low"))
    preview = await setup.engine.preview_step(
        GenerateStep(run_id=run.pipeline_run_id, models=(MODEL,))
    )
    assert preview.models[0].max_cost_usd == pytest.approx(2_148e-6)
    with pytest.raises(BudgetExceeded):
        await setup.ask(run)
    assert setup.models.calls == []
