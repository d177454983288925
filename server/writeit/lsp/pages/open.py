"""How views reach the writer: as `writeit:` documents, else as files.

A client that announces `views: "uri"`, or that knows textDocumentContent, opens the
URI itself. Every other one gets a file under `.writeit/views/`, written when it is
opened; what the writer typed into her sections of it stays.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.domain.errors import NotFound
from writeit.lsp.convert import path_to_uri
from writeit.lsp.documents import find_open_document, read_document_text
from writeit.lsp.pages.files import page_path, update_page_file
from writeit.lsp.pages.render import render_editable_page, render_read_only_page
from writeit.views import uris
from writeit.views.editable_page import ReadOnlyPage
from writeit.views.page_outline import find_page_sections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.lsp.session import Session, WorkspaceFolder
    from writeit.views.page_outline import PageSection
    from writeit.views.uris import View


# --- How views reach the writer: as `writeit:` documents, else as files ---------------


def can_open_view_uris(session: Session) -> bool:
    """Whether the client opens `writeit:` documents itself."""
    workspace = session.server.client_capabilities.workspace
    if workspace is not None and workspace.text_document_content is not None:
        return True
    return session.client_options.views == "uri"


async def read_view(
    session: Session, folder: WorkspaceFolder, view: View
) -> ReadOnlyPage:
    """Return a view for a client that opens it itself; it is told of changes.

    Raises:
        NotFound: what it shows is not there.
    """
    given = await render_read_only_page(session, folder, view)
    session.sent_views.record(view, given)
    return given


async def read_displayed_view(
    session: Session, folder: WorkspaceFolder, view: View, uri: str
) -> ReadOnlyPage:
    """Return a view as the client has it open, else as it is now.

    A client may have a `writeit:` document as it was some renderings ago. If it is
    one nobody remembers, it has no sections until the client reads it anew.

    Raises:
        NotFound: what it shows is not there.
    """
    is_file = not uri.startswith(f"{uris.SCHEME}:")
    try:
        text = read_document_text(session, uri)
    except NotFound:  # a client may ask about a document that it does not send
        if not is_file:
            return await render_read_only_page(session, folder, view)
        text = await render_editable_page(session, folder, view)
    if is_file:
        return ReadOnlyPage(text, tuple(find_page_sections(text)))
    found = session.sent_views.find_sections(view, text)
    if found is None:
        now = await render_read_only_page(session, folder, view)
        found = now.sections if now.is_same_text(text) else ()
    return ReadOnlyPage(text, found)


async def display_view(session: Session, folder: WorkspaceFolder, view: View) -> str:
    """Show a view; return the URI it can be found at.

    Raises:
        NotFound: what it shows is not there.
        StoreError: its file cannot be written.
    """
    if can_open_view_uris(session):
        await read_view(session, folder, view)
        uri = uris.view_uri(view)
    else:
        text = await render_editable_page(session, folder, view)
        uri = path_to_uri(await update_page_file(session, folder, view, text))
    await _show_document(session, uri)
    return uri


async def prepare_view_uri(
    session: Session, folder: WorkspaceFolder, view: View
) -> str:
    """Return the URI of a view for a client that goes there by itself.

    Raises:
        NotFound: what it shows is not there.
        StoreError: its file cannot be written.
    """
    if can_open_view_uris(session):
        return uris.view_uri(view)
    path = page_path(folder, view)
    # A page that is open is kept up to date there, by edits that the client cannot
    # answer before it has the reply to what it asks here.
    if find_open_document(session, path_to_uri(path)) is None:
        text = await render_editable_page(session, folder, view)
        await update_page_file(session, folder, view, text)
    return path_to_uri(path)


async def _show_document(session: Session, uri: str) -> None:
    """Bring the view before the writer, or tell her where it is."""
    window = session.server.client_capabilities.window
    if window is not None and window.show_document and window.show_document.support:
        try:
            await session.server.window_show_document_async(
                types.ShowDocumentParams(uri=uri, take_focus=True)
            )
        except JsonRpcException:
            pass  # said below, as to a client that cannot
        else:
            return
    session.show_message(f"WriteIt: {uri}", types.MessageType.Info)


# --- The views whose text a client was given: it is told when they change -------------

MAX_SENT_VIEWS = 100
"""Who has more open than that asks again."""

MAX_SENT_VERSIONS = 4
"""How many renderings of one view an editor may be behind while answers stream."""


class SentViews:
    """What a client has, as far as we know."""

    def __init__(self) -> None:
        self._sent_pages: dict[View, deque[ReadOnlyPage]] = {}

    def __iter__(self) -> Iterator[View]:
        """The views, the one given first of all first."""
        return iter(self._sent_pages)

    def record(self, view: View, page: ReadOnlyPage) -> None:
        """Keep what the client was just given."""
        if view not in self._sent_pages and len(self._sent_pages) == MAX_SENT_VIEWS:
            del self._sent_pages[next(iter(self._sent_pages))]
        known = self._sent_pages.setdefault(view, deque(maxlen=MAX_SENT_VERSIONS))
        if not known or known[-1] != page:
            known.append(page)

    def find_sections(self, view: View, text: str) -> tuple[PageSection, ...] | None:
        """Return where the sections of a text stand; None if it was never given."""
        for reading in reversed(self._sent_pages.get(view, ())):
            if reading.is_same_text(text):
                return reading.sections
        return None
