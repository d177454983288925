"""Code actions on markdown: all that fits here and now, each a server command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.lsp import offers
from writeit.lsp.current import run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.core.pipeline import PipelineConfiguration
    from writeit.lsp.connection import Connection
    from writeit.lsp.offers import Offer

KIND = "source.writeit"
"""Of actions on a document and its run."""

REWRITE = "refactor.rewrite.writeit"
"""Of pipelines on a selection, each with its name behind it."""


def code_actions(
    connection: Connection, params: types.CodeActionParams
) -> list[types.CodeAction]:
    """Return the actions of a document, and of a selection if there is one."""
    uri = params.text_document.uri
    folder = connection.folder_of(uri)
    tagged = _knows_tag(connection)
    pipelines = folder.library().usable
    found = [
        *_on_selection(pipelines, params, tagged=tagged),
        *(
            _action(offer, KIND, tagged=tagged)
            for offer in _on_document(connection, uri, pipelines)
        ),
    ]
    only = params.context.only
    return [action for action in found if _wanted(action, only)]


def _on_document(
    connection: Connection, uri: str, pipelines: list[PipelineConfiguration]
) -> list[Offer]:
    run = run_of(connection.folder_of(uri), uri)
    if run is None:
        return offers.to_start(pipelines, uri)
    return [*offers.on_run(run), *offers.to_start(pipelines, uri)]


def _on_selection(
    pipelines: list[PipelineConfiguration],
    params: types.CodeActionParams,
    *,
    tagged: bool,
) -> Iterator[types.CodeAction]:
    start, end = params.range.start, params.range.end
    if (start.line, start.character) == (end.line, end.character):
        return
    selected = {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
    for pipeline in pipelines:
        if pipeline.applies_to == "selection":
            offer = offers.Offer(
                title=pipeline.description or pipeline.name,
                command="writeit.document.polish",
                params={
                    "uri": params.text_document.uri,
                    "range": selected,
                    "pipeline": pipeline.name,
                    "apply": True,
                },
                generates=True,
            )
            yield _action(offer, f"{REWRITE}.{pipeline.name}", tagged=tagged)


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
