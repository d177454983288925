"""Open documents without a process: the server's own classes over a workspace."""

from types import SimpleNamespace
from typing import Any

from lsprotocol import types
from pygls.workspace import Workspace

from writeit.lsp.client import Client
from writeit.lsp.documents import Documents


def documents_of(workspace: Workspace, **methods: Any) -> Documents:
    """Return the documents of a workspace; `methods` are what pygls would send."""
    server: Any = SimpleNamespace(
        workspace=workspace, client_capabilities=types.ClientCapabilities(), **methods
    )
    return Documents(Client(server), workspace)
