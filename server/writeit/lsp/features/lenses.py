"""Code lenses: where a document's run stands, and in a view what fits each place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import NotFound
from writeit.core.run import PipelineStatus, StepStatus
from writeit.lsp import offers
from writeit.lsp.features import frontmatter
from writeit.lsp.features.places import on_document, page_of, places_in, to_go_on
from writeit.lsp.subject import view_in
from writeit.views import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from writeit.core.run import PipelineRun
    from writeit.lsp.connection import Connection
    from writeit.lsp.features.places import Page
    from writeit.lsp.folder import Folder
    from writeit.lsp.offers import Offer

MOST = 6
"""Lenses on one line; the rest is among the code actions."""


async def code_lenses(
    connection: Connection, params: types.CodeLensParams
) -> list[types.CodeLens]:
    """Return the lenses of a document that has a run, or that asks for one."""
    uri = params.text_document.uri
    folder = connection.folder_of(uri)
    if not (await connection.settings(folder)).code_lens.enabled:
        return []
    if (found := view_in(connection, uri)) is None:
        return _on_document(connection, folder, uri)
    try:
        shown = await page_of(connection, *found, uri)
    except NotFound:  # its run was deleted; the page is all that is left
        return []
    return [] if shown is None else _in_view(shown)


def _on_document(
    connection: Connection, folder: Folder, uri: str
) -> list[types.CodeLens]:
    run, some = on_document(connection, folder, uri)
    prominent = [offer for offer in some if offer.prominent]
    if run is None:
        return _at(0, [*prominent, *_to_start(connection, folder, uri)])
    return _at(0, [_state(run), *prominent])


def _to_start(connection: Connection, folder: Folder, uri: str) -> list[Offer]:
    """Only a document that names a pipeline gets a lens before it has a run."""
    name = frontmatter.read(frontmatter.head(connection, uri), uri).binding.pipeline
    usable = folder.library().usable
    return offers.to_start((each for each in usable if each.name == name), uri)


def _in_view(shown: Page) -> list[types.CodeLens]:
    prominent = [
        offer
        for offer in offers.on_run(shown.run)
        if offer.prominent and offer.command != "writeit.step.select"
    ]
    elsewhere = to_go_on(shown.folder, shown.run)
    lenses = _at(0, [_state(shown.run), *elsewhere, *prominent])
    for place in places_in(shown):
        lenses += _at(place.line, place.offers)
    return lenses


def _state(run: PipelineRun) -> Offer:
    return offers.Offer(
        title=state_of(run),
        command="writeit.view.open",
        params={"view": "run", "runId": str(run.pipeline_run_id)},
    )


def _at(line: int, some: Iterable[Offer]) -> list[types.CodeLens]:
    place = types.Position(line=line, character=0)
    return [
        types.CodeLens(
            range=types.Range(start=place, end=place),
            command=types.Command(
                title=offer.brief or offer.title,
                command=offer.command,
                arguments=offer.arguments,
            ),
        )
        for offer in list(some)[: MOST + 1]
    ]


def state_of(run: PipelineRun) -> str:
    """Say in one line where a run stands and what it cost."""
    names = run.step_names
    place = f"{run.current_step} ({names.index(run.current_step) + 1}/{len(names)})"
    spent = "" if run.cost_usd is None else f" · {words.money(run.cost_usd)}"
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
