"""What a document is: a view of ours, or a text of the writer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.domain.errors import InvalidParams, NotFound, WriteItError
from writeit.lsp.convert import uri_to_path
from writeit.lsp.pages.files import find_view_at_path
from writeit.lsp.pages.render import run_id_of_view
from writeit.lsp.protocol import Params
from writeit.views import uris

if TYPE_CHECKING:
    from writeit.lsp.session import Session, WorkspaceFolder
    from writeit.views.uris import View


def find_view(session: Session, uri: str) -> tuple[WorkspaceFolder, View] | None:
    """Return the view that a document shows, and the folder it is of; else None."""
    try:
        if uri.startswith(f"{uris.SCHEME}:"):
            view = uris.parse_view_uri(uri)
            return session.resolve_folder(Params(), run_id=run_id_of_view(view)), view
        path = uri_to_path(uri)
        if path is None or uris.VIEWS_FOLDER.name not in path.parts:
            return None
        folder = session.folder_containing(uri)
        found = find_view_at_path(folder, path)
    except WriteItError as error:
        if isinstance(error, NotFound):  # a name like a view's, of nothing we know
            return None
        raise
    return None if found is None else (folder, found)


def require_user_document(session: Session, uri: str) -> None:
    """Refuse a page where a text of the writer's is meant.

    A run of a page would be a run of our words about her text, without what her front
    matter says of it.

    Raises:
        InvalidParams: the document is a page of ours.
    """
    if find_view(session, uri) is None:
        return
    raise InvalidParams(
        "This is a page about a run, not a text of yours; nothing was done.",
        hint="Do it in your document. In the page you choose, merge and give feedback.",
        problems=[{"path": "uri", "message": "is a page of WriteIt's own"}],
    )
