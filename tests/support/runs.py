"""Runs, answers and calls for tests of the core, each in one word."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.answer import AIResponse, Call
from writeit.domain.entity import TokenUsage
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import Passage, PipelineRun, StepState

STEPS = ("angles", "outline", "draft", "polish")
START = datetime(2026, 1, 1, tzinfo=UTC)
_ids = count(1)


def later(seconds: float) -> datetime:
    """That many seconds after dawn."""
    return START + timedelta(seconds=seconds)


def new_id() -> UUID:
    """A new id, in order."""
    return UUID(int=next(_ids))


def new_run(steps: tuple[str, ...] = STEPS, **fields: Any) -> PipelineRun:
    """A run of which nothing was asked."""
    return PipelineRun(
        **{
            "pipeline_run_id": new_id(),
            "configuration_id": "test@1",
            "created_at": START,
            "updated_at": START,
            "current_step": steps[0],
            "steps": {name: StepState(step_name=name) for name in steps},
            **fields,
        }
    )


def answer(call: Call, text: str = "words", **fields: Any) -> AIResponse:
    """An answer to `call`."""
    return AIResponse(
        **{
            "response_id": call.response_id,
            "model_name": call.model.partition("/")[2],
            "provider": call.model.partition("/")[0],
            "prompt_used": "a prompt",
            "raw_output": text,
            "processed_content": text.strip(),
            "created_at": START,
            "usage_stats": TokenUsage(
                prompt_tokens=1, completion_tokens=1, total_tokens=2
            ),
            "processing_time": 0.1,
            **fields,
        }
    )


def call_for(state: StepState, replaces: UUID | None = None, up: int = 0) -> Call:
    """One more call for a step."""
    return Call(
        response_id=new_id(),
        model="openai/test",
        generation=state.generation + up,
        replaces=replaces,
    )


def current(run: PipelineRun) -> StepState:
    """The step the run stands at."""
    return run.steps[run.current_step]


def passage_of(response_id: UUID, text: str = "a passage") -> Passage:
    """A passage of an answer."""
    return Passage(passage_id=new_id(), response_id=response_id, text=text)


def done(run: PipelineRun, events: Events) -> PipelineRun:
    """The run after these events."""
    return state_machine.replay(events, run)


def sends(step: str, calls: list[Call]) -> Events:
    """The calls being made."""
    return tuple(
        generate.start_response(step, call, "a prompt", START) for call in calls
    )


def asked(run: PipelineRun, calls: int = 1) -> tuple[PipelineRun, list[Call]]:
    """The run with its current step asked, and the calls."""
    state = current(run)
    made = [call_for(state, up=1 if state.calls else 0) for _ in range(calls)]
    opening = generate.start_generation(run, state, made, START)
    return done(run, (*opening, *sends(state.step_name, made))), made


def answered(run: PipelineRun, *texts: str) -> PipelineRun:
    """The run with whole answers in its current step."""
    texts = texts or ("words",)
    run, calls = asked(run, len(texts))
    step = run.current_step
    for call, text in zip(calls, texts, strict=True):
        run = done(run, generate.complete_response(step, answer(call, text), START))
    return run


def chosen(run: PipelineRun) -> PipelineRun:
    """The run with its current step answered and chosen."""
    run = answered(run)
    return done(run, select.select_response(run, current(run), 0, START))


def completed(steps: tuple[str, ...] = STEPS) -> PipelineRun:
    """A run of which every step was answered and chosen."""
    run = new_run(steps)
    for _ in steps:
        run = chosen(run)
    return run


def anew(
    run: PipelineRun, step: str, feedback: str = ""
) -> tuple[PipelineRun, list[Call]]:
    """The run with a step asked anew, and the call."""
    state = run.steps[step]
    calls = [call_for(state, up=1)]
    opening = generate.regenerate(run, state, calls, feedback, START)
    return done(run, (*opening, *sends(step, calls))), calls


def failing(run: PipelineRun, step: str, call: Call) -> PipelineRun:
    """The run after a call ended without any text."""
    return done(run, generate.fail_response(step, call, "timeout", "too slow", START))


def paused(run: PipelineRun) -> PipelineRun:
    """The run, paused."""
    return done(run, lifecycle.pause(run, START))


def broken(run: PipelineRun) -> PipelineRun:
    """The run after a failure of the engine or the model host."""
    return done(run, (e.RunFailed(at=START, message="the model host ended"),))


def child_of(run: PipelineRun, step: str) -> PipelineRun:
    """A branch of the run at one of its steps."""
    event = lifecycle.branch(run, run.steps[step], new_id(), START, None)
    return state_machine.apply_event(None, event)
