"""Which run put a passage into a document."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core.errors import NotFound, StoreError
from writeit.core.traces import traced
from writeit.lsp.applied import event_of
from writeit.lsp.convert import canonical
from writeit.lsp.current import NEWEST
from writeit.lsp.documents import text_of
from writeit.lsp.subject import view_in
from writeit.ports import RunQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.core.run import Applied, PipelineRun
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder


@dataclass(frozen=True, slots=True)
class Origin:
    """A passage, and where it comes from."""

    run: PipelineRun
    applied: Applied
    first: int
    """Its first line, from 0."""
    last: int
    """Its last line."""


async def origin_of(connection: Connection, uri: str, line: int) -> Origin | None:
    """Return the newest run whose text a line of a document is of, or None."""
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
            return Origin(run, applied, *found)
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
