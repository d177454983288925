"""What a word means where the pointer is; each source of meaning is asked in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.lsp.features.hover_head import front_matter_hover
from writeit.lsp.features.hover_passage import passage_hover

if TYPE_CHECKING:
    from lsprotocol import types

    from writeit.lsp.connection import Connection

SOURCES = (front_matter_hover, passage_hover)
"""Who may know what a place means, the first that does answers."""


async def hover(
    connection: Connection, params: types.HoverParams
) -> types.Hover | None:
    """Return what stands at a position means, or None."""
    for source in SOURCES:
        if (found := await source(connection, params)) is not None:
            return found
    return None
