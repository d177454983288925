"""Telling the client that runs changed: lenses, views, and who asked for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.core.errors import InvalidParams, NotFound, WriteItError
from writeit.lsp.convert import uri_of
from writeit.lsp.landing import PATIENCE, PAUSE
from writeit.lsp.messages import CHANGED, ChangedParams
from writeit.lsp.pagefiles import file_of
from writeit.lsp.pages import concerns, page, run_of_view
from writeit.lsp.protocol import Params
from writeit.lsp.subject import view_in
from writeit.lsp.viewfiles import as_file
from writeit.views import uris

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.uris import View

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
"""Changes within it are told together: at most ten times a second."""
REPLY_SECONDS = 5.0
"""How long an editor may take to say that it refreshed."""


class News:
    """Gathers what changed and tells it, one message under way at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed: set[UUID] = set()
        """Runs that something was decided about."""
        self._flowing: set[UUID] = set()
        """Runs of which text has come."""
        self._waiting: set[View] = set()
        """Pages that are tried again when the writer rests."""
        self._telling: asyncio.Task[None] | None = None
        self._stale: set[UUID] = set()
        """Runs whose files are not rendered anew yet."""
        self._filing: asyncio.Task[None] | None = None
        self._closed = False

    def tell(self, run_id: UUID) -> None:
        """Note that a run changed; the client hears of it in a moment."""
        self._changed.add(run_id)
        self._soon()

    def flow(self, run_id: UUID) -> None:
        """Note that text of a run came: only what shows text as it comes is told."""
        self._flowing.add(run_id)
        self._soon()

    def opened(self, uri: str) -> None:
        """A page that was left open, or opened as a file, is brought up to date."""
        if self._closed or (found := view_in(self._connection, uri)) is None:
            return
        folder, view = found
        if not uri.startswith(f"{uris.SCHEME}:"):
            folder.rendered.pop(view, None)  # the editor read it from its file
            self._connection.spawn(self._bring_up_to_date(folder, view))

    def waits(self, folder: Folder, view: View) -> None:
        """A page could not be changed where it is open: it is tried again later."""
        if view not in self._waiting:
            self._waiting.add(view)
            self._connection.spawn(self._when_left_alone(folder, view))

    async def _when_left_alone(self, folder: Folder, view: View) -> None:
        """Bring a page up to date once she has typed in it, or closed it, and rests."""
        uri, desk = uri_of(file_of(folder, view)), self._connection.desk
        seen = desk.seen(uri)
        while not desk.closed and not await desk.change_after(uri, seen, PATIENCE):
            continue
        await desk.pause(uri, PAUSE, PATIENCE)
        self._waiting.discard(view)
        if not self._closed:
            await self._bring_up_to_date(folder, view)

    def close(self) -> None:
        """Stop telling: the client leaves, and may not answer any more."""
        self._closed = True
        if self._telling is not None:
            self._telling.cancel()

    def _soon(self) -> None:
        if not self._closed and (self._telling is None or self._telling.done()):
            self._telling = self._connection.spawn(self._tell())

    async def _tell(self) -> None:
        while self._changed or self._flowing:
            await asyncio.sleep(PAUSE_SECONDS)
            changed, self._changed = self._changed, set()
            flowing, self._flowing = self._flowing, set()
            await self._send(changed, flowing)

    async def _send(self, changed: set[UUID], flowing: set[UUID]) -> None:
        views = list(self._read_views(changed | flowing))
        if self._connection.options.events:
            told = ChangedParams(run_ids=sorted(changed | flowing), views=views)
            self._connection.server.protocol.notify(CHANGED, told.as_json())
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                await self._refresh(views, lenses=bool(changed))
        except JsonRpcException as error:
            logger.info("the client did not refresh: %s", error.message)
        except TimeoutError:  # it never answers; the next news does not wait for it
            logger.info("the client did not say whether it refreshed")
        if changed:
            self._stale |= changed
            if self._filing is None or self._filing.done():
                self._filing = self._connection.spawn(self._refresh_files())

    async def _refresh(self, views: list[str], *, lenses: bool) -> None:
        server = self._connection.server
        workspace = server.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.text_document_content is not None:
            for uri in views:
                await server.workspace_text_document_content_refresh_async(
                    types.TextDocumentContentRefreshParams(uri=uri)
                )
        support = workspace.code_lens
        if lenses and support is not None and support.refresh_support:
            await server.workspace_code_lens_refresh_async(None)

    async def _refresh_files(self) -> None:
        """Render the pages anew that were given out as files; answers have ended.

        An editor may take seconds to let an edit in: nobody else waits for that.
        """
        while self._stale and not self._closed:
            changed, self._stale = self._stale, set()
            await asyncio.gather(
                *(
                    self._bring_up_to_date(folder, view)
                    for folder in self._connection.open_folders()
                    for view in list(folder.shown)
                    if concerns(folder.store, view, changed)
                )
            )

    async def _bring_up_to_date(self, folder: Folder, view: View) -> None:
        try:
            text = await page(self._connection, folder, view)
            await as_file(self._connection, folder, view, text)
        except NotFound:  # its run was deleted; the page is all that is left of it
            folder.shown.discard(view)
        except WriteItError as error:
            folder.shown.discard(view)
            self._connection.show(error.message, types.MessageType.Warning)

    def _read_views(self, changed: set[UUID]) -> Iterator[str]:
        """The URIs of the views the client has that show one of these runs."""
        given = dict.fromkeys(map(uris.uri_of, self._connection.given))
        for uri in given | dict.fromkeys(
            self._connection.server.workspace.text_documents
        ):
            try:
                view = uris.view_of(uri)
                folder = self._connection.folder(Params(), run_id=run_of_view(view))
            except (NotFound, InvalidParams):  # a document of the writer's
                continue
            if concerns(folder.store, view, changed):
                yield uri
