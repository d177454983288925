"""What is wrong with front matter, told as the client wants it: asked for, or sent.

A client that asks is never sent anything. To the others it is sent a moment after the
front matter changed; a change of the text behind it is noticed by nothing but that.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.core.errors import NotTrusted, WriteItError
from writeit.library.checking import problems_within
from writeit.library.frontmatter import KEY
from writeit.library.problem import Problem
from writeit.lsp.convert import to_lsp_range
from writeit.lsp.documents import open_document
from writeit.lsp.features import frontmatter
from writeit.lsp.files import inside
from writeit.lsp.rpc import pulls_diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.library import Library
    from writeit.library.frontmatter import FrontMatter
    from writeit.lsp.connection import Connection

SOURCE = "writeit"
PAUSE_SECONDS = 0.15
"""How long nothing has to change before the front matter is looked at."""

logger = logging.getLogger(__name__)

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
}


def problems(
    connection: Connection, uri: str, library: Library | None = None
) -> list[tuple[Problem, types.Range]]:
    """Return what is wrong with a document's front matter, and where for the client.

    Front matter that says nothing to WriteIt is none of our business. The library is
    read if it is not given.
    """
    head = frontmatter.head(connection, uri)
    found = frontmatter.read(head, uri)
    if found.source is None and found.ok:
        return []
    library = library or connection.folder_of(uri).library()
    encoding = frontmatter.encoding_of(connection)
    return [
        (each, to_lsp_range(head, each.range.start, each.range.end, encoding))
        for each in [
            *problems_within(found, library),
            *_outside(connection, uri, found),
        ]
    ]


def _outside(connection: Connection, uri: str, found: FrontMatter) -> Iterator[Problem]:
    """Name an output path that nothing would be written to."""
    path, folder = found.binding.output_path, connection.folder_of(uri).path
    if path is None or folder is None or found.source is None:
        return
    try:
        inside(folder, path)
    except WriteItError as error:
        left = isinstance(error, NotTrusted)
        message = f"{path!r} names no file inside the workspace folder {folder}."
        yield Problem(
            uri,
            message if left else error.message,
            range=found.source.place_of((KEY, "output_path")),
            code="outside-workspace" if left else "wrong-value",
        )


def diagnostics(connection: Connection, uri: str) -> list[types.Diagnostic]:
    """Return a document's diagnostics."""
    return [to_diagnostic(each, where) for each, where in problems(connection, uri)]


def to_diagnostic(problem: Problem, where: types.Range) -> types.Diagnostic:
    """Return a problem as the client shows it."""
    return types.Diagnostic(
        range=where,
        message=problem.message,
        severity=_SEVERITIES[problem.severity],
        code=problem.code or None,
        source=SOURCE,
    )


# --- asked for ----------------------------------------------------------------------


def report(
    connection: Connection, params: types.DocumentDiagnosticParams
) -> types.DocumentDiagnosticReport:
    """Answer a client that asks; that nothing changed is said without repeating it."""
    found = diagnostics(connection, params.text_document.uri)
    result_id = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
    if result_id == params.previous_result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
    return types.RelatedFullDocumentDiagnosticReport(items=found, result_id=result_id)


# --- sent ---------------------------------------------------------------------------


class Checks:
    """Sends diagnostics of the documents that are open, when something changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._heads: dict[str, str] = {}
        """Front matter as it was looked at last."""
        self._shown: set[str] = set()
        """Documents of which the client shows problems."""

    def changed(self, uri: str) -> None:
        """Look at a document once nothing has changed for a moment.

        What was said of one that is closed is taken back at once.
        """
        if (waiting := self._waiting.pop(uri, None)) is not None:
            waiting.cancel()
        if open_document(self._connection, uri) is None:
            self._forget(uri)
        elif not self._pulls:
            loop = asyncio.get_running_loop()
            self._waiting[uri] = loop.call_later(PAUSE_SECONDS, self._look, uri)

    def look_again(self) -> None:
        """Look at all front matter anew: a pipeline or a primer may have changed."""
        for uri, head in [*self._heads.items()]:
            if head:
                self._heads[uri] = ""
                self.changed(uri)

    async def have_asked_anew(self) -> None:
        """Have a client that asks do so again, for the same reason."""
        workspace = self._connection.server.client_capabilities.workspace
        support = workspace.diagnostics if workspace else None
        if support is not None and support.refresh_support:
            try:
                await self._connection.server.workspace_diagnostic_refresh_async(None)
            except JsonRpcException as error:
                logger.info("the client did not refresh: %s", error.message)

    @property
    def _pulls(self) -> bool:
        return pulls_diagnostics(self._connection.server.client_capabilities)

    def _forget(self, uri: str) -> None:
        self._heads.pop(uri, None)
        if uri in self._shown:
            self._send(uri, [])

    def close(self) -> None:
        """Look at nothing any more."""
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()

    def _look(self, uri: str) -> None:
        self._waiting.pop(uri, None)
        head = frontmatter.head(self._connection, uri)
        if head == self._heads.get(uri, ""):
            return
        self._heads[uri] = head
        found = diagnostics(self._connection, uri)
        if found or uri in self._shown:
            self._send(uri, found)

    def _send(self, uri: str, found: list[types.Diagnostic]) -> None:
        (self._shown.add if found else self._shown.discard)(uri)
        self._connection.server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=found)
        )
