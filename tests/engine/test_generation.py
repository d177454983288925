"""Generations: retries, refusals, stops, and what each one keeps."""

import asyncio
from typing import Any

import pytest

from support.engine_setup import MODEL, OTHER, PIPELINE, EngineSetup
from writeit.domain.errors import Busy, FailureReason, ModelError, NotFound
from writeit.domain.operations import select
from writeit.domain.run import PipelineStatus, StepStatus
from writeit.domain.session import ModelSamples, Settings, UserPreferences
from writeit.engine.precedence import ModelSelection
from writeit.engine.requests import GenerateStep
from writeit.engine.streaming import GenerationNotice, ResponseDelta, ResponseFinished


def failing(reason: FailureReason, **data: Any) -> ModelError:
    """Return an error of a provider."""
    return ModelError(f"provider error {reason}", reason=reason, **data)


async def test_a_temporary_failure_is_retried_with_a_notice(setup: EngineSetup) -> None:
    """Up to three attempts before the first token; each wait is a notice."""
    setup.models.script(MODEL, failing("unavailable"))
    setup.models.script(MODEL, failing("rate_limit", retryAfter=0))
    setup.models.script(MODEL, "here")
    run = await setup.run()
    state = await setup.engine.wait_for_generation(await setup.ask(run))
    assert [answer.raw_output for answer in state.ai_responses] == ["here"]
    codes = [notice.code for notice in setup.of(GenerationNotice)]
    assert codes == ["retrying", "rateLimited"]


async def test_the_third_failure_ends_the_call(setup: EngineSetup) -> None:
    """A call is tried three times."""
    for _ in range(4):
        setup.models.script(MODEL, failing("unavailable"))
    run = await setup.run()
    with pytest.raises(ModelError):
        await setup.engine.wait_for_generation(await setup.ask(run))
    assert len(setup.models.calls) == 3


async def test_nothing_is_retried_after_the_first_token(setup: EngineSetup) -> None:
    """The text received is kept as a partial answer with the reason."""
    setup.models.script(MODEL, "half ", failing("unavailable"))
    run = await setup.run()
    state = await setup.engine.wait_for_generation(await setup.ask(run))
    (answer,) = state.ai_responses
    assert answer.partial
    assert answer.raw_output == "half "
    assert answer.finish_reason == "unavailable"
    assert len(setup.models.calls) == 1


@pytest.mark.parametrize(
    "reason", ["auth", "invalid_request", "context", "refused", "not_found", "timeout"]
)
async def test_a_permanent_failure_is_not_retried(
    setup: EngineSetup, reason: FailureReason
) -> None:
    """A retry would fail or hang in the same way."""
    setup.models.script(MODEL, failing(reason))
    run = await setup.run()
    with pytest.raises((ModelError, NotFound)):
        await setup.engine.wait_for_generation(await setup.ask(run))
    assert len(setup.models.calls) == 1


async def test_a_long_retry_after_is_not_waited_for(setup: EngineSetup) -> None:
    """A Retry-After above 60 seconds is an error that says when to retry."""
    setup.models.script(MODEL, failing("rate_limit", retryAfter=61))
    run = await setup.run()
    with pytest.raises(ModelError) as refused:
        await setup.engine.wait_for_generation(await setup.ask(run))
    assert refused.value.data["retryAfter"] == 61
    assert len(setup.models.calls) == 1


async def test_a_call_that_would_be_refused_is_not_sent(setup: EngineSetup) -> None:
    """Without a key for the only model, the store is not changed."""
    setup.models.refusals[MODEL] = failing("auth")
    run = await setup.run()
    with pytest.raises(ModelError):
        await setup.ask(run)
    assert setup.models.calls == []
    assert setup.stored(run) == run


async def test_a_prompt_that_does_not_fit_names_both_numbers(
    setup: EngineSetup,
) -> None:
    """A prompt is never truncated silently."""
    setup.models.windows[MODEL] = 2
    run = await setup.run()
    with pytest.raises(ModelError) as refused:
        await setup.ask(run)
    assert refused.value.reason == "context"
    assert "3 tokens" in refused.value.message
    assert "The limit is 2" in refused.value.message


async def test_other_calls_go_on_when_one_is_refused(setup: EngineSetup) -> None:
    """The refused call is recorded as a failure and never sent."""
    setup.models.refusals[OTHER] = failing("auth")
    setup.models.script(MODEL, "here")
    run = await setup.run()
    state = await setup.engine.wait_for_generation(await setup.ask(run, MODEL, OTHER))
    assert [answer.raw_output for answer in state.ai_responses] == ["here"]
    assert [failure.reason for failure in state.failures] == ["auth"]
    assert [call.model for call in setup.models.calls] == [MODEL]


@pytest.mark.rule("settled-11")
async def test_stopping_keeps_the_text_received_and_pauses_the_run(
    setup: EngineSetup,
) -> None:
    """A call with text is a partial answer; a call without text is a failure."""
    gate = setup.models.gate(MODEL, "half ")
    silent = setup.models.gate(OTHER)
    run = await setup.run()
    generation = await setup.ask(run, MODEL, OTHER)
    await gate.reached.wait()
    await silent.reached.wait()
    paused = await setup.engine.pause_run(run.pipeline_run_id)
    assert paused.status is PipelineStatus.PAUSED
    state = await setup.engine.wait_for_generation(generation)
    assert [(a.raw_output, a.partial) for a in state.ai_responses] == [("half ", True)]
    assert [failure.reason for failure in state.failures] == ["cancelled"]
    assert len(setup.models.left) == 2


async def test_cancelling_the_wait_stops_the_generation(setup: EngineSetup) -> None:
    """The text received until then is kept."""
    gate = setup.models.gate(MODEL, "half ")
    run = await setup.run()
    generation = await setup.ask(run)
    waiting = asyncio.create_task(setup.engine.wait_for_generation(generation))
    await gate.reached.wait()
    await asyncio.sleep(0)  # the wait has begun
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    after = setup.stored(run)
    assert after.status is PipelineStatus.PAUSED
    assert after.steps["angles"].ai_responses[0].partial


async def test_a_stop_before_any_text_leaves_the_step_pending(
    setup: EngineSetup,
) -> None:
    """The run is PAUSED; running the step again generates its answer."""
    gate = setup.models.gate(MODEL)
    run = await setup.run()
    generation = await setup.ask(run)
    await gate.reached.wait()
    generation.stop()
    state = await setup.engine.wait_for_generation(generation)
    assert state.status is StepStatus.PENDING
    setup.models.script(MODEL, "now")
    state = await setup.engine.wait_for_generation(await setup.ask(run))
    assert state.ai_responses[0].raw_output == "now"
    assert setup.stored(run).status is PipelineStatus.RUNNING


async def test_a_run_that_streams_is_busy(setup: EngineSetup) -> None:
    """A step is not generated twice at the same time."""
    gate = setup.models.gate(MODEL, "half ")
    run = await setup.run()
    generation = await setup.ask(run)
    with pytest.raises(Busy):
        await setup.ask(run)
    gate.open()
    await setup.engine.wait_for_generation(generation)


async def test_two_commands_at_once_generate_once(setup: EngineSetup) -> None:
    """If both are allowed when they read the run, the second to write is Busy."""
    run = await setup.run()
    gate = setup.models.gate(MODEL)
    both = await asyncio.gather(setup.ask(run), setup.ask(run), return_exceptions=True)
    assert sorted(type(result).__name__ for result in both) == ["Busy", "Generation"]
    gate.open()
    await setup.engine.close()
    assert len(setup.models.calls) == 1


async def test_a_run_above_the_limit_is_queued_and_starts_by_itself(
    setup: EngineSetup,
) -> None:
    """`maxConcurrentPipelines` counts the runs with streaming answers."""
    setup.wishes = ModelSelection(
        settings=Settings.model_validate({"maxConcurrentPipelines": 1})
    )
    gate = setup.models.gate(MODEL, "first ")
    first, second = await setup.run(), await setup.run()
    generation = await setup.ask(first)
    await gate.reached.wait()
    waiting = await setup.ask(second, OTHER)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [notice.code for notice in setup.of(GenerationNotice)] == ["queued"]
    gate.open()
    await setup.engine.wait_for_generation(generation)
    state = await setup.engine.wait_for_generation(waiting)
    assert state.ai_responses


async def test_a_queued_run_can_be_stopped(setup: EngineSetup) -> None:
    """Its calls are never sent."""
    setup.wishes = ModelSelection(
        settings=Settings.model_validate({"maxConcurrentPipelines": 1})
    )
    gate = setup.models.gate(MODEL, "first ")
    first, second = await setup.run(), await setup.run()
    generation = await setup.ask(first)
    await gate.reached.wait()
    await setup.ask(second, OTHER)
    paused = await setup.engine.pause_run(second.pipeline_run_id)
    assert paused.status is PipelineStatus.PAUSED
    assert [call.model for call in setup.models.calls] == [MODEL]
    gate.open()
    await setup.engine.wait_for_generation(generation)


@pytest.mark.rule("run-t4", "settled-31")
async def test_a_crash_of_the_model_host_keeps_the_text(setup: EngineSetup) -> None:
    """The run is ERROR, and any decision resumes it."""
    died = ModelError("the model host ended", reason="unavailable", host=True)
    setup.models.script(MODEL, "half ", died)
    run = await setup.run()
    state = await setup.engine.wait_for_generation(await setup.ask(run))
    assert state.ai_responses[0].partial
    assert setup.stored(run).status is PipelineStatus.ERROR
    chosen = await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    assert chosen.status is PipelineStatus.RUNNING


async def test_usage_and_times_are_kept_with_the_answer(setup: EngineSetup) -> None:
    """Tokens, cost, seconds to the first token and total seconds."""
    setup.models.script(MODEL, "two ", "words")
    run = await setup.run()
    state = await setup.engine.wait_for_generation(await setup.ask(run))
    (answer,) = state.ai_responses
    assert answer.usage_stats.completion_tokens == 2
    assert answer.usage_stats.cost_usd == pytest.approx(5e-6)
    assert answer.first_token_seconds is not None
    assert answer.processing_time >= answer.first_token_seconds
    assert answer.prompt_used == setup.models.calls[0].prompt == "Angles on rivers"


async def test_an_incomplete_answer_has_an_estimated_cost(setup: EngineSetup) -> None:
    """The provider reported no usage, so it is marked as estimated."""
    setup.models.script(MODEL, "half an answer", failing("unavailable"))
    run = await setup.run()
    state = await setup.engine.wait_for_generation(await setup.ask(run))
    usage = state.ai_responses[0].usage_stats
    assert usage.estimated
    assert usage.completion_tokens == 3
    assert usage.cost_usd == pytest.approx(6e-6)


@pytest.mark.rule("settled-21")
async def test_deltas_after_the_first_are_joined(setup: EngineSetup) -> None:
    """The joined deltas are the whole text."""
    setup.models.script(MODEL, *(f"{n} " for n in range(200)))
    run = await setup.run()
    state = await setup.engine.wait_for_generation(await setup.ask(run))
    deltas = [event for event in setup.seen if isinstance(event, ResponseDelta)]
    assert deltas[0].text == "0 "
    assert "".join(d.text for d in deltas) == state.ai_responses[0].raw_output
    assert [d.seq for d in deltas] == list(range(len(deltas)))
    assert len(deltas) < 50


async def test_streamed_text_is_in_the_journal(setup: EngineSetup) -> None:
    """Reading the run shows the text received so far."""
    gate = setup.models.gate(MODEL, "half ")
    run = await setup.run()
    generation = await setup.ask(run)
    await gate.reached.wait()
    (streaming,) = setup.stored(run).steps["angles"].streaming
    assert streaming.text == "half "
    gate.open()
    await setup.engine.wait_for_generation(generation)
    assert setup.stored(run).steps["angles"].streaming == ()


async def test_the_index_is_the_place_in_the_order_they_ended(
    setup: EngineSetup,
) -> None:
    """`finished` carries it, null where nothing was kept."""
    gate = setup.models.gate(MODEL, "slow ")
    setup.models.script(OTHER, "quick")
    run = await setup.run()
    generation = await setup.ask(run, MODEL, OTHER)
    await gate.reached.wait()
    await setup.until_seen(ResponseFinished)
    gate.open()
    state = await setup.engine.wait_for_generation(generation)
    assert [a.model for a in state.ai_responses] == [OTHER, MODEL]
    ends = [event for event in setup.seen if isinstance(event, ResponseFinished)]
    assert [(end.index, end.status) for end in ends] == [
        (0, "complete"),
        (1, "complete"),
    ]


async def test_all_models_missing_at_the_provider_is_not_found(
    setup: EngineSetup,
) -> None:
    """If all calls fail with a 404, the error's kind is not_found, with failures."""
    setup.models.script(MODEL, failing("not_found"))
    run = await setup.run()
    with pytest.raises(NotFound) as refused:
        await setup.engine.wait_for_generation(await setup.ask(run))
    assert refused.value.data["failures"][0]["model"] == MODEL


async def test_the_embedded_model_is_asked_when_nothing_is_named(
    setup: EngineSetup,
) -> None:
    """A remote model is never chosen without being named."""
    setup.models.embedded = True
    run = await setup.run()
    await setup.engine.wait_for_generation(
        await setup.engine.generate(GenerateStep(run_id=run.pipeline_run_id))
    )
    assert [call.model for call in setup.models.calls] == ["embedded/smollm2-135m"]


async def test_models_named_once_answer_later_steps_too(setup: EngineSetup) -> None:
    """As often as was named; the user's words for them go to the first step only."""
    for model in (MODEL, MODEL, OTHER, OTHER):
        setup.models.script(model, "words")
    run = await setup.run()
    first = GenerateStep(
        run_id=run.pipeline_run_id,
        models=(MODEL, OTHER),
        samples=2,
        instruction="Be brief.",
    )
    await setup.engine.wait_for_generation(await setup.engine.generate(first))
    await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, now: select.select_response(run, run.steps["angles"], 0, now),
    )
    second = GenerateStep(run_id=run.pipeline_run_id)
    await setup.engine.wait_for_generation(await setup.engine.generate(second))
    asked, then = setup.models.calls[:4], setup.models.calls[4:]
    assert [call.model for call in then] == [MODEL, MODEL, OTHER, OTHER]
    assert all(call.prompt.endswith("for this:\nBe brief.") for call in asked)
    assert not any("Be brief." in call.prompt for call in then)


async def test_a_set_of_default_models_names_the_answers_of_each(
    setup: EngineSetup,
) -> None:
    """Unless the command names how many."""
    default = (ModelSamples(model=MODEL, samples=2), ModelSamples(model=OTHER))
    selection = ModelSelection(preferences=UserPreferences(models=default))
    for samples, models in ((None, [MODEL, MODEL, OTHER]), (1, [MODEL, OTHER])):
        run = await setup.run()
        request = GenerateStep(
            run_id=run.pipeline_run_id, samples=samples, model_selection=selection
        )
        state = await setup.engine.wait_for_generation(
            await setup.engine.generate(request)
        )
        assert [call.model for call in state.calls] == models


async def test_the_first_decision_stores_the_active_run(setup: EngineSetup) -> None:
    """The first decision stores the session."""
    run = await setup.run()
    session = setup.store.session(setup.engine.session.session_id)
    assert session is not None
    assert session.active_pipeline_run_id == run.pipeline_run_id
    assert setup.store.configuration(run.configuration_id) == PIPELINE


async def test_a_call_knows_what_its_prompt_shares_with_others(
    setup: EngineSetup,
) -> None:
    """At first with the next step's, later with those the same model was sent."""
    first, last = PIPELINE.steps
    alike = PIPELINE.evolve(
        steps=(
            first.evolve(prompt="Of {{ inputs.source }}:\nAngles."),
            last.evolve(prompt="Of {{ inputs.source }}:\nDraft."),
        )
    )
    run = await setup.run(alike)
    await setup.engine.wait_for_generation(await setup.ask(run))
    await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    await setup.engine.wait_for_generation(await setup.ask(run, MODEL, OTHER))
    shared = [call.prompt[: call.shared_prefix] for call in setup.models.calls]
    assert shared == ["Of rivers:\n", "Of rivers:\n", ""]
