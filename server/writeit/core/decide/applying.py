"""A step's text and the writer's documents: which text, and that it stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.decide.common import allowed_on, step_of
from writeit.core.errors import InvalidTransition, NotFound
from writeit.core.run import Applied, PipelineRun, StepState, StepStatus

if TYPE_CHECKING:
    from datetime import datetime

    from writeit.core.decide.common import Events
    from writeit.core.pipeline import Output


def applicable_step_of(run: PipelineRun, step: str | None) -> StepState:
    """Return the step whose text is to be applied; if None the last COMPLETED one.

    Raises:
        NotFound: the run has no such step.
        InvalidTransition: it is not COMPLETED.
    """
    done = [s for s in run.steps.values() if s.status is StepStatus.COMPLETED]
    state = done[-1] if step is None and done else step_of(run, step)
    if state.status is not StepStatus.COMPLETED:
        raise InvalidTransition(
            f"Step {state.step_name!r} is {state.status.value}; there is no text of it"
            " yet to apply.",
            state=state.status.value,
            attempted="text_applied",
            allowed=allowed_on(state),
        )
    return state


def restorable(run: PipelineRun, step: str | None) -> Applied:
    """Return what was applied last, of `step` if one is named.

    Raises:
        NotFound: nothing was, or it has been restored.
    """
    if step is not None:
        step_of(run, step)
    for applied in reversed(run.applied):
        if step in {None, applied.step}:
            return applied
    raise NotFound(
        "No text of this run stands in a document"
        + (f" (step {step!r})." if step else "."),
        hint="writeit.step.apply puts it there.",
    )


def applied(
    step: str, at: datetime, *, uri: str, mode: Output, replaced: str, text: str
) -> Events:
    """State that a step's text stands in a document."""
    return (
        e.TextApplied(
            at=at, step=step, uri=uri, mode=mode, replaced=replaced, text=text
        ),
    )


def restored(applied: Applied, at: datetime) -> Events:
    """State that the writer's text stands there again."""
    return (e.TextRestored(at=at, step=applied.step, uri=applied.uri),)
