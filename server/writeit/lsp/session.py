"""One connection's session: its workspace folders and what they share."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path
from uuid import UUID

from pygls.workspace import Workspace

from writeit.domain.errors import (
    InvalidParams,
    ModelError,
    NotFound,
    StoreError,
)
from writeit.domain.model_id import EDITOR
from writeit.engine.engine import Engine
from writeit.engine.moving import find_moved, move_documents
from writeit.engine.sessions import WORKSPACE_DATA_FOLDER, start_session
from writeit.lsp.client import Client
from writeit.lsp.confirmations import Confirmations
from writeit.lsp.convert import path_to_uri, uri_to_path
from writeit.lsp.documents import Documents
from writeit.lsp.editor_models import EditorModels
from writeit.lsp.fallback_messages import document_name
from writeit.lsp.folder import ChangeListener, WorkspaceFolder
from writeit.ports.system import Ports
from writeit.views import uris
from writeit.views.uris import View

logger = logging.getLogger(__name__)


class Session:
    """Everything that commands and features need; nothing below them gets it.

    `listener` gets the changes of all folders and is set before the first request.
    """

    listener: ChangeListener

    def __init__(self, client: Client, workspace: Workspace, ports: Ports) -> None:
        self.client = client
        self.documents = Documents(client, workspace)
        self.ports = ports
        self.editor_models = EditorModels(client)
        if client.options.language_models:
            ports.models.add_source(EDITOR, self.editor_models)
        self.confirmations = Confirmations(client)
        self._workspace = workspace
        self._moving = asyncio.Lock()
        self._folders: dict[Path | None, WorkspaceFolder] = {}
        for message in ports.config_problems:
            client.warn_once(message)

    def workspace_paths(self) -> list[Path]:
        """Return the open workspace folders, in the editor's order."""
        # pygls has unquoted URIs as keys; a `#` in one would begin a fragment.
        folder_uris = [folder.uri for folder in self._workspace.folders.values()]
        if not folder_uris and self._workspace.root_uri:
            folder_uris = [self._workspace.root_uri]
        paths = (uri_to_path(uri) for uri in folder_uris)
        return [
            *dict.fromkeys(
                _workspace_root_of(path) for path in paths if path is not None
            )
        ]

    def resolve_folder(
        self,
        folder_uri: str | None = None,
        *,
        uri: str | None = None,
        run_id: UUID | None = None,
    ) -> WorkspaceFolder:
        """Return the folder with that URI, else of a document, else of a run.

        Raises:
            InvalidParams: several folders are open and nothing decides.
            NotFound: the folder named is not open.
        """
        paths = self.workspace_paths()
        if folder_uri is not None:
            return self._get_or_create_folder(_require_open_path(folder_uri, paths))
        if uri is not None:
            return self._get_or_create_folder(_find_containing_path(uri, paths))
        if run_id is not None and len(paths) > 1:
            for folder in map(self._get_or_create_folder, paths):
                if folder.store.get_run(run_id) is not None:
                    return folder
        if len(paths) > 1 and run_id is None:
            raise InvalidParams(
                "Several folders are open. The command does not name one.",
                hint="Give `folder`, one of: " + ", ".join(map(path_to_uri, paths)),
                problems=[{"path": "folder", "message": "is needed here"}],
            )
        return self._get_or_create_folder(paths[0] if paths else None)

    def folder_containing(self, uri: str) -> WorkspaceFolder:
        """Return the open folder that a document is in, else the first one."""
        return self.resolve_folder(uri=uri)

    def folders_with_open_store(self) -> list[WorkspaceFolder]:
        """Return the folders whose store has been opened."""
        return [folder for folder in self._folders.values() if folder.has_open_store]

    def find_view(self, uri: str) -> tuple[WorkspaceFolder, View] | None:
        """Return the view that a document shows and its folder, else None."""
        try:
            if uri.startswith(f"{uris.SCHEME}:"):
                view = uris.parse_view_uri(uri)
                return self.resolve_folder(run_id=uris.run_id_of_view(view)), view
            path = uri_to_path(uri)
            if path is None or uris.VIEWS_FOLDER.name not in path.parts:
                return None
            folder = self.folder_containing(uri)
            file_view = folder.find_view_at_path(path)
        except NotFound:  # a name like a view's
            return None
        return None if file_view is None else (folder, file_view)

    async def move_documents(self, moves: dict[str, str]) -> list[UUID]:
        """Carry the runs of renamed files and folders along; return the runs.

        `moves` are the new URIs by the old ones. A folder without a store gets none.

        Raises:
            InvalidParams: files went to another workspace folder; the runs of the
                others are moved.
            StoreError: some runs may be moved, the others are not.
        """
        by_folder: dict[WorkspaceFolder, dict[str, str]] = {}
        outside: dict[str, str] = {}
        for old, new in moves.items():
            folder = self.folder_containing(old)
            is_inside = self.folder_containing(new) is folder
            (by_folder.setdefault(folder, {}) if is_inside else outside)[old] = new
        moved: list[UUID] = []
        for folder, inside in by_folder.items():
            if not folder.has_store:
                continue
            async with self._moving:  # one may undo the one before
                moved += await move_documents(folder.engine, inside)
            self.documents.move_pending_applies(partial(find_moved, moves=inside))
        if outside:
            raise _other_folder_error(outside)
        return moved

    def require_user_document(self, uri: str) -> None:
        """Refuse a page where one of the user's documents is meant.

        A run of a page would ignore the front matter of the document it is about.

        Raises:
            InvalidParams: the document is a page of WriteIt's own.
        """
        if self.find_view(uri) is not None:
            raise InvalidParams(
                "This is a page about a run, not your document. Nothing was done.",
                hint="Use this in your document. In the page you can choose, merge and"
                " give feedback.",
                problems=[{"path": "uri", "message": "is a page of WriteIt's own"}],
            )

    def _get_or_create_folder(self, path: Path | None) -> WorkspaceFolder:
        if path not in self._folders:
            self._folders[path] = WorkspaceFolder(
                path,
                self.documents,
                self.ports,
                lambda: self._create_engine(path),
                self.listener,
            )
        return self._folders[path]

    def _create_engine(self, path: Path | None) -> Engine:
        """Open a folder's store and start an engine on it.

        Raises:
            StoreError: the store cannot be opened or read.
        """
        store, message = self.ports.open_store(path)
        try:
            engine = start_session(
                self.ports,
                path,
                store,
                websocket_id=self.client.websocket_id,
            )
        except StoreError:
            store.close()
            raise
        engine.start_monitoring(self.client.show_warning)
        engine.transactions.on_change = self.listener.notify_run_changed
        engine.on_text = self.listener.notify_text_arrived
        if message:
            self.client.show_info(message)
        return engine

    def clear_settings(self) -> None:
        """Pull all settings again when they are next needed."""
        for folder in self._folders.values():
            folder.clear_settings()

    def warm_up_models(self) -> None:
        """Start the model host in the background: a model call is likely soon."""

        async def warm_up() -> None:
            try:
                await self.ports.models.warm_up()
            except ModelError as error:  # the first model call reports it to the user
                logger.warning("the model host did not start: %s", error.message)

        self.client.spawn_task(warm_up())

    async def close(self) -> None:
        """Stop generations, write everything, close stores and the model host."""
        self.documents.close()
        await self.editor_models.close()
        for folder in self._folders.values():
            await folder.close()
        self._folders.clear()
        await self.client.close()
        await self.ports.models.close()
        await self.ports.worker.close()


def _other_folder_error(moves: dict[str, str]) -> InvalidParams:
    names = ", ".join(map(document_name, moves))
    return InvalidParams(
        f"Moved to another workspace folder: {names}. Each folder has its own runs, so"
        " these runs stay where they were.",
        hint="Export a run with `writeit export`, and import it there.",
        problems=[
            {"path": "to", "message": f"{new} is in another folder"}
            for new in moves.values()
        ],
    )


def _workspace_root_of(path: Path) -> Path:
    """Return the folder itself, or for a folder in `.writeit` the workspace around it.

    Emacs opens a page's own folder as a workspace if nothing marks a project.
    """
    roots = (
        folder.parent
        for folder in (path, *path.parents)
        if folder.name == WORKSPACE_DATA_FOLDER
    )
    return next(roots, path)


def _require_open_path(folder_uri: str, paths: list[Path]) -> Path:
    path = uri_to_path(folder_uri)
    if path not in paths or path is None:
        raise NotFound.with_suggestions(
            "open folder", folder_uri, [path_to_uri(p) for p in paths]
        )
    return path


def _find_containing_path(uri: str, paths: list[Path]) -> Path | None:
    """Return the innermost open folder that `uri` is in, else the first open one."""
    path = uri_to_path(uri)
    containing = [p for p in paths if path is not None and path.is_relative_to(p)]
    if containing:
        return max(containing, key=lambda p: len(p.parts))
    return paths[0] if paths else None
