"""What fits a place in a view: an answer, a passage of it, the merge, the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import decide
from writeit.core.run import DONE
from writeit.lsp.offers.offer import Offer, comparison, of_run, side, view
from writeit.views import words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from writeit.core.run import PipelineRun, StepState
    from writeit.views.symbols import Section


JOIN = "Join these passages into one text that reads as if written in one go."
"""What a model is asked that is to merge passages."""


def at_section(
    run: PipelineRun, step: StepState, section: Section, text: str
) -> list[Offer]:
    """Offer what can be done at a section of a step's view, the likeliest first.

    `text` is what stands in it, as the writer has it.
    """
    match section.kind:
        case "answer" if section.index is not None:
            return list(_on_answer(run, step, section.index))
        case "coming":
            return [of_run(run, "Stop; what came is kept", "writeit.run.pause")]
        case "merge":
            return list(_on_merge(run, step, text))
        case "feedback":
            return list(_on_feedback(run, step, text))
        case _:
            return []


def to_take(run: PipelineRun, step: StepState, response: UUID, text: str) -> Offer:
    """Offer to take a passage into the step's merge."""
    return of_run(
        run,
        "Take this passage into the merge",
        "writeit.step.take",
        step=step.step_name,
        response=str(response),
        text=text,
        prominent=True,
    )


def at_step(run: PipelineRun, step: StepState) -> Iterator[Offer]:
    """Offer what can be done about a step from the page of its run."""
    name = step.step_name
    if step.ai_responses or step.failures or step.streaming:
        yield view(run, "Open", "step", name)
    if step.ai_responses:
        yield of_run(run, "Branch here", "writeit.run.branch", step=name)
    if step.status in DONE:
        yield of_run(run, "Go back to here", "writeit.run.rewind", step=name)


def _on_answer(run: PipelineRun, step: StepState, index: int) -> Iterator[Offer]:
    if not 0 <= index < len(step.ai_responses):
        return  # the page is older than the run
    name, answer = step.step_name, step.ai_responses[index]
    if index != step.user_selection and decide.permitted_on_step(run, step).select:
        yield of_run(
            run, "Choose this answer", "writeit.step.select", step=name, response=index
        )
    if decide.permitted_on_step(run, step).regenerate:
        yield of_run(
            run,
            "Ask this model anew",
            "writeit.step.regenerate",
            step=name,
            models=[answer.model],
            generates=True,
        )
    yield of_run(run, "Branch here", "writeit.run.branch", step=name)
    other = _other(step, index)
    if other is not None:
        yield comparison(
            f"Compare with {words.answer(other)}",
            side(run, name, step.ai_responses[other].response_id),
            side(run, name, answer.response_id),
        )


def _other(step: StepState, index: int) -> int | None:
    """Return what an answer is compared with: the choice, else the one before it."""
    if step.user_selection not in {None, index}:
        return step.user_selection
    if len(step.ai_responses) < len("ab"):
        return None
    return index - 1 if index else 1


def _on_merge(run: PipelineRun, step: StepState, text: str) -> Iterator[Offer]:
    name = step.step_name
    if not text.strip() or not decide.permitted_on_step(run, step).merge:
        return
    yield of_run(run, "Use the merge", "writeit.step.merge", step=name)
    if len(step.passages) > 1:
        yield of_run(
            run,
            "Let a model join the passages",
            "writeit.step.merge",
            step=name,
            instruction=JOIN,
            generates=True,
        )


def _on_feedback(run: PipelineRun, step: StepState, text: str) -> Iterator[Offer]:
    if decide.permitted_on_step(run, step).regenerate:
        yield of_run(
            run,
            "Ask anew with these words" if text.strip() else "Ask anew",
            "writeit.step.regenerate",
            step=step.step_name,
            generates=True,
        )
