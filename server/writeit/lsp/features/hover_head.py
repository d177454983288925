"""Hover in front matter: keys, pipelines, primers, inputs, steps, models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.library.frontmatter import KEY
from writeit.lsp.convert import to_lsp_span
from writeit.lsp.features import frontmatter, meanings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from writeit.core.pipeline import PipelineConfiguration
    from writeit.library import Library
    from writeit.library.outline import Word
    from writeit.lsp.connection import Connection

PATIENCE = 0.3
"""Seconds a hover waits for what the model host knows without asking anybody."""


async def front_matter_hover(
    connection: Connection, params: types.HoverParams
) -> types.Hover | None:
    """Return what a word of a document's front matter means, or None."""
    uri = params.text_document.uri
    found = frontmatter.word(connection, uri, params.position)
    if found is None:
        return None
    text, word, words = found
    if (word.path[0] if word.path else word.text) != KEY:
        return None
    library = connection.folder_of(uri).library()
    said = _meaning(word, library, _pipeline(words, library))
    if said is None and word.kind == "value" and word.path[1:2] == ("models",):
        said = await _model(connection, uri, word.text)
    if said is None:
        return None
    return types.Hover(
        contents=meanings.as_markup(said, _formats(connection)),
        range=to_lsp_span(
            text, word.start, word.end, frontmatter.encoding_of(connection)
        ),
    )


def _pipeline(words: Sequence[Word], library: Library) -> PipelineConfiguration | None:
    """Return the pipeline that the block names."""
    names = (w.text for w in words if w.path == (KEY, "pipeline"))
    entry = library.pipelines.get(next(names, ""))
    return entry.value if entry else None


def _meaning(  # noqa: PLR0911 -- one return a kind of word
    word: Word, library: Library, pipeline: PipelineConfiguration | None
) -> str | None:
    place = (*word.path, word.text) if word.kind == "key" else word.path
    match place[1:], word.kind:
        case (), "key":
            return meanings.of_key(KEY)
        case (str(key),), "key":
            return meanings.of_key(key)
        case ("pipeline",), _:
            entry = library.pipelines.get(word.text)
            return meanings.of_pipeline(entry.value) if entry and entry.value else None
        case ("primer",), _:
            primer = library.primers.get(word.text)
            return meanings.of_primer(primer.value) if primer and primer.value else None
        case ("inputs", name), _:
            return _of_input(pipeline, name)
        case ("models", name), "key":
            return _of_step(pipeline, name)
    return None


def _of_input(pipeline: PipelineConfiguration | None, name: str) -> str | None:
    specs = pipeline.inputs if pipeline else ()
    return next((meanings.of_input(s) for s in specs if s.name == name), None)


def _of_step(pipeline: PipelineConfiguration | None, name: str) -> str | None:
    specs = pipeline.steps if pipeline else ()
    return next((meanings.of_step(s) for s in specs if s.name == name), None)


async def _model(connection: Connection, uri: str, model: str) -> str:
    folder = connection.folder_of(uri)
    known = await connection.at_hand.soon(folder, [model], PATIENCE)
    return meanings.of_model(model, known.get(model))


def _formats(connection: Connection) -> Sequence[types.MarkupKind | str] | None:
    document = connection.server.client_capabilities.text_document
    return document.hover.content_format if document and document.hover else None
