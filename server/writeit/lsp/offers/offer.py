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


def of_run(run: PipelineRun, title: str, command: str, **more: Any) -> Offer:  # noqa: ANN401 -- params and flags
    """Return an offer about a run; flags of Offer aside, `more` are params."""
    flags = {key: more.pop(key) for key in ("generates", "prominent") if key in more}
    params = {"runId": str(run.pipeline_run_id), **more}
    return Offer(title=title, command=command, params=params, **flags)


def view(run: PipelineRun, title: str, kind: str, step: str | None = None) -> Offer:
    """Return the offer to open a view of a run, or of a step of it."""
    more = {"step": step} if step else {}
    return of_run(run, title, "writeit.view.open", view=kind, **more)


def comparison(
    title: str, left: dict[str, str], right: dict[str, str], **flags: bool
) -> Offer:
    """Return the offer to compare two texts."""
    params = {"view": "compare", "left": left, "right": right}
    return Offer(title=title, command="writeit.view.open", params=params, **flags)


def side(run: PipelineRun, step: str, response: object = None) -> dict[str, str]:
    """Name a text for a comparison: an answer, else what the next step gets."""
    named = {"runId": str(run.pipeline_run_id), "step": step}
    return named if response is None else {**named, "response": str(response)}
