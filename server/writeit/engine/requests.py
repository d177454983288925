"""The three ways to ask models: a step, a step anew, or parts to be joined.

Each lays out its calls with their exact prompts and says which decision opens them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from writeit.domain.errors import FailureReason, ModelError, NotFound
from writeit.domain.operations import generate, select
from writeit.domain.operations.lifecycle import Events
from writeit.domain.pipeline import PipelineConfiguration, StepSpec
from writeit.domain.run import Call, PipelineRun, StepState, StepStatus
from writeit.engine.precedence import ModelSelection, resolve_step_models
from writeit.engine.streaming import RetryPolicy
from writeit.engine.transactions import RunTransactions
from writeit.ports.models import CallEstimate, ModelCall, Models
from writeit.ports.store import Store
from writeit.ports.system import Clock
from writeit.prompts.build import Revision, build_merge_prompt, build_prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """One call that is about to be made, or refused before it is."""

    call: Call
    model_call: ModelCall
    estimate: CallEstimate
    refusal: ModelError | None = None


def new_calls(
    models: Sequence[str], samples: int, clock: Clock, generation: int
) -> list[Call]:
    """Lay out N models x S samples, model by model."""
    return [
        Call(response_id=clock.new_id(), model=model, generation=generation)
        for model in models
        for _ in range(samples)
    ]


def replacement_calls(
    state: StepState, models: Sequence[str] | None, samples: int, clock: Clock
) -> list[Call]:
    """Ask again what failed or was cut; of other models if some are named."""
    lost = generate.incomplete_calls(state)
    if models is None:
        wanted = [call.model for call in lost]
    else:
        wanted = [model for model in models for _ in range(samples)] if lost else []
    replaced: list[UUID | None] = [call.response_id for call in lost]
    # More new calls than lost ones replace nothing further; fewer leave the rest lost.
    replaced += [None] * (len(wanted) - len(lost))
    return [
        Call(
            response_id=clock.new_id(),
            model=model,
            generation=state.generation,
            replaces=lost_id,
        )
        for model, lost_id in zip(wanted, replaced, strict=False)
    ]


async def prepare_calls(
    models: Models,
    configuration: PipelineConfiguration,
    spec: StepSpec,
    prompts: Sequence[tuple[Call, str]],
    run_id: UUID | None = None,
) -> list[PreparedCall]:
    """Measure each prompt against its model.

    Raises:
        NotFound: a provider is not known; nothing was sent to anybody.
        ModelError: every single call would be refused.
    """
    requests = [
        (call, build_model_call(configuration, spec, call.model, prompt, run_id))
        for call, prompt in prompts
    ]
    fits = dict(
        zip(
            (request for _, request in requests),
            await asyncio.gather(*(models.estimate(r) for _, r in requests)),
            strict=True,
        )
    )
    planned = [
        PreparedCall(
            call=call,
            model_call=request,
            estimate=fits[request],
            refusal=fits[request].refusal
            or context_window_error(request, fits[request]),
        )
        for call, request in requests
    ]
    if planned and all(p.refusal for p in planned):
        raise no_answer_error(
            [(p.call.response_id, p.call.model, p.refusal) for p in planned]
        )
    return planned


def call_events(step: str, prepared: Sequence[PreparedCall], now: datetime) -> Events:
    """Return the events of calls being made, refused ones failing at once."""
    sent = (
        generate.start_response(step, p.call, p.model_call.prompt, now)
        for p in prepared
    )
    refused = (
        generate.fail_response(step, p.call, p.refusal.reason, p.refusal.message, now)
        for p in prepared
        if p.refusal
    )
    return (*sent, *(event for events in refused for event in events))


def no_answer_error(
    failures_by_call: Sequence[tuple[UUID, str, ModelError | NotFound | None]],
) -> ModelError | NotFound:
    """Build the error of an asking of which no answer has text."""
    failures = [
        {
            "responseId": str(response_id),
            "model": model,
            "reason": failure_reason(error),
            "message": error.message if error else "",
        }
        for response_id, model, error in failures_by_call
    ]
    first = next((error for *_, error in failures_by_call if error is not None), None)
    message = "; ".join(
        dict.fromkeys(f"{f['model']}: {f['message']}" for f in failures)
    )
    hint = first.hint if first else "Run the step again, or ask another model."
    if {f["reason"] for f in failures} == {"not_found"}:
        return NotFound(message, hint=hint, failures=failures)
    extra: dict[str, Any] = {}
    if first is not None and "retryAfter" in first.data:
        extra["retryAfter"] = first.data["retryAfter"]
    return ModelError(
        message,
        reason=failure_reason(first),
        hint=hint,
        provider=failures[0]["model"].partition("/")[0],
        failures=failures,
        **extra,
    )


def failure_reason(error: ModelError | NotFound | None) -> FailureReason:
    """Return the contract's reason for `error`."""
    if isinstance(error, NotFound):
        return "not_found"
    return error.reason if error is not None else "unavailable"


def build_model_call(
    configuration: PipelineConfiguration,
    spec: StepSpec,
    model: str,
    prompt: str,
    run_id: UUID | None = None,
) -> ModelCall:
    """Return the call as it is made of the model: a step's settings, else defaults."""
    temperature = spec.temperature
    if temperature is None:
        temperature = configuration.default("temperature", float)
    return ModelCall(
        model=model,
        prompt=prompt,
        max_tokens=spec.max_tokens or configuration.default("max_tokens", int),
        temperature=temperature,
        run_id=run_id,
    )


def context_window_error(
    model_call: ModelCall, estimate: CallEstimate
) -> ModelError | None:
    """Return the error of a prompt that does not fit, None if it does or may."""
    if estimate.context_window is None:
        return None
    needed = estimate.prompt_tokens + (model_call.max_tokens or 0)
    if needed <= estimate.context_window:
        return None
    return ModelError(
        f"The prompt has {estimate.prompt_tokens} tokens and"
        f" {model_call.max_tokens or 0} are kept for the answer;"
        f" {model_call.model} has room for {estimate.context_window}.",
        reason="context",
        hint="Shorten the source, lower max_tokens, or choose a model with more room.",
        promptTokens=estimate.prompt_tokens,
        contextWindow=estimate.context_window,
    )


@dataclass(frozen=True, slots=True)
class StepContext:
    """Where something is asked: a run, its step, its pipeline; and with what."""

    run: PipelineRun
    state: StepState
    configuration: PipelineConfiguration
    services: EngineServices

    @property
    def spec(self) -> StepSpec:
        """What the pipeline says of the step."""
        return self.configuration.step(self.state.step_name)


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """Calls with their prompts, and the decision that opens them."""

    prompts: list[tuple[Call, str]]
    operation: Callable[[PipelineRun, datetime], Events]


class GenerationRequest(Protocol):
    """One way to ask."""

    @property
    def run_id(self) -> UUID:
        """The run it is about."""
        ...

    @property
    def step(self) -> str | None:
        """The step; None is the run's current one."""
        ...

    @property
    def model_selection(self) -> ModelSelection:
        """What front matter, settings and preferences say."""
        ...

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Lay out the calls, or refuse."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateStep:
    """Ask a PENDING step's models, or again what failed or was cut in a running one."""

    run_id: UUID
    step: str | None = None
    models: tuple[str, ...] | None = None
    samples: int | None = None
    model_selection: ModelSelection = field(default_factory=ModelSelection)

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Lay out N models x S samples, or the repairs of what was lost."""
        state, step, clock = (
            context.state,
            context.state.step_name,
            context.services.clock,
        )
        generate.check_can_generate(context.run, state)
        samples = self.samples or context.spec.samples
        if state.status is StepStatus.RUNNING:
            calls = replacement_calls(state, self.models, samples, clock)
        else:
            names = self.models or await resolve_models(context, self.model_selection)
            generation = state.generation + 1 if state.calls else 0
            calls = new_calls(names, samples, clock, generation)
        prompt = build_prompt(context.configuration, context.run, step)
        return PlannedCalls(
            [(call, prompt) for call in calls],
            lambda run, now: generate.start_generation(
                run, run.steps[step], calls, now
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegenerateStep:
    """Ask a step again with the previous answer and what to change about it."""

    run_id: UUID
    step: str | None = None
    feedback: str | None = None
    """None means the words the writer left with the step."""
    models: tuple[str, ...] | None = None
    samples: int | None = None
    model_selection: ModelSelection = field(default_factory=ModelSelection)

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Lay out the same models and samples as before, unless others are named."""
        state, step = context.state, context.state.step_name
        words = self.feedback if self.feedback is not None else state.user_feedback
        feedback = words or ""
        generate.check_can_regenerate(context.run, state)
        calls = [
            Call(
                response_id=context.services.clock.new_id(),
                model=model,
                generation=state.generation + 1,
            )
            for model in await self._select_models(context)
        ]
        prompts = [
            (
                call,
                build_prompt(
                    context.configuration,
                    context.run,
                    step,
                    Revision(_previous_text(state, call.model), feedback),
                ),
            )
            for call in calls
        ]
        return PlannedCalls(
            prompts,
            lambda run, now: generate.regenerate(
                run, run.steps[step], calls, feedback, now
            ),
        )

    async def _select_models(self, context: StepContext) -> list[str]:
        asked = [call.model for call in generate.latest_calls(context.state)]
        if self.models is None and self.samples is None and asked:
            return asked
        models: Sequence[str] = self.models or tuple(dict.fromkeys(asked))
        if not models:
            models = await resolve_models(context, self.model_selection)
        samples = self.samples or context.spec.samples
        return [model for model in models for _ in range(samples)]


def _previous_text(state: StepState, model: str) -> str:
    """The chosen text, else the same model's latest answer, else the latest one."""
    if state.content:
        return state.content
    mine = [answer for answer in state.ai_responses if answer.model == model]
    answers = mine or list(state.ai_responses)
    return answers[-1].processed_content if answers else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeWithModel:
    """Ask a model to join parts; its text is one more answer of the step."""

    run_id: UUID
    step: str | None = None
    parts: select.MergeSelection = field(default_factory=select.MergeSelection)
    instruction: str
    model: str | None = None
    feedback: str | None = None
    model_selection: ModelSelection = field(default_factory=ModelSelection)

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Lay out the one call."""
        state, step = context.state, context.state.step_name
        generate.check_can_merge(context.run, state)
        texts = [part.text for part in select.require_parts(state, self.parts)]
        if self.parts.content:
            texts = [self.parts.content]
        model = self.model
        if model is None:
            model = (await resolve_models(context, self.model_selection))[0]
        call = Call(
            response_id=context.services.clock.new_id(),
            model=model,
            generation=state.generation,
            merge=True,
        )
        primer = context.run.primer.text if context.run.primer else ""
        prompt = build_merge_prompt(texts, self.instruction, primer)
        return PlannedCalls(
            [(call, prompt)],
            lambda run, now: generate.start_model_merge(
                run, run.steps[step], call, now, self.feedback
            ),
        )


async def resolve_models(
    context: StepContext, model_selection: ModelSelection
) -> tuple[str, ...]:
    """Return the models a step asks when the command names none.

    Raises:
        NotFound: nothing names a model and the embedded one is not installed.
    """
    embedded = await context.services.models.installed_embedded_model()
    return resolve_step_models(context.spec, context.run, model_selection, embedded)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineServices:
    """What every asking works with."""

    models: Models
    store: Store
    clock: Clock
    transactions: RunTransactions
    retry_policy: RetryPolicy
