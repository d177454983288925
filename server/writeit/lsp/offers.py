"""What fits here and now: the one list behind code actions and code lenses.

An offer carries all its command needs; the server never remembers what it showed.
Every offer passes `wait: false`: many editors block on a command and give up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from writeit.core import decide
from writeit.core.run import DONE, MAX_RETRIES, PipelineStatus, StepStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.run import AIResponse, PipelineRun, StepState

FIRST_WORDS = 40
"""Characters of an answer that its offer shows."""


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


def to_start(pipelines: Iterable[PipelineConfiguration], uri: str) -> list[Offer]:
    """Offer to start a run of each pipeline for documents."""
    return [
        Offer(
            title=f"Start {pipeline.name}: {pipeline.description}".rstrip(": "),
            command="writeit.run.start",
            params={"pipeline": pipeline.name, "uri": uri},
            prominent=True,
        )
        for pipeline in pipelines
        if pipeline.applies_to == "document"
    ]


def on_run(run: PipelineRun) -> list[Offer]:
    """Offer what the state of a run allows, the likeliest first."""
    if run.is_streaming:
        return [*_while_streaming(run), *_always(run)]
    step = run.steps[run.current_step]
    return [
        *_life(run),
        *_asking(run, step),
        *_choosing(run, step),
        *_looking_back(run),
        *_always(run),
    ]


def _offer(run: PipelineRun, title: str, command: str, **more: Any) -> Offer:  # noqa: ANN401 -- params and flags
    flags = {key: more.pop(key) for key in ("generates", "prominent") if key in more}
    params = {"runId": str(run.pipeline_run_id), **more}
    return Offer(title=title, command=command, params=params, **flags)


def _while_streaming(run: PipelineRun) -> Iterator[Offer]:
    count = sum(len(step.streaming) for step in run.steps.values())
    what = "the answer" if count == 1 else f"the {count} answers"
    yield _offer(
        run, f"Stop {what}; what came is kept", "writeit.run.pause", prominent=True
    )


def _life(run: PipelineRun) -> Iterator[Offer]:
    if run.status in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        yield _offer(run, "Resume the run", "writeit.run.resume", prominent=True)


def _asking(run: PipelineRun, step: StepState) -> Iterator[Offer]:
    name = step.step_name
    if run.status is PipelineStatus.COMPLETED:
        return
    if step.status is StepStatus.PENDING:
        yield _offer(
            run,
            f"Run {name}",
            "writeit.step.run",
            step=name,
            generates=True,
            prominent=True,
        )
        yield _offer(run, f"Skip {name}", "writeit.step.skip", step=name)
        yield _view(run, f"Preview the prompt of {name}", "prompt", name)
    elif lost := decide.unmet(step):
        yield _offer(
            run,
            f"Ask again what failed in {name} ({len(lost)})",
            "writeit.step.run",
            step=name,
            generates=True,
        )


def _choosing(run: PipelineRun, step: StepState) -> Iterator[Offer]:
    if not step.ai_responses or step.status is StepStatus.SKIPPED:
        return
    name = step.step_name
    for index, answer in enumerate(step.ai_responses):
        if index != step.user_selection:
            yield _offer(
                run,
                f"Choose answer {index + 1} for {name} ({_sketch(answer)})",
                "writeit.step.select",
                step=name,
                response=index,
                prominent=step.status is StepStatus.RUNNING,
            )
    if step.passages:
        yield _offer(
            run,
            f"Use the merge of {len(step.passages)} passages for {name}",
            "writeit.step.merge",
            step=name,
        )
    if step.retry_count < MAX_RETRIES:
        yield _offer(
            run,
            f"Ask {name} anew ({step.retry_count} of {MAX_RETRIES} used)",
            "writeit.step.regenerate",
            step=name,
            generates=True,
            prominent=step.status is StepStatus.RUNNING,
        )
    if len(step.ai_responses) > 1:
        yield _comparison(run, step)


def _sketch(answer: AIResponse) -> str:
    words = " ".join(answer.processed_content.split())
    short = words if len(words) <= FIRST_WORDS else f"{words[:FIRST_WORDS]}…"
    cut = ", cut short" if answer.partial else ""
    return f"{answer.model}{cut}: {short}"


def _comparison(run: PipelineRun, step: StepState) -> Offer:
    run_id = str(run.pipeline_run_id)
    left, right = step.ai_responses[-2:]
    sides = [
        {"runId": run_id, "step": step.step_name, "response": str(a.response_id)}
        for a in (left, right)
    ]
    return _offer(
        run,
        f"Compare the last two answers of {step.step_name}",
        "writeit.view.open",
        view="compare",
        left=sides[0],
        right=sides[1],
    )


def _looking_back(run: PipelineRun) -> Iterator[Offer]:
    for name, step in run.steps.items():
        if step.ai_responses:
            yield _offer(run, f"Branch at {name}", "writeit.run.branch", step=name)
        if step.status in DONE:
            yield _offer(run, f"Rewind to {name}", "writeit.run.rewind", step=name)


def _always(run: PipelineRun) -> Iterator[Offer]:
    yield _view(run, f"Open the step {run.current_step}", "step", run.current_step)
    yield _view(run, "Open the run", "run")
    if any(step.status is StepStatus.COMPLETED for step in run.steps.values()):
        yield _offer(
            run,
            "Apply the text",
            "writeit.step.apply",
            prominent=run.status is PipelineStatus.COMPLETED,
        )
        yield _offer(
            run,
            "Export the article as markdown",
            "writeit.run.export",
            format="markdown",
            path="article.md",
        )
    yield _offer(
        run,
        "Export the run with its history",
        "writeit.run.export",
        format="yaml",
        path="run.yaml",
    )


def _view(run: PipelineRun, title: str, view: str, step: str | None = None) -> Offer:
    more = {"step": step} if step else {}
    return _offer(run, title, "writeit.view.open", view=view, **more)
