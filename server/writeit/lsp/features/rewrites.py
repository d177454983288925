"""Pipelines for passages: of a selection, of a heading's section, of the whole text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from writeit.lsp.convert import to_offset
from writeit.lsp.documents import open_document
from writeit.lsp.features.frontmatter import head
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
    """Offer each pipeline for passages; of a section only those that replace it.

    Nothing in the front matter, which is not prose. On a heading its section is offered
    whatever of the heading is selected: eglot sends the word at the cursor.
    """
    selected, section = _selected(params.range), None
    if params.range.start.line == params.range.end.line:
        section = _section(connection, params)
    if not (selected or section) or _in_front_matter(connection, params):
        return
    some = [pipeline for pipeline in pipelines if pipeline.applies_to == "selection"]
    if selected:
        yield from _offered(some, params, selected)
    if section:
        replacing = [pipeline for pipeline in some if pipeline.output == "replace"]
        yield from _offered(replacing, params, section, " (this section)")


def is_of_a_word(connection: Connection, params: types.CodeActionParams) -> bool:
    """Whether no more than a word is selected; or nothing is, and eglot says the word.

    Then a pipeline for passages is not the likeliest thing.
    """
    start, end = params.range.start, params.range.end
    document = open_document(connection, params.text_document.uri)
    if document is None or start.line != end.line or start == end:
        return False
    encoding = connection.server.workspace.position_encoding or "utf-16"
    text = document.source
    selected = text[to_offset(text, start, encoding) : to_offset(text, end, encoding)]
    return not selected.split()[1:]


def _in_front_matter(connection: Connection, params: types.CodeActionParams) -> bool:
    ends = head(connection, params.text_document.uri).count("\n")
    return params.range.end.line < ends


def _offered(
    pipelines: Iterable[PipelineConfiguration],
    params: types.CodeActionParams,
    passage: dict[str, Any],
    where: str = "",
) -> Iterator[Rewrite]:
    for pipeline in pipelines:
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
