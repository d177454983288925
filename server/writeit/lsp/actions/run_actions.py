"""Actions on a run, on a step of it and on a section of its page."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from writeit.domain.operations import generate, permitted
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    AIResponse,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.lsp.actions import (
    Action,
    comparison_action,
    comparison_side,
    document_comparison_action,
    run_action,
    view_action,
)
from writeit.views import wording
from writeit.views.page_outline import PageSection
from writeit.views.step import EndedAnswer, is_selected, list_answers

MAX_PREVIEW_CHARACTERS = 40
"""Characters of an answer in the title of its action."""


def actions_for_run(
    run: PipelineRun, parent: PipelineRun | None = None
) -> list[Action]:
    """Return what the state of a run allows; `parent` is the run it branched from."""
    if run.is_streaming:
        return [_stop_action(run, has_lens=True), *_common_actions(run, parent)]
    step = run.steps[run.current_step]
    return [
        *_resume_actions(run),
        *_generation_actions(run, step),
        *_selection_actions(run, step),
        *_branch_actions(run),
        *_common_actions(run, parent),
    ]


def _stop_action(run: PipelineRun, *, has_lens: bool = False) -> Action:
    return run_action(run, "Stop generating", "writeit.run.pause", has_lens=has_lens)


def _resume_actions(run: PipelineRun) -> Iterator[Action]:
    if run.status in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        yield run_action(run, "Resume the run", "writeit.run.resume", has_lens=True)


def _generation_actions(run: PipelineRun, step: StepState) -> Iterator[Action]:
    name = step.step_name
    if run.status is PipelineStatus.COMPLETED:
        return
    if step.status is StepStatus.PENDING:
        yield run_action(
            run,
            f"Generate {name}",
            "writeit.step.run",
            step=name,
            uses_model=True,
            has_lens=True,
        )
        yield run_action(run, f"Skip {name}", "writeit.step.skip", step=name)
        yield view_action(run, f"Preview the prompt of {name}", "prompt", name)
    elif lost := generate.incomplete_calls(step):
        yield run_action(
            run,
            f"Complete {name} ({len(lost)} missing)",
            "writeit.step.run",
            step=name,
            uses_model=True,
        )
    if step.status is StepStatus.RUNNING:
        yield view_action(run, f"Read the prompt of {name}", "prompt", name)


def _selection_actions(run: PipelineRun, step: StepState) -> Iterator[Action]:
    if not step.ai_responses or step.status is StepStatus.SKIPPED:
        return
    name = step.step_name
    for item in list_answers(step):
        if isinstance(item, EndedAnswer) and not is_selected(step, item.answer):
            yield run_action(
                run,
                f"Choose answer {item.number} for {name}"
                f" ({_answer_preview(item.answer)})",
                "writeit.step.select",
                step=name,
                response=str(item.answer.response_id),
                has_lens=step.status is StepStatus.RUNNING,
                lens_title=f"Choose answer {item.number}",
            )
    if step.passages:
        yield run_action(
            run,
            f"Use the merge of {len(step.passages)} passages for {name}",
            "writeit.step.merge",
            step=name,
        )
    if step.retry_count < MAX_RETRIES:
        yield run_action(
            run,
            f"Regenerate {name} ({MAX_RETRIES - step.retry_count} left)",
            "writeit.step.regenerate",
            step=name,
            uses_model=True,
            has_lens=step.status is StepStatus.RUNNING,
            lens_title="Regenerate",
        )
    if len(step.ai_responses) > 1:
        yield _last_answers_comparison(run, step)


def _answer_preview(answer: AIResponse) -> str:
    words = " ".join(answer.processed_content.split())
    cut = "…" if len(words) > MAX_PREVIEW_CHARACTERS else ""
    partial = ", incomplete" if answer.partial else ""
    return f"{answer.model}{partial}: {words[:MAX_PREVIEW_CHARACTERS]}{cut}"


def _last_answers_comparison(run: PipelineRun, step: StepState) -> Action:
    left, right = (
        comparison_side(run, step.step_name, answer.response_id)
        for answer in step.ai_responses[-2:]
    )
    return comparison_action(
        f"Compare the last two answers of {step.step_name}", left, right
    )


def _branch_actions(run: PipelineRun) -> Iterator[Action]:
    for name, step in run.steps.items():
        if step.ai_responses:
            yield run_action(run, f"Branch at {name}", "writeit.run.branch", step=name)
        if step.status in DONE_STATUSES:
            yield run_action(
                run, f"Start over from {name}", "writeit.run.rewind", step=name
            )


def _common_actions(run: PipelineRun, parent: PipelineRun | None) -> Iterator[Action]:
    yield view_action(
        run, f"Open the step {run.current_step}", "step", run.current_step
    )
    yield view_action(run, "Open the run", "run")
    if parent is not None and (step := _last_changed_step(run, parent)):
        yield comparison_action(
            f"Compare {step} with the parent run",
            comparison_side(parent, step),
            comparison_side(run, step),
        )
    if any(step.status is StepStatus.COMPLETED for step in run.steps.values()):
        yield run_action(
            run,
            "Apply the text",
            "writeit.step.apply",
            has_lens=run.status is PipelineStatus.COMPLETED and not run.applied,
        )
        if run.output != "new_file":
            yield run_action(
                run,
                "Put the text into a new file",
                "writeit.step.apply",
                mode="new_file",
            )
    if run.uri and run.output != "new_file" and run.is_finished and not run.applied:
        yield document_comparison_action(run)
    if run.applied:
        yield run_action(
            run,
            f"Restore the text before {run.applied[-1].step}",
            "writeit.edit.restore",
            step=run.applied[-1].step,
        )
    yield from _export_actions(run)
    yield view_action(run, "Show usage and cost", "usage")


def activate_run_action(run: PipelineRun, title: str = "Activate this run") -> Action:
    """Return the action that makes a run the current run of its document."""
    return run_action(run, title, "writeit.session.activate", has_lens=True)


def open_run_actions(run_id: UUID) -> list[Action]:
    """Return the actions on a related run: open it, activate it."""
    params = {"runId": str(run_id)}
    return [
        Action(
            title="Open this run",
            command="writeit.view.open",
            params={**params, "view": "run"},
        ),
        Action(
            title="Activate this run",
            command="writeit.session.activate",
            params=params,
        ),
    ]


def _export_actions(run: PipelineRun) -> Iterator[Action]:
    if any(step.status is StepStatus.COMPLETED for step in run.steps.values()):
        yield run_action(
            run,
            "Export as markdown",
            "writeit.run.export",
            format="markdown",
            path="article.md",
        )
    yield run_action(
        run,
        "Export run history",
        "writeit.run.export",
        format="yaml",
        path="run.yaml",
    )


def _last_changed_step(run: PipelineRun, parent: PipelineRun) -> str | None:
    """Return the last step with a text in both runs, if the texts differ."""
    for name, step in reversed(run.steps.items()):
        other = parent.steps.get(name)
        if other and None not in {step.content, other.content}:
            return name if step.content != other.content else None
    return None


MERGE_INSTRUCTION = (
    "Join these passages into one text that reads as if written in one go."
)
"""The default instruction for a merge by a model."""


def actions_for_section(
    run: PipelineRun, step: StepState, section: PageSection, section_text: str
) -> list[Action]:
    """Return the actions on a section of a step's view, the likeliest first."""
    match section.kind:
        case "answer" if section.response_id is not None:
            return list(_answer_actions(run, step, section.response_id))
        case "coming":
            return [_stop_action(run)]
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


def _answer_actions(
    run: PipelineRun, step: StepState, response_id: UUID
) -> Iterator[Action]:
    name, answer = step.step_name, step.find_response(response_id)
    if answer is None:
        return  # the page is older than the run
    can_select = permitted.step_permissions(run, step).select
    if can_select and not is_selected(step, answer):
        yield run_action(
            run,
            "Choose this answer",
            "writeit.step.select",
            step=name,
            response=str(response_id),
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
    other = _compared_answer(step, answer)
    if other is not None:
        yield comparison_action(
            f"Compare with {wording.answer_label(step, other.response_id)}",
            comparison_side(run, name, other.response_id),
            comparison_side(run, name, answer.response_id),
        )


def _compared_answer(step: StepState, answer: AIResponse) -> AIResponse | None:
    """Return the answer to compare with: the chosen one, else the one before."""
    if step.user_selection is not None and not is_selected(step, answer):
        return step.ai_responses[step.user_selection]
    ended = [i.answer for i in list_answers(step) if isinstance(i, EndedAnswer)]
    if len(ended) < len("ab"):
        return None
    index = [each.response_id for each in ended].index(answer.response_id)
    return ended[index - 1 if index else 1]


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
