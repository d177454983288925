"""Where a place of a document leads: the page of its step, a pipeline's file.

An editor that cannot be made to show a document still goes to definitions, so a step's
page is one key away everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.alignment import lines
from writeit.library.frontmatter import KEY
from writeit.lsp.current import run_of
from writeit.lsp.features import frontmatter
from writeit.lsp.features.passages import origin_of
from writeit.lsp.showing import place_of
from writeit.lsp.subject import view_in
from writeit.views.uris import StepView

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection

TOP = types.Range(
    start=types.Position(line=0, character=0), end=types.Position(line=0, character=0)
)


async def definition(
    connection: Connection, params: types.DefinitionParams
) -> types.Location | None:
    """Return where a place leads, or None.

    In front matter the name of a pipeline or of a primer leads to its file. A passage
    that a run put there leads to the page of the step it comes from; the first line,
    and front matter, to the page of the step at which the document's run stands.

    Raises:
        StoreError: the page cannot be written as a file.
    """
    uri, position = params.text_document.uri, params.position
    if view_in(connection, uri) is not None:
        return None
    found = _named(connection, uri, position)
    if found is None:
        found = await _step(connection, uri, position.line)
    return None if found is None else types.Location(uri=found, range=TOP)


def _named(connection: Connection, uri: str, position: types.Position) -> str | None:
    """Return the file of the pipeline or primer that is named at a position."""
    found = frontmatter.word(connection, uri, position)
    if found is None:
        return None
    _, word, _ = found
    library = connection.folder_of(uri).library()
    match word.kind, word.path:
        case "value", (key, "pipeline") if key == KEY:
            pipeline = library.pipelines.get(word.text)
            return pipeline.uri if pipeline else None
        case "value", (key, "primer") if key == KEY:
            primer = library.primers.get(word.text)
            return primer.uri if primer else None
    return None


async def _step(connection: Connection, uri: str, line: int) -> str | None:
    """Return the page of the step that a line is about."""
    folder = connection.folder_of(uri)
    origin = await origin_of(connection, uri, line)
    if origin is not None:
        view = StepView(origin.run.pipeline_run_id, origin.applied.step)
    elif line == 0 or line < len(lines(frontmatter.head(connection, uri))):
        run = run_of(folder, uri)
        if run is None:
            return None
        view = StepView(run.pipeline_run_id, run.steps[run.current_step].step_name)
    else:
        return None
    return await place_of(connection, folder, view)
