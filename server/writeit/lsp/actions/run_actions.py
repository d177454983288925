"""What the state of a run allows, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from writeit.domain.operations import generate
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    AIResponse,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.lsp.actions.action import (
    Action,
    comparison_action,
    comparison_side,
    document_comparison_action,
    run_action,
    view_action,
)

MAX_PREVIEW_CHARACTERS = 40
"""Characters of an answer that its offer shows."""


def actions_for_run(
    run: PipelineRun, parent: PipelineRun | None = None
) -> list[Action]:
    """Offer what the state of a run allows; `parent` is what it branched off."""
    if run.is_streaming:
        return [*_streaming_actions(run), *_common_actions(run, parent)]
    step = run.steps[run.current_step]
    return [
        *_resume_actions(run),
        *_generation_actions(run, step),
        *_selection_actions(run, step),
        *_branch_actions(run),
        *_common_actions(run, parent),
    ]


def _streaming_actions(run: PipelineRun) -> Iterator[Action]:
    count = sum(len(step.streaming) for step in run.steps.values())
    what = "the answer" if count == 1 else f"the {count} answers"
    yield run_action(
        run,
        f"Stop {what}; what came is kept",
        "writeit.run.pause",
        has_lens=True,
        lens_title="Stop",
    )


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
            f"Run {name}",
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
            f"Ask again what failed in {name} ({len(lost)})",
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
    for index, answer in enumerate(step.ai_responses):
        if index != step.user_selection:
            yield run_action(
                run,
                f"Choose answer {index + 1} for {name} ({_answer_preview(answer)})",
                "writeit.step.select",
                step=name,
                response=index,
                has_lens=step.status is StepStatus.RUNNING,
                lens_title=f"Choose answer {index + 1}",
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
            f"Ask {name} anew ({step.retry_count} of {MAX_RETRIES} used)",
            "writeit.step.regenerate",
            step=name,
            uses_model=True,
            has_lens=step.status is StepStatus.RUNNING,
            lens_title="Ask anew",
        )
    if len(step.ai_responses) > 1:
        yield _last_answers_comparison(run, step)


def _answer_preview(answer: AIResponse) -> str:
    words = " ".join(answer.processed_content.split())
    short = (
        words
        if len(words) <= MAX_PREVIEW_CHARACTERS
        else f"{words[:MAX_PREVIEW_CHARACTERS]}…"
    )
    cut = ", cut short" if answer.partial else ""
    return f"{answer.model}{cut}: {short}"


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
            yield run_action(run, f"Rewind to {name}", "writeit.run.rewind", step=name)


def _common_actions(run: PipelineRun, parent: PipelineRun | None) -> Iterator[Action]:
    yield view_action(
        run, f"Open the step {run.current_step}", "step", run.current_step
    )
    yield view_action(run, "Open the run", "run")
    if parent is not None and (step := _last_changed_step(run, parent)):
        yield comparison_action(
            f"Compare {step} with the run this branched off",
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
            f"Take the text of {run.applied[-1].step} out of the document again",
            "writeit.edit.restore",
            step=run.applied[-1].step,
        )
    yield from _export_actions(run)
    yield view_action(run, "Open what all runs used", "usage")


def activate_run_action(run: PipelineRun, title: str = "Go on with this run") -> Action:
    """Offer to make a run the one that its document is about."""
    return run_action(run, title, "writeit.session.activate", has_lens=True)


def open_run_actions(run_id: UUID) -> list[Action]:
    """Offer another run of a family: to look at it, to make the document about it."""
    of = {"runId": str(run_id)}
    return [
        Action(
            title="Open this run",
            command="writeit.view.open",
            params={**of, "view": "run"},
        ),
        Action(
            title="Go on with this run", command="writeit.session.activate", params=of
        ),
    ]


def _export_actions(run: PipelineRun) -> Iterator[Action]:
    if any(step.status is StepStatus.COMPLETED for step in run.steps.values()):
        yield run_action(
            run,
            "Export the article as markdown",
            "writeit.run.export",
            format="markdown",
            path="article.md",
        )
    yield run_action(
        run,
        "Export the run with its history",
        "writeit.run.export",
        format="yaml",
        path="run.yaml",
    )


def _last_changed_step(run: PipelineRun, parent: PipelineRun) -> str | None:
    """Return the last step that has a text in both runs, and not the same."""
    for name, step in reversed(run.steps.items()):
        there = parent.steps.get(name)
        if there and None not in {step.content, there.content}:
            return name if step.content != there.content else None
    return None
