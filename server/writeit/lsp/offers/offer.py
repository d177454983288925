"""One thing that fits here and now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing the writer can do now."""

    title: str
    command: str
    params: dict[str, Any]
    generates: bool = False
    """Whether a model writes text if she takes it."""
    prominent: bool = False
    """Whether it is among the few that a code lens shows."""
    brief: str = ""
    """Its title where there is little room: on a code lens."""

    @property
    def arguments(self) -> list[dict[str, Any]]:
        """The command's one argument."""
        return [{**self.params, "wait": False}]

    def called(self, title: str) -> Offer:
        """Return the same offer under another title."""
        return replace(self, title=title)

    def prominently(self) -> Offer:
        """Return the same offer as one that a code lens shows."""
        return replace(self, prominent=True)


def of_run(
    run: PipelineRun,
    title: str,
    command: str,
    *,
    generates: bool = False,
    prominent: bool = False,
    brief: str = "",
    **more: Any,  # noqa: ANN401 -- the command's params
) -> Offer:
    """Return an offer about a run; `more` are the command's other params."""
    return Offer(
        title=title,
        command=command,
        params={"runId": str(run.pipeline_run_id), **more},
        generates=generates,
        prominent=prominent,
        brief=brief,
    )


def view(run: PipelineRun, title: str, kind: str, step: str | None = None) -> Offer:
    """Return the offer to open a view of a run, or of a step of it."""
    if step is None:
        return of_run(run, title, "writeit.view.open", view=kind)
    return of_run(run, title, "writeit.view.open", view=kind, step=step)


def comparison(title: str, left: dict[str, str], right: dict[str, str]) -> Offer:
    """Return the offer to compare two texts."""
    params = {"view": "compare", "left": left, "right": right}
    return Offer(title=title, command="writeit.view.open", params=params)


def side(run: PipelineRun, step: str, response: object = None) -> dict[str, str]:
    """Name a text for a comparison: an answer, else what the next step gets."""
    named = {"runId": str(run.pipeline_run_id), "step": step}
    return named if response is None else {**named, "response": str(response)}


def compare_with_document(run: PipelineRun) -> Offer:
    """Return the offer to compare a run's document with what its text makes of it."""
    return comparison(
        "Compare the document with what the text makes of it",
        side(run, run.current_step, "document"),
        side(run, run.current_step, "proposed"),
    )
