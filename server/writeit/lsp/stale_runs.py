"""Which steps of open documents' runs would get another prompt today.

Computed when a document rests; lenses and pages show the last result and render
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from writeit.domain.errors import NotFound, WriteItError
from writeit.domain.run import PipelineRun
from writeit.domain.run_summary import StaleStep, TodaysTexts
from writeit.lsp.convert import normalized_uri
from writeit.lsp.documents import Documents
from writeit.lsp.folder import ChangeListener, WorkspaceFolder, find_current_runs

REST_SECONDS = 0.5
"""Seconds without a change after which a document rests."""


async def read_todays_texts(folder: WorkspaceFolder, run: PipelineRun) -> TodaysTexts:
    """Return what a run would be started with today, as the editor has it.

    That is nothing, so that nothing is stale, of a run about a passage or whose source
    is gone.

    Raises:
        InvalidPipeline: the front matter is not valid; its inputs are not known.
    """
    if run.uri is None or folder.is_selection_pipeline(run.configuration_id):
        return TodaysTexts()
    try:
        source = folder.documents.load_source_document(run.uri).require_valid()
    except NotFound:
        return TodaysTexts()
    document = await folder.documents.with_named_files(source, folder.path)
    library, inputs = await folder.load_library(), source.front_matter.config.inputs
    pipeline = library.usable_pipeline(run.pipeline)
    own, primers = folder.own_pipelines(), library.usable_primers
    return TodaysTexts(document, inputs, pipeline, primers, own)


async def find_stale_steps(
    folder: WorkspaceFolder, run: PipelineRun
) -> tuple[StaleStep, ...]:
    """Return the stale steps of a run, and keep them for lenses and pages.

    Raises:
        InvalidPipeline: as of `read_todays_texts`.
    """
    today = await read_todays_texts(folder, run)
    stale = await folder.engine.find_stale_steps(run.pipeline_run_id, today)
    folder.documents.stale_steps[run.pipeline_run_id] = stale
    return stale


class StaleRuns:
    """Computes it for the current run of each document that has changed."""

    def __init__(
        self,
        documents: Documents,
        find_folder: Callable[[str], WorkspaceFolder],
        listener: ChangeListener,
    ) -> None:
        self._documents = documents
        self._find_folder = find_folder
        self._listener = listener
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._files: dict[str, set[str]] = {}
        """By document, the files that its run was made from, too."""

    def schedule(self, uri: str) -> None:
        """Compute it when a document, or a file that it names, rests."""
        self._files.setdefault(uri, set())
        file = normalized_uri(uri)
        for document, files in self._files.items():
            if document == uri or file in files:
                self._start_timer(document)

    def schedule_all(self) -> None:
        """Compute it again for all documents: a pipeline or primer may have changed."""
        for uri in self._files:
            self._start_timer(uri)

    def _start_timer(self, uri: str) -> None:
        if (waiting := self._timers.pop(uri, None)) is not None:
            waiting.cancel()
        if self._documents.find_open(uri) is not None:
            loop = asyncio.get_running_loop()
            self._timers[uri] = loop.call_later(REST_SECONDS, self._start, uri)

    def close(self) -> None:
        """Compute nothing more: the client leaves."""
        for waiting in self._timers.values():
            waiting.cancel()
        self._timers.clear()

    def _start(self, uri: str) -> None:
        self._timers.pop(uri, None)
        self._documents.client.spawn_task(self._compute(uri))

    async def _compute(self, uri: str) -> None:
        folder = self._find_folder(uri)
        if not folder.has_store:
            return
        try:
            run = find_current_runs(folder, uri).run
            if run is None:
                return
            self._files[uri] = {file.uri for file in run.document.files}
            known = self._documents.stale_steps.get(run.pipeline_run_id, ())
            stale = await find_stale_steps(folder, run)
        except WriteItError:  # the front matter is being typed; its problems are shown
            return
        if known != stale:
            self._listener.notify_run_changed(run.pipeline_run_id)
