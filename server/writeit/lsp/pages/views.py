"""Views rendered, and shown to the user: as `writeit:` documents, else as files.

A client that sends `views: "uri"` or knows textDocumentContent opens the URI itself.
Every other client gets a file under `.writeit/views/`, which keeps user edits.
"""

from __future__ import annotations

import asyncio
from typing import assert_never
from urllib.parse import unquote
from uuid import UUID

from writeit.domain.errors import NotFound
from writeit.domain.operations import lifecycle
from writeit.domain.operations.review import find_remark
from writeit.domain.placement import place_content
from writeit.domain.run import PipelineRun
from writeit.engine.queries import (
    find_root_run,
    find_shown_root,
    read_full_tree,
)
from writeit.engine.requests import GenerateStep
from writeit.engine.usage import UsageGrouping, shown_usage, sum_usage
from writeit.library.front_matter import split_front_matter
from writeit.lsp.findings.find import count_in_answers
from writeit.lsp.findings.remarks import place_in_document
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.files import PageFile
from writeit.ports.store import Store
from writeit.text.merge3 import merge
from writeit.views import uris
from writeit.views.compare import (
    ComparedText,
    compare_steps,
    comparison_parts,
    read_compared_text,
)
from writeit.views.editable_page import ReadOnlyPage, render_read_only
from writeit.views.page_outline import find_page_sections, split_page_lines
from writeit.views.run import render_run
from writeit.views.section_markers import PageParts, assemble_page, with_drafts
from writeit.views.step import (
    find_remark_line,
    render_content,
    render_prompt,
    require_content,
    response_parts,
    step_parts,
)
from writeit.views.uris import ComparedSide, View
from writeit.views.usage import render_usage
from writeit.views.wording import run_label


def is_view_affected(store: Store, view: View, changed_run_ids: set[UUID]) -> bool:
    """Return whether a view shows a changed run, or a run of its tree."""
    match view:
        case uris.UsageView():
            return True
        case uris.RunView():
            if view.run_id in changed_run_ids:
                return True
            root = find_root_run(store, view.run_id)
            return any(
                find_shown_root(store, run_id) == root for run_id in changed_run_ids
            )
        case uris.CompareView():
            return not changed_run_ids.isdisjoint({view.left.run_id, view.right.run_id})
        case _:
            return view.run_id in changed_run_ids


async def render_editable_page(folder: WorkspaceFolder, view: View) -> str:
    """Return a view as a text that the user can edit.

    Raises:
        NotFound: what the view shows does not exist.
    """
    return assemble_page(await _render_parts(folder, view, is_editable=True))


async def render_read_only_page(folder: WorkspaceFolder, view: View) -> ReadOnlyPage:
    """Return a view as a text to read, and where its sections are.

    Raises:
        NotFound: what the view shows does not exist.
    """
    return render_read_only(await _render_parts(folder, view, is_editable=False))


async def _render_parts(  # noqa: PLR0911 -- one return a view
    folder: WorkspaceFolder, view: View, *, is_editable: bool
) -> PageParts:
    engine = folder.engine
    match view:
        case uris.RunView():
            run = await engine.load_run(view.run_id)
            link = uris.link_from_run if is_editable else uris.view_uri
            return [
                render_run(
                    run,
                    read_full_tree(folder.store, run.pipeline_run_id),
                    stale=folder.documents.stale_steps.get(view.run_id, ()),
                    make_link=link,
                )
            ]
        case uris.StepView():
            run = await engine.load_run(view.run_id)
            counts = await count_in_answers(folder, run, view.step)
            placed = await place_in_document(folder, run)
            parts = step_parts(
                run,
                view.step,
                description=_step_description(folder, run, view.step),
                editable=is_editable,
                now=engine.now(),
                marks={key: count.text for key, count in counts.items()},
                remarks=[remark for remark, _ in placed],
            )
            return with_drafts(parts, folder.store.drafts(view.run_id, view.step))
        case uris.ResponseView():
            run = await engine.load_run(view.run_id)
            return response_parts(run, view.step, view.response_id)
        case uris.ContentView():
            return [render_content(await engine.load_run(view.run_id), view.step)]
        case uris.CompareView():
            left = await _comparison_text(folder, view.left)
            right = await _comparison_text(folder, view.right)
            return comparison_parts(left, right, await _compared_steps(folder, view))
        case uris.PromptView():
            return [await _render_prompt_page(folder, view)]
        case uris.UsageView():
            return [_render_usage_page(folder.store)]
        case _:
            assert_never(view)


def _step_description(folder: WorkspaceFolder, run: PipelineRun, step: str) -> str:
    configuration = folder.engine.configuration(run)
    if step not in configuration.step_names:
        return ""
    return configuration.step(step).description


async def _render_prompt_page(folder: WorkspaceFolder, view: uris.PromptView) -> str:
    run = await folder.engine.load_run(view.run_id)
    selection = await folder.model_selection(run)
    preview = await folder.engine.preview_step(
        GenerateStep(run_id=view.run_id, step=view.step, model_selection=selection)
    )
    return render_prompt(
        run, view.step, preview.prompt, preview.models, preview.new_file_head
    )


async def _compared_steps(
    folder: WorkspaceFolder, view: uris.CompareView
) -> dict[str, bool]:
    if view.left.run_id == view.right.run_id:
        return {}
    left = await folder.engine.load_run(view.left.run_id)
    return compare_steps(left, await folder.engine.load_run(view.right.run_id))


async def _comparison_text(folder: WorkspaceFolder, side: ComparedSide) -> ComparedText:
    run = await folder.engine.load_run(side.run_id)
    if side.response not in {"document", "proposed"}:
        return read_compared_text(run, side)
    state = lifecycle.find_step(run, side.step)
    uri = next((a.uri for a in reversed(run.applied)), run.uri)
    if uri is None:
        raise NotFound(
            "The run was not started on a document, so there is none to compare with.",
            hint="Compare two answers, or the texts of two steps.",
        )
    title = f"your text, {unquote(uri).rpartition('/')[2]}"
    text = split_front_matter(folder.documents.read_text(uri)).body
    if side.response == "proposed":
        content = require_content(state)
        mode = "new_file" if run.output == "review" else run.output
        goal = await asyncio.to_thread(place_content, run.document, content, mode)
        text = merge(goal.base, goal.theirs, text).text
        title = f"the text of {side.step} in it"
    return ComparedText(title=title, run_label=run_label(run), text=text)


def _render_usage_page(store: Store) -> str:
    records = shown_usage(store)
    kinds: tuple[UsageGrouping, ...] = ("model", "day", "pipeline")
    sums = {str(by): sum_usage(store, records, by)[0] for by in kinds}
    return render_usage(sums, sum_usage(store, records, "model")[1])


async def read_view(folder: WorkspaceFolder, view: View) -> ReadOnlyPage:
    """Return a view for a client that opens URIs; it is told of later changes.

    Raises:
        NotFound: what the view shows does not exist.
    """
    page = await render_read_only_page(folder, view)
    folder.documents.sent_views.record(view, page)
    return page


async def read_displayed_view(
    folder: WorkspaceFolder, view: View, uri: str
) -> ReadOnlyPage:
    """Return a view as the client has it open, else as it is now.

    A client may have an older version of a `writeit:` document. A version that is
    not remembered has no sections until the client reads it again.

    Raises:
        NotFound: what the view shows does not exist.
    """
    is_file = not uri.startswith(f"{uris.SCHEME}:")
    try:
        text = folder.documents.read_text(uri)
    except NotFound:  # a client may ask about a document that it has not sent
        if not is_file:
            return await render_read_only_page(folder, view)
        text = await render_editable_page(folder, view)
    if is_file:
        return ReadOnlyPage(text, tuple(find_page_sections(text)))
    sections = folder.documents.sent_views.find_sections(view, text)
    if sections is None:
        newest = await render_read_only_page(folder, view)
        sections = newest.sections if newest.is_same_text(text) else ()
    return ReadOnlyPage(text, sections)


async def display_view(
    folder: WorkspaceFolder,
    view: View,
    *,
    take_focus: bool = True,
    remark_id: str | None = None,
) -> str:
    """Show a view in the editor and return its URI.

    `take_focus` only for an act of this moment: what the user types then goes there.
    Of a review's step, its remarks are shown, or the one that is named.

    Raises:
        NotFound: what the view shows does not exist.
        StoreError: its file cannot be written.
    """
    documents = folder.documents
    if documents.client.can_open_view_uris:
        text, uri = (await read_view(folder, view)).text, uris.view_uri(view)
    else:
        uri = await update_page_file(folder, view)
        text = documents.read_text(uri)
    line, lines = None, split_page_lines(text)
    if isinstance(view, uris.StepView):
        run = await folder.engine.load_run(view.run_id)
        remark = find_remark(run, remark_id) if remark_id else None
        line = find_remark_line(lines, remark) if run.output == "review" else None
    said = "" if line is None else "\n".join(lines[line : line + 2])
    await documents.client.show_document(
        uri, take_focus=take_focus, line=line, said=said
    )
    return uri


async def prepare_view_uri(folder: WorkspaceFolder, view: View) -> str:
    """Return the URI of a view for a client that opens it itself.

    Raises:
        NotFound: what the view shows does not exist.
        StoreError: its file cannot be written.
    """
    if folder.documents.client.can_open_view_uris:
        return uris.view_uri(view)
    page = PageFile(folder, view)
    # An open page is updated by edits, and the client cannot answer an edit before
    # it has the reply to this request.
    return page.uri if page.is_open else await update_page_file(folder, view)


async def update_page_file(folder: WorkspaceFolder, view: View) -> str:
    """Bring a view's file up to date and return its URI; user edits are kept.

    Raises:
        NotFound: what the view shows does not exist.
        StoreError: the file cannot be written.
        NotTrusted: the file is a link.
    """
    page = PageFile(folder, view)
    await page.update(await render_editable_page(folder, view))
    return page.uri
