"""What is offered to the user here and now, for code actions and code lenses alike."""

from __future__ import annotations

from typing import Any

from writeit.domain.run import PipelineRun
from writeit.lsp.action import Action


def run_action(
    run: PipelineRun,
    title: str,
    command: str,
    *,
    uses_model: bool = False,
    has_lens: bool = False,
    lens_title: str = "",
    **extra_params: Any,  # noqa: ANN401 -- the command's params
) -> Action:
    """Return an action on a run; `extra_params` are the command's other params."""
    return Action(
        title=title,
        command=command,
        params={"runId": str(run.pipeline_run_id), **extra_params},
        uses_model=uses_model,
        has_lens=has_lens,
        lens_title=lens_title,
    )


def view_action(
    run: PipelineRun, title: str, view_kind: str, step: str | None = None
) -> Action:
    """Return the action that opens a view of a run, or of a step of it."""
    params = {"view": view_kind, "runId": str(run.pipeline_run_id)}
    if step is not None:
        params["step"] = step
    return Action(title, "writeit.view.open", params)


def comparison_action(
    title: str, left: dict[str, str], right: dict[str, str]
) -> Action:
    """Return the action that compares two texts."""
    params = {"view": "compare", "left": left, "right": right}
    return Action(title, "writeit.view.open", params)


def comparison_side(
    run: PipelineRun, step: str, response: object = None
) -> dict[str, str]:
    """Return a text to compare: an answer, else what the next step gets."""
    named = {"runId": str(run.pipeline_run_id), "step": step}
    return named if response is None else {**named, "response": str(response)}


def document_comparison_action(run: PipelineRun) -> Action:
    """Return the action that compares a run's document with its applied text."""
    return comparison_action(
        "Compare the document with the new text",
        comparison_side(run, run.current_step, "document"),
        comparison_side(run, run.current_step, "proposed"),
    )
