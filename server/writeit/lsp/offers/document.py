"""What fits a document: a run to start, a text that waits, a passage polished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core.run import PipelineStatus
from writeit.lsp.convert import canonical
from writeit.lsp.offers.offer import Offer, compare_with_document, of_run, view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.run import PipelineRun, StepState
    from writeit.lsp.desk import Pending


def to_start(pipelines: Iterable[PipelineConfiguration], uri: str) -> list[Offer]:
    """Offer to start a run of each pipeline for documents."""
    return [
        Offer(
            title=f"Start {pipeline.name}: {pipeline.description}".rstrip(": "),
            command="writeit.run.start",
            params={"pipeline": pipeline.name, "uri": uri},
            prominent=True,
            brief=f"Start {pipeline.name}",
        )
        for pipeline in pipelines
        if pipeline.applies_to == "document"
    ]


def to_land(pending: Pending) -> Offer:
    """Offer again a text that could not be applied: the writer was typing."""
    return Offer(
        title=f"Put the text of {pending.step} in its place: it waits",
        command="writeit.step.apply",
        params={
            "runId": str(pending.run_id),
            "step": pending.step,
            "mode": pending.mode,
            "uri": pending.uri,
        },
        prominent=True,
        brief=f"Put {pending.step} in its place: it waits",
    )


def on_polish(run: PipelineRun, uri: str) -> Iterator[Offer]:
    """Offer what is left to do about the passage that was polished last."""
    step = run.steps[run.current_step]
    if run.is_streaming:
        yield of_run(
            run,
            "Stop polishing; what came is kept",
            "writeit.run.pause",
            prominent=True,
        )
    elif run.status is not PipelineStatus.COMPLETED and step.ai_responses:
        yield view(
            run, "Choose among the polished passages", "step", step.step_name
        ).prominently()
    elif any(applied.uri == canonical(uri) for applied in run.applied):
        yield of_run(run, "Take the last polish back", "writeit.edit.restore")
    elif not run.applied and step.content is not None:
        yield from to_put_in(run, step)


def to_put_in(run: PipelineRun, step: StepState) -> Iterator[Offer]:
    """Offer a passage that was chosen and never came into the document.

    The document was closed then, or the writer had changed the passage as well. Once
    she took it back, or did something else with its run, it is offered less loudly.
    """
    yield of_run(
        run,
        "Put the new passage in its place",
        "writeit.step.apply",
        step=step.step_name,
        prominent=run.updated_at == step.completed_at,
    )
    yield compare_with_document(run)


def to_install(model: str) -> Offer:
    """Offer to fetch the model that needs no account."""
    return Offer(
        title=f"Install the embedded model ({model}): no account needed",
        command="writeit.model.install",
        params={"model": model},
    )
