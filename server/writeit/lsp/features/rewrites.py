"""Pipelines for passages: of a selection, of a heading's section, of the whole text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from writeit.lsp.documents import open_document
from writeit.lsp.offers import Offer
from writeit.lsp.texts import WriteItDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lsprotocol import types

    from writeit.core.pipeline import PipelineConfiguration
    from writeit.lsp.connection import Connection

REWRITE = "refactor.rewrite.writeit"
"""Each pipeline's name stands behind it."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A pipeline on a passage, and the kind of code action that it is."""

    offer: Offer
    kind: str


def rewrites(
    connection: Connection,
    pipelines: Iterable[PipelineConfiguration],
    params: types.CodeActionParams,
) -> Iterator[Rewrite]:
    """Offer each pipeline for passages; of a section only those that replace it."""
    passage = _selected(params.range)
    where = ""
    if passage is None:
        passage = _section(connection, params)
        where = " (this section)"
    if passage is None:
        return
    for pipeline in pipelines:
        if pipeline.applies_to != "selection":
            continue
        if where and pipeline.output != "replace":
            continue
        offer = Offer(
            title=(pipeline.description or pipeline.name) + where,
            command="writeit.document.polish",
            params={
                "uri": params.text_document.uri,
                "range": passage,
                "pipeline": pipeline.name,
                "apply": True,
            },
            generates=True,
        )
        yield Rewrite(offer, f"{REWRITE}.{pipeline.name}")


def _selected(selected: types.Range) -> dict[str, Any] | None:
    start, end = selected.start, selected.end
    if (start.line, start.character) == (end.line, end.character):
        return None
    return _range(start.line, start.character, end.line, end.character)


def _section(
    connection: Connection, params: types.CodeActionParams
) -> dict[str, Any] | None:
    """Return the text below the heading that the cursor is on; the heading stays.

    The section of the first heading is the whole text, where it is the title.
    """
    document = open_document(connection, params.text_document.uri)
    if not isinstance(document, WriteItDocument):
        return None
    line = params.range.start.line
    for section in document.sections():
        if section.heading == line and section.last > line:
            return _range(line + 1, 0, section.last + 1, 0)
    return None


def _range(
    line: int, character: int, to_line: int, to_character: int
) -> dict[str, Any]:
    return {
        "start": {"line": line, "character": character},
        "end": {"line": to_line, "character": to_character},
    }
