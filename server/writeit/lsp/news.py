"""Telling the client that runs changed: lenses, open views, and who asked for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.core.errors import NotFound
from writeit.lsp.pages import run_of_view
from writeit.lsp.showing import announced
from writeit.views.uris import view_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from writeit.lsp.connection import Connection

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
"""Changes within it are told together: at most ten times a second."""


class News:
    """Gathers what changed and tells it, one message under way at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed: set[UUID] = set()
        self._telling: asyncio.Task[None] | None = None
        self._closed = False

    def tell(self, run_id: UUID) -> None:
        """Note that a run changed; the client hears of it in a moment."""
        self._changed.add(run_id)
        if not self._closed and (self._telling is None or self._telling.done()):
            self._telling = self._connection.spawn(self._tell())

    def close(self) -> None:
        """Stop telling: the client leaves, and may not answer any more."""
        self._closed = True
        if self._telling is not None:
            self._telling.cancel()

    async def _tell(self) -> None:
        while self._changed:
            await asyncio.sleep(PAUSE_SECONDS)
            changed, self._changed = self._changed, set()
            await self._send(changed)

    async def _send(self, changed: set[UUID]) -> None:
        views = list(self._open_views(changed))
        if announced(self._connection).get("events") is True:
            value: dict[str, Any] = {
                "runIds": sorted(map(str, changed)),
                "views": views,
            }
            self._connection.server.protocol.notify("writeit/changed", value)
        try:
            await self._refresh(views)
        except JsonRpcException as error:
            logger.info("the client did not refresh: %s", error.message)

    async def _refresh(self, views: list[str]) -> None:
        server = self._connection.server
        workspace = server.client_capabilities.workspace
        if workspace is None:
            return
        if workspace.text_document_content is not None:
            for uri in views:
                await server.workspace_text_document_content_refresh_async(
                    types.TextDocumentContentRefreshParams(uri=uri)
                )
        if workspace.code_lens is not None and workspace.code_lens.refresh_support:
            await server.workspace_code_lens_refresh_async(None)

    def _open_views(self, changed: set[UUID]) -> Iterator[str]:
        """The `writeit:` documents that are open and show one of these runs."""
        for uri in self._connection.server.workspace.text_documents:
            try:
                run_id = run_of_view(view_of(uri))
            except NotFound:  # a document of the writer's
                continue
            if run_id is None or run_id in changed:
                yield uri
