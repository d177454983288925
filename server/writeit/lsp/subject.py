"""What a document is: a view of ours, or a text of the writer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core.errors import InvalidParams, NotFound, WriteItError
from writeit.lsp.convert import path_of
from writeit.lsp.pagefiles import view_at
from writeit.lsp.pages import run_of_view
from writeit.lsp.protocol import Params
from writeit.views import uris

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.uris import View


def view_in(connection: Connection, uri: str) -> tuple[Folder, View] | None:
    """Return the view that a document shows, and the folder it is of; else None."""
    try:
        if uri.startswith(f"{uris.SCHEME}:"):
            view = uris.view_of(uri)
            return connection.folder(Params(), run_id=run_of_view(view)), view
        path = path_of(uri)
        if path is None or uris.FOLDER.name not in path.parts:
            return None
        folder = connection.folder_of(uri)
        found = view_at(folder, path)
    except WriteItError as error:
        if isinstance(error, NotFound):  # a name like a view's, of nothing we know
            return None
        raise
    return None if found is None else (folder, found)


def check_is_hers(connection: Connection, uri: str) -> None:
    """Refuse a page where a text of the writer's is meant.

    A run of a page would be a run of our words about her text, without what her front
    matter says of it.

    Raises:
        InvalidParams: the document is a page of ours.
    """
    if view_in(connection, uri) is None:
        return
    raise InvalidParams(
        "This is a page about a run, not a text of yours; nothing was done.",
        hint="Do it in your document. In the page you choose, merge and give feedback.",
        problems=[{"path": "uri", "message": "is a page of WriteIt's own"}],
    )
