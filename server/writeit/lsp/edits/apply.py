"""A step's text into the writer's document, and out again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import DocumentChanged, InvalidParams, StoreError
from writeit.domain.operations import lifecycle
from writeit.domain.pipeline import Output
from writeit.domain.placement import PlacedText, is_passage_gone, place_content
from writeit.domain.run import AppliedText, PipelineRun
from writeit.library.front_matter import split_front_matter
from writeit.lsp.convert import path_to_uri, uri_to_path
from writeit.lsp.documents import Documents, PendingApply
from writeit.lsp.edits import files
from writeit.lsp.edits.edit_retry import EditOutcome
from writeit.lsp.edits.files import edit_document, require_document_text
from writeit.lsp.folder import WorkspaceFolder
from writeit.text.merge3 import MergeResult, merge

# --- What was applied: the events that hold a document before and after ---------------


def find_applied_event(
    folder: WorkspaceFolder, run: PipelineRun, applied: AppliedText
) -> e.TextApplied:
    """Return the event that holds a document as it was before and after an apply.

    Raises:
        StoreError: the store has lost it.
    """
    for event in reversed(folder.store.events(run.pipeline_run_id)):
        if isinstance(event, e.TextApplied) and (event.uri, event.step) == (
            applied.uri,
            applied.step,
        ):
            return event
    raise StoreError(
        f"The store has lost what {applied.uri} was before.",
        reason="corrupt",
        hint="`writeit store verify` says what else is missing.",
    )


def find_earlier_event(
    folder: WorkspaceFolder, run: PipelineRun, step: str, uri: str
) -> e.TextApplied | None:
    """Return what a step has put into a document before, if it is there."""
    for applied in run.applied:
        if (applied.uri, applied.step) == (uri, step):
            with suppress(StoreError):  # a run may have been imported without events
                return find_applied_event(folder, run, applied)
    return None


def remove_applied_text(applied_event: e.TextApplied | None, text: str) -> str:
    """Return a text as the writer has it, without what was put there earlier."""
    return (
        merge(applied_event.text, text, applied_event.replaced).text
        if applied_event
        else text
    )


# --- A step's text into the writer's document, and out again --------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyJob:
    """A step's text and where it is to go; all that can be refused was."""

    documents: Documents
    folder: WorkspaceFolder
    run: PipelineRun
    step: str
    content: str
    mode: Output
    uri: str
    """The document's, or that of the new file before a number makes it free."""

    @property
    def run_id(self) -> UUID:
        """The run's id."""
        return self.run.pipeline_run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What became of a job."""

    uri: str
    outcome: EditOutcome
    is_merged: bool = False
    """Whether what she changed since the run began stands beside the text."""


def prepare_apply(
    documents: Documents,
    folder: WorkspaceFolder,
    run: PipelineRun,
    step: str | None,
    mode: Output | None,
    uri: str | None,
) -> ApplyJob:
    """Find out what is to go where.

    Raises:
        NotFound, InvalidTransition: the step has no text.
        InvalidParams, NotTrusted: there is no such place.
        DocumentChanged: the document is gone; the text is kept.
    """
    state = lifecycle.find_applicable_step(run, step)
    mode = mode or run.output
    if mode == "new_file":
        uri = path_to_uri(files.new_file_path(folder, run, uri))
    else:
        uri = uri or run.uri
        if uri is None:
            raise InvalidParams(
                "The run was not started on a document; nothing says where to.",
                hint="Put the text into a new file (mode `new_file`), or name the"
                " document it is for (`uri`).",
                problems=[{"path": "uri", "message": "is needed here"}],
            )
        require_document_text(documents, uri, content_view_uri(run, state.step_name))
    return ApplyJob(
        documents=documents,
        folder=folder,
        run=run,
        step=state.step_name,
        content=state.content or "",
        mode=mode,
        uri=uri,
    )


def content_view_uri(run: PipelineRun, step: str) -> str:
    """Return the URI of the view that shows a step's text, wherever else it is not."""
    return f"writeit:/content/{run.pipeline_run_id}/{step}.md"


async def apply_text(job: ApplyJob, *, wait_for_user: bool = False) -> ApplyResult:
    """Bring the text into the document; note it in the run once it stands there.

    `patient`: nobody waits for it, so that she may take her time if she is asked.

    Raises:
        DocumentChanged: the document or the passage is gone; the text is kept.
        StoreError: the document has the text, but that could not be noted.
    """
    if job.mode == "new_file":
        return await _apply_to_new_file(job)
    goal = place_content(job.run.document, job.content, job.mode)
    waiting = job.documents.pending_applies.get((job.run_id, job.step))
    earlier = find_earlier_event(job.folder, job.run, job.step, job.uri)
    outcome = await edit_document(
        job.documents,
        job.folder,
        job.uri,
        lambda text: _merge_into_newest(goal, text, earlier),
        waiting.sent_edit if waiting and waiting.uri == job.uri else None,
        wait_for_user=wait_for_user,
    )
    body = split_front_matter(outcome.newest_text).body
    _update_pending(job, outcome)
    if (
        outcome.conflicts
        and not outcome.is_applied
        and is_passage_gone(job.run.document, body)
    ):
        raise DocumentChanged(
            "The passage this was written for is no longer in the document.",
            hint=f"The text is kept: {content_view_uri(job.run, job.step)}. Apply it"
            " with mode new_file, or copy it.",
            uri=job.uri,
            keptAt=content_view_uri(job.run, job.step),
        )
    before, after = outcome.newest_text, outcome.newest_text
    if outcome.sent_edit is not None:
        before, after = outcome.sent_edit.text_before, outcome.sent_edit.text_after
    before = remove_applied_text(earlier, before)
    if outcome.is_applied:
        await _record_applied(job, job.uri, before, after)
    apart = split_front_matter(before).body != goal.base and outcome.is_applied
    return ApplyResult(uri=job.uri, outcome=outcome, is_merged=apart)


def _update_pending(job: ApplyJob, outcome: EditOutcome) -> None:
    """Keep what has to wait among the offers; take away what need not."""
    pending = job.documents.pending_applies
    had = pending.pop((job.run_id, job.step), None)
    if outcome.is_pending:
        pending[job.run_id, job.step] = PendingApply(
            run_id=job.run_id,
            step=job.step,
            uri=job.uri,
            mode=job.mode,
            sent_edit=outcome.sent_edit,
        )
    if had or outcome.is_pending:
        job.folder.listener.notify_run_changed(job.run_id)


def _merge_into_newest(
    placed_text: PlacedText, text: str, earlier_event: e.TextApplied | None
) -> MergeResult:
    """Merge the goal into the newest text, whose front matter stays as it is.

    What the step put there earlier is not the writer's: it makes room for the goal.
    """
    there = _merge_into_body(text, placed_text)
    if earlier_event is None or (there.text == text and not there.conflicts):
        return there
    anew = _merge_into_body(remove_applied_text(earlier_event, text), placed_text)
    return anew if len(anew.conflicts) <= len(there.conflicts) else there


def _merge_into_body(text: str, placed_text: PlacedText) -> MergeResult:
    front_matter = split_front_matter(text)
    merged = merge(placed_text.base, front_matter.body, placed_text.theirs)
    return MergeResult(front_matter.head + merged.text, merged.conflicts)


async def _apply_to_new_file(job: ApplyJob) -> ApplyResult:
    content = job.content.rstrip() + "\n"
    there = _find_created_file(job, content)
    place = there or await files.create_file(
        job.documents, job.folder, _require_file_path(job.uri), content
    )
    uri = path_to_uri(place)
    if there is None:
        await _record_applied(job, uri, "", content)
    return ApplyResult(
        uri=uri, outcome=EditOutcome(is_applied=True, newest_text=content)
    )


def _find_created_file(job: ApplyJob, content: str) -> Path | None:
    """The file that this text made already, if it still is what it was."""
    for applied in job.run.applied:
        if applied.step == job.step and applied.mode == "new_file":
            path = _require_file_path(applied.uri)
            try:
                if path.read_bytes() == content.encode():
                    return path
            except OSError:
                continue
    return None


def _require_file_path(uri: str) -> Path:
    path = uri_to_path(uri)
    if path is None:
        raise InvalidParams(
            f"{uri} is no file.",
            hint="A new file is given as a file: URI inside the workspace.",
            problems=[{"path": "uri", "message": "is not a file: URI"}],
        )
    return path


async def _record_applied(job: ApplyJob, uri: str, replaced: str, text: str) -> None:
    await job.folder.engine.execute(
        job.run_id,
        lambda _, at: lifecycle.record_applied(
            job.step, at, uri=uri, mode=job.mode, replaced=replaced, text=text
        ),
    )


# --- and out again --------------------------------------------------------------------


async def restore_text(
    documents: Documents,
    folder: WorkspaceFolder,
    run: PipelineRun,
    applied: AppliedText,
    *,
    wait_for_user: bool = False,
) -> ApplyResult:
    """Bring the writer's text back; what she typed since stays.

    Raises:
        DocumentChanged: the document is gone, or a new file has been edited since.
    """
    event = find_applied_event(folder, run, applied)
    if applied.mode == "new_file":
        result = _remove_created_file(documents, applied, event.text)
    else:
        outcome = await edit_document(
            documents,
            folder,
            applied.uri,
            lambda text: merge(event.text, text, event.replaced),
            wait_for_user=wait_for_user,
        )
        result = ApplyResult(uri=applied.uri, outcome=outcome)
    if result.outcome.is_applied:
        await folder.engine.execute(
            run.pipeline_run_id, lambda _, at: lifecycle.record_restored(applied, at)
        )
    return result


def _remove_created_file(
    documents: Documents, applied: AppliedText, text: str
) -> ApplyResult:
    if not files.remove_file(documents, _require_file_path(applied.uri), text):
        raise DocumentChanged(
            f"{applied.uri} has been edited since it was made; it stays.",
            hint="Remove it yourself if nothing in it is wanted.",
            uri=applied.uri,
        )
    return ApplyResult(uri=applied.uri, outcome=EditOutcome(is_applied=True))
