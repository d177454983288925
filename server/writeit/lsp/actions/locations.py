"""Where in a document which actions are offered.

Code actions and code lenses show the same locations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from urllib.parse import unquote

from writeit.domain.errors import NotFound, StoreError
from writeit.domain.run import AppliedText, PipelineRun
from writeit.engine.queries import read_full_tree
from writeit.lsp.action import Action
from writeit.lsp.actions import (
    choice_actions,
    document_actions,
    run_actions,
)
from writeit.lsp.actions.outlook import Outlook, find_outlook
from writeit.lsp.convert import normalized_uri
from writeit.lsp.edits.review import find_applied_event
from writeit.lsp.findings.remarks import (
    RemarkPlace,
    place_in_document,
    remark_actions,
)
from writeit.lsp.folder import (
    MAX_RUNS_READ,
    CurrentRuns,
    WorkspaceFolder,
    applied_polishes,
    find_current_runs,
)
from writeit.lsp.pages.views import read_displayed_view
from writeit.ports.store import RunQuery
from writeit.text.diff import find_applied_lines
from writeit.views import uris
from writeit.views.page_outline import PageSection, split_page_lines
from writeit.views.run import find_step_lines, node_at_line
from writeit.views.step import find_remark_line
from writeit.views.uris import View


@dataclass(frozen=True, slots=True)
class ActionLocation:
    """A line, those that belong to it, and what is offered there."""

    line: int
    last_line: int
    actions: list[Action]
    title_suffix: str = ""
    """An addition to the titles of its actions, for lists without lines."""


@dataclass(frozen=True, slots=True)
class DisplayedPage:
    """A view as the user sees it, and the run that it shows."""

    folder: WorkspaceFolder
    view: View
    text: str
    sections: tuple[PageSection, ...]
    run: PipelineRun
    outlook: Outlook
    remarks: list[RemarkPlace]
    """Those of a review, with their places in its document."""

    def section_text(self, section: PageSection) -> str:
        """Return the text of a section."""
        lines = split_page_lines(self.text)
        return "\n".join(lines[section.first_line : section.last_line + 1])


async def read_displayed_page(
    folder: WorkspaceFolder, view: View, uri: str
) -> DisplayedPage | None:
    """Return a view as the client has it open, else rendered; None for usage.

    Raises:
        NotFound: its run is gone.
    """
    if isinstance(view, uris.UsageView):
        return None
    run_id = view.right.run_id if isinstance(view, uris.CompareView) else view.run_id
    # The text first: the client's positions are about what it is now.
    seen = await read_displayed_view(folder, view, uri)
    run = await folder.engine.load_run(run_id)
    outlook = await find_outlook(folder, run)
    remarks = await place_in_document(folder, run)
    return DisplayedPage(folder, view, seen.text, seen.sections, run, outlook, remarks)


async def actions_for_document(
    folder: WorkspaceFolder, uri: str
) -> tuple[CurrentRuns, list[Action]]:
    """Return a document's runs and the actions: pending applies, last polish, run.

    The text itself is not read, so the length of an article costs nothing.
    """
    runs = find_current_runs(folder, uri)
    pending = [
        apply
        for apply in folder.documents.pending_applies.values()
        if unquote(apply.uri) == unquote(uri)
    ]
    polish, run = runs.polish_run, runs.run
    if any(polish and apply.run_id == polish.pipeline_run_id for apply in pending):
        polish = None  # the pending apply is offered
    actions = [
        *(document_actions.retry_apply_action(apply) for apply in pending),
        *(document_actions.polish_actions(polish) if polish else ()),
        *(
            document_actions.undo_polish_action(last)
            for last, _ in islice(applied_polishes(folder, uri, runs.listed), 1)
        ),
    ]
    if not runs.listed:
        actions += await document_actions.move_actions(folder, uri)
    if run is not None:
        outlook = await find_outlook(folder, run)
        actions += actions_with_parent(folder, run, outlook)
    return runs, actions


def actions_with_parent(
    folder: WorkspaceFolder, run: PipelineRun, outlook: Outlook
) -> Iterator[Action]:
    """Yield the actions on a run, and the one that activates its parent."""
    parent = find_parent_run(folder, run)
    yield from run_actions.actions_for_run(run, parent, outlook)
    if parent is not None and not folder.is_selection_pipeline(parent.configuration_id):
        activate = run_actions.activate_run_action(parent, "Activate the original run")
        yield replace(activate, has_lens=False)


def activation_actions(folder: WorkspaceFolder, run: PipelineRun) -> Iterator[Action]:
    """Yield the action that activates a run, if another run is its document's."""
    if run.uri is None or folder.is_selection_pipeline(run.configuration_id):
        return
    current = find_current_runs(folder, run.uri).run
    if current is None or current.pipeline_run_id != run.pipeline_run_id:
        yield run_actions.activate_run_action(run)


def find_parent_run(folder: WorkspaceFolder, run: PipelineRun) -> PipelineRun | None:
    """Return the parent of a run if it is still stored."""
    parent_id = run.parent_pipeline_run_id
    stored = None if parent_id is None else folder.store.get_run(parent_id)
    return None if stored is None else stored.run


def action_locations(page: DisplayedPage) -> Iterator[ActionLocation]:
    """Yield the locations in a view that have actions."""
    match page.view:
        case uris.StepView() | uris.ResponseView():
            yield from _remark_locations(page)
            step = page.run.steps.get(page.view.step)
            if step is not None:
                for section in page.sections:
                    yield ActionLocation(
                        section.heading_line,
                        section.last_line,
                        run_actions.actions_for_section(
                            page.run,
                            step,
                            section,
                            page.section_text(section),
                            page.outlook,
                        ),
                        f"answer {section.label}" if section.label else "",
                    )
        case uris.CompareView(left, right) if left.run_id != right.run_id:
            stored = page.folder.store.get_run(left.run_id)
            if stored is not None:
                actions = run_actions.compare_run_actions(
                    stored.run, page.run, right.step
                )
                end = len(split_page_lines(page.text))
                yield ActionLocation(0, end, list(actions))
        case uris.RunView():
            for line, name in find_step_lines(page.text):
                step = page.run.steps.get(name)
                if step is not None:
                    yield ActionLocation(
                        line,
                        line,
                        list(run_actions.actions_for_step(page.run, step)),
                        name,
                    )


def _remark_locations(page: DisplayedPage) -> Iterator[ActionLocation]:
    """Yield the lines of the remarks that a review's page lists."""
    lines = split_page_lines(page.text)
    for placed, place in page.remarks:
        at = find_remark_line(lines, placed.remark)
        if at is not None and placed.state == "open":
            actions = remark_actions(placed.remark, page.run.uri, place)
            yield ActionLocation(at, at + 1, [*actions])


def related_run_actions(page: DisplayedPage, line: int) -> list[Action]:
    """Return the actions on the related run that a line of a run's page shows."""
    if not isinstance(page.view, uris.RunView):
        return []
    store, run_id = page.folder.store, page.run.pipeline_run_id
    node = node_at_line(
        page.text, line, page.run, lambda: read_full_tree(store, run_id)
    )
    if node is None or node.summary.deleted or node.summary.run_id == run_id:
        return []
    actions = run_actions.open_run_actions(node.summary.run_id)
    if node.summary.passage or page.run.passage:
        return actions[:1]
    other = store.get_run(node.summary.run_id)
    if other is not None:
        actions += run_actions.compare_run_actions(page.run, other.run)
    return actions


def passage_actions(
    page: DisplayedPage, first_line: int, last_line: int, text: str
) -> Iterator[Action]:
    """Yield the actions on selected lines of an answer: add them, choose them."""
    if not text.strip() or not isinstance(page.view, uris.StepView | uris.ResponseView):
        return
    step = page.run.steps.get(page.view.step)
    for section in page.sections:
        inside = section.first_line <= first_line and last_line <= section.last_line
        if inside and step is not None and section.response_id is not None:
            answer = (page.run, step, section.response_id, text)
            yield run_actions.add_to_merge_action(*answer)
            yield from choice_actions.choose_part_actions(*answer, page.outlook)


@dataclass(frozen=True, slots=True)
class PassageOrigin:
    """A passage, and where it comes from."""

    run: PipelineRun
    applied: AppliedText
    first_line: int
    """Its first line, from 0."""
    last_line: int
    """Its last line."""
    document_text: str
    """The document in which it was found."""


async def find_passage_origin(
    folder: WorkspaceFolder, uri: str, line: int
) -> PassageOrigin | None:
    """Return the newest run whose text a line of a document is of, or None."""
    try:
        text = folder.documents.read_text(uri)
    except NotFound:
        return None
    for run, applied in _applied_texts(folder, normalized_uri(uri)):
        try:
            event = find_applied_event(folder, run.pipeline_run_id, applied)
        except StoreError:  # `store verify` and a restore report it
            continue
        found = await asyncio.to_thread(
            find_applied_lines, event.replaced, event.text, text, line
        )
        if found is not None:
            return PassageOrigin(run, applied, *found, text)
    return None


def _applied_texts(
    folder: WorkspaceFolder, uri: str
) -> Iterator[tuple[PipelineRun, AppliedText]]:
    """Yield what was applied to a document, the newest run first."""
    for summary in folder.store.list_runs(RunQuery(uri=uri, limit=MAX_RUNS_READ)).runs:
        if uri not in summary.applied_to:
            continue
        if (stored := folder.store.get_run(summary.run_id)) is None:
            continue  # deleted this moment
        for applied in reversed(stored.run.applied):
            if applied.uri == uri:
                yield stored.run, applied
