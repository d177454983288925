"""Document symbols of views: their headings as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import NotFound
from writeit.lsp.showing import as_seen
from writeit.lsp.subject import view_in
from writeit.views.symbols import outline

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection
    from writeit.views.symbols import Heading


async def document_symbols(
    connection: Connection, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """Return the headings of a view; of the writer's own texts other servers tell."""
    uri = params.text_document.uri
    found = view_in(connection, uri)
    if found is None:
        return []
    try:
        seen = await as_seen(connection, *found, uri)
    except NotFound:
        return []
    headings = outline(seen.text, seen.sections)
    if _knows_trees(connection):
        return [_as_symbol(heading) for heading in headings]
    return [each for heading in headings for each in _flat(heading, uri)]


def _knows_trees(connection: Connection) -> bool:
    document = connection.server.client_capabilities.text_document
    support = document.document_symbol if document else None
    return bool(support and support.hierarchical_document_symbol_support)


def _as_symbol(heading: Heading) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=heading.title,
        kind=types.SymbolKind.String,
        range=_lines(heading.line, heading.last + 1),
        selection_range=_lines(heading.line, heading.line),
        children=[_as_symbol(child) for child in heading.children],
    )


def _flat(
    heading: Heading, uri: str, above: str | None = None
) -> list[types.SymbolInformation]:
    here = types.SymbolInformation(
        name=heading.title,
        kind=types.SymbolKind.String,
        location=types.Location(uri=uri, range=_lines(heading.line, heading.last + 1)),
        container_name=above,
    )
    below = (_flat(child, uri, heading.title) for child in heading.children)
    return [here, *(each for some in below for each in some)]


def _lines(first: int, last: int) -> types.Range:
    return types.Range(
        start=types.Position(line=first, character=0),
        end=types.Position(line=last, character=0),
    )
