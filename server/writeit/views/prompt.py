"""The exact prompt of a step: who would get it, and what it would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core.run import split_model_id
from writeit.views import words
from writeit.views.markdown import blocks, fenced, inline, line, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from writeit.core.run import PipelineRun


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptModel:
    """How the prompt fits one model; None is unknown."""

    id: str
    prompt_tokens: int
    context_window: int | None = None
    fits: bool | None = None
    min_cost_usd: float | None = None
    max_cost_usd: float | None = None
    destination: str = ""
    allowed: bool = True
    """Whether the text may be sent there."""


def render_prompt(
    run: PipelineRun, step: str, prompt: str, models: Sequence[PromptModel]
) -> str:
    """Return the view of a step's prompt."""
    return (
        blocks(
            f"# Prompt of {inline(step)}",
            line(words.origin_of(run)),
            "Word for word what running the step sends, and nothing else. Looking at"
            " it sends nothing.",
            _models(models),
            "## The prompt",
            words.length(prompt),
            fenced(prompt),
        )
        + "\n"
    )


def _models(models: Sequence[PromptModel]) -> str:
    if not models:
        return "No model is named for this step yet; choose one when you run it."
    rows = [
        (
            inline(model.id),
            _destination(model),
            f"{model.prompt_tokens:,}",
            _room(model),
            _cost(model),
        )
        for model in models
    ]
    headers = ("model", "goes to", "tokens", "takes up to", "cost")
    return table(headers, rows, numbers=(2, 3))


def _destination(model: PromptModel) -> str:
    if not model.allowed:
        return f"nowhere: `providers` does not name {split_model_id(model.id)[0]}"
    return inline(model.destination) or "unknown"


def _room(model: PromptModel) -> str:
    if model.context_window is None:
        return "unknown"
    return f"{model.context_window:,}{', too few' if model.fits is False else ''}"


def _cost(model: PromptModel) -> str:
    least, most = model.min_cost_usd, model.max_cost_usd
    if least is None:
        return "unknown"
    if most is None:
        return f"{words.money(least)} or more"
    if words.money(least) == words.money(most):
        return words.money(most)
    return f"{words.money(least)} to {words.money(most)}"
