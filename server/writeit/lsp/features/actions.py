"""Code actions on markdown: all that fits here and now, each a server command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.errors import NotFound
from writeit.lsp import offers
from writeit.lsp.convert import to_offset
from writeit.lsp.features.fixes import quick_fixes
from writeit.lsp.features.frontmatter import takes_a_block
from writeit.lsp.features.places import (
    kin_in,
    on_document,
    on_run,
    page_of,
    passage_in,
    places_in,
    to_go_on,
)
from writeit.lsp.features.rewrites import is_of_a_word, rewrites
from writeit.lsp.subject import view_in
from writeit.ports import RunQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.core.pipeline import PipelineConfiguration
    from writeit.lsp.connection import Connection
    from writeit.lsp.features.places import Page
    from writeit.lsp.folder import Folder
    from writeit.lsp.offers import Offer
    from writeit.views.uris import View

KIND = "source.writeit"
"""Of actions on a document and its run."""


async def code_actions(
    connection: Connection, params: types.CodeActionParams
) -> list[types.CodeAction]:
    """Return the actions of a document, of a selection in it, or of a view."""
    uri = params.text_document.uri
    tagged = _knows_tag(connection)
    if (found := view_in(connection, uri)) is not None:
        some = await _in_view(connection, *found, params)
        actions = [_action(offer, KIND, tagged=tagged) for offer in some]
    else:
        folder = connection.folder_of(uri)
        library = folder.library()
        pipelines = library.usable
        some = [
            *on_document(connection, folder, uri)[1],
            *offers.to_start(pipelines, uri),
            *_to_bind(connection, pipelines, uri),
            *await _to_install(connection),
        ]
        of_passage = [
            _action(rewrite.offer, rewrite.kind, tagged=tagged)
            for rewrite in rewrites(connection, pipelines, params)
        ]
        if of_passage and _is_written_in(folder):
            connection.warm()  # a model may be asked the next moment
        of_run = [_action(offer, KIND, tagged=tagged) for offer in some]
        word = is_of_a_word(connection, params)
        ours = of_run + of_passage if word else of_passage + of_run
        actions = [*quick_fixes(connection, library, params), *ours]
    return [action for action in actions if _wanted(action, params.context.only)]


def _is_written_in(folder: Folder) -> bool:
    """Whether there was ever a run: elsewhere a selection is no sign of one to come."""
    return bool(folder.store.runs(RunQuery(limit=1)).runs)


async def _in_view(
    connection: Connection, folder: Folder, view: View, params: types.CodeActionParams
) -> list[Offer]:
    """Offer what fits the selection, then the line, then the run."""
    uri = params.text_document.uri
    try:
        shown = await page_of(connection, folder, view, uri)
    except NotFound:  # its run was deleted; the page is all that is left
        return []
    if shown is None:
        return []
    return [
        *_passage(connection, shown, params.range),
        *_at_line(shown, params.range.start.line),
        *kin_in(shown, params.range.start.line),
        *to_go_on(folder, shown.run),
        *on_run(folder, shown.run),
    ]


def _passage(
    connection: Connection, shown: Page, selected: types.Range
) -> Iterator[Offer]:
    encoding = connection.server.workspace.position_encoding or "utf-16"
    ends = (selected.start, selected.end)
    start, end = (to_offset(shown.text, position, encoding) for position in ends)
    last = selected.end.line - (selected.end.character == 0 < end - start)
    offer = passage_in(shown, selected.start.line, last, shown.text[start:end])
    if offer is not None:
        yield offer


def _at_line(shown: Page, line: int) -> Iterator[Offer]:
    for place in places_in(shown):
        if place.line <= line <= place.last:
            about = f" ({place.about})" if place.about else ""
            yield from (o.called(o.title + about) for o in place.offers)


def _to_bind(
    connection: Connection, pipelines: list[PipelineConfiguration], uri: str
) -> list[Offer]:
    """Offer front matter to a document that says nothing to WriteIt yet."""
    return offers.to_bind(pipelines, uri) if takes_a_block(connection, uri) else []


async def _to_install(connection: Connection) -> list[Offer]:
    """Offer the model that needs no account, where it is not here yet."""
    missing = await connection.world.models.embedded_missing()
    return [offers.to_install(missing)] if missing else []


def _action(offer: Offer, kind: str, *, tagged: bool) -> types.CodeAction:
    title = f"WriteIt: {offer.title}"
    return types.CodeAction(
        title=title,
        kind=kind,
        command=types.Command(
            title=title, command=offer.command, arguments=offer.arguments
        ),
        tags=[types.CodeActionTag.LlmGenerated] if tagged and offer.generates else None,
    )


def _wanted(action: types.CodeAction, only: object) -> bool:
    """Whether the client asked for this kind, or for one that it is a part of."""
    if not isinstance(only, list | tuple) or not only:
        return True
    kind = str(action.kind)
    return any(kind == str(one) or kind.startswith(f"{one}.") for one in only)


def _knows_tag(connection: Connection) -> bool:
    document = connection.server.client_capabilities.text_document
    support = document.code_action if document else None
    tags = getattr(support, "tag_support", None)
    return bool(tags and types.CodeActionTag.LlmGenerated in tags.value_set)
