"""The text of `writeit:` documents, for clients that ask for it by the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.domain.errors import WriteItError
from writeit.lsp.errors import to_rpc_error
from writeit.lsp.pages.open import read_view
from writeit.lsp.pages.render import run_id_of_view
from writeit.lsp.protocol import Params
from writeit.views.uris import parse_view_uri

if TYPE_CHECKING:
    from writeit.lsp.session import Session


async def read_content(
    session: Session, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    """Return a view as it is now."""
    try:
        view = parse_view_uri(params.uri)
        folder = session.resolve_folder(Params(), run_id=run_id_of_view(view))
        given = await read_view(session, folder, view)
        return types.TextDocumentContentResult(text=given.text)
    except WriteItError as error:
        raise to_rpc_error(error) from None
