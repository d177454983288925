"""Code actions on markdown: quick fixes in front matter, and the actions of runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace

from lsprotocol import types

from writeit.domain.errors import NotFound, WriteItError
from writeit.domain.operations import permitted
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.run_summary import RunSummary
from writeit.library.catalog import Library
from writeit.library.front_matter_writer import format_scalar, with_front_matter
from writeit.lsp.action import Action
from writeit.lsp.actions import document_actions, run_action, view_action
from writeit.lsp.actions.document_actions import is_word_selected, rewrite_actions
from writeit.lsp.actions.locations import (
    DisplayedPage,
    action_locations,
    actions_for_document,
    actions_with_parent,
    activation_actions,
    passage_actions,
    read_displayed_page,
    related_run_actions,
)
from writeit.lsp.convert import to_offset
from writeit.lsp.documents import can_take_front_matter, parse_front_matter
from writeit.lsp.edits.review import find_review
from writeit.lsp.features.diagnostics import (
    find_problems,
    finding_diagnostics,
    to_diagnostic,
)
from writeit.lsp.findings.find import count_in_answers, find_findings
from writeit.lsp.folder import LIBRARY_SECONDS, WorkspaceFolder
from writeit.lsp.session import Session
from writeit.ports.store import RunQuery
from writeit.text.lines import make_visible
from writeit.views.uris import View

# --- quick fixes in front matter ---

QUICK_FIX_KIND = types.CodeActionKind.QuickFix.value
MISSING_INPUT_CODE = "missing-input"


async def quick_fixes(
    session: Session, library: Library, params: types.CodeActionParams
) -> AsyncIterator[types.CodeAction]:
    """Yield the fixes of unknown names and missing inputs within a range.

    Unknown names are only fixed for clients that take edits in a code action; the
    diagnostic's message has the nearest name. A command inserts missing inputs.
    """
    uri = params.text_document.uri
    if session.documents.find_open(uri) is None:
        return
    touched = [
        (problem, where)
        for problem, where in await find_problems(session, uri, library)
        if where.start <= params.range.end and params.range.start <= where.end
    ]
    missing = [
        to_diagnostic(problem, where)
        for problem, where in touched
        if problem.code == MISSING_INPUT_CODE
    ]
    if missing:
        for fix in _missing_input_fixes(session, library, uri, missing):
            yield fix
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
    action = Action(
        title="WriteIt: Insert the missing inputs",
        command="writeit.document.frontMatter",
        params={"uri": uri, "pipeline": name},
    )
    yield types.CodeAction(
        title=action.title,
        kind=QUICK_FIX_KIND,
        diagnostics=diagnostics,
        is_preferred=True,
        command=action.to_command(action.title),
    )


def _has_missing_keys(head: str, pipeline: PipelineConfiguration) -> bool:
    """Return whether front matter lacks keys that can be inserted."""
    try:
        return with_front_matter(head, pipeline) != head
    except WriteItError:  # the user has to correct it first
        return False


def _to_workspace_edit(
    session: Session, uri: str, edit_range: types.Range, new_text: str
) -> types.WorkspaceEdit:
    """Return the edit, with the document's version if the client supports it."""
    edit = types.TextEdit(range=edit_range, new_text=new_text)
    document = session.documents.find_open(uri)
    if document is None or not session.client.capabilities.versioned_edits:
        return types.WorkspaceEdit(changes={uri: [edit]})
    identifier = types.OptionalVersionedTextDocumentIdentifier(uri, document.version)
    change = types.TextDocumentEdit(text_document=identifier, edits=[edit])
    return types.WorkspaceEdit(document_changes=[change])


# --- actions ---

SOURCE_KIND = "source.writeit"
"""The kind of actions on a document and its run."""


async def code_actions(
    session: Session, params: types.CodeActionParams
) -> list[types.CodeAction]:
    """Return the actions of a document, of a selection in it, or of a view."""
    if (view := session.find_view(params.text_document.uri)) is not None:
        actions = await _view_actions(session, *view, params)
        found = _to_code_actions(session, actions)
    else:
        found = await _document_actions(session, params)
    found = _confirm_actions(session) + found
    return [action for action in found if _is_requested(action, params.context.only)]


def _confirm_actions(session: Session) -> list[types.CodeAction]:
    """Return what was refused until the user confirms it."""
    return [
        types.CodeAction(title=command.title, kind=SOURCE_KIND, command=command)
        for command in session.confirmations.pending
    ]


async def _document_actions(
    session: Session, params: types.CodeActionParams
) -> list[types.CodeAction]:
    uri, documents = params.text_document.uri, session.documents
    folder = session.folder_containing(uri)
    changes = documents.change_count(uri)
    library = await folder.load_library(LIBRARY_SECONDS)
    if documents.change_count(uri) != changes:
        return []  # the range is no longer what it was
    pipelines = library.usable_pipelines
    # What needs the range comes before anything else is awaited.
    rewrites = [
        _to_code_action(rewrite.action, rewrite.kind, session)
        for rewrite in rewrite_actions(documents, pipelines, params)
    ]
    is_word = is_word_selected(documents, params)
    fixes = [fix async for fix in quick_fixes(session, library, params)]
    runs, actions = await actions_for_document(folder, uri)
    actions += document_actions.start_actions(pipelines, uri)
    if can_take_front_matter(documents, uri):
        actions += document_actions.front_matter_actions(pipelines, uri)
    if missing := await session.ports.models.embedded_model(installed=False):
        actions.append(document_actions.install_model_action(missing))
    # Without any run, a selection does not mean that a model will be called soon.
    if rewrites and folder.store.list_runs(RunQuery(limit=1)).runs:
        session.warm_up_models()
    # A document with a run is not likely to get another one.
    unlikely = "writeit.run.start" if runs.run else ""
    likely, others = (
        _to_code_actions(
            session,
            [a for a in actions if (a.is_likely and a.command != unlikely) is wanted],
        )
        for wanted in (True, False)
    )
    fixes += await _finding_actions(session, folder, params, runs.listed)
    fixes += _to_code_actions(
        session, await _change_actions(folder, params, runs.listed)
    )
    # eglot sends the word at the cursor as if it was selected.
    return fixes + likely + (others + rewrites if is_word else rewrites + others)


async def _finding_actions(
    session: Session,
    folder: WorkspaceFolder,
    params: types.CodeActionParams,
    listed: Sequence[RunSummary],
) -> list[types.CodeAction]:
    """Return what can be done about the findings in a range; commands do it."""
    uri, wanted = params.text_document.uri, params.range
    known_count = folder.documents.change_count(uri)
    found = await find_findings(folder, uri, listed)
    if found is None or not (
        found.change_count == known_count == folder.documents.change_count(uri)
    ):
        return []  # the range is no longer what it was
    actions = []
    for finding, marked in finding_diagnostics(session, found):
        if marked.range.start <= wanted.end and wanted.start <= marked.range.end:
            for made in _to_code_actions(session, finding.actions, QUICK_FIX_KIND):
                made.diagnostics = [marked]
                actions.append(made)
    reviews = found.document.reviews
    pages = [
        view_action(r, f"Open the remarks of {r.pipeline}", "step") for r in reviews
    ]
    return actions + _to_code_actions(session, pages)


async def _change_actions(
    folder: WorkspaceFolder,
    params: types.CodeActionParams,
    listed: Sequence[RunSummary],
) -> list[Action]:
    """Return the actions on the changed block in a range, then on all changes."""
    uri = params.text_document.uri
    known_count = folder.documents.change_count(uri)
    review = await find_review(folder, uri, listed)
    if review is None or folder.documents.change_count(uri) != known_count:
        return []  # the range is no longer what it was
    first, last = params.range.start.line, params.range.end.line
    actions = []
    for change in review.changes:
        block = change.block
        if block.first <= last and first < max(block.stop, block.first + 1):
            actions += document_actions.change_actions(uri, change, 1)
    return actions + document_actions.change_actions(uri, None, len(review.changes))


async def _view_actions(
    session: Session,
    folder: WorkspaceFolder,
    view: View,
    params: types.CodeActionParams,
) -> list[Action]:
    """Return the actions on the selection, then on the line, then on the run."""
    uri, line = params.text_document.uri, params.range.start.line
    try:
        page = await read_displayed_page(folder, view, uri)
    except NotFound:  # its run was deleted; the page is all that is left
        return []
    if page is None:
        return []
    return [
        *_selection_actions(session, page, params.range),
        *_line_actions(page, line),
        *await _correction_actions(page, line),
        *related_run_actions(page, line),
        *activation_actions(folder, page.run),
        *actions_with_parent(folder, page.run, page.outlook),
    ]


def _selection_actions(
    session: Session, page: DisplayedPage, selected_range: types.Range
) -> Iterator[Action]:
    encoding = session.client.position_encoding
    ends = (selected_range.start, selected_range.end)
    start, end = (to_offset(page.text, position, encoding) for position in ends)
    last = selected_range.end.line - (selected_range.end.character == 0 < end - start)
    text = page.text[start:end]
    yield from passage_actions(page, selected_range.start.line, last, text)


def _line_actions(page: DisplayedPage, line: int) -> Iterator[Action]:
    for location in action_locations(page):
        if location.line <= line <= location.last_line:
            suffix = f" ({location.title_suffix})" if location.title_suffix else ""
            for action in location.actions:
                yield replace(action, title=action.title + suffix)


async def _correction_actions(page: DisplayedPage, line: int) -> list[Action]:
    """Return the action on an answer that has facts which the notes do not have."""
    step = page.run.steps.get(getattr(page.view, "step", ""))
    if step is None or not permitted.step_permissions(page.run, step).regenerate:
        return []
    counts = await count_in_answers(page.folder, page.run, step.step_name)
    return [
        run_action(
            page.run,
            "Regenerate with corrections",
            "writeit.facts.correct",
            step=step.step_name,
            response=str(section.response_id),
        )
        for section in page.sections
        if section.heading_line <= line <= section.last_line
        and section.response_id in counts
        and counts[section.response_id].not_in_notes
    ]


def _to_code_actions(
    session: Session, actions: Iterable[Action], kind: str = SOURCE_KIND
) -> list[types.CodeAction]:
    return [_to_code_action(action, kind, session) for action in actions]


def _to_code_action(action: Action, kind: str, session: Session) -> types.CodeAction:
    title = make_visible(f"WriteIt: {action.title}")
    has_tag = action.uses_model and session.client.capabilities.llm_tag
    return types.CodeAction(
        title=title,
        kind=kind,
        command=action.to_command(title),
        tags=[types.CodeActionTag.LlmGenerated] if has_tag else None,
    )


def _is_requested(action: types.CodeAction, only: object) -> bool:
    """Return whether the client requested this kind or a kind above it."""
    if not isinstance(only, list | tuple) or not only:
        return True
    kind = str(action.kind)
    return any(kind == str(one) or kind.startswith(f"{one}.") for one in only)
