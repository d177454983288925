"""The text of `writeit:` documents, for clients that ask for it by the protocol."""

from __future__ import annotations

from lsprotocol import types

from writeit.domain.errors import WriteItError
from writeit.lsp.errors import to_rpc_error
from writeit.lsp.pages.open import read_view
from writeit.lsp.session import Session
from writeit.views.uris import parse_view_uri, run_id_of_view


async def read_content(
    session: Session, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    """Return a view as it is now."""
    try:
        view = parse_view_uri(params.uri)
        folder = session.resolve_folder(run_id=run_id_of_view(view))
        given = await read_view(session.documents, folder, view)
        return types.TextDocumentContentResult(text=given.text)
    except WriteItError as error:
        raise to_rpc_error(error) from None
