"""How views reach the writer: as `writeit:` documents, else as files.

A client that announces `views: "uri"`, or that knows textDocumentContent, opens the
URI itself. Every other one gets a file under `.writeit/views/`, written when it is
opened; what the writer typed into her sections of it stays.
"""

from __future__ import annotations

from writeit.domain.errors import NotFound
from writeit.lsp.convert import path_to_uri
from writeit.lsp.documents import Documents
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.files import update_page_file
from writeit.lsp.pages.render import render_editable_page, render_read_only_page
from writeit.views import uris
from writeit.views.editable_page import ReadOnlyPage
from writeit.views.page_outline import find_page_sections
from writeit.views.uris import View

# --- How views reach the writer: as `writeit:` documents, else as files ---------------


async def read_view(
    documents: Documents, folder: WorkspaceFolder, view: View
) -> ReadOnlyPage:
    """Return a view for a client that opens it itself; it is told of changes.

    Raises:
        NotFound: what it shows is not there.
    """
    given = await render_read_only_page(documents, folder, view)
    documents.sent_views.record(view, given)
    return given


async def read_displayed_view(
    documents: Documents, folder: WorkspaceFolder, view: View, uri: str
) -> ReadOnlyPage:
    """Return a view as the client has it open, else as it is now.

    A client may have a `writeit:` document as it was some renderings ago. If it is
    one nobody remembers, it has no sections until the client reads it anew.

    Raises:
        NotFound: what it shows is not there.
    """
    is_file = not uri.startswith(f"{uris.SCHEME}:")
    try:
        text = documents.read_text(uri)
    except NotFound:  # a client may ask about a document that it does not send
        if not is_file:
            return await render_read_only_page(documents, folder, view)
        text = await render_editable_page(documents, folder, view)
    if is_file:
        return ReadOnlyPage(text, tuple(find_page_sections(text)))
    found = documents.sent_views.find_sections(view, text)
    if found is None:
        now = await render_read_only_page(documents, folder, view)
        found = now.sections if now.is_same_text(text) else ()
    return ReadOnlyPage(text, found)


async def display_view(
    documents: Documents, folder: WorkspaceFolder, view: View
) -> str:
    """Show a view; return the URI it can be found at.

    Raises:
        NotFound: what it shows is not there.
        StoreError: its file cannot be written.
    """
    if documents.client.can_open_view_uris:
        await read_view(documents, folder, view)
        uri = uris.view_uri(view)
    else:
        text = await render_editable_page(documents, folder, view)
        uri = path_to_uri(await update_page_file(documents, folder, view, text))
    await documents.client.show_document(uri)
    return uri


async def prepare_view_uri(
    documents: Documents, folder: WorkspaceFolder, view: View
) -> str:
    """Return the URI of a view for a client that goes there by itself.

    Raises:
        NotFound: what it shows is not there.
        StoreError: its file cannot be written.
    """
    if documents.client.can_open_view_uris:
        return uris.view_uri(view)
    path = folder.page_path(view)
    # A page that is open is kept up to date there, by edits that the client cannot
    # answer before it has the reply to what it asks here.
    if documents.find_open(path_to_uri(path)) is None:
        text = await render_editable_page(documents, folder, view)
        await update_page_file(documents, folder, view, text)
    return path_to_uri(path)
