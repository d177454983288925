"""What the state of a run allows, the likeliest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import decide
from writeit.core.run import DONE, MAX_RETRIES, PipelineStatus, StepStatus
from writeit.lsp.offers.offer import (
    Offer,
    compare_with_document,
    comparison,
    of_run,
    side,
    view,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from writeit.core.run import AIResponse, PipelineRun, StepState

FIRST_WORDS = 40
"""Characters of an answer that its offer shows."""


def on_run(run: PipelineRun, parent: PipelineRun | None = None) -> list[Offer]:
    """Offer what the state of a run allows; `parent` is what it branched off."""
    if run.is_streaming:
        return [*_while_streaming(run), *_always(run, parent)]
    step = run.steps[run.current_step]
    return [
        *_life(run),
        *_asking(run, step),
        *_choosing(run, step),
        *_looking_back(run),
        *_always(run, parent),
    ]


def _while_streaming(run: PipelineRun) -> Iterator[Offer]:
    count = sum(len(step.streaming) for step in run.steps.values())
    what = "the answer" if count == 1 else f"the {count} answers"
    yield of_run(
        run,
        f"Stop {what}; what came is kept",
        "writeit.run.pause",
        prominent=True,
        brief="Stop",
    )


def _life(run: PipelineRun) -> Iterator[Offer]:
    if run.status in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        yield of_run(run, "Resume the run", "writeit.run.resume", prominent=True)


def _asking(run: PipelineRun, step: StepState) -> Iterator[Offer]:
    name = step.step_name
    if run.status is PipelineStatus.COMPLETED:
        return
    if step.status is StepStatus.PENDING:
        yield of_run(
            run,
            f"Run {name}",
            "writeit.step.run",
            step=name,
            generates=True,
            prominent=True,
        )
        yield of_run(run, f"Skip {name}", "writeit.step.skip", step=name)
        yield view(run, f"Preview the prompt of {name}", "prompt", name)
    elif lost := decide.unmet(step):
        yield of_run(
            run,
            f"Ask again what failed in {name} ({len(lost)})",
            "writeit.step.run",
            step=name,
            generates=True,
        )
    if step.status is StepStatus.RUNNING:
        yield view(run, f"Read the prompt of {name}", "prompt", name)


def _choosing(run: PipelineRun, step: StepState) -> Iterator[Offer]:
    if not step.ai_responses or step.status is StepStatus.SKIPPED:
        return
    name = step.step_name
    for index, answer in enumerate(step.ai_responses):
        if index != step.user_selection:
            yield of_run(
                run,
                f"Choose answer {index + 1} for {name} ({_sketch(answer)})",
                "writeit.step.select",
                step=name,
                response=index,
                prominent=step.status is StepStatus.RUNNING,
                brief=f"Choose answer {index + 1}",
            )
    if step.passages:
        yield of_run(
            run,
            f"Use the merge of {len(step.passages)} passages for {name}",
            "writeit.step.merge",
            step=name,
        )
    if step.retry_count < MAX_RETRIES:
        yield of_run(
            run,
            f"Ask {name} anew ({step.retry_count} of {MAX_RETRIES} used)",
            "writeit.step.regenerate",
            step=name,
            generates=True,
            prominent=step.status is StepStatus.RUNNING,
            brief="Ask anew",
        )
    if len(step.ai_responses) > 1:
        yield _comparison(run, step)


def _sketch(answer: AIResponse) -> str:
    words = " ".join(answer.processed_content.split())
    short = words if len(words) <= FIRST_WORDS else f"{words[:FIRST_WORDS]}…"
    cut = ", cut short" if answer.partial else ""
    return f"{answer.model}{cut}: {short}"


def _comparison(run: PipelineRun, step: StepState) -> Offer:
    left, right = (
        side(run, step.step_name, answer.response_id)
        for answer in step.ai_responses[-2:]
    )
    return comparison(f"Compare the last two answers of {step.step_name}", left, right)


def _looking_back(run: PipelineRun) -> Iterator[Offer]:
    for name, step in run.steps.items():
        if step.ai_responses:
            yield of_run(run, f"Branch at {name}", "writeit.run.branch", step=name)
        if step.status in DONE:
            yield of_run(run, f"Rewind to {name}", "writeit.run.rewind", step=name)


def _always(run: PipelineRun, parent: PipelineRun | None) -> Iterator[Offer]:
    yield view(run, f"Open the step {run.current_step}", "step", run.current_step)
    yield view(run, "Open the run", "run")
    if parent is not None and (step := _changed_since(run, parent)):
        yield comparison(
            f"Compare {step} with the run this branched off",
            side(parent, step),
            side(run, step),
        )
    if any(step.status is StepStatus.COMPLETED for step in run.steps.values()):
        yield of_run(
            run,
            "Apply the text",
            "writeit.step.apply",
            prominent=run.status is PipelineStatus.COMPLETED and not run.applied,
        )
        if run.output != "new_file":
            yield of_run(
                run,
                "Put the text into a new file",
                "writeit.step.apply",
                mode="new_file",
            )
    if run.uri and run.output != "new_file" and run.is_finished and not run.applied:
        yield compare_with_document(run)
    if run.applied:
        yield of_run(
            run,
            f"Take the text of {run.applied[-1].step} out of the document again",
            "writeit.edit.restore",
            step=run.applied[-1].step,
        )
    yield from _exports(run)
    yield view(run, "Open what all runs used", "usage")


def to_go_on(run: PipelineRun, title: str = "Go on with this run") -> Offer:
    """Offer to make a run the one that its document is about."""
    return of_run(run, title, "writeit.session.activate", prominent=True)


def to_visit(run_id: UUID) -> list[Offer]:
    """Offer another run of a family: to look at it, to make the document about it."""
    of = {"runId": str(run_id)}
    return [
        Offer(
            title="Open this run",
            command="writeit.view.open",
            params={**of, "view": "run"},
        ),
        Offer(
            title="Go on with this run", command="writeit.session.activate", params=of
        ),
    ]


def _exports(run: PipelineRun) -> Iterator[Offer]:
    if any(step.status is StepStatus.COMPLETED for step in run.steps.values()):
        yield of_run(
            run,
            "Export the article as markdown",
            "writeit.run.export",
            format="markdown",
            path="article.md",
        )
    yield of_run(
        run,
        "Export the run with its history",
        "writeit.run.export",
        format="yaml",
        path="run.yaml",
    )


def _changed_since(run: PipelineRun, parent: PipelineRun) -> str | None:
    """Return the last step that has a text in both runs, and not the same."""
    for name, step in reversed(run.steps.items()):
        there = parent.steps.get(name)
        if there and None not in {step.content, there.content}:
            return name if step.content != there.content else None
    return None
