"""Calls that are about to be made: their prompts, estimates and refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from writeit.domain.answer import AIResponse, Call
from writeit.domain.document import RunDocument
from writeit.domain.errors import (
    FailureReason,
    InvalidPipeline,
    ModelError,
    NotFound,
    WorkStopped,
)
from writeit.domain.model_id import THINKING_ROOM, check_model_id
from writeit.domain.operations import generate
from writeit.domain.operations.lifecycle import Events
from writeit.domain.pipeline import PipelineConfiguration, StepSpec
from writeit.domain.remarks import REMARKS_SCHEMA
from writeit.domain.run import PipelineRun, StepState
from writeit.engine.precedence import (
    ModelSelection,
    resolve_reasoning,
)
from writeit.engine.streaming import RetryPolicy
from writeit.engine.transactions import RunTransactions
from writeit.ports.models import CallEstimate, ModelCall, Models
from writeit.ports.store import Store
from writeit.ports.system import Clock, Worker
from writeit.prompts.build import (
    Revision,
    build_prompt,
    shared_prefix,
)

MAX_CHARACTERS_HERE = 1_000_000
"""The longest document whose passages are looked for in this process."""


TOKENS_PER_WORD = 2
"""The room for each word that the user asks for; `max_tokens` may be too low for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """One call that is about to be made, or that was refused."""

    call: Call
    model_call: ModelCall
    estimate: CallEstimate
    document: RunDocument
    """What the run is about: an answer is cleaned by what was sent."""
    refusal: ModelError | None = None
    continued: AIResponse | None = None
    """The answer whose rest is asked for."""
    spent_usd: float = 0.0
    """US dollars that the same call has cost before."""


def continued_answer(state: StepState, call: Call | None) -> AIResponse | None:
    """Return the answer that a call continues, if it does."""
    if call is None or not call.continues or call.replaces is None:
        return None
    return state.find_response(call.replaces)


async def prepare_calls(
    context: StepContext, prompts: Sequence[tuple[Call, str]], selection: ModelSelection
) -> list[PreparedCall]:
    """Estimate each call's tokens and cost, and check its context window.

    Raises:
        InvalidParams: a model id has characters that none has.
        NotFound: a provider is not known; nothing was sent.
        ModelError: every call would be refused.
    """
    for call, _ in prompts:
        check_model_id(call.model)
    next_prompt = await context.next_prompt(selection.own_pipelines)

    async def prepare(call: Call, prompt: str) -> PreparedCall:
        model_call, estimate = await estimate_call(
            context, call.model, prompt, selection
        )
        others = (next_prompt, *_prompts_sent(context.run, call.model))
        return PreparedCall(
            call=call,
            model_call=replace(model_call, shared_prefix=shared_prefix(prompt, others)),
            estimate=estimate,
            document=context.run.document,
            continued=continued_answer(context.state, call),
            refusal=estimate.refusal or context_window_error(model_call, estimate),
        )

    prepared = await asyncio.gather(*(prepare(*prompt) for prompt in prompts))
    if prepared and all(p.refusal for p in prepared):
        raise no_answer_error(
            [(p.call.response_id, p.call.model, p.refusal) for p in prepared]
        )
    return prepared


def _prompts_sent(run: PipelineRun, model: str) -> list[str]:
    """Return the prompts that a model has answered in this run."""
    answers = (answer for state in run.steps.values() for answer in state.ai_responses)
    return [answer.prompt_used for answer in answers if answer.model == model]


def call_events(step: str, prepared: Sequence[PreparedCall], now: datetime) -> Events:
    """Return the events that start the calls and fail the refused ones."""
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
    """Build the error of a generation in which no answer has text."""
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
    hint = first.hint if first else "Run the step again, or choose another model."
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
    """Return the failure reason of an error; `unavailable` if there is none."""
    if isinstance(error, NotFound):
        return "not_found"
    return error.reason if error is not None else "unavailable"


async def estimate_call(
    context: StepContext, model: str, prompt: str, selection: ModelSelection
) -> tuple[ModelCall, CallEstimate]:
    """Return the call with the step's settings, else the defaults, and its estimate.

    Raises:
        NotFound, ModelError: see `Models.estimate`.
    """
    spec, configuration = context.spec, context.configuration
    temperature = spec.temperature
    if temperature is None:
        temperature = configuration.default("temperature", float)
    limit = spec.max_tokens or configuration.default("max_tokens", int)
    words = context.run.words_asked_for(prompt)
    call = ModelCall(
        model=model,
        prompt=prompt,
        max_tokens=max(limit, TOKENS_PER_WORD * words) if limit and words else limit,
        temperature=temperature,
        reasoning=resolve_reasoning(spec, context.run, selection),
        timeout=selection.settings.models.timeout,
        json_schema=REMARKS_SCHEMA if configuration.output == "review" else None,
        run_id=context.run.pipeline_run_id,
    )
    estimate = await context.services.models.estimate(call)
    return replace(call, thinking_room=_thinking_room(call, estimate)), estimate


def _thinking_room(call: ModelCall, estimate: CallEstimate) -> int:
    """Return the tokens that a call has for thinking, besides those of its text."""
    wanted = call.reasoning
    if wanted is None or not (estimate.takes_reasoning or estimate.thinks):
        wanted = "medium" if estimate.thinks else "none"
    room = THINKING_ROOM[wanted] if isinstance(wanted, str) else wanted
    largest = largest_room(call, estimate)
    return room if largest is None else min(room, largest)


def largest_room(call: ModelCall, estimate: CallEstimate) -> int | None:
    """Return the tokens that the model's limits leave for thinking; None if unknown."""
    text = call.max_tokens or 0
    limits = [estimate.output_limit]
    if estimate.context_window is not None:
        limits.append(estimate.context_window - estimate.prompt_tokens)
    known = [limit for limit in limits if limit is not None]
    return max(min(known) - text, 0) if known else None


def context_window_error(
    model_call: ModelCall, estimate: CallEstimate
) -> ModelError | None:
    """Return the error of a prompt that is too long; None if it fits or may fit."""
    window, answer = estimate.context_window, model_call.max_tokens or 0
    if window is None or estimate.prompt_tokens + answer <= window:
        return None
    return ModelError(
        f"The prompt is too long for {model_call.model}: it has"
        f" {estimate.prompt_tokens:,} tokens and the answer may have {answer:,}. The"
        f" limit is {window:,}.",
        reason="context",
        hint="Shorten the source, lower max_tokens, or choose a model with a larger"
        " context window.",
        promptTokens=estimate.prompt_tokens,
        contextWindow=window,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineServices:
    """The ports and settings that every generation uses."""

    models: Models
    store: Store
    clock: Clock
    transactions: RunTransactions
    retry_policy: RetryPolicy
    worker: Worker | None
    """Fills in the templates of a workspace; None: they are filled in here."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """The run, step and pipeline that a request is about, and the services."""

    run: PipelineRun
    state: StepState
    configuration: PipelineConfiguration
    services: EngineServices

    @property
    def spec(self) -> StepSpec:
        """The step as the pipeline defines it."""
        return self.configuration.step(self.state.step_name)

    def samples(self, named: int | None) -> int:
        """Return how many answers each model gives; `named` by the command."""
        return named or self.run.samples or self.spec.samples

    async def build_prompt(
        self, own_pipelines: frozenset[str], revision: Revision | None = None
    ) -> str:
        """Return what a model is sent; `own_pipelines` are filled in here.

        All others are filled in by the worker, and so is what is about a long document.

        Raises:
            InvalidPipeline: the template cannot be filled in, or was stopped.
        """
        step, worker = self.state.step_name, self.services.worker
        document = self.run.document
        length = len(document.all_text) + len(document.before) + len(document.after)
        arguments = (self.configuration, self.run, step, revision)
        is_own = self.configuration.configuration_id in own_pipelines
        if worker is None or (is_own and length <= MAX_CHARACTERS_HERE):
            return await asyncio.to_thread(build_prompt, *arguments)
        try:
            return await worker.run(build_prompt, *arguments)
        except WorkStopped as stopped:
            raise InvalidPipeline(
                f"The template of step {step!r} of {self.configuration.name!r} was"
                f" stopped: {stopped}. Nothing was sent.",
                hint="Correct the template in the pipeline's file.",
                problems=[],
            ) from stopped

    async def next_prompt(self, own_pipelines: frozenset[str]) -> str:
        """Return what the next step will be sent, as far as it is known; or ""."""
        names = self.run.step_names
        following = names[names.index(self.state.step_name) + 1 :][:1]
        for name in following:
            with suppress(InvalidPipeline):  # reported when that step is generated
                context = replace(self, state=self.run.steps[name])
                return await context.build_prompt(own_pipelines)
        return ""
