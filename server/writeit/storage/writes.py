"""Write a commit in one transaction: events, entities and indices.

Only records that changed are written. Texts and responses are written once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import InvalidExport, NotFound
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, PipelineStatus, StepState
from writeit.domain.run_bundle import Ancestor
from writeit.domain.session import LOCAL_USER, UserPreferences, UserSession
from writeit.ports.store import Lease, RunCommit, StaleCommit, StoredRun
from writeit.storage import keys, mapping, reads
from writeit.storage.cache import Caches, RunCache
from writeit.storage.integrity import add_checksum
from writeit.storage.reads import SnapshotReader
from writeit.storage.records import (
    EMPTY_VALUE,
    ActiveDocumentRecord,
    ConfigurationRecord,
    DraftsRecord,
    LeaseRecord,
    NewestPrimerRecord,
    PreferencesRecord,
    Record,
    RunRecord,
    RunSummaryRecord,
    SessionRecord,
    SharedTexts,
    UsageEntryRecord,
    encode_record,
)
from writeit.storage.snapshot import Batch, Snapshot


@dataclass(frozen=True, slots=True)
class CommittedRun:
    """A run after a commit, with its record."""

    stored: StoredRun
    record: bytes


def write_commit(batch: Batch, commit: RunCommit, runs: RunCache) -> CommittedRun:
    """Write a commit.

    Raises:
        StaleCommit: the run has another seq than the commit expects, or its parent
            other branches.
        NotFound: it branches off a run that was deleted meanwhile.
        InvalidExport: it is an import that conflicts with the store.
    """
    run_id, key = commit.run.pipeline_run_id, keys.run(commit.run.pipeline_run_id)
    raw = batch.get(key)
    before = raw and reads.decode_stored(batch, RunSummaryRecord, key, raw)
    seq = _next_seq(commit, before.seq if before else 0)
    if commit.ancestors is None:
        _check_parent(batch, commit)
    else:
        _prepare_import(batch, commit.run, commit.ancestors)
    known = runs.get(run_id, raw)
    run = mapping.without_streamed_text(commit.run)
    for number, event in enumerate(commit.events, commit.expected_seq + 1):
        write_record(batch, keys.event(run_id, number), mapping.event_record(event))
    _write_steps(batch, run, known.run if known else None)
    record = _write_run(batch, run, seq, before or None)
    for response_id in ended_response_ids(commit.events):
        delete_prefix(batch, keys.journal_prefix(run_id, response_id))
    for response_id, usage in mapping.usage_by_response(run, commit.events).items():
        usage_key = keys.usage(usage.at, response_id)
        write_record(batch, usage_key, UsageEntryRecord.model_validate(usage))
    _delete_used_drafts(batch, commit)
    _write_side_records(batch, commit)
    return CommittedRun(StoredRun(run, seq), record)


def _next_seq(commit: RunCommit, seq: int) -> int:
    """Return the seq after `commit`, which must expect `seq` and have events."""
    if not commit.events:
        raise ValueError(f"a commit of run {commit.run.pipeline_run_id} without events")
    if commit.expected_seq != seq:
        raise StaleCommit(
            f"Run {commit.run.pipeline_run_id} is at event {seq},"
            f" the commit expects {commit.expected_seq}."
        )
    return seq + len(commit.events)


def _check_parent(batch: Batch, commit: RunCommit) -> None:
    parent_id = commit.run.parent_pipeline_run_id
    if parent_id is None or not isinstance(commit.events[0], e.RunBranched):
        return
    if batch.get(keys.run(parent_id)) is None:
        raise NotFound(
            f"Run {parent_id} was deleted, so nothing can branch off it.",
            hint="List runs with: writeit log",
        )
    if commit.siblings not in {None, tuple(reads.read_children(batch, parent_id))}:
        raise StaleCommit(f"Run {parent_id} has another branch by now.")


def ended_response_ids(events: Iterable[Event]) -> list[UUID]:
    """Return the ids of the journals of the responses that `events` ended."""
    ids: list[UUID] = []
    for event in events:
        if isinstance(event, e.ResponseReceived | e.ResponseInterrupted):
            ids.append(event.response.response_id)
        elif isinstance(event, e.ResponseFailed):
            ids.append(event.response_id)
    return ids + [keys.thoughts_id(response_id) for response_id in ids]


def _write_steps(batch: Batch, run: PipelineRun, known: PipelineRun | None) -> None:
    """Write the steps that differ from those known to be stored."""
    for name, step in run.steps.items():
        stored = known.steps.get(name) if known else None
        if step != stored:
            _write_step(batch, run.pipeline_run_id, step, stored)


def _write_step(
    batch: Batch, run_id: UUID, step: StepState, stored: StepState | None
) -> None:
    write_record(batch, keys.step(run_id, step.step_name), mapping.step_record(step))
    known = stored.ai_responses if stored else ()
    for index, response in enumerate(step.ai_responses):
        if known[index : index + 1] == (response,):
            continue
        key = keys.step_response(run_id, step.step_name, index, response.response_id)
        _put_if_changed(batch, key, EMPTY_VALUE)
        response_key = keys.response(response.response_id)
        if batch.get(response_key) is None:
            write_record(batch, response_key, mapping.response_record(response))


def _write_run(
    batch: Batch, run: PipelineRun, seq: int, before: RunSummaryRecord | None
) -> bytes:
    after = mapping.run_record(run, seq)
    old = index_entries(batch, before) if before else {}
    new = index_entries(batch, after)
    for key in old.keys() - new.keys():
        batch.delete(key)
    for key, value in new.items():
        if old.get(key) != value:
            batch.put(key, value)
    streaming = keys.streaming(run.pipeline_run_id)
    if run.is_streaming:
        _put_if_changed(batch, streaming, EMPTY_VALUE)
    else:
        batch.delete(streaming)
    return write_record(batch, keys.run(run.pipeline_run_id), after)


def index_entries(
    snapshot: Snapshot, run: RunSummaryRecord | RunRecord
) -> dict[bytes, bytes]:
    """Return the index keys of a run, with their values."""
    run_id, parent_id = run.pipeline_run_id, run.parent_pipeline_run_id
    indices = [keys.recent_runs(LOCAL_USER), keys.run_by_config(run.configuration_id)]
    indices += [keys.run_by_uri(uri) for uri in mapping.document_uris(run)]
    entries = {
        keys.index_entry(index, run.created_at, run_id): EMPTY_VALUE
        for index in indices
    }
    if run.status is PipelineStatus.COMPLETED:
        completed = reads.completion_time(snapshot, run)
        index = keys.completed_runs(LOCAL_USER)
        entries[keys.index_entry(index, completed, run_id)] = EMPTY_VALUE
    if parent_id is not None:
        entries |= reads.branch_entries(run_id, parent_id)
    return entries


# Records that a commit writes besides the run


def _write_side_records(batch: Batch, commit: RunCommit) -> None:
    if commit.configuration is not None:
        _write_configuration(batch, commit.configuration, commit.run)
    if commit.primer is not None:
        _write_primer(batch, commit.primer, commit)
    _record_primer_use(batch, commit)
    for event in commit.events:
        if isinstance(event, e.RunMoved):
            _move_active_documents(batch, commit.run.pipeline_run_id, event.documents)
    if commit.activates:
        write_active_documents(batch, commit.run)
    if commit.session is not None:
        write_session(batch, commit.session)
    lease = keys.lease(commit.run.pipeline_run_id)
    if commit.release_lease:
        batch.delete(lease)
    elif commit.lease is not None:
        write_record(batch, lease, LeaseRecord.model_validate(commit.lease))


def _write_configuration(
    batch: Batch, configuration: PipelineConfiguration, run: PipelineRun
) -> None:
    """Write a configuration under the id that its run has for it."""
    key = keys.config(run.configuration_id)
    known = reads.read_record(batch, ConfigurationRecord, key)
    if known is None:
        write_record(batch, key, ConfigurationRecord(configuration=configuration))
    elif known.configuration.configuration_id != configuration.configuration_id:
        raise _other_content_error(f"Pipeline {run.configuration_id}")


def _write_primer(batch: Batch, primer: StylePrimer, commit: RunCommit) -> None:
    """Write a primer's version with the dates of its first and last use."""
    run, used_at = commit.run, commit.events[-1].at
    version = primer.version
    if run.primer is not None and run.primer.primer_id == primer.primer_id:
        version = run.primer.version
    known = SnapshotReader(batch, Caches()).primer(primer.primer_id, version)
    if known is not None and known.version != primer.version:
        raise _other_content_error(f"Primer {primer.primer_id} ({version})")
    created_at = (known and known.created_at) or primer.created_at or used_at
    last_used = (known and known.last_used) or created_at  # which means: not yet
    key = keys.primer(primer.primer_id, version)
    write_record(batch, key, mapping.primer_record(primer, created_at, last_used))
    newest = keys.primer(primer.primer_id)
    if commit.ancestors is None or batch.get(newest) is None:
        write_record(batch, newest, NewestPrimerRecord(newest=version))
    _index_primer_use(batch, primer.primer_id, run)


def _record_primer_use(batch: Batch, commit: RunCommit) -> None:
    """Date the use of a primer by the prompts that are sent with it."""
    run = commit.run
    if run.primer is None or commit.ancestors is not None:
        return
    sent = (event for event in commit.events if isinstance(event, e.ResponseStarted))
    uses = [event.at for event in sent if run.primer.is_in(event.prompt)]
    primer_id, version = run.primer.primer_id, run.primer.version
    known = uses and SnapshotReader(batch, Caches()).primer(primer_id, version)
    if not known or known.created_at is None:
        return
    last_used = max(*uses, known.last_used or known.created_at)
    record = mapping.primer_record(known, known.created_at, last_used)
    write_record(batch, keys.primer(primer_id, version), record)
    _index_primer_use(batch, primer_id, run)


def _index_primer_use(batch: Batch, primer_id: str, run: PipelineRun) -> None:
    index = keys.primer_usage(primer_id)
    key = keys.index_entry(index, run.created_at, run.pipeline_run_id)
    _put_if_changed(batch, key, EMPTY_VALUE)


def write_active_documents(batch: Batch, run: PipelineRun) -> None:
    """Make the documents of a run be about it."""
    record = ActiveDocumentRecord(run_id=run.pipeline_run_id)
    for uri in mapping.document_uris(run):
        write_record(batch, keys.active_document(uri), record)


def _move_active_documents(
    batch: Batch, run_id: UUID, documents: Mapping[str, str]
) -> None:
    """Make the new names be about the run where the old ones were."""
    record = ActiveDocumentRecord(run_id=run_id)
    for old, new in documents.items():
        key = keys.active_document(old)
        if reads.read_record(batch, ActiveDocumentRecord, key) == record:
            batch.delete(key)
            write_record(batch, keys.active_document(new), record)


def write_draft(
    batch: Batch, run_id: UUID, step: str, place: str, text: str, replaces: str | None
) -> str | None:
    """Write what the user typed in a place of a step; a blank text deletes it.

    Returns the text there if it is neither the one to replace nor the new one; then
    nothing is written.

    Raises:
        NotFound: the run was deleted meanwhile.
    """
    if batch.get(keys.run(run_id)) is None:
        raise NotFound(
            f"Run {run_id} was deleted, so the text was not saved.",
            hint="Copy the text. List runs with: writeit log",
        )
    texts = SnapshotReader(batch, Caches()).drafts(run_id, step)
    kept = texts.get(place, "")
    if replaces is not None and kept.strip() not in {text.strip(), replaces.strip()}:
        return kept
    _write_drafts(batch, run_id, step, texts | {place: text})
    return None


def _write_drafts(
    batch: Batch, run_id: UUID, step: str, texts: Mapping[str, str]
) -> None:
    key = keys.drafts(run_id, step)
    kept = {place: text for place, text in texts.items() if text.strip()}
    if kept:
        write_record(batch, key, DraftsRecord(texts=kept))
    else:
        batch.delete(key)


def _delete_used_drafts(batch: Batch, commit: RunCommit) -> None:
    """Delete the drafts whose words a decision has; others stay."""
    run_id = commit.run.pipeline_run_id
    for event in commit.events:
        match event:
            case e.ResponseSelected():
                answer = commit.run.steps[event.step].ai_responses[event.index]
                place, used = str(answer.response_id), event.content
                used = answer.processed_content if used is None else used
            case e.Merged():
                place, used = "merge", event.content
            case e.FeedbackGiven():
                place, used = "feedback", event.text
            case e.StepRegenerated():
                place, used = "feedback", event.feedback
            case _:
                continue
        drafts = SnapshotReader(batch, Caches()).drafts(run_id, event.step)
        draft = drafts.get(place)
        if draft is not None and _words(draft) in _words(used):
            rest = {key: text for key, text in drafts.items() if key != place}
            _write_drafts(batch, run_id, event.step, rest)


def _words(text: str) -> str:
    return " ".join(text.split())


def _other_content_error(subject: str) -> InvalidExport:
    """Return the error for a pipeline or primer whose id another one has.

    Only a manipulated import can have stored it: ids are not computed on import.
    """
    return InvalidExport(
        f"{subject} is stored already with other content; nothing was written.",
        reason="conflict",
        hint="The stored one came with an imported run. Change the description of"
        " yours, and it gets another id.",
    )


def renew_leases(batch: Batch, leases: Mapping[UUID, Lease]) -> None:
    """Write new heartbeats of leases that still have the same owner."""
    for run_id, lease in leases.items():
        key = keys.lease(run_id)
        stored = reads.read_record(batch, LeaseRecord, key)
        if stored is not None and stored.owner == lease.owner:
            write_record(batch, key, LeaseRecord.model_validate(lease))


def write_session(batch: Batch, session: UserSession) -> None:
    """Write a session and list it as active."""
    key = keys.session(session.session_id)
    write_record(batch, key, SessionRecord(session=session))
    active = keys.active_session(session.user_id, session.session_id)
    _put_if_changed(batch, active, EMPTY_VALUE)


def end_session(batch: Batch, session_id: UUID) -> None:
    """Remove a session from the list of active ones."""
    stored = reads.read_record(batch, SessionRecord, keys.session(session_id))
    if stored is not None:
        batch.delete(keys.active_session(stored.session.user_id, session_id))


def write_preferences(batch: Batch, user_id: str, preferences: UserPreferences) -> None:
    """Write a user's preferences."""
    record = PreferencesRecord(preferences=preferences)
    write_record(batch, keys.preferences(user_id), record)


# Imports


def _prepare_import(
    batch: Batch, run: PipelineRun, ancestors: Sequence[Ancestor]
) -> None:
    """Check an imported run, and write tombstones of its ancestors, nearest first.

    Raises:
        InvalidExport: it conflicts with the store.
    """
    _remove_tombstone(batch, run)
    for ancestor in ancestors:
        run_keys = (keys.run(ancestor.run_id), keys.tombstone(ancestor.run_id))
        if any(batch.get(key) is not None for key in run_keys):
            break  # its own ancestors are stored too
        _write_tombstone(batch, ancestor)
    _check_imported_responses(batch, run)


def _remove_tombstone(batch: Batch, run: PipelineRun) -> None:
    """Remove the tombstone of an imported run, which must have the same parent."""
    key = keys.tombstone(run.pipeline_run_id)
    tombstone = reads.read_record(batch, RunSummaryRecord, key)
    if tombstone is None:
        return
    parent = tombstone.parent_pipeline_run_id
    if parent != run.parent_pipeline_run_id:
        raise InvalidExport(
            f"Run {run.pipeline_run_id} was deleted here and branched off"
            f" {parent or 'no run'}; in the file it branches off"
            f" {run.parent_pipeline_run_id or 'no run'}. Nothing was imported.",
            reason="conflict",
            hint="Export the run again where it was made.",
        )
    batch.delete(key)


def _write_tombstone(batch: Batch, ancestor: Ancestor) -> None:
    fields = ancestor.model_dump(exclude={"run_id", "parent_run_id", "pipeline"})
    record = RunSummaryRecord(
        seq=0,
        pipeline_run_id=ancestor.run_id,
        configuration_id=ancestor.pipeline,
        parent_pipeline_run_id=ancestor.parent_run_id,
        **fields,
    )
    write_record(batch, keys.tombstone(ancestor.run_id), record)
    if ancestor.parent_run_id is not None:
        entries = reads.branch_entries(ancestor.run_id, ancestor.parent_run_id)
        for key, value in entries.items():
            batch.put(key, value)


def _check_imported_responses(batch: Batch, run: PipelineRun) -> None:
    """Refuse answers that are stored with other content, or in another tree of runs."""
    imported = {
        response.response_id: response
        for step in run.steps.values()
        for response in step.ai_responses
        if batch.get(keys.response(response.response_id)) is not None
    }
    if not imported:
        return
    root = reads.find_root(batch, run.parent_pipeline_run_id or run.pipeline_run_id)
    tree_responses = {
        response_id
        for relative in reads.walk_subtree(batch, root)
        for response_id in reads.response_ids(batch, relative)
    }
    reader = SnapshotReader(batch, Caches())
    for response_id, response in imported.items():
        is_same = reader.response(response_id) == response
        if is_same and response_id in tree_responses:
            continue
        raise InvalidExport(
            f"Answer {response_id} of run {run.pipeline_run_id} is stored already, "
            + ("in another run" if is_same else "with other content")
            + "; nothing was imported.",
            reason="conflict",
            hint="The file was edited or damaged. Export the run again where it was"
            " made.",
        )


# Keys and values


def delete_prefix(batch: Batch, prefix: bytes) -> None:
    """Delete all keys that begin with `prefix`."""
    for key in list(batch.scan_keys(prefix)):
        batch.delete(key)


def write_record(batch: Batch, key: bytes, record: Record) -> bytes:
    """Write a record if it changed, with its new texts; return the stored bytes."""
    texts = SharedTexts()
    raw = add_checksum(key, encode_record(record, texts))
    if _put_if_changed(batch, key, raw):
        for digest, data in texts.by_digest.items():
            batch.put_if_absent(keys.text(digest), data)
    return raw


def _put_if_changed(batch: Batch, key: bytes, value: bytes) -> bool:
    """Write a value if it changed, and return whether it did."""
    old = batch.get(key)
    if old == value:
        return False
    if old is None:
        batch.put(key, value)
    else:
        batch.replace(key, old, value)
    return True
