"""Views shown to the user: as `writeit:` documents, else as files.

A client that sends `views: "uri"` or knows textDocumentContent opens the URI itself.
Every other client gets a file under `.writeit/views/`, which keeps user edits.
"""

from __future__ import annotations

from writeit.domain.errors import NotFound
from writeit.lsp.documents import Documents
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.files import PageFile
from writeit.lsp.pages.render import render_editable_page, render_read_only_page
from writeit.views import uris
from writeit.views.editable_page import ReadOnlyPage
from writeit.views.page_outline import find_page_sections
from writeit.views.uris import View


async def read_view(
    documents: Documents, folder: WorkspaceFolder, view: View
) -> ReadOnlyPage:
    """Return a view for a client that opens URIs; it is told of later changes.

    Raises:
        NotFound: what the view shows does not exist.
    """
    page = await render_read_only_page(documents, folder, view)
    documents.sent_views.record(view, page)
    return page


async def read_displayed_view(
    documents: Documents, folder: WorkspaceFolder, view: View, uri: str
) -> ReadOnlyPage:
    """Return a view as the client has it open, else as it is now.

    A client may have an older version of a `writeit:` document. A version that is
    not remembered has no sections until the client reads it again.

    Raises:
        NotFound: what the view shows does not exist.
    """
    is_file = not uri.startswith(f"{uris.SCHEME}:")
    try:
        text = documents.read_text(uri)
    except NotFound:  # a client may ask about a document that it has not sent
        if not is_file:
            return await render_read_only_page(documents, folder, view)
        text = await render_editable_page(documents, folder, view)
    if is_file:
        return ReadOnlyPage(text, tuple(find_page_sections(text)))
    sections = documents.sent_views.find_sections(view, text)
    if sections is None:
        newest = await render_read_only_page(documents, folder, view)
        sections = newest.sections if newest.is_same_text(text) else ()
    return ReadOnlyPage(text, sections)


async def display_view(
    documents: Documents, folder: WorkspaceFolder, view: View
) -> str:
    """Show a view in the editor and return its URI.

    Raises:
        NotFound: what the view shows does not exist.
        StoreError: its file cannot be written.
    """
    if documents.client.can_open_view_uris:
        await read_view(documents, folder, view)
        uri = uris.view_uri(view)
    else:
        uri = await update_page_file(documents, folder, view)
    await documents.client.show_document(uri)
    return uri


async def prepare_view_uri(
    documents: Documents, folder: WorkspaceFolder, view: View
) -> str:
    """Return the URI of a view for a client that opens it itself.

    Raises:
        NotFound: what the view shows does not exist.
        StoreError: its file cannot be written.
    """
    if documents.client.can_open_view_uris:
        return uris.view_uri(view)
    page = PageFile(documents, folder, view)
    # An open page is updated by edits, and the client cannot answer an edit before
    # it has the reply to this request.
    return page.uri if page.is_open else await update_page_file(documents, folder, view)


async def update_page_file(
    documents: Documents, folder: WorkspaceFolder, view: View
) -> str:
    """Bring a view's file up to date and return its URI; user edits are kept.

    Raises:
        NotFound: what the view shows does not exist.
        StoreError: the file cannot be written.
        NotTrusted: the file is a link.
    """
    page = PageFile(documents, folder, view)
    await page.update(await render_editable_page(documents, folder, view))
    return page.uri
