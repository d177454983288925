"""Diagnostics of front matter and findings, pulled by the client or published to it.

A client that pulls diagnostics is never sent any. Others are sent them shortly after
the last change, if they are others than before. Findings of an old version are dropped.
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
from writeit.library.named_files import find_file_problems
from writeit.library.yaml_source import ProblemCode, SourceProblem
from writeit.lsp.convert import (
    normalized_uri,
    to_lsp_range,
    to_lsp_spans,
    uri_to_path,
)
from writeit.lsp.documents import parse_front_matter
from writeit.lsp.findings.find import DocumentFindings, find_findings
from writeit.lsp.findings.finding import Finding
from writeit.lsp.session import Session
from writeit.text.lines import make_visible

DIAGNOSTIC_SOURCE = "writeit"
FINDING_SOURCE = "WriteIt"
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
    folder, path = session.folder_containing(uri).path, uri_to_path(uri)
    named = await asyncio.to_thread(
        lambda: list(find_file_problems(found, str(path or ""), folder))
    )
    return [
        (problem, to_lsp_range(head, problem.range.start, problem.range.end, encoding))
        for problem in [
            *check_front_matter(found, library),
            *_output_path_problems(session, uri, found),
            *named,
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


async def document_diagnostics(
    session: Session, uri: str
) -> list[types.Diagnostic] | None:
    """Return a document's diagnostics; None if it was changed meanwhile."""
    documents = session.documents
    found = await find_findings(session.folder_containing(uri), uri)
    count = documents.change_count(uri)
    # A URI with another spelling, such as two slashes, is not an open document.
    if found is not None and documents.find_open(uri) is None:
        found = None
    if found is not None and found.change_count != count:
        return None
    marked = [item for _, item in finding_diagnostics(session, found)]
    problems = [
        to_diagnostic(*problem) for problem in await find_problems(session, uri)
    ]
    return [*problems, *marked] if count == documents.change_count(uri) else None


def finding_diagnostics(
    session: Session, found: DocumentFindings | None
) -> list[tuple[Finding, types.Diagnostic]]:
    """Return findings with their LSP diagnostics."""
    if found is None or not found.findings:
        return []
    spans = [(finding.start, finding.end) for finding in found.findings]
    encoding = session.client.position_encoding
    ranges = to_lsp_spans(found.document.text, spans, encoding)
    return [
        (
            finding,
            types.Diagnostic(
                range=place,
                message=make_visible(finding.message),
                severity=finding.severity,
                code=finding.code,
                source=FINDING_SOURCE,
                related_information=list(finding.related) or None,
            ),
        )
        for finding, place in zip(found.findings, ranges, strict=True)
    ]


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
    uri = params.text_document.uri
    while (found := await document_diagnostics(session, uri)) is None:
        if session.documents.is_closed:
            found = []
            break
    result_id = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
    if result_id == params.previous_result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result_id)
    return types.RelatedFullDocumentDiagnosticReport(items=found, result_id=result_id)


# --- published ---


class DiagnosticsPublisher:
    """Publishes the diagnostics of open documents when they have changed.

    A client that pulls is told to pull again when something else than the document has.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._published: dict[str, list[types.Diagnostic]] = {}
        """What the client has, by URI."""
        self._uris: set[str] = set()
        """The open documents."""
        session.documents.recheck = self.recheck

    def schedule_check(self, uri: str) -> None:
        """Check a document, and what is made of it, when it rests for a moment.

        The diagnostics of a closed document are cleared at once.
        """
        self._schedule(uri)
        notes = normalized_uri(uri)
        for other, paragraphs in self._session.documents.findings.items():
            if notes in paragraphs.notes:
                self.recheck(other)

    def recheck(self, uri: str) -> None:
        """Check a document that has not changed itself."""
        client = self._session.client
        if client.capabilities.pull_diagnostics:
            client.spawn_task(client.refresh_diagnostics())
        else:
            self._schedule(self._session.documents.client_uri(uri))

    def recheck_all(self) -> None:
        """Check all documents again: what they are compared with may have changed."""
        for uri in tuple(self._uris):
            self._schedule(uri)

    def _schedule(self, uri: str) -> None:
        self._cancel(uri)
        if self._session.documents.find_open(uri) is None:
            self._uris.discard(uri)
            if self._published.pop(uri, None):
                self._session.client.publish_diagnostics(uri, [])
        elif not self._session.client.capabilities.pull_diagnostics:
            self._uris.add(uri)
            loop = asyncio.get_running_loop()
            check = loop.call_later(DEBOUNCE_SECONDS, self._start_check, uri)
            self._timers[uri] = check

    def close(self) -> None:
        """Cancel all checks."""
        for uri in [*self._timers]:
            self._cancel(uri)

    def _cancel(self, uri: str) -> None:
        if (waiting := self._timers.pop(uri, None)) is not None:
            waiting.cancel()

    def _start_check(self, uri: str) -> None:
        self._timers.pop(uri, None)
        self._session.client.spawn_task(self._check(uri))

    async def _check(self, uri: str) -> None:
        found = await document_diagnostics(self._session, uri)
        # Who changes it meanwhile has scheduled the next check.
        if found is not None and found != self._published.get(uri, []):
            self._published[uri] = found
            self._session.client.publish_diagnostics(uri, found)
