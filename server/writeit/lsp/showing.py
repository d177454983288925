"""How views reach the writer: as `writeit:` documents, else as files.

A client that announces `views: "uri"`, or that knows textDocumentContent, opens the
URI itself. Every other one gets a file under `.writeit/views/`, written when it is
opened; what the writer typed into her sections of it stays.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.core.edits import edits
from writeit.core.errors import StoreError
from writeit.lsp.convert import to_lsp_edits, uri_of
from writeit.lsp.pages import page
from writeit.views import uris
from writeit.views.edits import merge_edits, read_back
from writeit.views.uris import StepView, path_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.views.edits import StepEdits
    from writeit.views.markers import Key
    from writeit.views.uris import View

logger = logging.getLogger(__name__)


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
        uri = uri_of(await as_file(connection, folder, view, text))
    await _show(connection, uri)
    return uri


async def as_file(
    connection: Connection,
    folder: Folder,
    view: View,
    text: str,
    used: Collection[Key] = (),
) -> Path:
    """Bring a view's file up to date; the writer's own sections of it are kept.

    `used` are the sections whose words a command has taken over.
    """
    path = file_of(folder, view)
    uri = uri_of(path)
    now = text_at(connection, path)
    rendered = text
    if now is not None and isinstance(view, StepView):
        hers = edits_of(folder.shown.get(path), now, text)
        text = merge_edits(text, _without(hers, used))
    if uri in connection.server.workspace.text_documents:
        await _change_open(connection, uri, text)
    else:
        _write(path, text)
    folder.shown[path] = rendered
    return path


def _without(hers: StepEdits, used: Collection[Key]) -> StepEdits:
    return replace(
        hers,
        answers={k: None if k in used else text for k, text in hers.answers.items()},
        merge=None if "merge" in used else hers.merge,
        feedback=None if "feedback" in used else hers.feedback,
    )


def file_of(folder: Folder, view: View) -> Path:
    """Return where a view's file is."""
    return (folder.path or Path.home()) / path_of(view)


def text_at(connection: Connection, path: Path) -> str | None:
    """Return a view file's text, as the editor has it if it is open; else None."""
    documents = connection.server.workspace.text_documents
    if (uri := uri_of(path)) in documents:
        return str(documents[uri].source)
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def edits_of(before: str | None, now: str, fresh: str) -> StepEdits:
    """Return what the writer changed in a step's view.

    `before` is the page as it was rendered last; where nobody knows that any more (the
    server was started anew), what differs from a fresh rendering counts as hers.
    """
    return read_back(fresh if before is None else before, now)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}.",
            reason="read_only",
            hint="writeit.view.read returns the text without a file.",
        ) from error


async def _change_open(connection: Connection, uri: str, text: str) -> None:
    """Change a view that is open in the editor, by an edit of the version we know.

    A client that refuses has newer text; it gets the next rendering.
    """
    server = connection.server
    document = server.workspace.text_documents[uri]
    encoding = str(server.workspace.position_encoding or "utf-16")
    changes = edits(document.source, text)
    if not changes:
        return
    edit = types.TextDocumentEdit(
        text_document=types.OptionalVersionedTextDocumentIdentifier(
            uri=uri, version=document.version
        ),
        edits=list(to_lsp_edits(document.source, changes, encoding)),
    )
    try:
        await server.workspace_apply_edit_async(
            types.ApplyWorkspaceEditParams(
                label="WriteIt: view",
                edit=types.WorkspaceEdit(document_changes=[edit]),
            )
        )
    except JsonRpcException as error:
        logger.info("the view %s was not refreshed: %s", uri, error.message)


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
