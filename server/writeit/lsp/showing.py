"""How views reach the writer: as `writeit:` documents, else as files.

A client that announces `views: "uri"`, or that knows textDocumentContent, opens the
URI itself. Every other one gets a file under `.writeit/views/`, written when it is
opened; what the writer typed into her sections of it stays.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.core.errors import StoreError
from writeit.lsp.convert import uri_of
from writeit.lsp.pages import page
from writeit.views import uris
from writeit.views.edits import merge_edits, read_back
from writeit.views.uris import StepView, path_of

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.uris import View


def opens_uris(connection: Connection) -> bool:
    """Whether the client opens `writeit:` documents itself."""
    workspace = connection.server.client_capabilities.workspace
    if workspace is not None and workspace.text_document_content is not None:
        return True
    return announced(connection).get("views") == "uri"


def announced(connection: Connection) -> dict[str, Any]:
    """Return what the client said under `initializationOptions.writeit`."""
    options = connection.server.protocol.initialization_options
    ours = options.get("writeit") if isinstance(options, dict) else None
    return ours if isinstance(ours, dict) else {}


async def open_view(connection: Connection, folder: Folder, view: View) -> str:
    """Show a view; return the URI it can be found at.

    Raises:
        NotFound: what it shows is not there.
        StoreError: its file cannot be written.
    """
    text = await page(connection, folder, view)
    uri = uris.uri_of(view)
    if not opens_uris(connection):
        uri = uri_of(_write(folder, view, text))
    await _show(connection, uri)
    return uri


def _write(folder: Folder, view: View, text: str) -> Path:
    """Write a view's file; the writer's own sections of it are kept."""
    root = folder.path or Path.home()
    path = root / path_of(view)
    if isinstance(view, StepView) and path.is_file():
        before = folder.shown.get(path, text)
        text = merge_edits(text, read_back(before, path.read_text("utf-8")))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}.",
            reason="read_only",
            hint="writeit.view.read returns the text without a file.",
        ) from error
    folder.shown[path] = text
    return path


async def _show(connection: Connection, uri: str) -> None:
    """Bring the view before the writer, or tell her where it is."""
    window = connection.server.client_capabilities.window
    if window is not None and window.show_document and window.show_document.support:
        try:
            await connection.server.window_show_document_async(
                types.ShowDocumentParams(uri=uri, take_focus=True)
            )
        except JsonRpcException:
            pass  # said below, as to a client that cannot
        else:
            return
    connection.show(f"WriteIt: {uri}", types.MessageType.Info)
