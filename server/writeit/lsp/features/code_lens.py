"""Code lenses: where a document's run stands, and in a view what fits each place."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from writeit.domain.errors import NotFound
from writeit.domain.run import PipelineRun
from writeit.lsp.actions import Action, document_actions, run_actions
from writeit.lsp.actions.locations import (
    DisplayedPage,
    action_locations,
    actions_for_document,
    activation_actions,
    read_displayed_page,
)
from writeit.lsp.documents import parse_front_matter
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.session import Session
from writeit.views import wording

MAX_LENSES = 6
"""Lenses on one line; the rest is among the code actions."""


async def code_lenses(
    session: Session, params: types.CodeLensParams
) -> list[types.CodeLens]:
    """Return the lenses of a document that has a run, or that asks for one."""
    uri = params.text_document.uri
    folder = session.folder_containing(uri)
    if not (await folder.load_settings()).code_lens.enabled:
        return []
    if (found := session.find_view(uri)) is None:
        return _document_lenses(session, folder, uri)
    try:
        shown = await read_displayed_page(session.documents, *found, uri)
    except NotFound:  # its run was deleted; the page is all that is left
        return []
    return [] if shown is None else _view_lenses(shown)


def _document_lenses(
    session: Session, folder: WorkspaceFolder, uri: str
) -> list[types.CodeLens]:
    run, some = actions_for_document(session.documents, folder, uri)
    prominent = [offer for offer in some if offer.has_lens]
    if run is None:
        return _to_lenses(0, [*prominent, *_start_actions(session, folder, uri)])
    return _to_lenses(0, [_status_action(run), *prominent])


def _start_actions(session: Session, folder: WorkspaceFolder, uri: str) -> list[Action]:
    """Only a document that names a pipeline gets a lens before it has a run."""
    name = parse_front_matter(
        session.documents.front_matter_text(uri), uri
    ).config.pipeline
    usable = folder.load_library().usable_pipelines
    return document_actions.start_actions(
        (each for each in usable if each.name == name), uri
    )


def _view_lenses(page: DisplayedPage) -> list[types.CodeLens]:
    prominent = [
        offer
        for offer in run_actions.actions_for_run(page.run)
        if offer.has_lens and offer.command != "writeit.step.select"
    ]
    elsewhere = activation_actions(page.folder, page.run)
    lenses = _to_lenses(0, [_status_action(page.run), *elsewhere, *prominent])
    for place in action_locations(page):
        lenses += _to_lenses(place.line, place.actions)
    return lenses


def _status_action(run: PipelineRun) -> Action:
    return Action(
        title=status_line_of(run),
        command="writeit.view.open",
        params={"view": "run", "runId": str(run.pipeline_run_id)},
    )


def _to_lenses(line: int, actions: Iterable[Action]) -> list[types.CodeLens]:
    place = types.Position(line=line, character=0)
    return [
        types.CodeLens(
            range=types.Range(start=place, end=place),
            command=types.Command(
                title=offer.lens_title or offer.title,
                command=offer.command,
                arguments=offer.arguments,
            ),
        )
        for offer in list(actions)[: MAX_LENSES + 1]
    ]


def status_line_of(run: PipelineRun) -> str:
    """Return a run's step, status and cost on one line."""
    names = run.step_names
    place = f"{run.current_step} ({names.index(run.current_step) + 1}/{len(names)})"
    spent = "" if run.cost_usd is None else f" · {wording.format_usd(run.cost_usd)}"
    return f"WriteIt: {place}, {wording.current_step_status_text(run)}{spent}"
