"""Actions on a document: start a run, insert a text, rewrite a passage."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from lsprotocol import types

from writeit.domain.errors import NotFound
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.run import PipelineRun, PipelineStatus, StepState
from writeit.engine.moving import find_earlier_document, gone_documents
from writeit.lsp.action import Action
from writeit.lsp.actions import (
    document_comparison_action,
    run_action,
    view_action,
)
from writeit.lsp.convert import line_range, normalized_uri, to_offset, uri_to_path
from writeit.lsp.documents import Documents, PendingApply, ReviewedChange
from writeit.lsp.fallback_messages import document_name
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pygls_fixes import WriteItDocument
from writeit.lsp.shapes import Range
from writeit.text.lines import split_lines
from writeit.views.escape import shorten


def start_actions(pipelines: Iterable[PipelineConfiguration], uri: str) -> list[Action]:
    """Return the actions that start a run of each pipeline for documents.

    A review is generated at once: there is nothing to choose before or after.
    """
    go_on = {"goOn": True}
    return [
        Action(
            title=f"{verb} {pipeline.name}: {pipeline.description}".rstrip(": "),
            command="writeit.run.start",
            params={"pipeline": pipeline.name, "uri": uri, **params},
            uses_model=bool(params),
            has_lens=True,
            lens_title=f"{verb} {pipeline.name}",
        )
        for pipeline in pipelines
        if pipeline.applies_to == "document"
        for verb, params in (
            [("Review with", go_on)]
            if pipeline.output == "review"
            else [("Start", {}), ("Start and generate", go_on)]
        )
    ]


async def move_actions(folder: WorkspaceFolder, uri: str) -> list[Action]:
    """Return the offer to take the runs of a document's earlier name along.

    That is for a document without runs which was renamed where nobody told us. It is
    compared again only when it has changed, or others are gone. Whether those are open
    says nothing: editors keep a document whose file was renamed elsewhere.
    """
    documents, uri = folder.documents, normalized_uri(uri)

    def is_gone(uri: str) -> bool:
        path = uri_to_path(uri)
        return path is not None and not path.exists()

    gone = await asyncio.to_thread(gone_documents, folder.store, is_gone)
    if not gone:
        return []
    state = (documents.change_count(uri), gone)
    before, earlier = documents.earlier_names.get(uri, (None, None))
    if before != state:
        try:
            text = documents.read_text(uri)  # eglot opens nothing under the new name
        except NotFound:
            return []
        earlier = await asyncio.to_thread(
            find_earlier_document, folder.store, gone, text
        )
        documents.earlier_names[uri] = (state, earlier)
    if earlier is None:
        return []
    title = f"Move the runs of {document_name(earlier)} here"
    params = {"from": earlier, "to": uri}
    return [
        Action(title=title, command="writeit.run.move", params=params, has_lens=True)
    ]


def retry_apply_action(pending: PendingApply) -> Action:
    """Return the action that applies a pending text again."""
    return Action(
        title=f"Insert the text of {pending.step}",
        command="writeit.step.apply",
        params={
            "runId": str(pending.run_id),
            "step": pending.step,
            "mode": pending.mode,
            "uri": pending.uri,
        },
        has_lens=True,
        lens_title=f"Insert {pending.step}",
    )


def undo_polish_action(run: PipelineRun) -> Action:
    """Return the action that restores the text before a run's polished passage.

    If nothing of that is left, it is the passage that was applied before it.
    """
    return run_action(run, "Undo the last polish", "writeit.edit.restore", older=True)


def polish_actions(run: PipelineRun) -> Iterator[Action]:
    """Yield the actions on the passage that was polished last."""
    step = run.steps[run.current_step]
    if run.is_streaming:
        yield run_action(run, "Stop polishing", "writeit.run.pause", has_lens=True)
    elif run.status is not PipelineStatus.COMPLETED and step.ai_responses:
        choose = view_action(run, "Choose a polished text", "step", step.step_name)
        yield replace(choose, has_lens=True)
    elif not run.applied and step.content is not None:
        yield from insert_passage_actions(run, step)


def insert_passage_actions(run: PipelineRun, step: StepState) -> Iterator[Action]:
    """Yield the actions on a passage that was chosen and not applied.

    The document was closed then, or the user had changed the passage as well. It has
    a lens only while nothing else was done with the run.
    """
    yield run_action(
        run,
        "Insert the new passage",
        "writeit.step.apply",
        step=step.step_name,
        has_lens=run.updated_at == step.completed_at,
    )
    yield document_comparison_action(run)


def change_actions(uri: str, change: ReviewedChange | None, count: int) -> list[Action]:
    """Return the actions on a changed block, or on all if there are several."""
    which, lens, params = f"all {count} changes", f" all {count}", {"uri": uri}
    if change is not None:
        which, lens, params = "this change", "", {"uri": uri, "change": change.id}
    elif count <= 1:
        return []
    return [
        Action(
            title=f"{verb} {which}",
            command=f"writeit.document.{name}",
            params=params,
            lens_title=verb + lens,
        )
        for verb, name in (("Keep", "keep"), ("Undo", "revert"))
    ]


def install_model_action(model: str) -> Action:
    """Return the action that downloads the embedded model."""
    return Action(
        title=f"Install the embedded model ({model})",
        command="writeit.model.install",
        params={"model": model},
    )


DEFAULT_PIPELINE = "tech-article"
"""The first pipeline offered to a document without front matter."""

MAX_FRONT_MATTER_ACTIONS = 3
"""Pipelines whose block is offered; the names of the others are completed."""


def front_matter_actions(
    pipelines: Iterable[PipelineConfiguration], uri: str
) -> list[Action]:
    """Return the actions that insert front matter, for the likeliest pipelines."""
    names = [
        pipeline.name
        for pipeline in pipelines
        if pipeline.applies_to == "document" and pipeline.output != "review"
    ]
    names.sort(key=lambda name: name != DEFAULT_PIPELINE)
    return [
        Action(
            title=f"Insert front matter for {name}",
            command="writeit.document.frontMatter",
            params={"uri": uri, "pipeline": name},
        )
        for name in names[:MAX_FRONT_MATTER_ACTIONS]
    ]


REWRITE_KIND = "refactor.rewrite.writeit"
"""The kind of a rewrite; the pipeline's name follows."""


@dataclass(frozen=True, slots=True)
class RewriteAction:
    """A pipeline on a passage, and the kind of code action that it is."""

    action: Action
    kind: str


def rewrite_actions(
    documents: Documents,
    pipelines: Iterable[PipelineConfiguration],
    params: types.CodeActionParams,
) -> Iterator[RewriteAction]:
    """Yield each pipeline for passages; for a section only those that replace it.

    There are none in front matter. On a heading its section is offered whatever part of
    the heading is selected: eglot sends the word at the cursor.
    """
    selected = _selected_range(params.range)
    if _is_in_front_matter(documents, params):
        return
    usable = [pipeline for pipeline in pipelines if pipeline.applies_to == "selection"]
    if selected:
        yield from _passage_actions(usable, params, selected)
    if params.range.start.line == params.range.end.line:
        for pipeline in usable:
            if pipeline.output == "replace":
                yield from _section_actions(documents, pipeline, params)


def is_word_selected(documents: Documents, params: types.CodeActionParams) -> bool:
    """Return whether one word is selected, as eglot reports without a selection.

    Then a pipeline for passages is not the likeliest action.
    """
    start, end = params.range.start, params.range.end
    document = documents.find_open(params.text_document.uri)
    if document is None or start.line != end.line or start == end:
        return False
    encoding = documents.client.position_encoding
    text = document.source
    selected = text[to_offset(text, start, encoding) : to_offset(text, end, encoding)]
    return not selected.split()[1:]


def _is_in_front_matter(documents: Documents, params: types.CodeActionParams) -> bool:
    head = documents.front_matter_text(params.text_document.uri)
    return params.range.end.line < len(split_lines(head))


def _passage_actions(
    pipelines: Iterable[PipelineConfiguration],
    params: types.CodeActionParams,
    passage: dict[str, Any],
    title_suffix: str = "",
) -> Iterator[RewriteAction]:
    for pipeline in pipelines:
        action = Action(
            title=(pipeline.description or pipeline.name) + title_suffix,
            command="writeit.document.polish",
            params={
                "uri": params.text_document.uri,
                "range": passage,
                "pipeline": pipeline.name,
                "apply": True,
            },
            uses_model=True,
        )
        yield RewriteAction(action, f"{REWRITE_KIND}.{pipeline.name}")


def _selected_range(client_range: types.Range) -> dict[str, Any] | None:
    if client_range.start == client_range.end:
        return None
    return _to_wire_range(client_range)


def _section_actions(
    documents: Documents,
    pipeline: PipelineConfiguration,
    params: types.CodeActionParams,
) -> Iterator[RewriteAction]:
    """Yield a pipeline for the text below the heading that the cursor is on.

    If that is too long for the pipeline, for the largest section in it that fits.
    """
    document = documents.find_open(params.text_document.uri)
    if not isinstance(document, WriteItDocument):
        return
    limits = [s.max_length for s in pipeline.inputs if s.source == "selection"]
    limit = min((limit for limit in limits if limit), default=None)
    found = document.sections_at(params.range.start.line)
    sizes = [each.size for each in found]
    fitting = [n for n, size in enumerate(sizes) if limit is None or size <= limit]
    if not fitting:
        return
    largest = max(fitting, key=lambda number: sizes[number])
    title = shorten(found[largest].title, 40)
    suffix = f" (section “{title}”)" if largest else " (this section)"
    lines = found[largest].lines
    passage = _to_wire_range(line_range(lines.start, lines.stop))
    yield from _passage_actions([pipeline], params, passage, suffix)


def _to_wire_range(lsp_range: types.Range) -> dict[str, Any]:
    return Range.model_validate(lsp_range).to_json()
