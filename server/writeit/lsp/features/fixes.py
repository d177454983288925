"""Quick fixes in front matter: the nearest name in the place of one nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import WriteItError
from writeit.library.binding import bound, scalar
from writeit.lsp.documents import open_document
from writeit.lsp.features import frontmatter
from writeit.lsp.features.diagnostics import problems, to_diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.core.pipeline import PipelineConfiguration
    from writeit.library import Library
    from writeit.lsp.connection import Connection

KIND = types.CodeActionKind.QuickFix.value
MISSING = "missing-input"


def quick_fixes(
    connection: Connection, library: Library, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    """Yield a fix for each name that may have been meant within a range.

    Names only for clients that take edits in a code action; the others see the nearest
    one in the message. Inputs that are missing are written by a command.
    """
    uri = params.text_document.uri
    if open_document(connection, uri) is None:
        return
    touched = [
        (problem, where)
        for problem, where in problems(connection, uri, library)
        if _touch(where, params.range)
    ]
    lacking = [to_diagnostic(*each) for each in touched if each[0].code == MISSING]
    if lacking:
        yield from _to_complete(connection, library, uri, lacking)
    if not _takes_edits(connection):
        return
    for problem, where in touched:
        for index, name in enumerate(problem.instead):
            yield types.CodeAction(
                title=f"WriteIt: Change to {name}",
                kind=KIND,
                diagnostics=[to_diagnostic(problem, where)],
                is_preferred=index == 0,
                edit=_edit(connection, uri, where, scalar(name)),
            )


def _to_complete(
    connection: Connection,
    library: Library,
    uri: str,
    lacking: list[types.Diagnostic],
) -> Iterator[types.CodeAction]:
    """Yield what writes the inputs that are not there, for her to fill in."""
    head = frontmatter.head(connection, uri)
    name = frontmatter.read(head, uri).binding.pipeline or ""
    entry = library.pipelines.get(name)
    if entry is None or entry.value is None or not _is_completed(head, entry.value):
        return
    title = "WriteIt: Write the inputs that are missing"
    params = {"uri": uri, "pipeline": name, "wait": False}
    yield types.CodeAction(
        title=title,
        kind=KIND,
        diagnostics=lacking,
        is_preferred=True,
        command=types.Command(
            title=title, command="writeit.document.frontMatter", arguments=[params]
        ),
    )


def _is_completed(head: str, pipeline: PipelineConfiguration) -> bool:
    """Whether there is anything to put into front matter."""
    try:
        return bound(head, pipeline) != head
    except WriteItError:  # what stands there has to be put right by hand
        return False


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
