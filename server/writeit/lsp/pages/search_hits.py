"""Where the hits of a search are shown: a page and its line, or a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from writeit.domain.errors import WriteItError
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.views import (
    prepare_view_uri,
    render_editable_page,
    render_read_only_page,
)
from writeit.ports.store import SearchHit
from writeit.text.search import joined_words
from writeit.views import uris
from writeit.views.uris import View, view_uri


class HitLocation(NamedTuple):
    """The page, its file, or the document that has a hit."""

    uri: str
    line: int
    title: str


async def locate_hit(
    folder: WorkspaceFolder, hit: SearchHit, *, in_files: bool = False
) -> HitLocation | None:
    """Return what has the line of a hit, or None if its run was deleted."""
    summary = folder.store.summary(hit.run_id)
    if summary is None or summary.deleted:
        return None
    title = summary.name or summary.title
    words = joined_words(hit.match.line_text)
    for view in _views_of(hit):
        line = await _find_line(folder, view, words, in_files=in_files)
        if line is not None:
            break
    else:
        if hit.text.uri is not None:
            return HitLocation(hit.text.uri, hit.match.line, title)
    if not in_files:
        return HitLocation(view_uri(view), line or 0, title)
    if isinstance(view, uris.PromptView):  # a page that asks models for their prices
        view = uris.StepView(view.run_id, view.step)
    return HitLocation(await prepare_view_uri(folder, view), line or 0, title)


async def _find_line(
    folder: WorkspaceFolder, view: View, words: str, *, in_files: bool
) -> int | None:
    if isinstance(view, uris.PromptView | uris.RunView):
        return None  # a prompt's page asks models for their prices
    try:
        if in_files:
            text = await render_editable_page(folder, view)
        else:
            text = (await render_read_only_page(folder, view)).text
    except WriteItError:  # nothing is chosen in the step now
        return None
    lines = enumerate(text.split("\n"))
    return next((number for number, line in lines if words in joined_words(line)), None)


def _views_of(hit: SearchHit) -> Iterator[View]:
    """Yield the pages that may have the text; the last one exists in any case."""
    run_id, text, step = hit.run_id, hit.text, hit.text.step
    if step is None:
        yield uris.RunView(run_id)
    elif text.place == "prompt":
        yield uris.PromptView(run_id, step)
    elif text.response_id is not None:
        yield uris.ResponseView(run_id, step, text.response_id)
    else:
        if text.place != "feedback":
            yield uris.ContentView(run_id, step)
        yield uris.StepView(run_id, step)
