"""Diagnostics of front matter, pulled by the client or published to it.

A client that pulls diagnostics is never sent any. Others are sent them shortly after
the front matter has changed; changes of the text below it cost nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator

from lsprotocol import types

from writeit.domain.errors import NotTrusted, WriteItError
from writeit.files import resolve_article_path, resolve_in_workspace
from writeit.library.catalog import Library
from writeit.library.front_matter import WRITEIT_KEY, FrontMatter
from writeit.library.front_matter_check import check_front_matter
from writeit.library.yaml_source import ProblemCode, SourceProblem
from writeit.lsp.convert import to_lsp_range, uri_to_path
from writeit.lsp.documents import parse_front_matter
from writeit.lsp.session import Session
from writeit.text.lines import make_visible

DIAGNOSTIC_SOURCE = "writeit"
DEBOUNCE_SECONDS = 0.15
"""Seconds without changes before the front matter is checked."""

logger = logging.getLogger(__name__)

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
}


async def find_problems(
    session: Session, uri: str, library: Library | None = None
) -> list[tuple[SourceProblem, types.Range]]:
    """Return the problems of a document's front matter with their LSP ranges.

    Front matter without a `writeit` key has none. The library is read if it is not
    given.
    """
    head = session.documents.checked_text(uri)
    found = parse_front_matter(head, uri)
    if found.source is None and found.is_valid:
        return []
    library = library or await session.folder_containing(uri).load_library()
    encoding = session.client.position_encoding
    return [
        (problem, to_lsp_range(head, problem.range.start, problem.range.end, encoding))
        for problem in [
            *check_front_matter(found, library),
            *_output_path_problems(session, uri, found),
        ]
    ]


def _output_path_problems(
    session: Session, uri: str, parsed: FrontMatter
) -> Iterator[SourceProblem]:
    """Yield the problem of an output path that cannot be written to."""
    path, folder = parsed.config.output_path, session.folder_containing(uri).path
    if path is None or folder is None or parsed.source is None:
        return
    code: ProblemCode = "outside-workspace"
    try:
        resolve_in_workspace(folder, path)
        code = "wrong-value"
        resolve_article_path(folder, path, uri_to_path(uri))
    except WriteItError as error:
        if not isinstance(error, NotTrusted):
            code = "wrong-value"
        is_outside = code == "outside-workspace"
        message = f"{path!r} names no file inside the workspace folder {folder}."
        yield SourceProblem(
            uri,
            message if is_outside else error.message,
            range=parsed.source.path_range((WRITEIT_KEY, "output_path")),
            code=code,
        )


async def document_diagnostics(session: Session, uri: str) -> list[types.Diagnostic]:
    """Return a document's diagnostics."""
    return [to_diagnostic(*found) for found in await find_problems(session, uri)]


def to_diagnostic(
    problem: SourceProblem, problem_range: types.Range
) -> types.Diagnostic:
    """Return a problem as an LSP diagnostic."""
    return types.Diagnostic(
        range=problem_range,
        message=make_visible(problem.message),
        severity=_SEVERITIES[problem.severity],
        code=problem.code or None,
        source=DIAGNOSTIC_SOURCE,
    )


# --- pulled ---


async def diagnostic_report(
    session: Session, params: types.DocumentDiagnosticParams
) -> types.DocumentDiagnosticReport:
    """Return the diagnostics, or only that they are unchanged."""
    found = await document_diagnostics(session, params.text_document.uri)
    result_id = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
    if result_id == params.previous_result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
    return types.RelatedFullDocumentDiagnosticReport(items=found, result_id=result_id)


# --- published ---


class DiagnosticsPublisher:
    """Publishes the diagnostics of open documents when they have changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._checked_front_matter: dict[str, str] = {}
        """The front matter that was checked last, by URI."""
        self._published_uris: set[str] = set()
        """Documents with published problems."""

    def schedule_check(self, uri: str) -> None:
        """Check a document when it has not changed for a moment.

        The diagnostics of a closed document are cleared at once.
        """
        if (waiting := self._timers.pop(uri, None)) is not None:
            waiting.cancel()
        if self._session.documents.find_open(uri) is None:
            self._clear(uri)
        elif not self._session.client.capabilities.pull_diagnostics:
            loop = asyncio.get_running_loop()
            self._timers[uri] = loop.call_later(
                DEBOUNCE_SECONDS, self._start_check, uri
            )

    def recheck_all(self) -> None:
        """Check all front matter again: a pipeline or a primer may have changed."""
        for uri, head in [*self._checked_front_matter.items()]:
            if head:
                self._checked_front_matter[uri] = ""
                self.schedule_check(uri)

    def _clear(self, uri: str) -> None:
        self._checked_front_matter.pop(uri, None)
        if uri in self._published_uris:
            self._publish(uri, [])

    def close(self) -> None:
        """Cancel all checks."""
        for waiting in self._timers.values():
            waiting.cancel()
        self._timers.clear()

    def _start_check(self, uri: str) -> None:
        self._timers.pop(uri, None)
        self._session.client.spawn_task(self._check(uri))

    async def _check(self, uri: str) -> None:
        head = self._session.documents.checked_text(uri)
        if head == self._checked_front_matter.get(uri, ""):
            return
        self._checked_front_matter[uri] = head
        found = await document_diagnostics(self._session, uri)
        if self._checked_front_matter.get(uri) != head:
            return  # it was changed or closed meanwhile
        if found or uri in self._published_uris:
            self._publish(uri, found)

    def _publish(self, uri: str, items: list[types.Diagnostic]) -> None:
        (self._published_uris.add if items else self._published_uris.discard)(uri)
        self._session.client.publish_diagnostics(uri, items)
