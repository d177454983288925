"""Models that think: their room, what it costs, and what becomes of their thoughts."""

from datetime import datetime
from pathlib import Path

import pytest

from support.engine_setup import MODEL, OTHER, PIPELINE, EngineSetup
from support.scripted_models import PRICE
from writeit.domain.answer import AIResponse
from writeit.domain.errors import BudgetExceeded, ModelError
from writeit.domain.operations import select
from writeit.domain.operations.lifecycle import Events
from writeit.domain.pipeline import PipelineConfiguration, Reasoning
from writeit.domain.run import PipelineRun
from writeit.domain.session import CostLimits, ModelSettings, Settings
from writeit.engine.precedence import ModelSelection, StartRequest
from writeit.engine.requests import GenerateStep
from writeit.engine.streaming import (
    GenerationNotice,
    ModelThinking,
    ResponseDelta,
    ThoughtMarked,
)
from writeit.engine.transfer import build_bundle
from writeit.export.article import final_text
from writeit.export.render import export_run
from writeit.library.catalog import bundled_library_root, read_library
from writeit.ports.models import ModelCall, ThoughtDelta
from writeit.storage.store import LmdbStore
from writeit.views.step import response_parts, step_parts

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


async def test_a_model_that_takes_no_reasoning_gets_no_room(setup: EngineSetup) -> None:
    """Its call is sent without, so preview and budget do not count it either."""
    setup.models.without_reasoning = {MODEL}
    assert (await sent(setup, pipeline("high"))).thinking_room == 0
    setup.models.thinkers = {MODEL}
    assert (await sent(setup, pipeline("high"))).thinking_room == 24_576


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


# --- all of the room went into thinking ---

THOUGHT = ThoughtDelta("well " * 50)
SPENT = 53 * PRICE
"""Three words of prompt and fifty of thought."""


async def generated(
    setup: EngineSetup, configuration: PipelineConfiguration
) -> PipelineRun:
    """Generate the first step; return the run."""
    setup.models.windows[MODEL] = WINDOW
    run = await setup.run(configuration)
    await setup.engine.wait_for_generation(await setup.ask(run))
    return setup.stored(run)


@pytest.mark.parametrize(
    "first", [(THOUGHT,), ("<think> ", "well " * 49)], ids=["reasoning field", "tag"]
)
async def test_a_model_that_only_thought_is_called_again_with_more_room(
    setup: EngineSetup, first: tuple[str | ThoughtDelta, ...]
) -> None:
    """Once, under the same id and number, and both calls are counted."""
    setup.models.script(MODEL, *first, finish_reason="length")
    setup.models.script(
        MODEL, "<think>Hm.</think>" * (first[0] != THOUGHT) + "So it is."
    )
    run = await generated(setup, pipeline("low"))
    assert [c.thinking_room for c in setup.models.calls] == [2_048, 8_192]
    assert [n.code for n in setup.of(GenerationNotice)] == ["moreRoom"]
    (answer,) = run.steps["angles"].ai_responses
    assert answer.processed_content == "So it is."
    assert (answer.thinking or "").count("well") in {49, 50}
    assert answer.usage_stats.cost_usd == pytest.approx(SPENT + 6 * PRICE)
    assert "".join(d.text for d in setup.of(ResponseDelta)) == answer.raw_output
    assert len(setup.finished()) == 1


async def test_a_model_without_room_gets_some(setup: EngineSetup) -> None:
    """It was not known to think."""
    setup.models.script(MODEL, THOUGHT, finish_reason="length")
    await generated(setup, pipeline())
    assert [c.thinking_room for c in setup.models.calls] == [0, 8_192]


async def test_a_second_call_that_only_thinks_is_a_failure(setup: EngineSetup) -> None:
    """With the tokens and the cost of both, which the run and the usage keep."""
    for _ in range(2):
        setup.models.script(MODEL, THOUGHT, finish_reason="length")
    with pytest.raises(ModelError, match="used all of its 100 tokens for thinking"):
        await generated(setup, pipeline("low"))
    run_id = setup.engine.session.active_pipeline_run_id
    assert run_id is not None
    run = await setup.engine.load_run(run_id)
    (failure,) = run.steps["angles"].failures
    assert failure.reason == "empty"
    assert failure.usage is not None
    assert failure.usage.reasoning_tokens == 100
    assert run.cost_usd == pytest.approx(2 * SPENT)
    (record,) = setup.store.usage_records()
    assert record.usage == failure.usage
    again = await setup.ask(run)
    await setup.engine.wait_for_generation(again)
    answered = setup.stored(run)
    assert not answered.steps["angles"].failures
    assert (answered.cost_usd or 0) > 2 * SPENT


async def test_a_second_call_must_be_affordable(setup: EngineSetup) -> None:
    """What the first one cost counts; the error says what the second may cost."""
    limits = CostLimits(run=5_000e-6)
    setup.wishes = ModelSelection(settings=Settings(max_cost_usd=limits))
    setup.models.script(MODEL, THOUGHT, finish_reason="length")
    with pytest.raises(ModelError) as failed:
        await generated(setup, pipeline("low"))
    assert len(setup.models.calls) == 1
    said = f"may cost up to ${8_292e-6 + SPENT:.4f}. Your limit maxCostUsd.run"
    assert said in failed.value.message


async def test_the_models_own_limit_allows_no_more(setup: EngineSetup) -> None:
    """The same call would end in the same way."""
    setup.models.output_limits[MODEL] = 2_000
    setup.models.script(MODEL, THOUGHT, finish_reason="length")
    with pytest.raises(ModelError, match="used all of its 50 tokens"):
        await generated(setup, pipeline("low"))
    assert len(setup.models.calls) == 1


# --- what becomes of thoughts ---


async def answer_to(setup: EngineSetup, *parts: str | ThoughtDelta) -> AIResponse:
    """Return the answer of a scripted model."""
    setup.models.script(MODEL, *parts)
    run = await generated(setup, pipeline())
    return run.steps["angles"].ai_responses[0]


async def test_thoughts_are_no_text_and_are_kept_beside_it(setup: EngineSetup) -> None:
    """Raw is what the provider called content; reasoning fields are not."""
    parts = (ThoughtDelta("First."), "<think>Th", "en.</th", "ink>\n\nSo", " it is.")
    answer = await answer_to(setup, *parts)
    assert answer.raw_output == "<think>Then.</think>\n\nSo it is."
    assert answer.processed_content == "So it is."
    assert answer.thinking == "First.\n\nThen."
    deltas = setup.of(ResponseDelta)
    assert "".join(d.text for d in deltas) == answer.raw_output
    assert "".join(d.text for d in deltas if d.is_thought) == "<think>Then.</think>"
    assert [d.seq for d in deltas] == [*range(len(deltas))]


async def test_a_thought_without_its_beginning_is_marked(setup: EngineSetup) -> None:
    """All that was sent until then was the thought."""
    answer = await answer_to(setup, "Hm, ", "well.</think>", "So it is.")
    assert (answer.processed_content, answer.thinking) == ("So it is.", "Hm, well.")
    (mark,) = setup.of(ThoughtMarked)
    sent = setup.seen[: setup.seen.index(mark)]
    before = "".join(d.text for d in sent if isinstance(d, ResponseDelta))
    assert (before, mark.up_to) == ("Hm, well.</think>", len(before))


async def test_an_answer_of_thoughts_only_is_a_failure(setup: EngineSetup) -> None:
    """Also one that ended by itself; its usage is kept."""
    setup.models.script(MODEL, "<think>Hm. Well.</think>\n")
    with pytest.raises(ModelError, match="only thought and wrote no text"):
        await generated(setup, pipeline())
    assert len(setup.models.calls) == 1
    (end,) = setup.finished()
    assert (end.status, end.reason) == ("failed", "empty")
    assert end.usage is not None


@pytest.mark.parametrize(
    ("signs", "tokens"), [((), None), ((ThoughtDelta("Hm. Well."),), 3)]
)
async def test_a_model_that_thinks_says_so_until_its_text_comes(
    setup: EngineSetup,
    monkeypatch: pytest.MonkeyPatch,
    signs: tuple[ThoughtDelta, ...],
    tokens: int | None,
) -> None:
    """Also one that tells nothing, if it is known to think."""
    monkeypatch.setattr("writeit.engine.responses.THINKING_INTERVAL", 0.01)
    setup.models.thinkers = set() if signs else {MODEL}
    gate = setup.models.gate(MODEL, *signs)
    generation = await setup.ask(await setup.run())
    await setup.until_seen(ModelThinking)
    gate.open()
    await setup.engine.wait_for_generation(generation)
    assert setup.of(ModelThinking)[0].tokens == tokens


async def test_a_recovered_answer_has_its_text_and_its_thoughts(
    setup: EngineSetup, tmp_path: Path
) -> None:
    """The journal keeps both, each for itself."""
    setup.models.gate(MODEL, ThoughtDelta("Hm."), "<think>Well.</think>So it")
    setup.models.gate(OTHER, ThoughtDelta("Only this."))
    run = await setup.run()
    await setup.ask(run, MODEL, OTHER)
    await setup.until_seen(ResponseDelta)
    setup.store.close()
    setup.processes.dead = {1}
    after = EngineSetup(LmdbStore(tmp_path / "store"), processes=setup.processes)
    state = (await after.engine.load_run(run.pipeline_run_id)).steps["angles"]
    (answer,) = state.ai_responses
    assert (answer.processed_content, answer.partial) == ("So it", True)
    assert answer.thinking == "Hm.\n\nWell."
    (failure,) = state.failures
    assert failure.usage is not None
    after.store.close()


async def test_the_pages_fold_thoughts_and_say_that_a_model_thinks(
    setup: EngineSetup,
) -> None:
    """The step's page has no word of them; the answer's page has them in details."""
    gate = setup.models.gate(MODEL, ThoughtDelta("Hm. Well."))
    run = await setup.run()
    generation = await setup.ask(run)
    await setup.until_seen(ModelThinking)
    assert "*Thinking: about 3 tokens.*" in page_of(setup.stored(run))
    gate.open()
    await setup.engine.wait_for_generation(generation)
    after = setup.stored(run)
    (answer,) = after.steps["angles"].ai_responses
    assert "Hm. Well." not in page_of(after)
    parts = response_parts(after, "angles", answer.response_id)
    text = "".join(p if isinstance(p, str) else p.text for p in parts)
    folded = text.partition("<details>")[2].partition("</details>")[0]
    assert "<summary>Thoughts of the model (2 words)</summary>" in folded
    assert "Hm. Well." in folded
    assert text.count("Hm. Well.") == 1


def page_of(run: PipelineRun) -> str:
    """Return the page of the first step."""
    parts = step_parts(run, "angles", now=run.updated_at)
    return "".join(p if isinstance(p, str) else p.text for p in parts)


# --- a whole article ---


def choose_the_first(run: PipelineRun, at: datetime) -> Events:
    """Choose the first answer of the current step."""
    return select.select_response(run, run.steps[run.current_step], 0, at)


async def test_an_article_by_a_model_that_thinks_has_none_of_its_thoughts(
    setup: EngineSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped tech-article: in no prompt, step, article or export for readers."""
    monkeypatch.setenv("WRITEIT_CONFIG_DIR", str(tmp_path))
    library, _ = read_library(bundled_library_root())
    setup.models.windows[MODEL] = WINDOW
    setup.models.thinkers = {MODEL}
    hum = ThoughtDelta("HUM " * 30)
    setup.models.script(MODEL, hum, finish_reason="length")
    setup.models.script(MODEL, hum, "1. The queue that told the truth.")
    setup.models.script(MODEL, "<think>\nHUM\n</th", "ink>\n\n- The queue.")
    setup.models.script(MODEL, "HUM, well.\n</think>\n\n# The queue\n\nIt held.")
    setup.models.script(MODEL, hum, "<thinking>HUM</thinking># The queue\n\nIt held.")
    configuration = library.pipeline("tech-article")
    run = await setup.engine.start_run(
        StartRequest(
            configuration=configuration, inputs={"source_material": "A queue held."}
        )
    )
    for _ in configuration.step_names:
        await setup.engine.wait_for_generation(await setup.ask(run))
        run = await setup.engine.execute(run.pipeline_run_id, choose_the_first)
    assert final_text(run) == "# The queue\n\nIt held.\n"
    assert not [call for call in setup.models.calls if "HUM" in call.prompt]
    answers = [step.ai_responses[0] for step in run.steps.values()]
    assert all("HUM" in (answer.thinking or "") for answer in answers)
    assert not [a for a in answers if "HUM" in a.processed_content]
    bundle = await build_bundle(setup.engine, run.pipeline_run_id, tmp_path)
    assert "HUM" not in export_run(bundle, "markdown", "1")
    assert export_run(bundle, "yaml", "1").count("HUM") > 4
