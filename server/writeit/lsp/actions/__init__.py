"""What is offered to the user here and now, for code actions and code lenses alike.

An action has all its command needs; the server does not remember what it offered.
Every action passes `wait: false`: many editors block on a command and give up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from writeit.domain.run import PipelineRun
from writeit.text.lines import make_visible

_LIKELY = frozenset(
    {
        "writeit.step.select",
        "writeit.step.merge",
        "writeit.step.run",
        "writeit.step.apply",
        "writeit.run.start",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing the user can do now."""

    title: str
    command: str
    params: dict[str, Any]
    uses_model: bool = False
    """Whether a model writes text if the user takes it."""
    has_lens: bool = False
    """Whether it is among the few that a code lens shows."""
    lens_title: str = ""
    """Its title where there is little room: on a code lens."""

    @property
    def is_likely(self) -> bool:
        """Whether it comes before what rewrites the document."""
        return self.command in _LIKELY

    def to_command(self, title: str) -> types.Command:
        """Return the LSP command with a title and its one argument."""
        arguments = [{**self.params, "wait": False}]
        title = make_visible(title)
        return types.Command(title=title, command=self.command, arguments=arguments)


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
    params = {} if step is None else {"step": step}
    return Action(
        title=title,
        command="writeit.view.open",
        params={"view": view_kind, "runId": str(run.pipeline_run_id), **params},
    )


def comparison_action(
    title: str, left: dict[str, str], right: dict[str, str]
) -> Action:
    """Return the action that compares two texts."""
    params = {"view": "compare", "left": left, "right": right}
    return Action(title=title, command="writeit.view.open", params=params)


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
