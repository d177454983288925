"""Code actions on markdown: all that fits here and now, each a server command."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from writeit.domain.errors import NotFound, WriteItError
from writeit.domain.pipeline import PipelineConfiguration
from writeit.library.catalog import Library
from writeit.library.front_matter_writer import format_scalar, with_front_matter
from writeit.lsp.actions import Action, document_actions
from writeit.lsp.actions.document_actions import is_word_selected, rewrite_actions
from writeit.lsp.actions.locations import (
    DisplayedPage,
    action_locations,
    actions_for_document,
    actions_with_parent,
    activation_actions,
    passage_action,
    read_displayed_page,
    related_run_actions,
)
from writeit.lsp.convert import to_offset
from writeit.lsp.documents import can_take_front_matter, parse_front_matter
from writeit.lsp.features.diagnostics import find_problems, to_diagnostic
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.session import Session
from writeit.ports.store import RunQuery
from writeit.views.uris import View

# --- Quick fixes in front matter: the nearest name in the place of one nobody knows ---

QUICK_FIX_KIND = types.CodeActionKind.QuickFix.value
MISSING_INPUT_CODE = "missing-input"


def quick_fixes(
    session: Session, library: Library, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    """Yield a fix for each name that may have been meant within a range.

    Names only for clients that take edits in a code action; the others see the nearest
    one in the message. Inputs that are missing are written by a command.
    """
    uri = params.text_document.uri
    if session.documents.find_open(uri) is None:
        return
    touched = [
        (problem, where)
        for problem, where in find_problems(session, uri, library)
        if _is_touching(where, params.range)
    ]
    lacking = [
        to_diagnostic(*each) for each in touched if each[0].code == MISSING_INPUT_CODE
    ]
    if lacking:
        yield from _missing_input_fixes(session, library, uri, lacking)
    if not session.client.capabilities.code_action_edits:
        return
    for problem, where in touched:
        for index, name in enumerate(problem.suggestions):
            yield types.CodeAction(
                title=f"WriteIt: Change to {name}",
                kind=QUICK_FIX_KIND,
                diagnostics=[to_diagnostic(problem, where)],
                is_preferred=index == 0,
                edit=_to_workspace_edit(session, uri, where, format_scalar(name)),
            )


def _missing_input_fixes(
    session: Session,
    library: Library,
    uri: str,
    diagnostics: list[types.Diagnostic],
) -> Iterator[types.CodeAction]:
    """Yield actions that insert missing inputs for the user to fill in."""
    head = session.documents.front_matter_text(uri)
    name = parse_front_matter(head, uri).config.pipeline or ""
    entry = library.pipelines.get(name)
    if entry is None or entry.value is None or not _has_missing_keys(head, entry.value):
        return
    title = "WriteIt: Write the inputs that are missing"
    params = {"uri": uri, "pipeline": name, "wait": False}
    yield types.CodeAction(
        title=title,
        kind=QUICK_FIX_KIND,
        diagnostics=diagnostics,
        is_preferred=True,
        command=types.Command(
            title=title, command="writeit.document.frontMatter", arguments=[params]
        ),
    )


def _has_missing_keys(head: str, pipeline: PipelineConfiguration) -> bool:
    """Whether there is anything to put into front matter."""
    try:
        return with_front_matter(head, pipeline) != head
    except WriteItError:  # what stands there has to be put right by hand
        return False


def _is_touching(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges share a place, be it the end of both."""
    return _sort_key(one.start) <= _sort_key(other.end) and _sort_key(
        other.start
    ) <= _sort_key(one.end)


def _sort_key(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def _to_workspace_edit(
    session: Session, uri: str, edit_range: types.Range, new_text: str
) -> types.WorkspaceEdit:
    """Return the edit, bound to the document's version where the client can."""
    edit = types.TextEdit(range=edit_range, new_text=new_text)
    document = session.documents.find_open(uri)
    if document is None or not session.client.capabilities.versioned_edits:
        return types.WorkspaceEdit(changes={uri: [edit]})
    here = types.OptionalVersionedTextDocumentIdentifier(uri, document.version)
    change = types.TextDocumentEdit(text_document=here, edits=[edit])
    return types.WorkspaceEdit(document_changes=[change])


# --- Code actions on markdown: all that fits here and now, each a server command ------

SOURCE_KIND = "source.writeit"
"""Of actions on a document and its run."""


async def code_actions(
    session: Session, params: types.CodeActionParams
) -> list[types.CodeAction]:
    """Return the actions of a document, of a selection in it, or of a view."""
    uri = params.text_document.uri
    tagged = session.client.capabilities.llm_tag
    if (found := session.find_view(uri)) is not None:
        some = await _view_actions(session, *found, params)
        actions = [
            _to_code_action(offer, SOURCE_KIND, with_tag=tagged) for offer in some
        ]
    else:
        folder = session.folder_containing(uri)
        library = folder.load_library()
        pipelines = library.usable_pipelines
        # What needs the range comes before anything is awaited.
        of_passage = [
            _to_code_action(rewrite.action, rewrite.kind, with_tag=tagged)
            for rewrite in rewrite_actions(session.documents, pipelines, params)
        ]
        word = is_word_selected(session.documents, params)
        fixes = list(quick_fixes(session, library, params))
        some = [
            *actions_for_document(session.documents, folder, uri)[1],
            *document_actions.start_actions(pipelines, uri),
            *_front_matter_actions(session, pipelines, uri),
            *await _install_actions(session),
        ]
        if of_passage and _has_runs(folder):
            session.warm_up_models()  # a model may be asked the next moment
        of_run = [
            _to_code_action(offer, SOURCE_KIND, with_tag=tagged) for offer in some
        ]
        ours = of_run + of_passage if word else of_passage + of_run
        actions = [*fixes, *ours]
    return [action for action in actions if _is_requested(action, params.context.only)]


def _has_runs(folder: WorkspaceFolder) -> bool:
    """Whether there was ever a run: elsewhere a selection is no sign of one to come."""
    return bool(folder.store.list_runs(RunQuery(limit=1)).runs)


async def _view_actions(
    session: Session,
    folder: WorkspaceFolder,
    view: View,
    params: types.CodeActionParams,
) -> list[Action]:
    """Offer what fits the selection, then the line, then the run."""
    uri = params.text_document.uri
    try:
        shown = await read_displayed_page(session.documents, folder, view, uri)
    except NotFound:  # its run was deleted; the page is all that is left
        return []
    if shown is None:
        return []
    return [
        *_selection_actions(session, shown, params.range),
        *_line_actions(shown, params.range.start.line),
        *related_run_actions(shown, params.range.start.line),
        *activation_actions(folder, shown.run),
        *actions_with_parent(folder, shown.run),
    ]


def _selection_actions(
    session: Session, page: DisplayedPage, selected_range: types.Range
) -> Iterator[Action]:
    encoding = session.client.position_encoding
    ends = (selected_range.start, selected_range.end)
    start, end = (to_offset(page.text, position, encoding) for position in ends)
    last = selected_range.end.line - (selected_range.end.character == 0 < end - start)
    offer = passage_action(page, selected_range.start.line, last, page.text[start:end])
    if offer is not None:
        yield offer


def _line_actions(page: DisplayedPage, line: int) -> Iterator[Action]:
    for place in action_locations(page):
        if place.line <= line <= place.last_line:
            about = f" ({place.title_suffix})" if place.title_suffix else ""
            yield from (o.with_title(o.title + about) for o in place.actions)


def _front_matter_actions(
    session: Session, pipelines: list[PipelineConfiguration], uri: str
) -> list[Action]:
    """Offer front matter to a document that says nothing to WriteIt yet."""
    return (
        document_actions.front_matter_actions(pipelines, uri)
        if can_take_front_matter(session.documents, uri)
        else []
    )


async def _install_actions(session: Session) -> list[Action]:
    """Offer the model that needs no account, where it is not here yet."""
    missing = await session.ports.models.installable_embedded_model()
    return [document_actions.install_model_action(missing)] if missing else []


def _to_code_action(action: Action, kind: str, *, with_tag: bool) -> types.CodeAction:
    title = f"WriteIt: {action.title}"
    return types.CodeAction(
        title=title,
        kind=kind,
        command=types.Command(
            title=title, command=action.command, arguments=action.arguments
        ),
        tags=[types.CodeActionTag.LlmGenerated]
        if with_tag and action.uses_model
        else None,
    )


def _is_requested(action: types.CodeAction, only: object) -> bool:
    """Whether the client asked for this kind, or for one that it is a part of."""
    if not isinstance(only, list | tuple) or not only:
        return True
    kind = str(action.kind)
    return any(kind == str(one) or kind.startswith(f"{one}.") for one in only)
