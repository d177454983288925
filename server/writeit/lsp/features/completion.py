"""Completion in front matter, as the client takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.run import split_model_id
from writeit.library.frontmatter import KEY
from writeit.library.outline import spot_at
from writeit.lsp.convert import to_lsp_span, to_offset
from writeit.lsp.features import frontmatter, meanings
from writeit.lsp.features.suggestions import Within, suggestions
from writeit.ports import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from writeit.library import Library
    from writeit.library.outline import Spot
    from writeit.lsp.connection import Connection
    from writeit.lsp.features.suggestions import Suggestion

KINDS = {
    "key": types.CompletionItemKind.Property,
    "name": types.CompletionItemKind.Module,
    "model": types.CompletionItemKind.Value,
    "choice": types.CompletionItemKind.EnumMember,
}


async def complete(
    connection: Connection, params: types.CompletionParams
) -> types.CompletionList | None:
    """Return what could be typed; None outside the front matter."""
    uri = params.text_document.uri
    found = frontmatter.spot(connection, uri, params.position)
    if found is None:
        return None
    text, spot = found
    after_colon = _after_colon(connection, text, spot, params)
    spot = after_colon or spot
    library = connection.folder_of(uri).library()
    models, more = await _models(connection, uri, spot, library)
    formats = _formats(connection)
    if after_colon is None:
        encoding = frontmatter.encoding_of(connection)
        place = to_lsp_span(text, spot.word.start, spot.word.end, encoding)
    else:
        place = types.Range(start=params.position, end=params.position)
    blank = " " if after_colon else ""
    return types.CompletionList(
        is_incomplete=more,
        items=[
            _item(one, index, place, blank, formats)
            for index, one in enumerate(
                suggestions(spot, Within(library=library, models=models))
            )
        ],
    )


def _after_colon(
    connection: Connection, text: str, spot: Spot, params: types.CompletionParams
) -> Spot | None:
    """Return the place of a value whose blank behind the colon is still missing."""
    if not spot.word.text.endswith(":"):
        return None
    encoding = frontmatter.encoding_of(connection)
    offset = to_offset(text, params.position, encoding)
    if offset != spot.word.end:
        return None
    return spot_at(f"{text[:offset]} {text[offset:]}", offset + 1)


async def _models(
    connection: Connection, uri: str, spot: Spot, library: Library
) -> tuple[dict[str, ModelInfo], bool]:
    """Return the models that can be named at once, and whether more will be known."""
    if spot.word.path[:1] != (KEY,) or spot.word.path[1:2] not in {
        ("models",),
        ("providers",),
    }:
        return {}, False
    known, more = connection.at_hand.now(connection.folder_of(uri))
    if known:
        return known, more
    embedded = await connection.world.models.embedded_installed()
    named = [m for p in library.usable for step in p.steps for m in step.models]
    return _without_more([*([embedded] if embedded else []), *named]), more


def _without_more(ids: Iterable[str]) -> dict[str, ModelInfo]:
    """Return models of which nothing but the id is known yet."""
    return {
        one: ModelInfo(id=one, provider=split_model_id(one)[0], available=True)
        for one in ids
    }


def _item(
    one: Suggestion,
    index: int,
    place: types.Range,
    blank: str,
    formats: Sequence[types.MarkupKind | str] | None,
) -> types.CompletionItem:
    return types.CompletionItem(
        label=one.label,
        kind=KINDS[one.kind],
        detail=one.detail or None,
        documentation=meanings.as_markup(one.meaning, formats) if one.meaning else None,
        sort_text=f"{index:05}",
        filter_text=f"{blank}{one.label}",
        text_edit=types.TextEdit(range=place, new_text=f"{blank}{one.new}"),
    )


def _formats(connection: Connection) -> Sequence[types.MarkupKind | str] | None:
    document = connection.server.client_capabilities.text_document
    completion = document.completion if document else None
    item = completion.completion_item if completion else None
    return item.documentation_format if item else None
