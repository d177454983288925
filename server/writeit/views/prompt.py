"""The page of a step's exact prompt, its recipients and its likely cost."""

from __future__ import annotations

from collections.abc import Sequence

from writeit.domain.entity import ModelPreview
from writeit.domain.run import PipelineRun, split_model_id
from writeit.views import wording
from writeit.views.escape import (
    code_block,
    escape_inline,
    escape_line,
    markdown_table,
    page_of_blocks,
)


def render_prompt(
    run: PipelineRun, step: str, prompt: str, models: Sequence[ModelPreview]
) -> str:
    """Return the page of a step's prompt."""
    return page_of_blocks(
        f"# Prompt of {escape_inline(step)}",
        escape_line(wording.run_label(run)),
        "This is exactly what the step sends. Opening this page sends nothing.",
        _models_table(models),
        "## The prompt",
        wording.text_length(prompt),
        code_block(prompt),
    )


def _models_table(models: Sequence[ModelPreview]) -> str:
    if not models:
        return "No model is set for this step. Choose one when you generate."
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
    headers = ("model", "sent to", "tokens", "context window", "cost")
    return markdown_table(headers, rows, right_aligned=(2, 3))


def _destination_cell(model: ModelPreview) -> str:
    if not model.allowed:
        return f"not allowed: `providers` does not list {split_model_id(model.id)[0]}"
    return escape_inline(model.destination) or "unknown"


def _context_window_cell(model: ModelPreview) -> str:
    if model.context_window is None:
        return "unknown"
    return f"{model.context_window:,}{', too small' if model.fits is False else ''}"


def _cost_range_cell(model: ModelPreview) -> str:
    least, most = model.min_cost_usd, model.max_cost_usd
    if least is None:
        return "unknown"
    if most is None:
        return f"{wording.format_usd(least)} or more"
    if wording.format_usd(least) == wording.format_usd(most):
        return wording.format_usd(most)
    return f"{wording.format_usd(least)} to {wording.format_usd(most)}"
