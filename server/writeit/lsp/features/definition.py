"""Go to definition: from a passage to its step's page, from a name to its file.

Editors that cannot be told to show a document can still go to a definition.
"""

from __future__ import annotations

import asyncio

from lsprotocol import types

from writeit.library.front_matter import WRITEIT_KEY
from writeit.lsp.actions.locations import find_passage_origin
from writeit.lsp.convert import line_range
from writeit.lsp.documents import find_word_at
from writeit.lsp.findings.facts import find_in_notes
from writeit.lsp.findings.find import find_findings
from writeit.lsp.folder import LIBRARY_SECONDS, find_current_runs
from writeit.lsp.pages.views import prepare_view_uri
from writeit.lsp.session import Session
from writeit.text.lines import split_lines
from writeit.views.uris import StepView


async def find_definition(
    session: Session, params: types.DefinitionParams
) -> types.Location | None:
    """Return the target of a position, or None.

    The name of a pipeline or a primer in front matter leads to its file, a fact to its
    notes, and the rest of an applied passage to the page of its step. The first line
    and the rest of the front matter lead to the current step of the document's run.

    Raises:
        StoreError: the page cannot be written as a file.
    """
    uri, position = params.text_document.uri, params.position
    if session.find_view(uri) is not None:
        return None
    found = await _library_file_uri(session, uri, position)
    if found is None and (in_notes := await _find_in_notes(session, uri, position)):
        return in_notes
    if found is None:
        found = await _step_page_uri(session, uri, position.line)
    return None if found is None else types.Location(uri=found, range=line_range(0, 0))


async def _library_file_uri(
    session: Session, uri: str, position: types.Position
) -> str | None:
    """Return the file of the pipeline or primer named at a position."""
    found = find_word_at(session.documents, uri, position)
    if found is None:
        return None
    _, word, _ = found
    library = await session.folder_containing(uri).load_library(LIBRARY_SECONDS)
    match word.kind, word.path:
        case "value", (key, "pipeline") if key == WRITEIT_KEY:
            pipeline = library.pipelines.get(word.text)
            return pipeline.uri if pipeline else None
        case "value", (key, "primer") if key == WRITEIT_KEY:
            primer = library.primers.get(word.text)
            return primer.uri if primer else None
    return None


async def _find_in_notes(
    session: Session, uri: str, position: types.Position
) -> types.Location | None:
    """Return where the fact at a position stands in the notes."""
    found = await find_findings(session.folder_containing(uri), uri)
    if found is None or found.change_count != session.documents.change_count(uri):
        return None
    offset = session.documents.to_offset(found.document.text, position)
    return await asyncio.to_thread(find_in_notes, found.document, offset)


async def _step_page_uri(session: Session, uri: str, line: int) -> str | None:
    """Return the page of the step that a line belongs to."""
    folder = session.folder_containing(uri)
    origin = await find_passage_origin(folder, uri, line)
    if origin is not None:
        view = StepView(origin.run.pipeline_run_id, origin.applied.step)
    elif line == 0 or line < len(split_lines(session.documents.front_matter_text(uri))):
        run = find_current_runs(folder, uri).run
        if run is None:
            return None
        view = StepView(run.pipeline_run_id, run.current_step)
    else:
        return None
    return await prepare_view_uri(folder, view)
