"""What one connected editor has open: folders, settings, tasks in the background."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pydantic import ValidationError
from pygls.exceptions import JsonRpcException

from writeit.core.errors import InvalidParams, ModelError, NotFound, StoreError
from writeit.core.settings import (
    CLIENT_SETTINGS,
    USER_ONLY_SETTINGS,
    Settings,
    problem_with,
    without,
)
from writeit.engine.gate import Gate
from writeit.engine.sessions import begin
from writeit.lsp.at_hand import ModelsAtHand
from writeit.lsp.convert import path_of, uri_of
from writeit.lsp.desk import Desk
from writeit.lsp.features.diagnostics import Checks
from writeit.lsp.folder import Folder
from writeit.lsp.given import Given
from writeit.lsp.messages import ClientOptions, options_of
from writeit.lsp.news import News

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path
    from uuid import UUID

    from writeit.engine.engine import Engine
    from writeit.lsp.protocol import Params
    from writeit.lsp.server import WriteItServer
    from writeit.ports import World

LAST_WORDS = 5.0
"""Seconds for work in the background to end by itself; some of it waits for replies
that an editor which went away never gives."""

OURS = ".writeit"
"""The folder in a workspace that its pages and its store are in."""

logger = logging.getLogger(__name__)


class Connection:
    """The state of one connection; commands get everything through it."""

    def __init__(self, server: WriteItServer, world: World) -> None:
        self.server = server
        self.world = world
        self.options = self._options()
        self.gate = Gate(3)
        self.news = News(self)
        self.desk = Desk()
        self.checks = Checks(self)
        self.at_hand = ModelsAtHand(self)
        self.given = Given()
        self._folders: dict[Path | None, Folder] = {}
        self._settings: dict[Path | None, Settings] = {}
        self._warned: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        for message in world.config_problems:
            self._warn_once(message)

    def _options(self) -> ClientOptions:
        """Return what the client said of itself; a wrong value is one message."""
        try:
            return options_of(self.server.protocol.initialization_options)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            self.show(
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
        paths = (path_of(uri) for uri in uris)
        return [*dict.fromkeys(_around(path) for path in paths if path is not None)]

    def folder(
        self, params: Params, *, uri: str | None = None, run_id: UUID | None = None
    ) -> Folder:
        """Return the folder a command is about.

        Raises:
            InvalidParams: several folders are open and nothing decides.
            NotFound: the folder named is not open.
        """
        paths = self.workspace_paths()
        if params.folder is not None:
            return self._open(self._named(params.folder, paths))
        if uri is not None:
            return self._open(_containing(uri, paths))
        if run_id is not None and len(paths) > 1:
            for path in paths:
                if (folder := self._open(path)).store.run(run_id) is not None:
                    return folder
        if len(paths) > 1 and run_id is None:
            raise InvalidParams(
                "Several folders are open and nothing says which is meant.",
                hint="Give `folder`, one of: " + ", ".join(map(uri_of, paths)),
                problems=[{"path": "folder", "message": "is needed here"}],
            )
        return self._open(paths[0] if paths else None)

    def folder_of(self, uri: str) -> Folder:
        """Return the open folder that a document is in, else the first one."""
        return self._open(_containing(uri, self.workspace_paths()))

    def open_folders(self) -> list[Folder]:
        """The folders that something was asked of, and whose store is open."""
        return [folder for folder in self._folders.values() if folder.is_open]

    def _named(self, folder: str, paths: list[Path]) -> Path:
        path = path_of(folder)
        if path not in paths or path is None:
            raise NotFound.among("open folder", folder, [uri_of(p) for p in paths])
        return path

    def _open(self, path: Path | None) -> Folder:
        if path not in self._folders:
            self._folders[path] = Folder(path, lambda: self._engine(path))
        return self._folders[path]

    def _engine(self, path: Path | None) -> Engine:
        """Open a folder's store and set to work on it.

        Raises:
            StoreError: it cannot be opened or read.
        """
        store, message = self.world.open_store(path)
        try:
            engine = begin(
                self.world,
                path,
                store,
                gate=self.gate,
                websocket_id=self.server.websocket_id,
            )
        except StoreError:
            store.close()
            raise
        engine.watch(self.news.tell)
        engine.ledger.on_change = self.news.tell
        engine.on_flow = self.news.flow
        if message:
            self.show(message, types.MessageType.Info)
        return engine

    # --- settings -----------------------------------------------------------------

    async def settings(self, folder: Folder) -> Settings:
        """Return the folder's settings; a bad value is one message and its default."""
        if folder.path not in self._settings:
            self._settings[folder.path] = await self._pull(folder.path)
        return self._settings[folder.path]

    def forget_settings(self) -> None:
        """Pull the settings anew when they are next needed."""
        self._settings.clear()

    async def _pull(self, path: Path | None) -> Settings:
        workspace = self.server.client_capabilities.workspace
        if workspace is None or not workspace.configuration:
            return Settings()
        item = types.ConfigurationItem(
            section="writeit", scope_uri=uri_of(path) if path else None
        )
        try:
            answer = await self.server.workspace_configuration_async(
                types.ConfigurationParams(items=[item])
            )
        except JsonRpcException as error:
            logger.warning("the editor did not tell its settings: %s", error)
            return Settings()
        raw = answer[0] if answer else None
        return self._checked(raw if isinstance(raw, dict) else {})

    def _checked(self, raw: dict[str, Any]) -> Settings:
        """Validate section by section, so that one bad value costs only itself."""
        for name in USER_ONLY_SETTINGS:
            raw, was_there = without(raw, name)
            if was_there:
                self._warn_once(
                    f"Setting writeit.{name} is ignored here: a workspace could set it."
                    f" Set it in {self.world.user_config_file}."
                )
        good: dict[str, Any] = {}
        for key, value in raw.items():
            if key in CLIENT_SETTINGS:
                continue
            if problem := problem_with(Settings, key, value):
                where, what = problem
                self.show(
                    f"Setting writeit.{where}: {what}. Its default is used.",
                    types.MessageType.Warning,
                )
            else:
                good[key] = value
        return Settings.model_validate(good)

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self.show(message, types.MessageType.Warning)

    # --- talking and working in the background --------------------------------------

    def show(self, message: str, kind: types.MessageType) -> None:
        """Show the writer a message."""
        self.server.window_show_message(
            types.ShowMessageParams(type=kind, message=message)
        )

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` in the background, held until it ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("work in the background failed", exc_info=error)

    def warm(self) -> None:
        """Wake the model host in the background: somebody is about to write."""

        async def wake() -> None:
            try:
                await self.world.models.warm()
            except ModelError as error:  # the first call will say it to the writer
                logger.warning("the model host did not wake up: %s", error.message)

        self.spawn(wake())

    async def close(self) -> None:
        """Stop what streams, write everything down, let go of stores and models."""
        self.desk.close()
        self.checks.close()
        self.news.close()
        for folder in self._folders.values():
            await folder.close()
        self._folders.clear()
        if self._tasks:
            _, waiting = await asyncio.wait(self._tasks, timeout=LAST_WORDS)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        await self.world.models.close()


def _around(path: Path) -> Path:
    """The folder itself; of one among our pages, the folder whose pages they are.

    Emacs opens a page's own folder as a workspace if nothing marks a project.
    """
    among = (folder.parent for folder in (path, *path.parents) if folder.name == OURS)
    return next(among, path)


def _containing(uri: str, paths: list[Path]) -> Path | None:
    """The innermost open folder that `uri` is in, else the first open one."""
    path = path_of(uri)
    around = [p for p in paths if path is not None and path.is_relative_to(p)]
    if around:
        return max(around, key=lambda p: len(p.parts))
    return paths[0] if paths else None
