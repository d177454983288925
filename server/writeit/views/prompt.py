"""The exact prompt of a step: who would get it, and what it would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from writeit.domain.run import PipelineRun, split_model_id
from writeit.views import wording
from writeit.views.escape import (
    code_block,
    escape_inline,
    escape_line,
    join_blocks,
    markdown_table,
)


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
        join_blocks(
            f"# Prompt of {escape_inline(step)}",
            escape_line(wording.run_label(run)),
            "Word for word what running the step sends, and nothing else. Looking at"
            " it sends nothing.",
            _models_table(models),
            "## The prompt",
            wording.text_length(prompt),
            code_block(prompt),
        )
        + "\n"
    )


def _models_table(models: Sequence[PromptModel]) -> str:
    if not models:
        return "No model is named for this step yet; choose one when you run it."
    rows = [
        (
            escape_inline(model.id),
            _destination_cell(model),
            f"{model.prompt_tokens:,}",
            _context_window_cell(model),
            _cost_range_cell(model),
        )
        for model in models
    ]
    headers = ("model", "goes to", "tokens", "takes up to", "cost")
    return markdown_table(headers, rows, right_aligned=(2, 3))


def _destination_cell(model: PromptModel) -> str:
    if not model.allowed:
        return f"nowhere: `providers` does not name {split_model_id(model.id)[0]}"
    return escape_inline(model.destination) or "unknown"


def _context_window_cell(model: PromptModel) -> str:
    if model.context_window is None:
        return "unknown"
    return f"{model.context_window:,}{', too few' if model.fits is False else ''}"


def _cost_range_cell(model: PromptModel) -> str:
    least, most = model.min_cost_usd, model.max_cost_usd
    if least is None:
        return "unknown"
    if most is None:
        return f"{wording.format_usd(least)} or more"
    if wording.format_usd(least) == wording.format_usd(most):
        return wording.format_usd(most)
    return f"{wording.format_usd(least)} to {wording.format_usd(most)}"
