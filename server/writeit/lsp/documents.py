"""The writer's documents: as her editor has them, else as they are on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from writeit.core.errors import InvalidParams, NotFound
from writeit.library.document import read_manuscript
from writeit.library.frontmatter import Binding
from writeit.lsp.convert import path_of, to_offset

if TYPE_CHECKING:
    from pygls.workspace import TextDocument

    from writeit.core.run import PipelineRun
    from writeit.library.document import Manuscript
    from writeit.lsp.connection import Connection
    from writeit.lsp.protocol import Range

MAX_CHARACTERS = 5_000_000
"""More than a document may have; a book has a tenth of it."""


def manuscript_of(
    connection: Connection, uri: str, selected: Range | None = None
) -> Manuscript:
    """Read a document; `selected` is a range of it in the editor's encoding.

    Raises:
        NotFound: it is neither open nor a readable text file.
    """
    text = text_of(connection, uri)
    selection = None
    if selected is not None:
        encoding = connection.server.workspace.position_encoding or "utf-16"
        selection = (
            to_offset(text, selected.start, encoding),
            to_offset(text, selected.end, encoding),
        )
    path = path_of(uri)
    return read_manuscript(text, path=str(path or ""), uri=uri, selection=selection)


def binding_of(connection: Connection, run: PipelineRun) -> Binding:
    """Return what the front matter of a run's document says now.

    If the document is gone, where it could be sent when the run began still holds.
    """
    then = Binding(providers=run.document.providers)
    if run.uri is None:
        return then
    try:
        return manuscript_of(connection, run.uri).understood().front_matter.binding
    except NotFound:
        return then


def open_document(connection: Connection, uri: str) -> TextDocument | None:
    """Return a document as the editor has it open, whatever way its URI is quoted."""
    # pygls keeps them by their unquoted URIs.
    documents: dict[str, TextDocument] = connection.server.workspace.text_documents
    return documents.get(unquote(uri))


def spelled(connection: Connection, uri: str) -> str:
    """Return a document's URI as the editor spells it, which may know no other."""
    document = open_document(connection, uri)
    return uri if document is None else document.uri


def text_of(connection: Connection, uri: str) -> str:
    """Return a document's text.

    Raises:
        NotFound: it is neither open nor a readable text file.
        InvalidParams: it is not open, and too long to be read.
    """
    if (document := open_document(connection, uri)) is not None:
        return document.source
    path = path_of(uri)
    if path is None:
        raise NotFound(
            f"{uri} is not open in the editor.", hint="Open it, then start the run."
        )
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(
            f"{uri} cannot be read: {error}.",
            hint="Give the URI of a markdown file that is UTF-8 text.",
        ) from error
    if len(text) > MAX_CHARACTERS:
        raise InvalidParams(
            f"{uri} is too long: it has more than {MAX_CHARACTERS:,} characters.",
            hint="Divide it, or open it in the editor.",
            problems=[{"path": "uri", "message": "is too long"}],
        )
    return text
