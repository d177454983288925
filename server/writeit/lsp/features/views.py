"""Requests about views: their headings as document symbols, and their text."""

from __future__ import annotations

from lsprotocol import types

from writeit.domain.errors import NotFound, WriteItError
from writeit.lsp.convert import line_range
from writeit.lsp.messages import to_rpc_error
from writeit.lsp.pages.views import read_displayed_view, read_view
from writeit.lsp.session import Session
from writeit.views.page_outline import Heading, heading_tree
from writeit.views.uris import parse_view_uri, run_id_of_view


async def document_symbols(
    session: Session, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """Return the headings of a view; for other documents there are other servers."""
    uri = params.text_document.uri
    found = session.find_view(uri)
    if found is None:
        return []
    try:
        page = await read_displayed_view(*found, uri)
    except NotFound:
        return []
    headings = heading_tree(page.text, page.sections)
    if session.client.capabilities.symbol_tree:
        return [_to_document_symbol(heading) for heading in headings]
    return [
        symbol
        for heading in headings
        for symbol in _to_symbol_information(heading, uri)
    ]


def _to_document_symbol(heading: Heading) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=heading.title,
        kind=types.SymbolKind.String,
        range=line_range(heading.line, heading.last_line + 1),
        selection_range=line_range(heading.line, heading.line),
        children=[_to_document_symbol(child) for child in heading.children],
    )


def _to_symbol_information(
    heading: Heading, uri: str, parent_title: str | None = None
) -> list[types.SymbolInformation]:
    symbol = types.SymbolInformation(
        name=heading.title,
        kind=types.SymbolKind.String,
        location=types.Location(
            uri=uri, range=line_range(heading.line, heading.last_line + 1)
        ),
        container_name=parent_title,
    )
    symbols = [symbol]
    for child in heading.children:
        symbols += _to_symbol_information(child, uri, heading.title)
    return symbols


async def read_content(
    session: Session, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    """Return a view as it is now."""
    try:
        view = parse_view_uri(params.uri)
        folder = session.resolve_folder(run_id=run_id_of_view(view))
        page = await read_view(folder, view)
        return types.TextDocumentContentResult(text=page.text)
    except WriteItError as error:
        raise to_rpc_error(error) from None
