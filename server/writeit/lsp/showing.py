"""How views reach the writer: as `writeit:` documents, else as files.

A client that announces `views: "uri"`, or that knows textDocumentContent, opens the
URI itself. Every other one gets a file under `.writeit/views/`, written when it is
opened; what the writer typed into her sections of it stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.core.errors import NotFound
from writeit.lsp.convert import uri_of
from writeit.lsp.documents import open_document, text_of
from writeit.lsp.pagefiles import file_of
from writeit.lsp.pages import page, reading
from writeit.lsp.viewfiles import as_file
from writeit.views import uris
from writeit.views.reading import Reading
from writeit.views.symbols import sections

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.uris import View


def opens_uris(connection: Connection) -> bool:
    """Whether the client opens `writeit:` documents itself."""
    workspace = connection.server.client_capabilities.workspace
    if workspace is not None and workspace.text_document_content is not None:
        return True
    return connection.options.views == "uri"


async def read_view(connection: Connection, folder: Folder, view: View) -> Reading:
    """Return a view for a client that opens it itself; it is told of changes.

    Raises:
        NotFound: what it shows is not there.
    """
    given = await reading(connection, folder, view)
    connection.given.note(view, given)
    return given


async def as_seen(
    connection: Connection, folder: Folder, view: View, uri: str
) -> Reading:
    """Return a view as the client has it open, else as it is now.

    A client may have a `writeit:` document as it was some renderings ago. If it is
    one nobody remembers, it has no sections until the client reads it anew.

    Raises:
        NotFound: what it shows is not there.
    """
    is_file = not uri.startswith(f"{uris.SCHEME}:")
    try:
        text = text_of(connection, uri)
    except NotFound:  # a client may ask about a document that it does not send
        if not is_file:
            return await reading(connection, folder, view)
        text = await page(connection, folder, view)
    if is_file:
        return Reading(text, tuple(sections(text)))
    found = connection.given.sections(view, text)
    if found is None:
        now = await reading(connection, folder, view)
        found = now.sections if now.is_still(text) else ()
    return Reading(text, found)


async def open_view(connection: Connection, folder: Folder, view: View) -> str:
    """Show a view; return the URI it can be found at.

    Raises:
        NotFound: what it shows is not there.
        StoreError: its file cannot be written.
    """
    if opens_uris(connection):
        await read_view(connection, folder, view)
        uri = uris.uri_of(view)
    else:
        text = await page(connection, folder, view)
        uri = uri_of(await as_file(connection, folder, view, text))
    await _show(connection, uri)
    return uri


async def place_of(connection: Connection, folder: Folder, view: View) -> str:
    """Return the URI of a view for a client that goes there by itself.

    Raises:
        NotFound: what it shows is not there.
        StoreError: its file cannot be written.
    """
    if opens_uris(connection):
        return uris.uri_of(view)
    path = file_of(folder, view)
    # A page that is open is kept up to date there, by edits that the client cannot
    # answer before it has the reply to what it asks here.
    if open_document(connection, uri_of(path)) is None:
        text = await page(connection, folder, view)
        await as_file(connection, folder, view, text)
    return uri_of(path)


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
