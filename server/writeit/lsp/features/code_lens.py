"""Code lenses: the status of a document's run, and the likeliest actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lsprotocol import types

from writeit.domain.errors import NotFound
from writeit.domain.run import PipelineRun
from writeit.lsp.action import Action
from writeit.lsp.actions import document_actions, run_actions, view_action
from writeit.lsp.actions.locations import (
    DisplayedPage,
    action_locations,
    actions_for_document,
    activation_actions,
    read_displayed_page,
)
from writeit.lsp.convert import line_range
from writeit.lsp.documents import ReviewedChange, parse_front_matter
from writeit.lsp.edits.review import find_review
from writeit.lsp.folder import LIBRARY_SECONDS, WorkspaceFolder
from writeit.lsp.session import Session
from writeit.views import wording
from writeit.views.answer_heads import run_cost_text

MAX_FIRST_LINE_LENSES = 3
"""The state, the next act and one more."""
MAX_LENSES = 4
"""Actions on another line; the others are code actions."""


async def code_lenses(
    session: Session, params: types.CodeLensParams
) -> list[types.CodeLens]:
    """Return the lenses of a view, or of a document with a run or a pipeline."""
    uri = params.text_document.uri
    folder = session.folder_containing(uri)
    if not (await folder.load_settings()).code_lens.enabled:
        return []
    if (found := session.find_view(uri)) is None:
        return await _document_lenses(session, folder, uri)
    try:
        page = await read_displayed_page(*found, uri)
    except NotFound:  # its run was deleted; the page is all that is left
        return []
    return [] if page is None else _view_lenses(page)


async def _document_lenses(
    session: Session, folder: WorkspaceFolder, uri: str
) -> list[types.CodeLens]:
    runs, actions = await actions_for_document(folder, uri)
    prominent = [action for action in actions if action.has_lens]
    if runs.run is None:
        shown = [*prominent, *await _start_actions(session, folder, uri)]
    else:
        shown = [_status_action(runs.run), *prominent]
    review = await find_review(folder, uri, runs.listed)
    changes = review.changes if review else ()
    return [*to_lenses(0, shown), *_change_lenses(uri, changes)]


def _change_lenses(
    uri: str, changes: Sequence[ReviewedChange]
) -> Iterator[types.CodeLens]:
    """Yield the lenses on the changed blocks; those on all are at the first."""
    for index, change in enumerate(changes):
        actions = document_actions.change_actions(uri, change, 1)
        if index == 0:
            actions += document_actions.change_actions(uri, None, len(changes))
        for action in actions:
            yield from to_lenses(change.block.first, [action])


async def _start_actions(
    session: Session, folder: WorkspaceFolder, uri: str
) -> list[Action]:
    """Return the start of the pipeline that a document without a run names."""
    name = parse_front_matter(
        session.documents.front_matter_text(uri), uri
    ).config.pipeline
    # VS Code waits before each request as long as the last ones took on average.
    seconds = 0.0 if session.client.capabilities.refresh_lenses else LIBRARY_SECONDS
    usable = (await folder.load_library(seconds)).usable_pipelines
    return document_actions.start_actions([p for p in usable if p.name == name], uri)


def _view_lenses(page: DisplayedPage) -> list[types.CodeLens]:
    prominent = [
        action
        for action in run_actions.actions_for_run(page.run, outlook=page.outlook)
        if action.has_lens and action.command not in _ON_THE_ANSWERS
    ]
    activation = activation_actions(page.folder, page.run)
    lenses = to_lenses(0, [_status_action(page.run), *activation, *prominent])
    for location in action_locations(page):
        lenses += to_lenses(location.line, location.actions)
    return lenses


_ON_THE_ANSWERS = frozenset({"writeit.step.select", "writeit.view.open"})
"""What the lenses of the answers below offer, or what is open already."""


def _status_action(run: PipelineRun) -> Action:
    return view_action(run, status_line_of(run), "run")


def to_lenses(line: int, actions: Iterable[Action]) -> list[types.CodeLens]:
    """Return the lenses of the first actions, as many as fit on a line."""
    return [
        types.CodeLens(
            range=line_range(line, line),
            command=action.to_command(action.lens_title or action.title),
        )
        for action in list(actions)[: MAX_LENSES if line else MAX_FIRST_LINE_LENSES]
    ]


def status_line_of(run: PipelineRun) -> str:
    """Return a run's step, status and cost on one line."""
    names = run.step_names
    place = f"{run.current_step} ({names.index(run.current_step) + 1}/{len(names)})"
    is_shown = run.cost_usd is not None and run_cost_text(run)
    spent = f" · {wording.format_usd(run.cost_usd or 0)}" if is_shown else ""
    return f"WriteIt: {place}, {wording.current_step_status_text(run)}{spent}"
