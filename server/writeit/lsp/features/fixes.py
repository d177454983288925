"""Quick fixes in front matter: the nearest name in the place of one nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.library.binding import scalar
from writeit.lsp.documents import open_document
from writeit.lsp.features.diagnostics import problems, to_diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.library import Library
    from writeit.lsp.connection import Connection

KIND = types.CodeActionKind.QuickFix.value


def quick_fixes(
    connection: Connection, library: Library, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    """Yield a fix for each name that may have been meant within a range.

    Only for clients that take edits in a code action; the others see the nearest name
    in the message.
    """
    uri = params.text_document.uri
    if not _takes_edits(connection) or open_document(connection, uri) is None:
        return
    for problem, where in problems(connection, uri, library):
        if not _touch(where, params.range):
            continue
        for index, name in enumerate(problem.instead):
            yield types.CodeAction(
                title=f"WriteIt: Change to {name}",
                kind=KIND,
                diagnostics=[to_diagnostic(problem, where)],
                is_preferred=index == 0,
                edit=_edit(connection, uri, where, scalar(name)),
            )


def _takes_edits(connection: Connection) -> bool:
    document = connection.server.client_capabilities.text_document
    action = document.code_action if document else None
    return action is not None and action.code_action_literal_support is not None


def _touch(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges share a place, be it the end of both."""
    return _key(one.start) <= _key(other.end) and _key(other.start) <= _key(one.end)


def _key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def _edit(
    connection: Connection, uri: str, where: types.Range, new: str
) -> types.WorkspaceEdit:
    """Return the edit, bound to the document's version where the client can."""
    edit = types.TextEdit(range=where, new_text=new)
    workspace = connection.server.client_capabilities.workspace
    support = workspace.workspace_edit if workspace else None
    document = open_document(connection, uri)
    if support is None or not support.document_changes or document is None:
        return types.WorkspaceEdit(changes={uri: [edit]})
    here = types.OptionalVersionedTextDocumentIdentifier(uri, document.version)
    change = types.TextDocumentEdit(text_document=here, edits=[edit])
    return types.WorkspaceEdit(document_changes=[change])
