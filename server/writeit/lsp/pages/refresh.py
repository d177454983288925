"""Telling the client that runs changed: lenses, views, and who asked for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.domain.errors import InvalidParams, NotFound, WriteItError
from writeit.lsp.convert import path_to_uri
from writeit.lsp.edits.edit_retry import IDLE_SECONDS, IDLE_TIMEOUT
from writeit.lsp.messages import CHANGED_METHOD, ChangedParams
from writeit.lsp.pages.document_kind import find_view
from writeit.lsp.pages.files import page_path, update_page_file
from writeit.lsp.pages.render import (
    is_view_affected,
    render_editable_page,
    run_id_of_view,
)
from writeit.lsp.protocol import Params
from writeit.views import uris

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from writeit.lsp.session import Session, WorkspaceFolder
    from writeit.views.uris import View

logger = logging.getLogger(__name__)

BATCH_SECONDS = 0.1
"""Changes within it are told together: at most ten times a second."""
REFRESH_TIMEOUT_SECONDS = 5.0
"""How long an editor may take to say that it refreshed."""


class ChangeNotifier:
    """Gathers what changed and tells it, one message under way at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changed_run_ids: set[UUID] = set()
        """Runs that something was decided about."""
        self._streaming_run_ids: set[UUID] = set()
        """Runs of which text has come."""
        self._retried_views: set[View] = set()
        """Pages that are tried again when the writer rests."""
        self._notify_task: asyncio.Task[None] | None = None
        self._outdated_run_ids: set[UUID] = set()
        """Runs whose files are not rendered anew yet."""
        self._page_files_task: asyncio.Task[None] | None = None
        self._is_closed = False

    def notify_run_changed(self, run_id: UUID) -> None:
        """Note that a run changed; the client hears of it in a moment."""
        self._changed_run_ids.add(run_id)
        self._schedule()

    def notify_text_arrived(self, run_id: UUID) -> None:
        """Note that text of a run came: only what shows text as it comes is told."""
        self._streaming_run_ids.add(run_id)
        self._schedule()

    def refresh_opened_page(self, uri: str) -> None:
        """A page that was left open, or opened as a file, is brought up to date."""
        if self._is_closed or (found := find_view(self._session, uri)) is None:
            return
        folder, view = found
        if not uri.startswith(f"{uris.SCHEME}:"):
            folder.open_page_texts.pop(view, None)  # the editor read it from its file
            self._session.spawn_task(self._refresh_page(folder, view))

    def retry_page_when_idle(self, folder: WorkspaceFolder, view: View) -> None:
        """A page could not be changed where it is open: it is tried again later."""
        if view not in self._retried_views:
            self._retried_views.add(view)
            self._session.spawn_task(self._refresh_page_when_idle(folder, view))

    async def _refresh_page_when_idle(
        self, folder: WorkspaceFolder, view: View
    ) -> None:
        """Bring a page up to date once she has typed in it, or closed it, and rests."""
        uri, desk = path_to_uri(page_path(folder, view)), self._session.edit_session
        seen = desk.change_count(uri)
        while not desk.is_closed and not await desk.wait_for_change(
            uri, seen, IDLE_TIMEOUT
        ):
            continue
        await desk.wait_for_idle(uri, IDLE_SECONDS, IDLE_TIMEOUT)
        self._retried_views.discard(view)
        if not self._is_closed:
            await self._refresh_page(folder, view)

    def close(self) -> None:
        """Stop telling: the client leaves, and may not answer any more."""
        self._is_closed = True
        if self._notify_task is not None:
            self._notify_task.cancel()

    def _schedule(self) -> None:
        if not self._is_closed and (
            self._notify_task is None or self._notify_task.done()
        ):
            self._notify_task = self._session.spawn_task(self._send_batches())

    async def _send_batches(self) -> None:
        while self._changed_run_ids or self._streaming_run_ids:
            await asyncio.sleep(BATCH_SECONDS)
            changed, self._changed_run_ids = self._changed_run_ids, set()
            flowing, self._streaming_run_ids = self._streaming_run_ids, set()
            await self._send_batch(changed, flowing)

    async def _send_batch(
        self, changed_run_ids: set[UUID], streaming_run_ids: set[UUID]
    ) -> None:
        views = list(self._affected_view_uris(changed_run_ids | streaming_run_ids))
        if self._session.client_options.events:
            told = ChangedParams(
                run_ids=sorted(changed_run_ids | streaming_run_ids), views=views
            )
            self._session.server.protocol.notify(CHANGED_METHOD, told.to_json())
        try:
            async with asyncio.timeout(REFRESH_TIMEOUT_SECONDS):
                await self._request_client_refresh(
                    views, include_lenses=bool(changed_run_ids)
                )
        except JsonRpcException as error:
            logger.info("the client did not refresh: %s", error.message)
        except TimeoutError:  # it never answers; the next news does not wait for it
            logger.info("the client did not say whether it refreshed")
        if changed_run_ids:
            self._outdated_run_ids |= changed_run_ids
            if self._page_files_task is None or self._page_files_task.done():
                self._page_files_task = self._session.spawn_task(
                    self._refresh_page_files()
                )

    async def _request_client_refresh(
        self, views: list[str], *, include_lenses: bool
    ) -> None:
        server = self._session.server
        workspace = server.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.text_document_content is not None:
            for uri in views:
                await server.workspace_text_document_content_refresh_async(
                    types.TextDocumentContentRefreshParams(uri=uri)
                )
        support = workspace.code_lens
        if include_lenses and support is not None and support.refresh_support:
            await server.workspace_code_lens_refresh_async(None)

    async def _refresh_page_files(self) -> None:
        """Render the pages anew that were given out as files; answers have ended.

        An editor may take seconds to let an edit in: nobody else waits for that.
        """
        while self._outdated_run_ids and not self._is_closed:
            changed, self._outdated_run_ids = self._outdated_run_ids, set()
            await asyncio.gather(
                *(
                    self._refresh_page(folder, view)
                    for folder in self._session.folders_with_open_store()
                    for view in list(folder.file_views)
                    if is_view_affected(folder.store, view, changed)
                )
            )

    async def _refresh_page(self, folder: WorkspaceFolder, view: View) -> None:
        try:
            text = await render_editable_page(self._session, folder, view)
            await update_page_file(self._session, folder, view, text)
        except NotFound:  # its run was deleted; the page is all that is left of it
            folder.file_views.discard(view)
        except WriteItError as error:
            folder.file_views.discard(view)
            self._session.show_message(error.message, types.MessageType.Warning)

    def _affected_view_uris(self, changed_run_ids: set[UUID]) -> Iterator[str]:
        """The URIs of the views the client has that show one of these runs."""
        given = dict.fromkeys(map(uris.view_uri, self._session.sent_views))
        for uri in given | dict.fromkeys(self._session.server.workspace.text_documents):
            try:
                view = uris.parse_view_uri(uri)
                folder = self._session.resolve_folder(
                    Params(), run_id=run_id_of_view(view)
                )
            except (NotFound, InvalidParams):  # a document of the writer's
                continue
            if is_view_affected(folder.store, view, changed_run_ids):
                yield uri
