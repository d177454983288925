"""Where the hits of a search are shown: a page and its line, or a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from writeit.domain.errors import WriteItError
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.views import render_editable_page, render_read_only_page
from writeit.ports.store import SearchHit
from writeit.text.search import joined_words
from writeit.views import uris
from writeit.views.uris import View, view_uri


class HitLocation(NamedTuple):
    """Where a hit is; `view` is None if it is in a document."""

    uri: str
    line: int
    title: str
    view: View | None


async def locate_hit(
    folder: WorkspaceFolder, hit: SearchHit, *, in_files: bool = False
) -> HitLocation | None:
    """Return the page that has the line of a hit, or None if its run was deleted.

    A page as a file has other lines.
    """
    summary = folder.store.summary(hit.run_id)
    if summary is None or summary.deleted:
        return None
    title = summary.name or summary.title
    words = joined_words(hit.match.line_text)
    *views, last = _views_of(hit)
    for view in (*views, last):
        line = await _find_line(folder, view, words, in_files=in_files)
        if line is not None:
            return HitLocation(view_uri(view), line, title, view)
    if hit.text.uri is not None:
        return HitLocation(hit.text.uri, hit.match.line, title, None)
    return HitLocation(view_uri(last), 0, title, last)


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
