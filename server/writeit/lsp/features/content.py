"""The text of `writeit:` documents, for clients that ask for it by the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import WriteItError
from writeit.lsp.errors import to_rpc_error
from writeit.lsp.pages import run_of_view
from writeit.lsp.protocol import Params
from writeit.lsp.showing import read_view
from writeit.views.uris import view_of

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection


async def content_of(
    connection: Connection, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    """Return a view as it is now."""
    try:
        view = view_of(params.uri)
        folder = connection.folder(Params(), run_id=run_of_view(view))
        given = await read_view(connection, folder, view)
        return types.TextDocumentContentResult(text=given.text)
    except WriteItError as error:
        raise to_rpc_error(error) from None
