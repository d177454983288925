"""Hover on a passage that a run put there: where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.lsp.features.passages import origin_of
from writeit.views.origin import render_origin

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection


async def passage_hover(
    connection: Connection, params: types.HoverParams
) -> types.Hover | None:
    """Return the run, step, model, primer and cost of an applied passage, or None."""
    uri, line = params.text_document.uri, params.position.line
    origin = await origin_of(connection, uri, line)
    if origin is None:
        return None
    said = render_origin(origin.run, origin.applied)
    return types.Hover(
        contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=said),
        range=types.Range(
            start=types.Position(line=origin.first, character=0),
            end=types.Position(line=origin.last + 1, character=0),
        ),
    )
