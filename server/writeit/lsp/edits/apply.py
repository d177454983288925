"""Apply a step's text to a document or a new file, and restore the text before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import (
    DocumentChanged,
    InvalidParams,
    InvalidPipeline,
    NotFound,
    StoreError,
)
from writeit.domain.operations import lifecycle
from writeit.domain.pipeline import Output
from writeit.domain.placement import (
    PlacedText,
    is_passage_gone,
    place_content,
    with_line_ends_of,
)
from writeit.domain.run import AppliedText, PipelineRun
from writeit.engine.data_policy import resolve_allowed_providers
from writeit.library.front_matter import split_front_matter
from writeit.lsp.convert import path_to_uri
from writeit.lsp.documents import Documents, PendingApply
from writeit.lsp.edits import files
from writeit.lsp.edits.edit_retry import EditOutcome
from writeit.lsp.edits.files import (
    edit_document,
    path_from_uri,
    require_document_text,
)
from writeit.lsp.edits.review import find_applied_event, open_review
from writeit.lsp.folder import WorkspaceFolder, applied_polishes
from writeit.text.fitting import Misfit
from writeit.text.front_matter import with_providers
from writeit.text.merge3 import MergeResult, merge
from writeit.views.uris import ContentView, view_uri


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyJob:
    """A step's text and its target, checked."""

    folder: WorkspaceFolder
    run: PipelineRun
    step: str
    content: str
    mode: Output
    uri: str
    """The document, or the new file before a number makes its name unique."""
    made: e.TextApplied | None = None
    """The apply that made the new file, if the file is still there."""

    @property
    def run_id(self) -> UUID:
        """The run's id."""
        return self.run.pipeline_run_id

    @property
    def content_uri(self) -> str:
        """The URI of the view that shows the text."""
        return view_uri(ContentView(self.run_id, self.step))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """The document and what happened to it."""

    uri: str
    outcome: EditOutcome
    is_merged: bool = False
    """Whether the text was merged with changes made since the run started."""
    misfit: Misfit | None = None
    """Why the text does not fit its place; then nothing was changed."""


def prepare_apply(
    folder: WorkspaceFolder,
    run: PipelineRun,
    step: str | None,
    mode: Output | None,
    uri: str | None,
) -> ApplyJob:
    """Return what is to be applied where.

    Raises:
        NotFound, InvalidTransition: the step has no text.
        InvalidParams, NotTrusted: the target is unknown or not allowed.
        DocumentChanged: the document is gone; the text is kept.
    """
    state = lifecycle.find_applicable_step(run, step)
    mode = mode or ("new_file" if run.output == "review" else run.output)
    made = None
    if mode == "new_file":
        made = _find_made_file(folder, run, state.step_name, uri)
        uri = made.uri if made else path_to_uri(files.new_file_path(folder, run, uri))
    else:
        uri = uri or run.uri
    if uri is None:
        raise InvalidParams(
            "The run was not started on a document.",
            hint="Write the text to a new file (mode `new_file`), or name the document"
            " it is for (`uri`).",
            problems=[{"path": "uri", "message": "is needed here"}],
        )
    job = ApplyJob(
        folder=folder,
        run=run,
        step=state.step_name,
        content=state.content or "",
        mode=mode,
        uri=uri,
        made=made,
    )
    if mode != "new_file":
        require_document_text(folder.documents, uri, job.content_uri)
    return job


async def apply_text(job: ApplyJob, *, wait_for_user: bool = False) -> ApplyResult:
    """Merge the text into the document; record it in the run once it is applied.

    `wait_for_user`: the caller does not wait, so the user may take time to decide.

    Raises:
        DocumentChanged: the document or the passage is gone; the text is kept.
        StoreError: the document has the text, but that was not recorded.
    """
    if job.mode == "new_file":
        return await _apply_to_new_file(job, wait_for_user=wait_for_user)
    goal = await asyncio.to_thread(
        place_content, job.run.document, job.content, job.mode
    )
    documents = job.folder.documents
    if goal.misfit is not None:
        outcome = EditOutcome(newest_text=documents.read_text(job.uri))
        return ApplyResult(uri=job.uri, outcome=outcome, misfit=goal.misfit)
    earlier = _find_earlier_event(job)
    outcome = await _edit(
        job,
        lambda text: _merge_into_newest(goal, text, earlier),
        wait_for_user=wait_for_user,
    )
    if not outcome.is_applied:
        _require_passage(job, outcome)
        return ApplyResult(uri=job.uri, outcome=outcome)
    before, after = outcome.newest_text, outcome.newest_text
    if outcome.sent_edit is not None:
        before, after = outcome.sent_edit.text_before, outcome.sent_edit.text_after
    before = _remove_applied_text(earlier, before)
    await _record_applied(job, job.uri, before, after)
    is_merged = split_front_matter(before).body != goal.base
    return ApplyResult(uri=job.uri, outcome=outcome, is_merged=is_merged)


def _require_passage(job: ApplyJob, outcome: EditOutcome) -> None:
    body = split_front_matter(outcome.newest_text).body
    if outcome.conflicts and is_passage_gone(job.run.document, body):
        raise DocumentChanged(
            "The passage this was written for is no longer in the document.",
            hint=f"The text is kept: {job.content_uri}. Apply it with mode new_file,"
            " or copy it.",
            uri=job.uri,
            keptAt=job.content_uri,
        )


async def _edit(
    job: ApplyJob, change: Callable[[str], MergeResult], *, wait_for_user: bool
) -> EditOutcome:
    """Edit the document of a job, and remember it if that is pending."""
    pending = job.folder.documents.pending_applies
    last = pending.get((job.run_id, job.step))
    outcome = await edit_document(
        job.folder,
        job.uri,
        change,
        last.sent_edit if last and last.uri == job.uri else None,
        wait_for_user=wait_for_user,
    )
    was_pending = pending.pop((job.run_id, job.step), None)
    if outcome.is_pending:
        pending[job.run_id, job.step] = PendingApply(
            run_id=job.run_id,
            step=job.step,
            uri=job.uri,
            mode=job.mode,
            sent_edit=outcome.sent_edit,
        )
    if was_pending or outcome.is_pending:
        job.folder.listener.notify_run_changed(job.run_id)
    return outcome


def _merge_into_newest(
    goal: PlacedText, text: str, earlier: e.TextApplied | None
) -> MergeResult:
    """Merge the goal into the newest text; the front matter stays.

    What the step applied earlier is not the user's text, so the goal replaces it.
    """
    merged = _merge_into_body(text, goal)
    if earlier is None or (merged.text == text and not merged.conflicts):
        return merged
    replaced = _merge_into_body(_remove_applied_text(earlier, text), goal)
    return replaced if len(replaced.conflicts) <= len(merged.conflicts) else merged


def _merge_into_body(text: str, goal: PlacedText) -> MergeResult:
    front_matter = split_front_matter(text)
    merged = merge(goal.base, front_matter.body, goal.theirs)
    return MergeResult(front_matter.with_body(merged.text), merged.conflicts)


CLOCK_TICK = timedelta(microseconds=1)


async def _record_applied(job: ApplyJob, uri: str, replaced: str, text: str) -> None:
    # A clock that was set back must not change which text was applied last.
    last = next((text.at for _, text in applied_polishes(job.folder, uri)), None)
    run = await job.folder.engine.execute(
        job.run_id,
        lambda _, now: lifecycle.record_applied(
            job.step,
            now if last is None else max(now, last + CLOCK_TICK),
            uri=uri,
            mode=job.mode,
            replaced=replaced,
            text=text,
        ),
    )
    job.folder.documents.recheck(uri)
    if job.mode != "new_file":  # there is no text before it
        await open_review(job.folder, run, run.applied[-1])


# --- the events that record what was applied ---


def _find_earlier_event(job: ApplyJob) -> e.TextApplied | None:
    """Return the event of the same step's earlier apply to the same document."""
    for applied in job.run.applied:
        if (applied.uri, applied.step) == (job.uri, job.step):
            with suppress(StoreError):  # a run may have been imported without events
                return find_applied_event(job.folder, job.run_id, applied)
    return None


def _remove_applied_text(earlier: e.TextApplied | None, text: str) -> str:
    """Return a text without what was applied to it earlier."""
    return merge(earlier.text, text, earlier.replaced).text if earlier else text


# --- new files ---


async def _apply_to_new_file(job: ApplyJob, *, wait_for_user: bool) -> ApplyResult:
    """Make the file, or merge the text into the file that the step has made."""
    providers = await _allowed_providers(job)
    content = with_providers(job.content.rstrip() + "\n", providers)
    content = with_line_ends_of(job.run.document.text, content)
    made, uri = job.made, job.uri
    if made is None:
        path = await files.create_file(job.folder, path_from_uri(uri), content)
        uri = path_to_uri(path)
        outcome = EditOutcome(is_applied=True, newest_text=content)
    else:
        outcome = await _edit(
            job,
            lambda text: merge(made.text, text, content),
            wait_for_user=wait_for_user,
        )
    if outcome.is_applied and (made is None or made.text != content):
        # Its text, not the merged one: a file with words of the user is not deleted.
        await _record_applied(job, uri, "", content)
    sent = outcome.sent_edit
    is_merged = made is not None and sent is not None and sent.text_before != made.text
    return ApplyResult(uri=uri, outcome=outcome, is_merged=is_merged)


async def _allowed_providers(job: ApplyJob) -> tuple[str, ...] | None:
    """Return the limit that a new file takes over; nobody while it cannot be read."""
    try:
        documents = job.folder.documents
        providers = documents.front_matter_config_of(job.run).providers
        files = await asyncio.to_thread(documents.file_providers_of, job.run)
    except InvalidPipeline:
        return ()
    store = job.folder.store
    return resolve_allowed_providers(store, job.run, providers, files).providers


def _find_made_file(
    folder: WorkspaceFolder, run: PipelineRun, step: str, uri: str | None
) -> e.TextApplied | None:
    """Return the newest apply that made a new file of a step, if it is still there."""
    for applied in reversed(run.applied):
        is_new_file = (applied.step, applied.mode) == (step, "new_file")
        if is_new_file and uri in {None, applied.uri}:
            with suppress(NotFound, InvalidParams, StoreError):
                folder.documents.read_text(applied.uri)
                return find_applied_event(folder, run.pipeline_run_id, applied).evolve(
                    uri=applied.uri
                )
    return None


# --- restore ---


async def restore_text(
    folder: WorkspaceFolder,
    run: PipelineRun,
    applied: AppliedText,
    *,
    wait_for_user: bool = False,
) -> ApplyResult:
    """Restore the text before an apply; what the user typed since is kept.

    Raises:
        DocumentChanged: the document is gone, or a new file has been edited since.
    """
    event = find_applied_event(folder, run.pipeline_run_id, applied)
    if applied.mode == "new_file":
        outcome = _remove_created_file(folder.documents, applied, event.text)
    else:
        outcome = await edit_document(
            folder,
            applied.uri,
            lambda text: merge(event.text, text, event.replaced),
            wait_for_user=wait_for_user,
        )
    if outcome.is_applied:
        await folder.engine.execute(
            run.pipeline_run_id, lambda _, now: lifecycle.record_restored(applied, now)
        )
    return ApplyResult(uri=applied.uri, outcome=outcome)


def _remove_created_file(
    documents: Documents, applied: AppliedText, text: str
) -> EditOutcome:
    if not files.remove_file(documents, path_from_uri(applied.uri), text):
        raise DocumentChanged(
            f"{applied.uri} was edited after it was created, so it was kept.",
            hint="Delete it yourself if you do not need it.",
            uri=applied.uri,
        )
    return EditOutcome(is_applied=True)
