"""What one connected editor has open: folders, settings, tasks in the background."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pydantic import ValidationError
from pygls.exceptions import JsonRpcException

from writeit.domain.errors import (
    InvalidParams,
    ModelError,
    NotFound,
    StoreError,
    WriteItError,
)
from writeit.domain.session import (
    CLIENT_SETTINGS,
    USER_ONLY_SETTINGS,
    Settings,
    problem_with,
    without,
)
from writeit.engine.limits import RunLimiter
from writeit.engine.sessions import start_session
from writeit.library.catalog import Library, LibraryCache, read_library
from writeit.lsp.convert import path_to_uri, uri_to_path
from writeit.lsp.edit_session import EditSession
from writeit.lsp.features.diagnostics import DiagnosticsPublisher
from writeit.lsp.messages import ClientOptions, parse_client_options
from writeit.lsp.pages.open import SentViews
from writeit.lsp.pages.refresh import ChangeNotifier

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from pathlib import Path
    from uuid import UUID

    from writeit.engine.engine import Engine
    from writeit.lsp.protocol import Params
    from writeit.lsp.server import WriteItServer
    from writeit.ports.models import ModelInfo
    from writeit.ports.store import Store
    from writeit.ports.system import Ports
    from writeit.views.editable_page import StepEdits
    from writeit.views.uris import StepView, View


# --- One workspace folder: its store, its engine, its session, its library ------------


logger = logging.getLogger(__name__)


class WorkspaceFolder:
    """What belongs to one workspace folder (or to none: `path` is None).

    Its store is opened when it is first needed: what needs no history works without.
    """

    def __init__(self, path: Path | None, open_engine: Callable[[], Engine]) -> None:
        self.path = path
        self._library_cache: LibraryCache = {}
        self.file_views: set[View] = set()
        """The views that were given out as files."""
        self.open_page_texts: dict[View, str] = {}
        """The pages open here as we rendered them last; another server has its own."""
        self.consumed_edits: dict[StepView, list[tuple[StepEdits, str]]] = {}
        """What commands took over from pages that were not in hand since."""
        self.damaged_views: set[View] = set()
        """Those of them that cannot be brought up to date; the writer was told."""
        self._selection_pipelines: dict[str, bool] = {}
        self._open_engine = open_engine
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine on the folder's store.

        Raises:
            StoreError: the store cannot be opened; it is tried again the next time.
        """
        if self._engine is None:
            self._engine = self._open_engine()
        return self._engine

    @property
    def has_open_store(self) -> bool:
        """Whether the store was needed yet."""
        return self._engine is not None

    @property
    def store(self) -> Store:
        """The folder's store.

        Raises:
            StoreError: as of `engine`.
        """
        return self.engine.store

    def load_library(self) -> Library:
        """Read the pipelines and primers within reach; unchanged files are kept."""
        library, _ = read_library(self.path, self._library_cache)
        return library

    def is_selection_pipeline(self, configuration_id: str) -> bool:
        """Say whether a stored pipeline is for passages, not for whole documents.

        It is read once: what an id stands for never changes.
        """
        known = self._selection_pipelines.get(configuration_id)
        if known is None:
            configuration = self.store.configuration(configuration_id)
            if configuration is None:
                return False
            known = configuration.applies_to == "selection"
            self._selection_pipelines[configuration_id] = known
        return known

    async def close(self) -> None:
        """Stop what streams, end the session, close the store."""
        if self._engine is None:
            return
        await self._engine.close()
        try:
            self._engine.store.close()
        except StoreError as error:
            logger.error("at the end: %s", error.message)  # noqa: TRY400 -- it says all


# --- What is known of models without asking anybody: looked up behind the writer's back

MODEL_CACHE_SECONDS = 60.0


class _CachedModels:
    """What is known for one folder."""

    def __init__(self) -> None:
        self.models: dict[str, ModelInfo] = {}
        self.requested_ids: set[str] = set()
        """Ids that somebody wanted to know about, whether or not they exist."""
        self.refreshed_at = float("-inf")
        self.refresh_task: asyncio.Task[None] | None = None

    @property
    def is_refreshing(self) -> bool:
        return self.refresh_task is not None and not self.refresh_task.done()


class ModelCache:
    """The models of each folder as they were listed last, at most a minute ago."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: dict[Path | None, _CachedModels] = {}

    def known_models(
        self, folder: WorkspaceFolder, model_ids: Iterable[str] = ()
    ) -> tuple[dict[str, ModelInfo], bool]:
        """Return what is known now, and whether more is being looked up."""
        shelf = self._refresh_if_outdated(folder, model_ids)
        return shelf.models, shelf.is_refreshing

    async def wait_for_models(
        self, folder: WorkspaceFolder, model_ids: Iterable[str], seconds: float
    ) -> dict[str, ModelInfo]:
        """Return what is known, or will be in so many seconds."""
        shelf = self._refresh_if_outdated(folder, model_ids)
        missing = any(model not in shelf.models for model in model_ids)
        if missing and shelf.refresh_task is not None:
            await asyncio.wait([shelf.refresh_task], timeout=seconds)
        return shelf.models

    def _refresh_if_outdated(
        self, folder: WorkspaceFolder, model_ids: Iterable[str]
    ) -> _CachedModels:
        shelf = self._entries.setdefault(folder.path, _CachedModels())
        now = self._session.ports.clock.monotonic()
        stale = (
            now - shelf.refreshed_at > MODEL_CACHE_SECONDS
            or not shelf.requested_ids.issuperset(model_ids)
        )
        if stale and not shelf.is_refreshing:
            shelf.requested_ids.update(model_ids)
            shelf.refreshed_at = now
            shelf.refresh_task = self._session.spawn_task(self._refresh(folder, shelf))
        return shelf

    async def _refresh(self, folder: WorkspaceFolder, entry: _CachedModels) -> None:
        from writeit.lsp.commands.library import configured_model_ids  # noqa: PLC0415 -- commands need a connection

        connection = self._session
        try:
            named = await configured_model_ids(connection, folder)
            models = await connection.ports.models.list_models(
                include=[*named, *sorted(entry.requested_ids)]
            )
        except WriteItError as error:  # the first call will say it to the writer
            logger.info("models could not be listed: %s", error.message)
            return
        entry.models = {model.id: model for model in models}


# --- What one connected editor has open: folders, settings, tasks in the background ---

CLOSE_TIMEOUT_SECONDS = 5.0
"""Seconds for work in the background to end by itself; some of it waits for replies
that an editor which went away never gives."""

DATA_FOLDER_NAME = ".writeit"
"""The folder in a workspace that its pages and its store are in."""


class Session:
    """The state of one connection; commands get everything through it."""

    def __init__(self, server: WriteItServer, ports: Ports) -> None:
        self.server = server
        self.ports = ports
        self.client_options = self._parse_client_options()
        self.run_limiter = RunLimiter(3)
        self.change_notifier = ChangeNotifier(self)
        self.edit_session = EditSession()
        self.diagnostics_publisher = DiagnosticsPublisher(self)
        self.model_cache = ModelCache(self)
        self.sent_views = SentViews()
        self._folders: dict[Path | None, WorkspaceFolder] = {}
        self._settings: dict[Path | None, Settings] = {}
        self._warned: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        for message in ports.config_problems:
            self._warn_once(message)

    def _parse_client_options(self) -> ClientOptions:
        """Return what the client said of itself; a wrong value is one message."""
        try:
            return parse_client_options(self.server.protocol.initialization_options)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            self.show_message(
                f"initializationOptions.writeit.{where}: {first['msg']}."
                " Defaults are used for all of them.",
                types.MessageType.Warning,
            )
            return ClientOptions()

    # --- folders ------------------------------------------------------------------

    def workspace_paths(self) -> list[Path]:
        """The workspace folders that are open, in the editor's order."""
        # pygls knows them by unquoted URIs, which are none: `#` begins a fragment.
        folders = self.server.workspace.folders.values()
        uris = [folder.uri for folder in folders] or (
            [self.server.workspace.root_uri] if self.server.workspace.root_uri else []
        )
        paths = (uri_to_path(uri) for uri in uris)
        return [
            *dict.fromkeys(
                _workspace_root_of(path) for path in paths if path is not None
            )
        ]

    def resolve_folder(
        self, params: Params, *, uri: str | None = None, run_id: UUID | None = None
    ) -> WorkspaceFolder:
        """Return the folder a command is about.

        Raises:
            InvalidParams: several folders are open and nothing decides.
            NotFound: the folder named is not open.
        """
        paths = self.workspace_paths()
        if params.folder is not None:
            return self._get_or_create_folder(
                self._require_open_path(params.folder, paths)
            )
        if uri is not None:
            return self._get_or_create_folder(_find_containing_path(uri, paths))
        if run_id is not None and len(paths) > 1:
            for path in paths:
                if (folder := self._get_or_create_folder(path)).store.get_run(
                    run_id
                ) is not None:
                    return folder
        if len(paths) > 1 and run_id is None:
            raise InvalidParams(
                "Several folders are open and nothing says which is meant.",
                hint="Give `folder`, one of: " + ", ".join(map(path_to_uri, paths)),
                problems=[{"path": "folder", "message": "is needed here"}],
            )
        return self._get_or_create_folder(paths[0] if paths else None)

    def folder_containing(self, uri: str) -> WorkspaceFolder:
        """Return the open folder that a document is in, else the first one."""
        return self._get_or_create_folder(
            _find_containing_path(uri, self.workspace_paths())
        )

    def folders_with_open_store(self) -> list[WorkspaceFolder]:
        """The folders that something was asked of, and whose store is open."""
        return [folder for folder in self._folders.values() if folder.has_open_store]

    def _require_open_path(self, folder: str, paths: list[Path]) -> Path:
        path = uri_to_path(folder)
        if path not in paths or path is None:
            raise NotFound.with_suggestions(
                "open folder", folder, [path_to_uri(p) for p in paths]
            )
        return path

    def _get_or_create_folder(self, path: Path | None) -> WorkspaceFolder:
        if path not in self._folders:
            self._folders[path] = WorkspaceFolder(
                path, lambda: self._create_engine(path)
            )
        return self._folders[path]

    def _create_engine(self, path: Path | None) -> Engine:
        """Open a folder's store and set to work on it.

        Raises:
            StoreError: it cannot be opened or read.
        """
        store, message = self.ports.open_store(path)
        try:
            engine = start_session(
                self.ports,
                path,
                store,
                run_limiter=self.run_limiter,
                websocket_id=self.server.websocket_id,
            )
        except StoreError:
            store.close()
            raise
        engine.start_monitoring(self.change_notifier.notify_run_changed)
        engine.transactions.on_change = self.change_notifier.notify_run_changed
        engine.on_text = self.change_notifier.notify_text_arrived
        if message:
            self.show_message(message, types.MessageType.Info)
        return engine

    # --- settings -----------------------------------------------------------------

    async def load_settings(self, folder: WorkspaceFolder) -> Settings:
        """Return the folder's settings; a bad value is one message and its default."""
        if folder.path not in self._settings:
            self._settings[folder.path] = await self._pull_settings(folder.path)
        return self._settings[folder.path]

    def clear_settings(self) -> None:
        """Pull the settings anew when they are next needed."""
        self._settings.clear()

    async def _pull_settings(self, path: Path | None) -> Settings:
        workspace = self.server.client_capabilities.workspace
        if workspace is None or not workspace.configuration:
            return Settings()
        item = types.ConfigurationItem(
            section="writeit", scope_uri=path_to_uri(path) if path else None
        )
        try:
            answer = await self.server.workspace_configuration_async(
                types.ConfigurationParams(items=[item])
            )
        except JsonRpcException as error:
            logger.warning("the editor did not tell its settings: %s", error)
            return Settings()
        raw = answer[0] if answer else None
        return self._validate_settings(raw if isinstance(raw, dict) else {})

    def _validate_settings(self, raw: dict[str, Any]) -> Settings:
        """Validate section by section, so that one bad value costs only itself."""
        for name in USER_ONLY_SETTINGS:
            raw, was_there = without(raw, name)
            if was_there:
                self._warn_once(
                    f"Setting writeit.{name} is ignored here: a workspace could set it."
                    f" Set it in {self.ports.user_config_file}."
                )
        good: dict[str, Any] = {}
        for key, value in raw.items():
            if key in CLIENT_SETTINGS:
                continue
            if problem := problem_with(Settings, key, value):
                where, what = problem
                self.show_message(
                    f"Setting writeit.{where}: {what}. Its default is used.",
                    types.MessageType.Warning,
                )
            else:
                good[key] = value
        return Settings.model_validate(good)

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self.show_message(message, types.MessageType.Warning)

    # --- talking and working in the background --------------------------------------

    def show_message(self, message: str, message_type: types.MessageType) -> None:
        """Show the writer a message."""
        self.server.window_show_message(
            types.ShowMessageParams(type=message_type, message=message)
        )

    def spawn_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` in the background, held until it ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        return task

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("work in the background failed", exc_info=error)

    def warm_up_models(self) -> None:
        """Wake the model host in the background: somebody is about to write."""

        async def wake() -> None:
            try:
                await self.ports.models.warm_up()
            except ModelError as error:  # the first call will say it to the writer
                logger.warning("the model host did not wake up: %s", error.message)

        self.spawn_task(wake())

    async def close(self) -> None:
        """Stop what streams, write everything down, let go of stores and models."""
        self.edit_session.close()
        self.diagnostics_publisher.close()
        self.change_notifier.close()
        for folder in self._folders.values():
            await folder.close()
        self._folders.clear()
        if self._tasks:
            _, waiting = await asyncio.wait(self._tasks, timeout=CLOSE_TIMEOUT_SECONDS)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        await self.ports.models.close()


def _workspace_root_of(path: Path) -> Path:
    """The folder itself; of one among our pages, the folder whose pages they are.

    Emacs opens a page's own folder as a workspace if nothing marks a project.
    """
    among = (
        folder.parent
        for folder in (path, *path.parents)
        if folder.name == DATA_FOLDER_NAME
    )
    return next(among, path)


def _find_containing_path(uri: str, paths: list[Path]) -> Path | None:
    """The innermost open folder that `uri` is in, else the first open one."""
    path = uri_to_path(uri)
    around = [p for p in paths if path is not None and path.is_relative_to(p)]
    if around:
        return max(around, key=lambda p: len(p.parts))
    return paths[0] if paths else None
