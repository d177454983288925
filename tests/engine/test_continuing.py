"""The rest of a cut answer, written by its model."""

from pathlib import Path

import pytest

from support.engine_setup import MODEL, OTHER, PIPELINE, EngineSetup
from writeit.domain.answer import MAX_CONTINUATIONS
from writeit.domain.errors import InvalidTransition, ModelError
from writeit.domain.operations import generate, select
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.run import PipelineRun, PipelineStatus, StepState
from writeit.engine.continuing import ContinueResponse
from writeit.engine.generation import Generation
from writeit.engine.streaming import ResponseDelta
from writeit.ports.models import FinishReason
from writeit.storage.store import LmdbStore
from writeit.views.answer_heads import EndedAnswer, list_answers

ONE_STEP = PIPELINE.evolve(steps=PIPELINE.steps[:1])


async def cut_answer(
    setup: EngineSetup,
    configuration: PipelineConfiguration = PIPELINE,
    text: str = "One. Two is cu",
) -> PipelineRun:
    """Return a run with an answer that reached its limit, and a complete one."""
    setup.models.script(MODEL, text, finish_reason="length")
    run = await setup.run(configuration)
    await setup.engine.wait_for_generation(await setup.ask(run, MODEL, OTHER))
    return setup.stored(run)


async def start_continuing(
    setup: EngineSetup, run: PipelineRun, response: int = 0
) -> Generation:
    """Ask for the rest of an answer of the first step."""
    request = ContinueResponse(
        run_id=run.pipeline_run_id,
        step="angles",
        response=response,
        model_selection=setup.wishes,
    )
    return await setup.engine.generate(request, setup.see)


async def continued(
    setup: EngineSetup,
    run: PipelineRun,
    *parts: str | ModelError,
    finish_reason: FinishReason = "stop",
) -> StepState:
    """Continue the first answer; return the step."""
    setup.models.script(MODEL, *parts, finish_reason=finish_reason)
    generation = await start_continuing(setup, run)
    await setup.engine.wait_for_generation(generation)
    return setup.stored(run).steps["angles"]


async def test_the_rest_begins_after_the_last_whole_sentence(
    setup: EngineSetup,
) -> None:
    """It is a new answer under the same number; the first one stays."""
    run = await cut_answer(setup)
    step = await continued(setup, run, "Two is cut. Three.")
    first, _, rest = step.ai_responses
    assert rest.processed_content == "One. Two is cut. Three."
    assert (rest.raw_output, rest.continues) == (
        "Two is cut. Three.",
        first.response_id,
    )
    assert first == run.steps["angles"].ai_responses[0]
    assert [step.numbers[r.response_id] for r in step.ai_responses] == [1, 2, 1]
    assert step.retry_count == 0
    prompt = setup.models.calls[-1].prompt
    assert prompt.startswith(first.prompt_used)
    assert "<answer-so-far>\nOne.\n</answer-so-far>" in prompt


async def test_pages_show_the_newest_with_the_sum_of_its_calls(
    setup: EngineSetup,
) -> None:
    """Nothing of the chain is shown twice."""
    step = await continued(setup, await cut_answer(setup), "Two is cut.")
    items = [item for item in list_answers(step) if isinstance(item, EndedAnswer)]
    assert [(i.label, i.answer.processed_content[:8]) for i in items] == [
        ("1", "One. Two"),
        ("2", "Echo: An"),
    ]
    rest = step.ai_responses[2]
    total = step.with_chain_totals(rest)
    costs = [step.ai_responses[n].usage_stats.cost_usd or 0 for n in (0, 2)]
    assert total.usage_stats.cost_usd == pytest.approx(sum(costs))
    assert not generate.incomplete_calls(step)


async def test_a_chain_ends_after_five(setup: EngineSetup) -> None:
    """The newest of it is continued, whichever is named."""
    run = await cut_answer(setup)
    for number in range(MAX_CONTINUATIONS):
        step = await continued(setup, run, f"Part {number}.", finish_reason="length")
    assert step.ai_responses[-1].processed_content == (
        "One. Part 0. Part 1. Part 2. Part 3. Part 4."
    )
    with pytest.raises(InvalidTransition, match="was already continued 5 times"):
        await start_continuing(setup, run)


async def test_a_complete_answer_is_not_continued(setup: EngineSetup) -> None:
    """There is no rest."""
    run = await cut_answer(setup)
    with pytest.raises(InvalidTransition, match="answer 2 of angles is complete"):
        await start_continuing(setup, run, 1)


async def test_the_choice_of_the_last_step_is_cleared(setup: EngineSetup) -> None:
    """A run that was done waits for a choice again."""
    run = await cut_answer(setup, ONE_STEP)
    run = await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    assert run.status is PipelineStatus.COMPLETED
    step = await continued(setup, run, "Two.")
    assert step.user_selection is None
    assert setup.stored(run).status is PipelineStatus.RUNNING


async def test_a_rest_that_fails_leaves_all_as_it_was(setup: EngineSetup) -> None:
    """Choice and status included; the answer can be continued again."""
    run = await cut_answer(setup, ONE_STEP)
    run = await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    with pytest.raises(ModelError):
        await continued(setup, run, ModelError("no", reason="refused"))
    after = setup.stored(run)
    assert after.status is PipelineStatus.COMPLETED
    assert after.steps["angles"].user_selection == 0
    assert generate.continuable_answers(after, after.steps["angles"])


async def test_later_steps_keep_what_they_were_given(setup: EngineSetup) -> None:
    """Only a branch can continue what they are built on."""
    run = await cut_answer(setup)
    run = await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    await setup.engine.wait_for_generation(await setup.ask(run))
    with pytest.raises(InvalidTransition):
        await start_continuing(setup, run)


async def test_a_recovered_rest_is_joined_too(
    setup: EngineSetup, tmp_path: Path
) -> None:
    """The answer it continues is in the store."""
    run = await cut_answer(setup)
    setup.models.gate(MODEL, "Two is cut. Thr")
    setup.seen.clear()
    await start_continuing(setup, run)
    await setup.until_seen(ResponseDelta)
    setup.store.close()
    setup.processes.dead = {1}
    after = EngineSetup(LmdbStore(tmp_path / "store"), processes=setup.processes)
    step = (await after.engine.load_run(run.pipeline_run_id)).steps["angles"]
    assert step.ai_responses[-1].processed_content == "One. Two is cut. Thr"
    assert step.ai_responses[-1].partial
    after.store.close()
