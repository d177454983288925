"""Actions on a section of a view: an answer, a passage, the merge, the feedback."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from writeit.domain.operations import permitted
from writeit.domain.run import DONE_STATUSES, PipelineRun, StepState
from writeit.lsp.actions.action import (
    Action,
    comparison_action,
    comparison_side,
    run_action,
    view_action,
)
from writeit.views import wording
from writeit.views.page_outline import PageSection

MERGE_INSTRUCTION = (
    "Join these passages into one text that reads as if written in one go."
)
"""The default instruction for a merge by a model."""


def actions_for_section(
    run: PipelineRun, step: StepState, section: PageSection, section_text: str
) -> list[Action]:
    """Return the actions on a section of a step's view, the likeliest first."""
    match section.kind:
        case "answer" if section.index is not None:
            return list(_answer_actions(run, step, section.index))
        case "coming":
            return [run_action(run, "Stop generating", "writeit.run.pause")]
        case "merge":
            return list(_merge_actions(run, step, section_text))
        case "feedback":
            return list(_feedback_actions(run, step, section_text))
        case _:
            return []


def add_to_merge_action(
    run: PipelineRun, step: StepState, response_id: UUID, text: str
) -> Action:
    """Return the action that adds a passage to the step's merge."""
    return run_action(
        run,
        "Add to merge",
        "writeit.step.take",
        step=step.step_name,
        response=str(response_id),
        text=text,
        has_lens=True,
    )


def actions_for_step(run: PipelineRun, step: StepState) -> Iterator[Action]:
    """Yield the actions on a step from the page of its run."""
    name = step.step_name
    if step.ai_responses or step.failures or step.streaming:
        yield view_action(run, "Open", "step", name)
    if step.ai_responses:
        yield run_action(run, "Branch here", "writeit.run.branch", step=name)
    if step.status in DONE_STATUSES:
        yield run_action(run, "Start over from here", "writeit.run.rewind", step=name)


def _answer_actions(run: PipelineRun, step: StepState, index: int) -> Iterator[Action]:
    if not 0 <= index < len(step.ai_responses):
        return  # the page is older than the run
    name, answer = step.step_name, step.ai_responses[index]
    if index != step.user_selection and permitted.step_permissions(run, step).select:
        yield run_action(
            run, "Choose this answer", "writeit.step.select", step=name, response=index
        )
    if permitted.step_permissions(run, step).regenerate:
        yield run_action(
            run,
            "Regenerate with this model",
            "writeit.step.regenerate",
            step=name,
            models=[answer.model],
            uses_model=True,
        )
    yield run_action(run, "Branch here", "writeit.run.branch", step=name)
    other = _compared_index(step, index)
    if other is not None:
        yield comparison_action(
            f"Compare with {wording.answer_label(other)}",
            comparison_side(run, name, step.ai_responses[other].response_id),
            comparison_side(run, name, answer.response_id),
        )


def _compared_index(step: StepState, index: int) -> int | None:
    """Return the answer to compare with: the chosen one, else the one before."""
    if step.user_selection not in {None, index}:
        return step.user_selection
    if len(step.ai_responses) < len("ab"):
        return None
    return index - 1 if index else 1


def _merge_actions(run: PipelineRun, step: StepState, text: str) -> Iterator[Action]:
    name = step.step_name
    if not text.strip() or not permitted.step_permissions(run, step).merge:
        return
    yield run_action(run, "Use the merge", "writeit.step.merge", step=name)
    if len(step.passages) > 1:
        yield run_action(
            run,
            "Merge with a model",
            "writeit.step.merge",
            step=name,
            instruction=MERGE_INSTRUCTION,
            uses_model=True,
        )


def _feedback_actions(run: PipelineRun, step: StepState, text: str) -> Iterator[Action]:
    if permitted.step_permissions(run, step).regenerate:
        yield run_action(
            run,
            "Regenerate with feedback" if text.strip() else "Regenerate",
            "writeit.step.regenerate",
            step=step.step_name,
            uses_model=True,
        )
