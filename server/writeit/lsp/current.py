"""Which run a document means: what its first-line lens and its actions are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core.run import PipelineStatus
from writeit.ports import RunQuery

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun
    from writeit.lsp.folder import Folder

NEWEST = 20
"""How many runs of a document are looked at; older ones are in the list of runs."""


def run_of(folder: Folder, uri: str) -> PipelineRun | None:
    """Return a document's run, or None.

    The active run if it is this document's; else the most recently updated unfinished
    one; else the newest. Polish runs are left out.
    """
    active = folder.engine.session.active_pipeline_run_id
    if active is not None:
        stored = folder.store.run(active)
        if stored is not None and uri in _documents_of(stored.run):
            return stored.run
    page = folder.store.runs(RunQuery(uri=uri, limit=NEWEST))
    found = [folder.store.run(summary.run_id) for summary in page.runs]
    runs = [
        stored.run for stored in found if stored and _is_of_document(folder, stored.run)
    ]
    unfinished = [run for run in runs if run.status is not PipelineStatus.COMPLETED]
    if unfinished:
        return max(unfinished, key=lambda run: run.updated_at)
    return runs[0] if runs else None


def _documents_of(run: PipelineRun) -> set[str | None]:
    """What a run is about: its source, and what its texts were applied to."""
    return {run.uri, *(applied.uri for applied in run.applied)}


def _is_of_document(folder: Folder, run: PipelineRun) -> bool:
    configuration = folder.store.configuration(run.configuration_id)
    return configuration is not None and configuration.applies_to == "document"
