"""The writer's documents: as her editor has them, else as they are on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from writeit.domain.errors import InvalidParams, NotFound
from writeit.domain.run import PipelineStatus
from writeit.library.front_matter import FrontMatterConfig, read_source_document
from writeit.lsp.convert import normalized_uri, to_offset, uri_to_path
from writeit.ports.store import RunQuery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from pygls.workspace import TextDocument

    from writeit.domain.run import PipelineRun
    from writeit.domain.run_summary import RunSummary
    from writeit.library.front_matter import SourceDocument
    from writeit.lsp.protocol import Range
    from writeit.lsp.session import Session, WorkspaceFolder
    from writeit.ports.store import RunPage


# --- The writer's documents: as her editor has them, else as they are on the disk -----

MAX_DOCUMENT_CHARACTERS = 5_000_000
"""More than a document may have; a book has a tenth of it."""


def load_source_document(
    session: Session, uri: str, selected_range: Range | None = None
) -> SourceDocument:
    """Read a document; `selected` is a range of it in the editor's encoding.

    Raises:
        NotFound: it is neither open nor a readable text file.
    """
    text = read_document_text(session, uri)
    selection = None
    if selected_range is not None:
        encoding = session.server.workspace.position_encoding or "utf-16"
        selection = (
            to_offset(text, selected_range.start, encoding),
            to_offset(text, selected_range.end, encoding),
        )
    path = uri_to_path(uri)
    return read_source_document(
        text, path=str(path or ""), uri=uri, selection=selection
    )


def front_matter_config_of(session: Session, run: PipelineRun) -> FrontMatterConfig:
    """Return what the front matter of a run's document says now.

    If the document is gone, where it could be sent when the run began still holds.
    """
    then = FrontMatterConfig(providers=run.document.providers)
    if run.uri is None:
        return then
    try:
        return (
            load_source_document(session, run.uri).require_valid().front_matter.config
        )
    except NotFound:
        return then


def find_open_document(session: Session, uri: str) -> TextDocument | None:
    """Return a document as the editor has it open, whatever way its URI is quoted."""
    # pygls keeps them by their unquoted URIs.
    documents: dict[str, TextDocument] = session.server.workspace.text_documents
    return documents.get(unquote(uri))


def client_uri(session: Session, uri: str) -> str:
    """Return a document's URI as the editor spells it, which may know no other."""
    document = find_open_document(session, uri)
    return uri if document is None else document.uri


def read_document_text(session: Session, uri: str) -> str:
    """Return a document's text.

    Raises:
        NotFound: it is neither open nor a readable text file.
        InvalidParams: it is not open, and too long to be read.
    """
    if (document := find_open_document(session, uri)) is not None:
        return document.source
    path = uri_to_path(uri)
    if path is None:
        raise NotFound(
            f"{uri} is not open in the editor.", hint="Open it, then start the run."
        )
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(MAX_DOCUMENT_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(
            f"{uri} cannot be read: {error}.",
            hint="Give the URI of a markdown file that is UTF-8 text.",
        ) from error
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        raise InvalidParams(
            f"{uri} is too long: it has more than {MAX_DOCUMENT_CHARACTERS:,}"
            " characters.",
            hint="Divide it, or open it in the editor.",
            problems=[{"path": "uri", "message": "is too long"}],
        )
    return text


# --- Which run a document means: what its first-line lens and its actions are about ---

MAX_RUNS_READ = 20
"""How many runs of a document are looked at; older ones are in the list of runs."""


@dataclass(frozen=True, slots=True)
class CurrentRuns:
    """The runs that a document means."""

    run: PipelineRun | None = None
    """The one its lens tells of."""
    polish_run: PipelineRun | None = None
    """The newest of a passage of it."""


def find_current_run(folder: WorkspaceFolder, uri: str) -> PipelineRun | None:
    """Return a document's run, or None.

    The active run if it is this document's; else the most recently updated unfinished
    one; else the newest. Polish runs are left out.
    """
    return find_current_runs(folder, uri).run


def find_current_runs(folder: WorkspaceFolder, uri: str) -> CurrentRuns:
    """Return the runs that a document means; no others are read."""
    uri = normalized_uri(uri)
    run, polish = _read_active_run(folder, uri), None
    for summary in _sorted_by_relevance(
        folder.store.list_runs(RunQuery(uri=uri, limit=MAX_RUNS_READ))
    ):
        if folder.is_selection_pipeline(summary.configuration_id):
            polish = polish or _read_run(folder, summary.run_id)
        else:
            run = run or _read_run(folder, summary.run_id)
    return CurrentRuns(run, polish)


def _read_active_run(folder: WorkspaceFolder, uri: str) -> PipelineRun | None:
    active = folder.engine.session.active_pipeline_run_id
    run = None if active is None else _read_run(folder, active)
    if run is None or uri not in {run.uri, *(applied.uri for applied in run.applied)}:
        return None
    return run


def _read_run(folder: WorkspaceFolder, run_id: UUID) -> PipelineRun | None:
    stored = folder.store.get_run(run_id)
    return None if stored is None else stored.run


def _sorted_by_relevance(page: RunPage) -> Iterator[RunSummary]:
    """Yield the unfinished runs, the one touched last first; then the newest."""
    open_ = [s for s in page.runs if s.status is not PipelineStatus.COMPLETED]
    yield from sorted(open_, key=lambda summary: summary.updated_at, reverse=True)
    yield from (s for s in page.runs if s.status is PipelineStatus.COMPLETED)
