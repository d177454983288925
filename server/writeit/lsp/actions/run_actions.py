"""Actions on a run, on a step of it and on a section of its page."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from writeit.domain.operations import generate, permitted
from writeit.domain.run import (
    DONE_STATUSES,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.lsp.action import Action
from writeit.lsp.actions import (
    choice_actions,
    comparison_action,
    comparison_side,
    document_comparison_action,
    run_action,
    view_action,
)
from writeit.lsp.actions.outlook import Outlook
from writeit.views import wording
from writeit.views.compare import compare_steps, first_difference
from writeit.views.page_outline import PageSection


def actions_for_run(
    run: PipelineRun, parent: PipelineRun | None = None, outlook: Outlook | None = None
) -> list[Action]:
    """Return what the state of a run allows, the likeliest and harmless first.

    `parent` is the run it branched from.
    """
    outlook = outlook or Outlook()
    step = run.steps[run.current_step]
    if run.is_streaming:
        return [
            *choice_actions.choices_while_streaming(run, step, outlook),
            _stop_action(run, has_lens=True),
            *_open_actions(run),
            *_common_actions(run, parent),
        ]
    return [
        *choice_actions.selection_actions(run, step, outlook),
        *_generation_actions(run, step, outlook),
        *_refresh_actions(run, outlook),
        *_apply_actions(run),
        *_resume_actions(run),
        *_restore_remarks_actions(run),
        *choice_actions.other_choices(run, step),
        *_open_actions(run),
        *_branch_actions(run, outlook),
        *_common_actions(run, parent),
    ]


def _refresh_actions(run: PipelineRun, outlook: Outlook) -> Iterator[Action]:
    """Yield the branch with today's texts, if some have changed."""
    if outlook.stale:
        yield run_action(
            run,
            f"Refresh in a new branch ({outlook.stale})",
            "writeit.run.refresh",
            has_lens=True,
            lens_title=outlook.stale,
        )
        yield run_action(
            run,
            f"Refresh in a new branch and generate ({outlook.stale})",
            "writeit.run.refresh",
            uses_model=True,
            goOn=True,
        )


def _stop_action(run: PipelineRun, *, has_lens: bool = False) -> Action:
    count = sum(len(step.streaming) for step in run.steps.values())
    answers = f" ({wording.count_of(count, 'answer')})" if count else ""
    return run_action(
        run,
        f"Stop generating{answers}",
        "writeit.run.pause",
        has_lens=has_lens,
        lens_title="Stop generating",
    )


def _resume_actions(run: PipelineRun) -> Iterator[Action]:
    if run.status in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        yield run_action(run, "Mark the run as running", "writeit.run.resume")


def _restore_remarks_actions(run: PipelineRun) -> Iterator[Action]:
    if run.dismissals:
        title = "Show the dismissed remarks again"
        yield run_action(run, title, "writeit.review.restore")


def _generation_actions(
    run: PipelineRun, step: StepState, outlook: Outlook
) -> Iterator[Action]:
    name = step.step_name
    if run.status is PipelineStatus.COMPLETED:
        return
    is_stopped = run.status in {PipelineStatus.PAUSED, PipelineStatus.ERROR}
    if step.status is StepStatus.PENDING:
        verb = "Resume: generate" if is_stopped else "Generate"
        yield run_action(
            run,
            f"{verb} {name}{outlook.cost}",
            "writeit.step.run",
            step=name,
            uses_model=True,
            has_lens=True,
        )
        yield run_action(run, f"Skip {name}", "writeit.step.skip", step=name)
        yield view_action(run, f"Preview the prompt of {name}", "prompt", name)
    elif step.status is StepStatus.RUNNING and (
        lost := generate.incomplete_calls(step)
    ):
        verb = "Resume" if is_stopped else "Complete"
        yield run_action(
            run,
            f"{verb} {name} ({len(lost)} missing){outlook.cost}",
            "writeit.step.run",
            step=name,
            uses_model=True,
            has_lens=is_stopped,
        )
    if step.status is StepStatus.RUNNING:
        yield view_action(run, f"Preview the prompt of {name}", "prompt", name)


def _branch_actions(run: PipelineRun, outlook: Outlook) -> Iterator[Action]:
    old = outlook.old_texts
    for name, step in run.steps.items():
        if step.ai_responses:
            yield run_action(
                run, f"Branch at {name}{old}", "writeit.run.branch", step=name
            )
        if step.status in DONE_STATUSES:
            yield run_action(
                run, f"Start over from {name}{old}", "writeit.run.rewind", step=name
            )


def _open_actions(run: PipelineRun) -> Iterator[Action]:
    name = run.current_step
    yield view_action(run, f"Open the step {name}", "step", name)
    yield view_action(run, "Open the run", "run")


def _common_actions(run: PipelineRun, parent: PipelineRun | None) -> Iterator[Action]:
    steps = compare_steps(parent, run) if parent else {}
    if parent is not None and (step := first_difference(steps)):
        yield comparison_action(
            f"Compare {step} with the original run",
            comparison_side(parent, step),
            comparison_side(run, step),
        )
    if (
        run.uri
        and run.output in {"replace", "insert"}
        and run.is_finished
        and not run.applied
    ):
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


def _apply_actions(run: PipelineRun) -> Iterator[Action]:
    """Yield what applies the last chosen text; it names the step whose text it is."""
    done = [s for s in run.steps.values() if s.status is StepStatus.COMPLETED]
    if not done or run.review_step:
        return
    name, is_finished = done[-1].step_name, run.status is PipelineStatus.COMPLETED
    open_step = "" if run.is_finished else f" ({run.current_step} is not done)"
    yield run_action(
        run,
        f"Apply the text of {name}{open_step}",
        "writeit.step.apply",
        step=name,
        ask=True,
        has_lens=is_finished and not run.applied,
        lens_title=f"Apply {name}",
    )
    if run.output != "new_file":
        yield run_action(
            run,
            f"Write the text of {name} to a new file{open_step}",
            "writeit.step.apply",
            step=name,
            ask=True,
            mode="new_file",
        )


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


def compare_run_actions(
    left: PipelineRun, right: PipelineRun, shown: str | None = None
) -> Iterator[Action]:
    """Yield the comparisons of two runs' texts from where they part.

    The first difference comes first, then the last step. `shown` is the step that is
    compared already.
    """
    steps = compare_steps(left, right)
    names = [name for name in reversed(steps) if name != shown]
    names.sort(key=lambda name: name != first_difference(steps))
    for name in names:
        equal = " (equal)" if steps[name] else ""
        yield comparison_action(
            f"Compare {name} of the two runs{equal}",
            comparison_side(left, name),
            comparison_side(right, name),
        )


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


def actions_for_section(
    run: PipelineRun,
    step: StepState,
    section: PageSection,
    section_text: str,
    outlook: Outlook | None = None,
) -> list[Action]:
    """Return the actions on a section of a step's view, the likeliest first."""
    outlook = outlook or Outlook()
    match section.kind:
        case "answer" if section.response_id is not None:
            return list(
                choice_actions.answer_actions(run, step, section.response_id, outlook)
            )
        case "coming":
            return [*_coming_actions(run, section.response_id), _stop_action(run)]
        case "merge":
            return list(choice_actions.merge_actions(run, step, section_text, outlook))
        case "feedback":
            return [
                *_feedback_actions(run, step, section_text, outlook),
                *_refresh_actions(run, outlook),
            ]
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


def _coming_actions(run: PipelineRun, response_id: UUID | None) -> Iterator[Action]:
    streams = [s.response_id for step in run.steps.values() for s in step.streaming]
    if response_id in streams and len(streams) > 1:
        yield run_action(
            run,
            "Stop this answer",
            "writeit.response.stop",
            responseId=str(response_id),
        )


def _feedback_actions(
    run: PipelineRun, step: StepState, text: str, outlook: Outlook
) -> Iterator[Action]:
    if permitted.step_permissions(run, step).regenerate:
        yield run_action(
            run,
            ("Regenerate with feedback" if text.strip() else "Regenerate")
            + outlook.old_texts,
            "writeit.step.regenerate",
            step=step.step_name,
            uses_model=True,
        )
    if text.strip():
        yield run_action(
            run,
            "Keep this as a rule" if run.primer else "Keep this as a rule of a style",
            "writeit.primer.keep",
            step=step.step_name,
            text=text,
        )
