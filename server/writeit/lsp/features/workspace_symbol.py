"""`workspace/symbol`: the search in run histories, for every editor."""

from __future__ import annotations

import logging
from dataclasses import replace

from lsprotocol import types

from writeit.domain.errors import WriteItError
from writeit.lsp.convert import line_range, path_to_uri
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.search_hits import locate_hit
from writeit.lsp.session import Session
from writeit.ports.store import SearchHit, SearchQuery

logger = logging.getLogger(__name__)

_MAX_SYMBOLS = 20
_MIN_LETTERS = 3


async def find_symbols(
    session: Session, params: types.WorkspaceSymbolParams
) -> list[types.SymbolInformation]:
    """Return what the search finds; the last word may be incomplete."""
    symbols: list[types.SymbolInformation] = []
    if len(params.query.strip()) < _MIN_LETTERS and params.query.isascii():
        return symbols  # an editor asks at every letter
    query = SearchQuery(text=f"{params.query.rstrip()}*", limit=_MAX_SYMBOLS)
    for path in session.workspace_paths():
        folder = session.resolve_folder(path_to_uri(path))
        try:
            page = await folder.store.search(query)
            while not page.hits and page.next_cursor:
                more = replace(query, cursor=page.next_cursor)
                page = await folder.store.search(more)
            symbols += [s for h in page.hits if (s := await _to_symbol(folder, h))]
        except WriteItError as error:
            logger.warning("%s", error.message)
    return symbols


async def _to_symbol(
    folder: WorkspaceFolder, hit: SearchHit
) -> types.SymbolInformation | None:
    in_files = not folder.documents.client.can_open_view_uris
    found = await locate_hit(folder, hit, in_files=in_files)
    if found is None:
        return None
    return types.SymbolInformation(
        name=hit.match.excerpt,
        kind=types.SymbolKind.String,
        location=types.Location(found.uri, line_range(found.line, found.line)),
        container_name=" · ".join(
            filter(None, (found.title, hit.text.step, hit.text.place))
        ),
    )
