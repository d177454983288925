"""Code lenses on the first line: where the run stands, and what is likeliest next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.run import PipelineStatus, StepStatus
from writeit.lsp import offers
from writeit.lsp.current import run_of
from writeit.lsp.documents import binding_of

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun
    from writeit.lsp.connection import Connection

TOP = types.Range(
    start=types.Position(line=0, character=0), end=types.Position(line=0, character=0)
)
MOST = 6
"""Lenses on one line; the rest is among the code actions."""


async def code_lenses(
    connection: Connection, params: types.CodeLensParams
) -> list[types.CodeLens]:
    """Return the lenses of a document that has a run, or that asks for one."""
    uri = params.text_document.uri
    folder = connection.folder_of(uri)
    settings = await connection.settings(folder)
    if not settings.code_lens.enabled:
        return []
    run = run_of(folder, uri)
    if run is None:
        return _to_start(connection, uri)
    state = types.Command(
        title=state_of(run),
        command="writeit.view.open",
        arguments=[{"view": "run", "runId": str(run.pipeline_run_id), "wait": False}],
    )
    prominent = [offer for offer in offers.on_run(run) if offer.prominent]
    return [types.CodeLens(range=TOP, command=state), *_as_lenses(prominent)]


def _to_start(connection: Connection, uri: str) -> list[types.CodeLens]:
    """Only a document that names a pipeline gets a lens before it has a run."""
    name = binding_of(connection, uri).pipeline
    usable = connection.folder_of(uri).library().usable
    named = [pipeline for pipeline in usable if pipeline.name == name]
    return _as_lenses(offers.to_start(named, uri))


def _as_lenses(some: list[offers.Offer]) -> list[types.CodeLens]:
    return [
        types.CodeLens(
            range=TOP,
            command=types.Command(
                title=offer.title, command=offer.command, arguments=offer.arguments
            ),
        )
        for offer in some[:MOST]
    ]


def state_of(run: PipelineRun) -> str:
    """Say in one line where a run stands and what it cost."""
    names = run.step_names
    place = f"{run.current_step} ({names.index(run.current_step) + 1}/{len(names)})"
    cost = run.cost_usd
    spent = "" if cost is None else f" · ${cost:.4f}"
    return f"WriteIt: {place}, {_words(run)}{spent}"


def _words(run: PipelineRun) -> str:
    if run.is_streaming:
        return "answers are coming"
    if run.status is PipelineStatus.PAUSED:
        return "paused"
    if run.status is PipelineStatus.ERROR:
        return "stopped by an error"
    if run.status is PipelineStatus.COMPLETED:
        return "finished"
    step = run.steps[run.current_step]
    if step.status is StepStatus.RUNNING:
        count = len(step.ai_responses)
        return f"{count} answer{'s' * (count != 1)} to choose from"
    return "ready to run"
