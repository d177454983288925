"""Requests about views: their headings as document symbols, and their text."""

from __future__ import annotations

from lsprotocol import types

from writeit.domain.errors import NotFound, WriteItError
from writeit.lsp.messages import to_rpc_error
from writeit.lsp.pages.views import read_displayed_view, read_view
from writeit.lsp.session import Session
from writeit.views.page_outline import Heading, heading_tree
from writeit.views.uris import parse_view_uri, run_id_of_view


async def document_symbols(
    session: Session, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """Return the headings of a view; of the writer's own texts other servers tell."""
    uri = params.text_document.uri
    found = session.find_view(uri)
    if found is None:
        return []
    try:
        seen = await read_displayed_view(session.documents, *found, uri)
    except NotFound:
        return []
    headings = heading_tree(seen.text, seen.sections)
    if session.client.capabilities.symbol_tree:
        return [_to_document_symbol(heading) for heading in headings]
    return [
        each for heading in headings for each in _to_symbol_information(heading, uri)
    ]


def _to_document_symbol(heading: Heading) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=heading.title,
        kind=types.SymbolKind.String,
        range=_line_range(heading.line, heading.last_line + 1),
        selection_range=_line_range(heading.line, heading.line),
        children=[_to_document_symbol(child) for child in heading.children],
    )


def _to_symbol_information(
    heading: Heading, uri: str, parent_title: str | None = None
) -> list[types.SymbolInformation]:
    here = types.SymbolInformation(
        name=heading.title,
        kind=types.SymbolKind.String,
        location=types.Location(
            uri=uri, range=_line_range(heading.line, heading.last_line + 1)
        ),
        container_name=parent_title,
    )
    below = (
        _to_symbol_information(child, uri, heading.title) for child in heading.children
    )
    return [here, *(each for some in below for each in some)]


def _line_range(first: int, last: int) -> types.Range:
    return types.Range(
        start=types.Position(line=first, character=0),
        end=types.Position(line=last, character=0),
    )


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
