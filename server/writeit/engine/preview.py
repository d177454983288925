"""What a step would send, where to, and what it would cost; nothing is sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core import decide
from writeit.core.errors import InvalidTransition, NotFound
from writeit.core.prompt import prompt_for
from writeit.engine import egress
from writeit.engine.budget import greatest_cost, least_cost
from writeit.engine.planning import request_for, too_long
from writeit.engine.requests import resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from writeit.core.run import PipelineRun, StepState
    from writeit.engine.requests import Ask, Standing
    from writeit.ports import Fit, ModelCall


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedModel:
    """How the prompt fits one model; None is unknown."""

    id: str
    prompt_tokens: int
    context_window: int | None
    fits: bool | None
    """Whether the prompt and the longest answer have room together."""
    min_cost_usd: float | None
    """The prompt alone."""
    max_cost_usd: float | None
    """With the longest answer allowed."""
    destination: str
    allowed: bool
    """Whether the text may be sent there; a step that asks for it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A prompt as it would be sent, and the models that would get it."""

    prompt: str
    models: list[PreviewedModel]


async def preview(asked: Ask, at: Standing) -> Preview:
    """Lay out a step as `step.run` would, also of a step that was asked already.

    Raises:
        InvalidTransition: an earlier step is still open.
        InvalidPipeline: the template cannot be filled in.
        NotFound: a provider is not known.
    """
    _check_reachable(at.run, at.state)
    prompt = prompt_for(at.configuration, at.run, at.state.step_name)
    calls = [
        request_for(at.configuration, at.spec, model, prompt)
        for model in await _models(asked, at)
    ]
    fits = await asyncio.gather(*(at.tools.models.measure(call) for call in calls))
    leave = egress.leave_of(at.tools.store, at.run, asked.wishes.providers)
    shown = [
        _shown(call, fit, allowed=leave.allows(call.model))
        for call, fit in zip(calls, fits, strict=True)
    ]
    return Preview(prompt=prompt, models=shown)


def _check_reachable(run: PipelineRun, state: StepState) -> None:
    names = run.step_names
    if names.index(state.step_name) <= names.index(run.current_step):
        return
    raise InvalidTransition(
        f"The prompt of step {state.step_name!r} is made from earlier steps, and"
        f" {run.current_step!r} is still open.",
        state=state.status.value,
        attempted="step_previewed",
        hint=f"Choose an answer of {run.current_step!r}, or skip it, first.",
    )


async def _models(asked: Ask, at: Standing) -> Sequence[str]:
    """Return the models named, else those asked before, else those a run would ask."""
    if asked.models:
        return tuple(dict.fromkeys(asked.models))
    before = decide.unmet(at.state) or decide.newest_asked(at.state)
    if before:
        return tuple(dict.fromkeys(call.model for call in before))
    try:
        models = await resolved(at, asked.wishes)
    except NotFound:
        return ()  # the prompt can be read all the same
    return tuple(dict.fromkeys(models))


def _shown(call: ModelCall, fit: Fit, *, allowed: bool) -> PreviewedModel:
    known = fit.context_window is not None
    return PreviewedModel(
        id=call.model,
        prompt_tokens=fit.prompt_tokens,
        context_window=fit.context_window,
        fits=too_long(call, fit) is None if known else None,
        min_cost_usd=least_cost(fit),
        max_cost_usd=greatest_cost(call, fit),
        destination=fit.destination,
        allowed=allowed,
    )
