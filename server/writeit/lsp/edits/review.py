"""The changes that applies made in a document, until the user keeps or undoes each.

What is undone is read from the document. What is kept is a record beside the drafts of
the step: the time of the apply, and the keys of the changes. It is no event, because it
changes neither the run nor a text, and it has to survive the end of the editor and to
be the same in two editors. Without a record there is no review: the user has kept all,
or the apply was made by another program or an older version.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect
from collections.abc import Iterable, Sequence
from contextlib import suppress
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import NotFound, StoreError
from writeit.domain.run import AppliedText, PipelineRun
from writeit.domain.run_summary import RunSummary
from writeit.lsp.convert import normalized_uri
from writeit.lsp.documents import (
    OpenApplies,
    Review,
    ReviewedApply,
    ReviewedChange,
)
from writeit.lsp.edits.edit_retry import EditOutcome
from writeit.lsp.edits.files import edit_document
from writeit.lsp.folder import MAX_RUNS_READ, WorkspaceFolder
from writeit.ports.store import RunQuery
from writeit.text.changes import AppliedChanges, ChangedBlock, undo_blocks
from writeit.text.merge3 import MergeConflict, MergeResult

RECORD = "review"
"""The record's place among the drafts of a step."""
REST_SECONDS = 0.2
"""A text is read again when the user has not typed for so long."""
MAX_REST_SECONDS = 3.0

logger = logging.getLogger(__name__)


# --- what was applied, and what of it is kept ---


def find_applied_event(
    folder: WorkspaceFolder, run_id: UUID, applied: AppliedText
) -> e.TextApplied:
    """Return the event with the document's text before and after an apply.

    Raises:
        StoreError: the event is missing.
    """
    uri = applied.uri
    for event in reversed(folder.store.events(run_id)):
        if isinstance(event, e.RunMoved):  # what it was called before
            names = {new: old for old, new in event.documents.items()}
            uri = names.get(uri, uri)
        elif isinstance(event, e.TextApplied) and (event.uri, event.step) == (
            uri,
            applied.step,
        ):
            return event
    raise StoreError(
        f"The earlier text of {applied.uri} is missing from the run history.",
        reason="corrupt",
        hint="`writeit store verify` lists what else is missing.",
    )


async def open_review(
    folder: WorkspaceFolder, run: PipelineRun, applied: AppliedText
) -> None:
    """Begin the review of what was applied this moment; nothing of it is kept yet."""
    try:
        await _save_kept(folder, ReviewedApply(run.pipeline_run_id, applied), ())
    except (NotFound, StoreError) as error:  # the text itself is in place
        logger.warning("the changes cannot be reviewed: %s", error.message)


async def _save_kept(
    folder: WorkspaceFolder, apply: ReviewedApply, kept: Iterable[str] | None
) -> None:
    """Write what is kept of an apply; None ends its review."""
    record = "" if kept is None else "\n".join([_stamp(apply), *sorted(kept)])
    await folder.store.save_draft(apply.run_id, apply.applied.step, RECORD, record)
    folder.listener.notify_run_changed(apply.run_id)


def _stamp(apply: ReviewedApply) -> str:
    """Return what tells an apply from an earlier one of the same step."""
    return apply.applied.at.isoformat()


def _open_applies(
    folder: WorkspaceFolder, uri: str, listed: Sequence[RunSummary] | None = None
) -> OpenApplies:
    """Return the applies under review and what is kept, the newest first."""
    open_applies = []
    for apply in _list_applies(folder, uri, listed):
        drafts = folder.store.drafts(apply.run_id, apply.applied.step)
        stamp, *kept = drafts.get(RECORD, "").split("\n")
        if stamp == _stamp(apply):
            open_applies.append((apply, frozenset(kept)))
    return open_applies


def _list_applies(
    folder: WorkspaceFolder, uri: str, listed: Sequence[RunSummary] | None
) -> list[ReviewedApply]:
    """Return what was applied to a document, the newest first; runs are read once."""
    if listed is None:
        query = RunQuery(uri=uri, limit=MAX_RUNS_READ)
        listed = folder.store.list_runs(query).runs
    runs = [(run.run_id, run.updated_at) for run in listed if uri in run.applied_to]
    known_runs, known = folder.documents.applies.get(uri, ([], []))
    if runs == known_runs:
        return known
    found = [
        ReviewedApply(run_id, applied)
        for run_id, _ in runs
        if (stored := folder.store.get_run(run_id)) is not None
        for applied in stored.run.applied
        if applied.uri == uri and applied.mode != "new_file"
    ]
    found.sort(key=lambda apply: apply.applied.at, reverse=True)
    found = [known[known.index(one)] if one in known else one for one in found]
    folder.documents.applies[uri] = (runs, found)
    return found


# --- the changes in the text of now ---


async def find_review(
    folder: WorkspaceFolder, uri: str, listed: Sequence[RunSummary] | None = None
) -> Review | None:
    """Return what of a document can be kept or undone; None if nothing is reviewed.

    It is computed in a thread, after a rest if the user types. `listed`: the document's
    runs, if they are known.
    """
    documents, uri = folder.documents, normalized_uri(uri)
    if not _open_applies(folder, uri, listed):
        return None
    async with documents.review_lock:
        known = documents.reviews.get(uri)
        if known is not None and known.change_count != documents.change_count(uri):
            await documents.wait_for_idle(uri, REST_SECONDS, MAX_REST_SECONDS)
        applies = _open_applies(folder, uri, listed)
        change_count = documents.change_count(uri)
        same = known and (known.change_count, known.applies) == (change_count, applies)
        if same and documents.find_open(uri):
            return known
        try:
            text = documents.read_text(uri)
        except NotFound:
            return None
        for apply, _ in applies:
            await _compare(folder, apply)
        changes = await asyncio.to_thread(_find_changes, applies, text)
        review = Review(change_count, applies, text, changes)
        documents.reviews[uri] = review
    return review


async def _compare(folder: WorkspaceFolder, apply: ReviewedApply) -> None:
    """Find out what an apply changed."""
    if apply.changes is None:
        texts = ("", "")
        with suppress(StoreError):  # `store verify` and a restore report it
            event = find_applied_event(folder, apply.run_id, apply.applied)
            texts = (event.replaced, event.text)
        apply.changes = await asyncio.to_thread(AppliedChanges, *texts)


def _find_changes(applies: OpenApplies, text: str) -> list[ReviewedChange]:
    """Return the changes of a text in order; of those in one place the newest.

    What was kept hides older changes in its place, and is left out.
    """
    found: list[tuple[ReviewedChange, bool]] = []
    for apply, kept in applies:
        starts = [change.block.first for change, _ in found]
        for block in apply.changes.find_blocks(text) if apply.changes else ():
            place = bisect(starts, block.first)
            around = found[max(0, place - 1) : place + 1]
            if not any(block.touches(change.block) for change, _ in around):
                change = ReviewedChange(apply, block)
                found.append((change, kept.issuperset(block.keys)))
        found.sort(key=lambda one: one[0].block.first)
    return [change for change, is_kept in found if not is_kept]


def _require_change(review: Review | None, change_id: str) -> ReviewedChange:
    for change in review.changes if review else ():
        if change.id == change_id:
            return change
    raise NotFound(
        "This change is not in the document any more. Nothing was done.",
        hint="It was kept or undone already, or you have written over it.",
    )


# --- keep and undo ---


async def keep_changes(folder: WorkspaceFolder, uri: str, change_id: str | None) -> int:
    """Keep a change, or all; return how many.

    Raises:
        NotFound: there is no such change.
    """
    review = await find_review(folder, uri)
    chosen = None if change_id is None else _require_change(review, change_id)
    for apply, kept in review.applies if review else ():
        if chosen is None:
            await _save_kept(folder, apply, None)
        elif apply == chosen.apply:
            await _save_kept(folder, apply, kept.union(chosen.block.keys))
    return 1 if chosen else len(review.changes) if review else 0


async def undo_changes(
    folder: WorkspaceFolder,
    uri: str,
    change_id: str | None,
    *,
    wait_for_user: bool = False,
) -> EditOutcome:
    """Undo a change, or all, as one edit; what the user typed in it stays.

    The conflicts are the blocks that stay because the user edited them.

    Raises:
        NotFound: there is no such change.
    """
    review = await find_review(folder, uri)
    chosen = None if change_id is None else _require_change(review, change_id)
    applies = review.applies if review else ()
    return await edit_document(
        folder,
        uri,
        lambda text: _undo_in(text, applies, chosen),
        wait_for_user=wait_for_user,
    )


def _undo_in(
    text: str, applies: OpenApplies, chosen: ReviewedChange | None
) -> MergeResult:
    """Return a text without a change; without one chosen, as before all applies.

    Then the newest apply is undone first: else an older one takes its lines for its
    own.
    """
    if chosen is None and len(applies) > 1:
        newest = _undo_in(text, applies[:1], None)
        older = _undo_in(newest.text, applies[1:], None)
        return MergeResult(older.text, (*newest.conflicts, *older.conflicts))
    blocks: list[ChangedBlock] = []
    for _ in range(len(applies) + 1):
        changes = _find_changes(applies, text)
        blocks = [c.block for c in changes if chosen is None or c.id == chosen.id]
        undoable = [block for block in blocks if block.undone is not None]
        if not undoable:
            break
        ends = [one.changes.line_end for one, _ in applies if one.changes]
        text = undo_blocks(text, undoable, *ends[:1])
    conflicts = (MergeConflict("", block.before, block.before) for block in blocks)
    return MergeResult(text, tuple(conflicts))
