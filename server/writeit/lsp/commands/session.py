"""`writeit.session.*`: who is connected and which run is before her."""

from __future__ import annotations

from typing import Any

from writeit.lsp import protocol as p
from writeit.lsp.dispatch import Command, Request


async def show(request: Request[p.Params]) -> p.UserSession:
    """Return this connection's session in a folder."""
    session = request.connection.folder(request.params).engine.session
    return p.UserSession.model_validate(
        {**session.model_dump(), "workspace_path": str(session.workspace_path)}
    )


HANDLERS: dict[str, Command[Any]] = {
    "writeit.session.show": Command(p.Params, p.UserSession, show),
}
