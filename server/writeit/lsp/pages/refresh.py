"""Notices to the client that runs changed: lenses, views and `writeit/changed`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeAlias
from uuid import UUID

from pygls.exceptions import JsonRpcException

from writeit.domain.errors import InvalidParams, NotFound, StoreError, WriteItError
from writeit.lsp.convert import path_to_uri
from writeit.lsp.documents import Documents
from writeit.lsp.edits.edit_retry import IDLE_SECONDS, IDLE_TIMEOUT
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.messages import ChangedParams
from writeit.lsp.pages.views import is_view_affected, update_page_file
from writeit.views import uris
from writeit.views.uris import View

ViewFinder: TypeAlias = Callable[[str], tuple[WorkspaceFolder, View] | None]

BATCH_SECONDS = 0.1
"""Changes are sent at most ten times a second."""
REFRESH_TIMEOUT_SECONDS = 5.0
"""Seconds a client gets to answer a refresh request."""

logger = logging.getLogger(__name__)


class ChangeNotifier:
    """Collects changes and sends them in batches, one batch at a time."""

    def __init__(
        self,
        documents: Documents,
        find_view: ViewFinder,
        open_folders: Callable[[], list[WorkspaceFolder]],
    ) -> None:
        self._documents = documents
        self._client = documents.client
        self._find_view = find_view
        self._open_folders = open_folders
        self._changed_run_ids: set[UUID] = set()
        self._streaming_run_ids: set[UUID] = set()
        """Runs of which only text has arrived."""
        self._retried_views: set[View] = set()
        """Pages that are updated when the user is idle."""
        self._notify_task: asyncio.Task[None] | None = None
        self._outdated_run_ids: set[UUID] = set()
        """Runs whose page files have not been updated yet."""
        self._page_files_task: asyncio.Task[None] | None = None
        self._is_closed = False

    def notify_run_changed(self, run_id: UUID) -> None:
        """Send soon that a run changed."""
        self._changed_run_ids.add(run_id)
        self._schedule()

    def notify_text_arrived(self, run_id: UUID) -> None:
        """Send soon that text of a run arrived; lenses and files do not show that."""
        self._streaming_run_ids.add(run_id)
        self._schedule()

    def notify_library_read(self) -> None:
        """Have the client request the lenses again, which may start a pipeline."""
        self._client.spawn_task(_wait_for_client(self._client.refresh_lenses()))

    def refresh_opened_page(self, uri: str) -> None:
        """Update a page file that the client has just opened."""
        if self._is_closed or (view_in_folder := self._find_view(uri)) is None:
            return
        folder, view = view_in_folder
        if not uri.startswith(f"{uris.SCHEME}:"):
            folder.open_page_texts.pop(view, None)  # the editor read it from its file
            self._client.spawn_task(self._refresh_page(folder, view))

    def retry_page_when_idle(self, folder: WorkspaceFolder, view: View) -> None:
        """Update an open page later: it could not be edited now."""
        if view not in self._retried_views:
            self._retried_views.add(view)
            self._client.spawn_task(self._refresh_page_when_idle(folder, view))

    async def _refresh_page_when_idle(
        self, folder: WorkspaceFolder, view: View
    ) -> None:
        """Update a page after the user has typed in it or closed it, and is idle."""
        uri, documents = path_to_uri(folder.page_path(view)), self._documents
        known_count = documents.change_count(uri)
        while not documents.is_closed and not await documents.wait_for_change(
            uri, known_count, IDLE_TIMEOUT
        ):
            continue
        await documents.wait_for_idle(uri, IDLE_SECONDS, IDLE_TIMEOUT)
        self._retried_views.discard(view)
        if not self._is_closed:
            await self._refresh_page(folder, view)

    def close(self) -> None:
        """Send nothing more: the client leaves."""
        self._is_closed = True
        if self._notify_task is not None:
            self._notify_task.cancel()

    def _schedule(self) -> None:
        if not self._is_closed and (
            self._notify_task is None or self._notify_task.done()
        ):
            self._notify_task = self._client.spawn_task(self._send_batches())

    async def _send_batches(self) -> None:
        while self._changed_run_ids or self._streaming_run_ids:
            await asyncio.sleep(BATCH_SECONDS)
            changed, self._changed_run_ids = self._changed_run_ids, set()
            streaming, self._streaming_run_ids = self._streaming_run_ids, set()
            await self._send_batch(changed, streaming)

    async def _send_batch(
        self, changed_run_ids: set[UUID], streaming_run_ids: set[UUID]
    ) -> None:
        run_ids = changed_run_ids | streaming_run_ids
        views = list(self._affected_view_uris(run_ids))
        self._client.notify_changed(ChangedParams(run_ids=sorted(run_ids), views=views))
        await asyncio.gather(
            *(_wait_for_client(self._client.refresh_content(uri)) for uri in views)
        )
        self._recheck_reviewed(changed_run_ids)
        if changed_run_ids:
            await _wait_for_client(self._client.refresh_lenses())
            self._outdated_run_ids |= changed_run_ids
            if self._page_files_task is None or self._page_files_task.done():
                self._page_files_task = self._client.spawn_task(
                    self._refresh_page_files()
                )

    def _recheck_reviewed(self, changed_run_ids: set[UUID]) -> None:
        """Show the remarks of changed reviews in their documents."""
        for folder in self._open_folders():
            for run_id in changed_run_ids if folder.has_store else ():
                try:
                    summary = folder.store.summary(run_id)
                except StoreError as error:  # the next command says it to the user
                    logger.info("reviews were not read: %s", error.message)
                    continue
                if summary and summary.is_review and summary.uri:
                    self._documents.recheck(summary.uri)

    async def _refresh_page_files(self) -> None:
        """Update the page files of changed runs.

        This is a task of its own, as an editor may take seconds to apply an edit.
        """
        while self._outdated_run_ids and not self._is_closed:
            changed, self._outdated_run_ids = self._outdated_run_ids, set()
            await asyncio.gather(
                *(
                    self._refresh_page(folder, view)
                    for folder in self._open_folders()
                    for view in list(folder.file_views)
                    if is_view_affected(folder.store, view, changed)
                )
            )

    async def _refresh_page(self, folder: WorkspaceFolder, view: View) -> None:
        try:
            await update_page_file(folder, view)
        except NotFound:  # its run was deleted; the page stays as it is
            folder.file_views.discard(view)
        except WriteItError as error:
            folder.file_views.discard(view)
            self._client.show_warning(error.message)

    def _affected_view_uris(self, changed_run_ids: set[UUID]) -> Iterator[str]:
        """Yield the `writeit:` URIs the client has that show one of these runs."""
        sent = map(uris.view_uri, self._documents.sent_views)
        for uri in dict.fromkeys([*sent, *self._documents.open_uris()]):
            if not uri.startswith(f"{uris.SCHEME}:"):
                continue
            try:
                view_in_folder = self._find_view(uri)
            except InvalidParams:  # several folders are open and none is meant
                continue
            if view_in_folder is not None:
                folder, view = view_in_folder
                if is_view_affected(folder.store, view, changed_run_ids):
                    yield uri


async def _wait_for_client(refresh: Coroutine[Any, Any, None]) -> None:
    """Send a refresh; one that is refused or not answered keeps back no other."""
    try:
        async with asyncio.timeout(REFRESH_TIMEOUT_SECONDS):
            await refresh
    except JsonRpcException as error:
        logger.info("the client did not refresh: %s", error.message)
    except TimeoutError:
        logger.info("the client did not answer a refresh request")
