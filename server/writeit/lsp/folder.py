"""One workspace folder: its engine, library, settings, models and pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import UUID

from writeit.domain.errors import StoreError, WorkStopped, WriteItError
from writeit.domain.pipeline import PipelineConfiguration, Reasoning
from writeit.domain.run import AppliedText, PipelineRun, PipelineStatus
from writeit.domain.run_summary import RunSummary
from writeit.domain.session import (
    USER_ONLY_SETTINGS,
    Settings,
    read_settings,
    without,
)
from writeit.engine.engine import Engine
from writeit.engine.precedence import ModelSelection, Untrusted
from writeit.files import remove_pages_of_deleted_runs, resolve_in_workspace
from writeit.library.catalog import (
    Library,
    LibraryCache,
    LibraryFile,
    LibraryKind,
    own_pipelines,
    read_file,
    read_library,
    unread_entry,
)
from writeit.library.front_matter import FrontMatterConfig
from writeit.lsp.client import Client
from writeit.lsp.convert import normalized_uri, uri_to_path
from writeit.lsp.documents import Documents
from writeit.lsp.typed_text import TypedText
from writeit.ports.models import ModelInfo
from writeit.ports.store import RunPage, RunQuery, Store, is_deleted_run
from writeit.ports.system import Ports
from writeit.trust import FolderTrust, is_trusted_by_environment
from writeit.views import uris
from writeit.views.editable_page import StepEdits
from writeit.views.uris import StepView, View

MAX_RUNS_READ = 20
"""Runs of a document that are read; older ones are in the list of runs only."""
MODEL_CACHE_SECONDS = 60.0
LIBRARY_SECONDS = 5.0
"""How long completion, hovers, lenses and actions wait for changed files."""

logger = logging.getLogger(__name__)


class ChangeListener(Protocol):
    """Gets the changes of all folders."""

    def notify_run_changed(self, run_id: UUID) -> None:
        """A run changed."""

    def notify_text_arrived(self, run_id: UUID) -> None:
        """Text of a run arrived."""

    def notify_library_read(self) -> None:
        """Files were read after the client had been answered without them."""

    def refresh_opened_page(self, uri: str) -> None:
        """The client opened a page file."""

    def retry_page_when_idle(self, folder: WorkspaceFolder, view: View) -> None:
        """An open page could not be edited now."""


class WorkspaceFolder:
    """One workspace folder, or none (`path` is None).

    Its store is opened when it is first needed.
    """

    def __init__(
        self,
        path: Path | None,
        documents: Documents,
        ports: Ports,
        open_engine: Callable[[], Engine],
        listener: ChangeListener,
    ) -> None:
        self.path = path
        self.documents = documents
        self.listener = listener
        self.models = ModelCache(self, documents.client, ports)
        self.file_views: set[View] = set()
        """Views that the client was given as files."""
        self.open_page_texts: dict[View, str] = {}
        """The last text this server rendered into each open page."""
        self.consumed_edits: dict[StepView, list[tuple[StepEdits, str]]] = {}
        """Edits that commands consumed, until the page is next updated."""
        self.damaged_views: set[View] = set()
        """Views with damaged markers about which the user was warned."""
        self._client = documents.client
        self._ports = ports
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._library_cache: LibraryCache = {}
        self._reading: asyncio.Task[None] | None = None
        self._is_library_late = False
        """Whether a client was shown less than the whole library."""
        self._own_library_cache: LibraryCache = {}
        self._selection_pipelines: dict[str, bool] = {}
        self.trust = FolderTrust(
            ports.trust_file,
            path or Path.home(),
            override=is_trusted_by_environment() or self._client.options.trusted,
        )
        self.typed = TypedText(documents, self.trust, self.load_library)
        self._settings: asyncio.Future[Settings] | None = None
        self.confirmed_outputs: set[Path] = set()
        """Folders that the user has named or confirmed for new files."""

    @property
    def engine(self) -> Engine:
        """The engine on the folder's store.

        Raises:
            StoreError: the store cannot be opened; the next access tries again.
        """
        if self._engine is None:
            self._engine = self._open_engine()
        return self._engine

    @property
    def has_open_store(self) -> bool:
        """Whether the store has been opened."""
        return self._engine is not None

    @property
    def has_store(self) -> bool:
        """Whether there are runs of the folder; none is created by asking."""
        return self.has_open_store or self._ports.locate_store(self.path)[0].is_dir()

    @property
    def store(self) -> Store:
        """The folder's store.

        Raises:
            StoreError: as of `engine`.
        """
        return self.engine.store

    async def close(self) -> None:
        """Stop generations, end the session, close the store."""
        if self._engine is None:
            return
        await self._engine.close()
        try:
            self._engine.store.close()
        except StoreError as error:
            logger.error("at the end: %s", error.message)  # noqa: TRY400 -- the message says all

    # --- library and settings ---

    async def load_library(self, max_seconds: float | None = None) -> Library:
        """Return the folder's pipelines and primers; only changed files are read.

        After `max_seconds`, those that were read by then.
        """
        library, unread = self._read_known_files()
        if unread:
            if self._reading is None or self._reading.done():
                self._reading = self._client.spawn_task(self._read_files(unread))
            _, late = await asyncio.wait([self._reading], timeout=max_seconds)
            if late:
                self._is_library_late = True
            library, _ = self._read_known_files()
        return library

    def _read_known_files(
        self,
    ) -> tuple[Library, list[tuple[LibraryKind, LibraryFile]]]:
        unread: list[tuple[LibraryKind, LibraryFile]] = []
        library, _ = read_library(self.path, self._library_cache, unread)
        return library, unread

    async def _read_files(self, unread: list[tuple[LibraryKind, LibraryFile]]) -> None:
        """Read files of the workspace in the worker."""
        while unread:
            for kind, file in unread:
                try:
                    entry = await self._ports.worker.run(read_file, kind, file)
                except WorkStopped as stopped:
                    entry = unread_entry(file, str(stopped))
                self._library_cache[file.path] = entry
            _, unread = self._read_known_files()
        if self._is_library_late:
            self._is_library_late = False
            self.listener.notify_library_read()

    def own_pipelines(self) -> frozenset[str]:
        """Return the ids of the bundled and the user's own pipelines."""
        return own_pipelines(self._own_library_cache)

    def is_selection_pipeline(self, configuration_id: str) -> bool:
        """Return whether a stored pipeline is for passages, not for documents."""
        is_for_selection = self._selection_pipelines.get(configuration_id)
        if is_for_selection is None:
            configuration = self.store.configuration(configuration_id)
            if configuration is None:
                return False
            # An id never changes its meaning, so it is read once.
            is_for_selection = configuration.applies_to == "selection"
            self._selection_pipelines[configuration_id] = is_for_selection
        return is_for_selection

    async def load_settings(self) -> Settings:
        """Return the settings; an invalid value is one message and its default."""
        if self._settings is None:  # one pull, however many wait for it
            self._settings = asyncio.ensure_future(self._pull_settings())
        return await asyncio.shield(self._settings)

    def clear_settings(self) -> None:
        """Pull the settings again when they are next needed."""
        self._settings = None

    async def _pull_settings(self) -> Settings:
        """Return the valid settings; the user is told of the others."""
        raw = await self._client.pull_settings(self.path)
        for name in USER_ONLY_SETTINGS:
            raw, was_set = without(raw, name)
            if was_set:
                self._client.warn_once(
                    f"Setting writeit.{name} is ignored here: a workspace could set it."
                    f" Set it in {self._ports.user_config_file}."
                )
        settings, problems = read_settings(raw)
        for problem in problems:
            self._client.show_warning(problem)
        return settings

    async def model_selection(
        self,
        run: PipelineRun,
        *,
        confirmed: bool = False,
        reasoning: Reasoning | None = None,
    ) -> ModelSelection:
        """Combine front matter, trust, settings and preferences for a run."""
        config = self.documents.front_matter_config_of(run)
        configuration = self.engine.configuration(run)
        files = await asyncio.to_thread(self.documents.file_providers_of, run)
        return ModelSelection(
            models=config.models,
            front_matter_reasoning=config.reasoning,
            reasoning=reasoning,
            providers=config.providers,
            file_providers=files,
            own_pipelines=self.own_pipelines(),
            confirmed=confirmed,
            untrusted=await self.assess_trust(
                configuration, config, run.uri, run.pipeline_run_id, confirmed=confirmed
            ),
            settings=await self.load_settings(),
            blind=config.blind,
            preferences=self.engine.preferences,
        )

    def confirm_output(self, path: str) -> None:
        """Note that the user knows of the folder of a path to write to."""
        with suppress(WriteItError):  # refused when it would be written
            target = resolve_in_workspace(self.path, path)
            self.confirmed_outputs |= {target, target.parent}

    async def assess_trust(
        self,
        configuration: PipelineConfiguration,
        config: FrontMatterConfig,
        uri: str | None,
        run_id: UUID | None = None,
        *,
        confirmed: bool = False,
    ) -> Untrusted:
        """Return what of a run the user has not trusted.

        `confirmed`: the user agrees to what the last refusal showed; a file that
        changed since is refused again.
        """
        library = await self.load_library()
        own = self.own_pipelines()

        def assess() -> Untrusted:
            return self.trust.assess(
                library,
                None if configuration.configuration_id in own else configuration,
                config,
                uri_to_path(uri) if uri else None,
                run_id=run_id,
                is_typed=self.typed.is_typed(uri),
            )

        untrusted = assess()
        key = (configuration.configuration_id, uri)
        if confirmed and self.trust.agree(library, key, untrusted.digests):
            before, untrusted = untrusted, assess()
            for want in {*before.wants} - {*untrusted.wants}:
                if want.kind == "output":
                    self.confirm_output(want.value)
        if self.trust.problem:
            self._client.warn_once(self.trust.problem)
        return untrusted

    async def configured_model_ids(self) -> list[str]:
        """Return every model that settings, pipelines and preferences name."""
        settings = await self.load_settings()
        library = await self.load_library()
        names = [
            *settings.models.default,
            *(model for step in settings.models.steps.values() for model in step),
            *self.engine.preferences.default_models.values(),
            *(chosen.model for chosen in self.engine.preferences.models),
            *(
                model
                for pipeline in library.usable_pipelines
                for step in pipeline.steps
                for model in step.models
            ),
        ]
        return list(dict.fromkeys(names))

    # --- pages ---

    @property
    def pages_root(self) -> Path:
        """The folder whose `.writeit` has the pages."""
        return self.path or Path.home()

    def page_path(self, view: View) -> Path:
        """Return the path of a view's file."""
        return self.pages_root / uris.view_path(view)

    def remove_pages_of_deleted_runs(self) -> None:
        """Delete the page files of runs that are not in the store any more."""
        for pages in (uris.VIEWS_FOLDER, uris.RENDERED_FOLDER):
            remove_pages_of_deleted_runs(
                self.pages_root / pages, partial(is_deleted_run, self.store)
            )

    def find_view_at_path(self, path: Path) -> View | None:
        """Return the view whose file `path` is, or None outside the views.

        Raises:
            NotFound: no view has that name.
        """
        if not path.is_relative_to(self.pages_root / uris.VIEWS_FOLDER):
            return None
        return uris.parse_view_path(path.relative_to(self.pages_root))


class ModelCache:
    """The model list of a folder, refreshed in the background.

    Completion and hover never wait for a provider.
    """

    def __init__(self, folder: WorkspaceFolder, client: Client, ports: Ports) -> None:
        self._folder = folder
        self._client = client
        self._ports = ports
        self._models: dict[str, ModelInfo] = {}
        self._requested_ids: set[str] = set()
        """Ids asked for, whether or not they exist."""
        self._refreshed_at = float("-inf")
        self._refresh_task: asyncio.Task[None] | None = None

    def known_models(
        self, model_ids: Iterable[str] = ()
    ) -> tuple[dict[str, ModelInfo], bool]:
        """Return the models known now, and whether a refresh is under way."""
        self._refresh_if_outdated(model_ids)
        return self._models, self._is_refreshing

    async def wait_for_models(
        self, model_ids: Iterable[str], seconds: float
    ) -> dict[str, ModelInfo]:
        """Return the known models; wait for unknown ones at most `seconds`."""
        self._refresh_if_outdated(model_ids)
        is_missing = any(model not in self._models for model in model_ids)
        if is_missing and self._refresh_task is not None:
            await asyncio.wait([self._refresh_task], timeout=seconds)
        return self._models

    @property
    def _is_refreshing(self) -> bool:
        return self._refresh_task is not None and not self._refresh_task.done()

    def _refresh_if_outdated(self, model_ids: Iterable[str]) -> None:
        now = self._ports.clock.monotonic()
        is_outdated = (
            now - self._refreshed_at > MODEL_CACHE_SECONDS
            or not self._requested_ids.issuperset(model_ids)
        )
        if is_outdated and not self._is_refreshing:
            self._requested_ids.update(model_ids)
            self._refreshed_at = now
            self._refresh_task = self._client.spawn_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            names = await self._folder.configured_model_ids()
            models = await self._ports.models.list_models(
                include=[*names, *sorted(self._requested_ids)]
            )
        except WriteItError as error:  # the first model call reports it to the user
            logger.info("models could not be listed: %s", error.message)
            return
        self._models = {model.id: model for model in models}


@dataclass(frozen=True, slots=True)
class CurrentRuns:
    """The runs that a document's lenses and actions are about."""

    run: PipelineRun | None = None
    """The active run if it is the document's; else the unfinished run updated last;
    else the newest. Runs on a passage do not count."""
    polish_run: PipelineRun | None = None
    """The newest run on a passage of the document."""
    listed: Sequence[RunSummary] = ()
    """All runs of the document."""


def find_current_runs(folder: WorkspaceFolder, uri: str) -> CurrentRuns:
    """Return the current runs of a document; no other runs are read."""
    uri = normalized_uri(uri)
    run, polish_run = _read_active_run(folder, uri), None
    page = _list_runs(folder, uri)
    texts = [summary for summary in page.runs if not summary.is_review]
    for summary in _sorted_by_relevance(texts):
        if folder.is_selection_pipeline(summary.configuration_id):
            polish_run = polish_run or _read_run(folder, summary.run_id)
        else:
            run = run or _read_run(folder, summary.run_id)
    return CurrentRuns(run, polish_run, page.runs)


def _list_runs(folder: WorkspaceFolder, uri: str) -> RunPage:
    return folder.store.list_runs(RunQuery(uri=uri, limit=MAX_RUNS_READ))


def applied_polishes(
    folder: WorkspaceFolder, uri: str, listed: Sequence[RunSummary] | None = None
) -> Iterator[tuple[PipelineRun, AppliedText]]:
    """Yield the runs whose polished passage is in a document, the last applied first.

    A run is read only if it may be the next. `listed`: the document's runs, if known.
    """
    uri = normalized_uri(uri)
    runs = _list_runs(folder, uri).runs if listed is None else listed
    unread = [
        summary
        for summary in sorted(runs, key=lambda one: one.updated_at)
        if uri in summary.applied_to
        and folder.is_selection_pipeline(summary.configuration_id)
    ]
    found: list[tuple[PipelineRun, AppliedText]] = []
    while unread or found:
        if found and not (unread and found[-1][1].at < unread[-1].updated_at):
            yield found.pop()
        elif (run := _read_run(folder, unread.pop().run_id)) is not None:
            found += [(run, applied) for applied in run.applied if applied.uri == uri]
            found.sort(key=lambda one: one[1].at)


def _read_active_run(folder: WorkspaceFolder, uri: str) -> PipelineRun | None:
    candidates = (
        folder.engine.transactions.session.active_pipeline_run_id,
        folder.store.active_run_of(uri),
    )
    for run_id in candidates:
        run = None if run_id is None else _read_run(folder, run_id)
        if run and uri in {run.uri, *(applied.uri for applied in run.applied)}:
            return run
    return None


def _read_run(folder: WorkspaceFolder, run_id: UUID) -> PipelineRun | None:
    stored = folder.store.get_run(run_id)
    return None if stored is None else stored.run


def _sorted_by_relevance(runs: list[RunSummary]) -> Iterator[RunSummary]:
    """Yield unfinished runs, last updated first; then finished ones, newest first."""
    unfinished = [s for s in runs if s.status is not PipelineStatus.COMPLETED]
    yield from sorted(unfinished, key=lambda summary: summary.updated_at, reverse=True)
    yield from (s for s in runs if s.status is PipelineStatus.COMPLETED)
