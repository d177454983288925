"""What is offered where in a document: above it, at its lines, on a selection.

Code actions and code lenses are two ways to show the same places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from writeit.lsp import offers
from writeit.lsp.current import current, run_of
from writeit.lsp.pages import family
from writeit.lsp.showing import as_seen
from writeit.views import uris
from writeit.views.run import kin_at, lines_of_steps
from writeit.views.symbols import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.core.run import PipelineRun
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.lsp.offers import Offer
    from writeit.views.symbols import Section
    from writeit.views.uris import View


@dataclass(frozen=True, slots=True)
class Place:
    """A line, those that belong to it, and what is offered there."""

    line: int
    last: int
    offers: list[Offer]
    about: str = ""
    """What an offer's title has to say besides, where the line is not seen."""


@dataclass(frozen=True, slots=True)
class Page:
    """A view as the writer has it, and the run it shows."""

    folder: Folder
    view: View
    text: str
    sections: tuple[Section, ...]
    run: PipelineRun

    def section_text(self, section: Section) -> str:
        """Return what stands in a section."""
        lines = lines_of(self.text)
        return "\n".join(lines[section.first : section.last + 1])


async def page_of(
    connection: Connection, folder: Folder, view: View, uri: str
) -> Page | None:
    """Return a view as the client has it open, else as it is rendered; None of usage.

    Raises:
        NotFound: its run is gone.
    """
    if isinstance(view, uris.UsageView):
        return None
    run_id = view.right.run_id if isinstance(view, uris.CompareView) else view.run_id
    run = await folder.engine.show(run_id)
    seen = await as_seen(connection, folder, view, uri)
    return Page(folder, view, seen.text, seen.sections, run)


def on_document(
    connection: Connection, folder: Folder, uri: str
) -> tuple[PipelineRun | None, list[Offer]]:
    """Offer what fits a text of the writer's: what waits, its run, its last polish.

    The text itself is not read: an article of any length costs the same.
    """
    found = current(folder, uri)
    waiting = [
        pending
        for pending in connection.desk.pending.values()
        if unquote(pending.uri) == unquote(uri)
    ]
    polish, run = found.polish, found.run
    if any(polish and pending.run_id == polish.pipeline_run_id for pending in waiting):
        polish = None  # it is offered already
    some = [
        *(offers.to_land(pending) for pending in waiting),
        *(offers.on_polish(polish, uri) if polish else ()),
        *(on_run(folder, run) if run else ()),
    ]
    return run, some


def on_run(folder: Folder, run: PipelineRun) -> Iterator[Offer]:
    """Offer what the state of a run allows, and the way back to the one before."""
    parent = parent_of(folder, run)
    yield from offers.on_run(run, parent)
    if parent is not None and not folder.is_of_selection(parent.configuration_id):
        back = offers.to_go_on(parent, "Go back to the run this branched off")
        yield replace(back, prominent=False)


def to_go_on(folder: Folder, run: PipelineRun) -> Iterator[Offer]:
    """Offer a run on its page, if its document is about another one now."""
    if run.uri is None or folder.is_of_selection(run.configuration_id):
        return
    now = run_of(folder, run.uri)
    if now is None or now.pipeline_run_id != run.pipeline_run_id:
        yield offers.to_go_on(run)


def parent_of(folder: Folder, run: PipelineRun) -> PipelineRun | None:
    """Return the run that a run branched off, if it is still here."""
    parent_id = run.parent_pipeline_run_id
    stored = None if parent_id is None else folder.store.run(parent_id)
    return None if stored is None else stored.run


def places_in(shown: Page) -> Iterator[Place]:
    """Yield the places of a view that something is offered at."""
    match shown.view:
        case uris.StepView() | uris.ResponseView():
            step = shown.run.steps.get(shown.view.step)
            if step is not None:
                for section in shown.sections:
                    yield Place(
                        section.heading,
                        section.last,
                        offers.at_section(
                            shown.run, step, section, shown.section_text(section)
                        ),
                        f"answer {section.number}" if section.number else "",
                    )
        case uris.RunView():
            for line, name in lines_of_steps(shown.text):
                step = shown.run.steps.get(name)
                if step is not None:
                    yield Place(line, line, list(offers.at_step(shown.run, step)), name)


def kin_in(shown: Page, line: int) -> list[Offer]:
    """Offer the other run of the family that a line of a run's page tells of."""
    if not isinstance(shown.view, uris.RunView):
        return []
    store = shown.folder.store
    kin = kin_at(shown.text, line, shown.run, lambda: family(store, shown.run))
    if kin is None or kin.deleted or kin.run_id == shown.run.pipeline_run_id:
        return []
    offered = offers.to_visit(kin.run_id)
    is_of_selection = shown.folder.is_of_selection(shown.run.configuration_id)
    return offered[:1] if is_of_selection else offered


def passage_in(shown: Page, first: int, last: int, text: str) -> Offer | None:
    """Offer to take the selected lines, if they are of one answer; else None."""
    if not text.strip() or not isinstance(
        shown.view, uris.StepView | uris.ResponseView
    ):
        return None
    step = shown.run.steps.get(shown.view.step)
    for section in shown.sections:
        inside = section.first <= first and last <= section.last
        if inside and step is not None and section.response_id is not None:
            return offers.to_take(shown.run, step, section.response_id, text)
    return None
