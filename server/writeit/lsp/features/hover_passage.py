"""Hover on a passage that a run put there: where it comes from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import NotFound, StoreError
from writeit.core.traces import traced
from writeit.lsp.apply import event_of
from writeit.lsp.convert import canonical
from writeit.lsp.current import NEWEST
from writeit.lsp.documents import text_of
from writeit.lsp.subject import view_in
from writeit.ports import RunQuery
from writeit.views.origin import render_origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.core.run import Applied, PipelineRun
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder


async def passage_hover(
    connection: Connection, params: types.HoverParams
) -> types.Hover | None:
    """Return the run, step, model, primer and cost of an applied passage, or None."""
    uri, line = params.text_document.uri, params.position.line
    if view_in(connection, uri) is not None:
        return None
    folder = connection.folder_of(uri)
    try:
        text = text_of(connection, uri)
    except NotFound:
        return None
    for run, applied in _applied_to(folder, canonical(uri)):
        try:
            event = event_of(folder, run, applied)
        except StoreError:  # said where it matters: `store verify`, and a restore
            continue
        found = await asyncio.to_thread(traced, event.replaced, event.text, text, line)
        if found is not None:
            return _hover(render_origin(run, applied), *found)
    return None


def _applied_to(folder: Folder, uri: str) -> Iterator[tuple[PipelineRun, Applied]]:
    """Yield what was applied to a document, the newest run first."""
    for summary in folder.store.runs(RunQuery(uri=uri, limit=NEWEST)).runs:
        if uri not in summary.applied_to:
            continue
        if (stored := folder.store.run(summary.run_id)) is None:
            continue  # deleted this moment
        for applied in reversed(stored.run.applied):
            if applied.uri == uri:
                yield stored.run, applied


def _hover(text: str, first: int, last: int) -> types.Hover:
    return types.Hover(
        contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=text),
        range=types.Range(
            start=types.Position(line=first, character=0),
            end=types.Position(line=last + 1, character=0),
        ),
    )
