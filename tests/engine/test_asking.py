"""Askings: retries, refusals, stops, and what is kept of each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.bench import MODEL, OTHER, PIPELINE, Bench
from writeit.domain.errors import Busy, ModelError, NotFound
from writeit.domain.operations import select
from writeit.domain.run import PipelineStatus, StepStatus
from writeit.domain.session import Settings
from writeit.engine.precedence import ModelSelection
from writeit.engine.requests import GenerateStep
from writeit.engine.streaming import GenerationNotice, ResponseDelta, ResponseFinished

if TYPE_CHECKING:
    from writeit.domain.errors import FailureReason


def failing(reason: FailureReason, **data: Any) -> ModelError:
    """An error of a provider."""
    return ModelError(f"it said {reason}", reason=reason, **data)


async def test_a_passing_failure_is_tried_again_where_it_shows(bench: Bench) -> None:
    """Before the first token, three attempts in all, each wait a notice."""
    bench.models.script(MODEL, failing("unavailable"))
    bench.models.script(MODEL, failing("rate_limit", retryAfter=0))
    bench.models.script(MODEL, "here")
    run = await bench.run()
    state = await bench.engine.wait_for_generation(await bench.ask(run))
    assert [answer.raw_output for answer in state.ai_responses] == ["here"]
    codes = [notice.code for notice in bench.of(GenerationNotice)]
    assert codes == ["retrying", "rateLimited"]


async def test_the_third_failure_is_the_last(bench: Bench) -> None:
    """Three attempts in all."""
    for _ in range(4):
        bench.models.script(MODEL, failing("unavailable"))
    run = await bench.run()
    with pytest.raises(ModelError):
        await bench.engine.wait_for_generation(await bench.ask(run))
    assert len(bench.models.calls) == 3


async def test_after_the_first_token_nothing_is_tried_again(bench: Bench) -> None:
    """What came is kept as a partial answer with the reason."""
    bench.models.script(MODEL, "half ", failing("unavailable"))
    run = await bench.run()
    state = await bench.engine.wait_for_generation(await bench.ask(run))
    (answer,) = state.ai_responses
    assert answer.partial
    assert answer.raw_output == "half "
    assert answer.finish_reason == "unavailable"
    assert len(bench.models.calls) == 1


@pytest.mark.parametrize(
    "reason", ["auth", "invalid_request", "context", "refused", "not_found", "timeout"]
)
async def test_a_lasting_failure_is_not_tried_again(
    bench: Bench, reason: FailureReason
) -> None:
    """Asking again would not help, or would hang again."""
    bench.models.script(MODEL, failing(reason))
    run = await bench.run()
    with pytest.raises((ModelError, NotFound)):
        await bench.engine.wait_for_generation(await bench.ask(run))
    assert len(bench.models.calls) == 1


async def test_a_provider_that_asks_for_too_long_is_not_waited_for(
    bench: Bench,
) -> None:
    """A Retry-After beyond 60 s is an error that says when."""
    bench.models.script(MODEL, failing("rate_limit", retryAfter=61))
    run = await bench.run()
    with pytest.raises(ModelError) as refused:
        await bench.engine.wait_for_generation(await bench.ask(run))
    assert refused.value.data["retryAfter"] == 61
    assert len(bench.models.calls) == 1


async def test_what_would_be_refused_is_not_sent_and_changes_nothing(
    bench: Bench,
) -> None:
    """No key for the only model: refused before the store is touched."""
    bench.models.refusals[MODEL] = failing("auth")
    run = await bench.run()
    with pytest.raises(ModelError):
        await bench.ask(run)
    assert bench.models.calls == []
    assert bench.stored(run) == run


async def test_a_prompt_that_does_not_fit_names_both_numbers(bench: Bench) -> None:
    """Never a silent cut."""
    bench.models.windows[MODEL] = 2
    run = await bench.run()
    with pytest.raises(ModelError) as refused:
        await bench.ask(run)
    assert refused.value.reason == "context"
    assert "3 tokens" in refused.value.message
    assert "room for 2" in refused.value.message


async def test_one_refused_call_is_a_failure_beside_the_others(bench: Bench) -> None:
    """The others go on; the refused one was never sent."""
    bench.models.refusals[OTHER] = failing("auth")
    bench.models.script(MODEL, "here")
    run = await bench.run()
    state = await bench.engine.wait_for_generation(await bench.ask(run, MODEL, OTHER))
    assert [answer.raw_output for answer in state.ai_responses] == ["here"]
    assert [failure.reason for failure in state.failures] == ["auth"]
    assert [call.model for call in bench.models.calls] == [MODEL]


async def test_stopping_keeps_what_came_and_pauses_the_run(bench: Bench) -> None:
    """The partial text is an answer; a call of which nothing came is a failure."""
    gate = bench.models.gate(MODEL, "half ")
    silent = bench.models.gate(OTHER)
    run = await bench.run()
    asking = await bench.ask(run, MODEL, OTHER)
    await gate.reached.wait()
    await silent.reached.wait()
    paused = await bench.engine.pause_run(run.pipeline_run_id)
    assert paused.status is PipelineStatus.PAUSED
    state = await bench.engine.wait_for_generation(asking)
    assert [(a.raw_output, a.partial) for a in state.ai_responses] == [("half ", True)]
    assert [failure.reason for failure in state.failures] == ["cancelled"]
    assert len(bench.models.left) == 2


async def test_cancelling_the_wait_stops_the_asking(bench: Bench) -> None:
    """Whoever waits for the reply and is cancelled takes the answers with them."""
    gate = bench.models.gate(MODEL, "half ")
    run = await bench.run()
    asking = await bench.ask(run)
    waiting = asyncio.create_task(bench.engine.wait_for_generation(asking))
    await gate.reached.wait()
    await asyncio.sleep(0)  # the wait has begun
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    after = bench.stored(run)
    assert after.status is PipelineStatus.PAUSED
    assert after.steps["angles"].ai_responses[0].partial


async def test_nothing_arriving_before_a_stop_leaves_the_step_pending(
    bench: Bench,
) -> None:
    """PENDING again, PAUSED, and the next run asks anew."""
    gate = bench.models.gate(MODEL)
    run = await bench.run()
    asking = await bench.ask(run)
    await gate.reached.wait()
    asking.stop()
    state = await bench.engine.wait_for_generation(asking)
    assert state.status is StepStatus.PENDING
    bench.models.script(MODEL, "now")
    state = await bench.engine.wait_for_generation(await bench.ask(run))
    assert state.ai_responses[0].raw_output == "now"
    assert bench.stored(run).status is PipelineStatus.RUNNING


async def test_a_run_that_streams_is_busy(bench: Bench) -> None:
    """Nobody asks the same step twice."""
    gate = bench.models.gate(MODEL, "half ")
    run = await bench.run()
    asking = await bench.ask(run)
    with pytest.raises(Busy):
        await bench.ask(run)
    gate.open()
    await bench.engine.wait_for_generation(asking)


async def test_two_commands_at_once_ask_once(bench: Bench) -> None:
    """Of two that were allowed when they looked, one is busy when it writes."""
    run = await bench.run()
    gate = bench.models.gate(MODEL)
    both = await asyncio.gather(bench.ask(run), bench.ask(run), return_exceptions=True)
    assert sorted(type(result).__name__ for result in both) == ["Busy", "Generation"]
    gate.open()
    await bench.engine.close()
    assert len(bench.models.calls) == 1


async def test_a_further_run_waits_visibly_and_starts_by_itself(bench: Bench) -> None:
    """MaxConcurrentPipelines counts runs with answers streaming now."""
    bench.wishes = ModelSelection(
        settings=Settings.model_validate({"maxConcurrentPipelines": 1})
    )
    gate = bench.models.gate(MODEL, "first ")
    first, second = await bench.run(), await bench.run()
    asking = await bench.ask(first)
    await gate.reached.wait()
    waiting = await bench.ask(second, OTHER)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [notice.code for notice in bench.of(GenerationNotice)] == ["queued"]
    gate.open()
    await bench.engine.wait_for_generation(asking)
    state = await bench.engine.wait_for_generation(waiting)
    assert state.ai_responses


async def test_a_waiting_run_can_be_stopped(bench: Bench) -> None:
    """It leaves the queue and was never sent."""
    bench.wishes = ModelSelection(
        settings=Settings.model_validate({"maxConcurrentPipelines": 1})
    )
    gate = bench.models.gate(MODEL, "first ")
    first, second = await bench.run(), await bench.run()
    asking = await bench.ask(first)
    await gate.reached.wait()
    await bench.ask(second, OTHER)
    paused = await bench.engine.pause_run(second.pipeline_run_id)
    assert paused.status is PipelineStatus.PAUSED
    assert [call.model for call in bench.models.calls] == [MODEL]
    gate.open()
    await bench.engine.wait_for_generation(asking)


async def test_the_death_of_the_model_host_is_an_error_that_keeps_the_text(
    bench: Bench,
) -> None:
    """ERROR is for failures of the engine or the model host; a decision resumes."""
    died = ModelError("the model host ended", reason="unavailable", host=True)
    bench.models.script(MODEL, "half ", died)
    run = await bench.run()
    state = await bench.engine.wait_for_generation(await bench.ask(run))
    assert state.ai_responses[0].partial
    assert bench.stored(run).status is PipelineStatus.ERROR
    chosen = await bench.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps["angles"], 0, at),
    )
    assert chosen.status is PipelineStatus.RUNNING


async def test_usage_and_times_are_kept_with_the_answer(bench: Bench) -> None:
    """Tokens, cost, seconds to the first token and in all."""
    bench.models.script(MODEL, "two ", "words")
    run = await bench.run()
    state = await bench.engine.wait_for_generation(await bench.ask(run))
    (answer,) = state.ai_responses
    assert answer.usage_stats.completion_tokens == 2
    assert answer.usage_stats.cost_usd == pytest.approx(5e-6)
    assert answer.first_token_seconds is not None
    assert answer.processing_time >= answer.first_token_seconds
    assert answer.prompt_used == bench.models.calls[0].prompt == "Angles on rivers"


async def test_a_cut_answer_has_an_estimated_price(bench: Bench) -> None:
    """The provider did not get to say; what is estimated says so."""
    bench.models.script(MODEL, "half an answer", failing("unavailable"))
    run = await bench.run()
    state = await bench.engine.wait_for_generation(await bench.ask(run))
    usage = state.ai_responses[0].usage_stats
    assert usage.estimated
    assert usage.completion_tokens == 3
    assert usage.cost_usd == pytest.approx(6e-6)


async def test_the_first_delta_never_waits_and_later_ones_are_joined(
    bench: Bench,
) -> None:
    """Deltas are joined on the way and lose nothing."""
    bench.models.script(MODEL, *(f"{n} " for n in range(200)))
    run = await bench.run()
    state = await bench.engine.wait_for_generation(await bench.ask(run))
    deltas = [event for event in bench.seen if isinstance(event, ResponseDelta)]
    assert deltas[0].text == "0 "
    assert "".join(d.text for d in deltas) == state.ai_responses[0].raw_output
    assert [d.seq for d in deltas] == list(range(len(deltas)))
    assert len(deltas) < 50


async def test_what_streams_is_in_the_journal(bench: Bench) -> None:
    """Whoever reads the run sees the text that has come so far."""
    gate = bench.models.gate(MODEL, "half ")
    run = await bench.run()
    asking = await bench.ask(run)
    await gate.reached.wait()
    (streaming,) = bench.stored(run).steps["angles"].streaming
    assert streaming.text == "half "
    gate.open()
    await bench.engine.wait_for_generation(asking)
    assert bench.stored(run).steps["angles"].streaming == ()


async def test_the_index_is_the_place_in_the_order_they_ended(bench: Bench) -> None:
    """`finished` carries it, null where nothing was kept."""
    gate = bench.models.gate(MODEL, "slow ")
    bench.models.script(OTHER, "quick")
    run = await bench.run()
    asking = await bench.ask(run, MODEL, OTHER)
    await gate.reached.wait()
    await bench.until_seen(ResponseFinished)
    gate.open()
    state = await bench.engine.wait_for_generation(asking)
    assert [a.model for a in state.ai_responses] == [OTHER, MODEL]
    ends = [event for event in bench.seen if isinstance(event, ResponseFinished)]
    assert [(end.index, end.status) for end in ends] == [
        (0, "complete"),
        (1, "complete"),
    ]


async def test_all_models_missing_at_the_provider_is_not_found(bench: Bench) -> None:
    """If all calls fail with a 404, the error's kind is not_found, with failures."""
    bench.models.script(MODEL, failing("not_found"))
    run = await bench.run()
    with pytest.raises(NotFound) as refused:
        await bench.engine.wait_for_generation(await bench.ask(run))
    assert refused.value.data["failures"][0]["model"] == MODEL


async def test_the_embedded_model_is_asked_when_nothing_is_named(bench: Bench) -> None:
    """A remote model is never chosen without being named."""
    bench.models.embedded = True
    run = await bench.run()
    await bench.engine.wait_for_generation(
        await bench.engine.generate(GenerateStep(run_id=run.pipeline_run_id))
    )
    assert [call.model for call in bench.models.calls] == ["embedded/smollm2-135m"]


async def test_the_session_remembers_its_run_with_the_decision(bench: Bench) -> None:
    """The session is stored from the first decision on."""
    run = await bench.run()
    session = bench.store.session(bench.engine.session.session_id)
    assert session is not None
    assert session.active_pipeline_run_id == run.pipeline_run_id
    assert bench.store.configuration(run.configuration_id) == PIPELINE
