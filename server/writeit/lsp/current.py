"""Which run a document means: what its first-line lens and its actions are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core.run import PipelineStatus
from writeit.lsp.convert import canonical
from writeit.ports import RunQuery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from writeit.core.run import PipelineRun
    from writeit.lsp.folder import Folder
    from writeit.ports import RunPage, RunSummary

NEWEST = 20
"""How many runs of a document are looked at; older ones are in the list of runs."""


@dataclass(frozen=True, slots=True)
class Current:
    """The runs that a document means."""

    run: PipelineRun | None = None
    """The one its lens tells of."""
    polish: PipelineRun | None = None
    """The newest of a passage of it."""


def run_of(folder: Folder, uri: str) -> PipelineRun | None:
    """Return a document's run, or None.

    The active run if it is this document's; else the most recently updated unfinished
    one; else the newest. Polish runs are left out.
    """
    return current(folder, uri).run


def current(folder: Folder, uri: str) -> Current:
    """Return the runs that a document means; no others are read."""
    uri = canonical(uri)
    run, polish = _active(folder, uri), None
    for summary in _by_likelihood(folder.store.runs(RunQuery(uri=uri, limit=NEWEST))):
        if folder.is_of_selection(summary.configuration_id):
            polish = polish or _read(folder, summary.run_id)
        else:
            run = run or _read(folder, summary.run_id)
    return Current(run, polish)


def _active(folder: Folder, uri: str) -> PipelineRun | None:
    active = folder.engine.session.active_pipeline_run_id
    run = None if active is None else _read(folder, active)
    if run is None or uri not in {run.uri, *(applied.uri for applied in run.applied)}:
        return None
    return run


def _read(folder: Folder, run_id: UUID) -> PipelineRun | None:
    stored = folder.store.run(run_id)
    return None if stored is None else stored.run


def _by_likelihood(page: RunPage) -> Iterator[RunSummary]:
    """Yield the unfinished runs, the one touched last first; then the newest."""
    open_ = [s for s in page.runs if s.status is not PipelineStatus.COMPLETED]
    yield from sorted(open_, key=lambda summary: summary.updated_at, reverse=True)
    yield from (s for s in page.runs if s.status is PipelineStatus.COMPLETED)
