"""From models and a step to calls: exact prompts, checked before anything is sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from writeit.core import decide
from writeit.core.errors import ModelError, NotFound
from writeit.core.run import Call
from writeit.ports import ModelCall

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide import Events
    from writeit.core.errors import FailureReason
    from writeit.core.pipeline import PipelineConfiguration, StepSpec
    from writeit.core.run import StepState
    from writeit.ports import Clock, Fit, Models


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One call that is about to be made, or refused before it is."""

    call: Call
    request: ModelCall
    fit: Fit
    refusal: ModelError | None = None


def calls_for(
    models: Sequence[str], samples: int, clock: Clock, generation: int
) -> list[Call]:
    """Lay out N models x S samples, model by model."""
    return [
        Call(response_id=clock.new_id(), model=model, generation=generation)
        for model in models
        for _ in range(samples)
    ]


def repairs_for(
    state: StepState, models: Sequence[str] | None, samples: int, clock: Clock
) -> list[Call]:
    """Ask again what failed or was cut; of other models if some are named."""
    lost = decide.unmet(state)
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


async def plan(
    models: Models,
    configuration: PipelineConfiguration,
    spec: StepSpec,
    prompts: Sequence[tuple[Call, str]],
    run_id: UUID | None = None,
) -> list[Planned]:
    """Measure each prompt against its model.

    Raises:
        NotFound: a provider is not known; nothing was sent to anybody.
        ModelError: every single call would be refused.
    """
    requests = [
        (call, request_for(configuration, spec, call.model, prompt, run_id))
        for call, prompt in prompts
    ]
    fits = dict(
        zip(
            (request for _, request in requests),
            await asyncio.gather(*(models.measure(r) for _, r in requests)),
            strict=True,
        )
    )
    planned = [
        Planned(
            call=call,
            request=request,
            fit=fits[request],
            refusal=fits[request].refusal or too_long(request, fits[request]),
        )
        for call, request in requests
    ]
    if planned and all(p.refusal for p in planned):
        raise no_answer(
            [(p.call.response_id, p.call.model, p.refusal) for p in planned]
        )
    return planned


def calls_made(step: str, planned: Sequence[Planned], at: datetime) -> Events:
    """Return the events of calls being made, refused ones failing at once."""
    sent = (decide.send(step, p.call, p.request.prompt, at) for p in planned)
    refused = (
        decide.fail(step, p.call, p.refusal.reason, p.refusal.message, at)
        for p in planned
        if p.refusal
    )
    return (*sent, *(event for events in refused for event in events))


def no_answer(
    failed: Sequence[tuple[UUID, str, ModelError | NotFound | None]],
) -> ModelError | NotFound:
    """Build the error of an asking of which no answer has text."""
    failures = [
        {
            "responseId": str(response_id),
            "model": model,
            "reason": reason_of(error),
            "message": error.message if error else "",
        }
        for response_id, model, error in failed
    ]
    first = next((error for *_, error in failed if error is not None), None)
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
        reason=reason_of(first),
        hint=hint,
        provider=failures[0]["model"].partition("/")[0],
        failures=failures,
        **extra,
    )


def reason_of(error: ModelError | NotFound | None) -> FailureReason:
    """Return the contract's reason for `error`."""
    if isinstance(error, NotFound):
        return "not_found"
    return error.reason if error is not None else "unavailable"


def request_for(
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


def too_long(request: ModelCall, fit: Fit) -> ModelError | None:
    """Return the error of a prompt that does not fit, None if it does or may."""
    if fit.context_window is None:
        return None
    needed = fit.prompt_tokens + (request.max_tokens or 0)
    if needed <= fit.context_window:
        return None
    return ModelError(
        f"The prompt has {fit.prompt_tokens} tokens and {request.max_tokens or 0} are"
        f" kept for the answer; {request.model} has room for {fit.context_window}.",
        reason="context",
        hint="Shorten the source, lower max_tokens, or choose a model with more room.",
        promptTokens=fit.prompt_tokens,
        contextWindow=fit.context_window,
    )
