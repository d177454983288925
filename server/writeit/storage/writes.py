"""Writing a decision: its events, entities and indices, in one transaction.

What is there already is left as it is: only records that changed are written, texts
and responses that are shared are written once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import InvalidExport, NotFound
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import AIResponse, PipelineRun, PipelineStatus, StepState
from writeit.domain.run_bundle import Ancestor
from writeit.domain.session import LOCAL_USER, UserPreferences, UserSession
from writeit.ports.store import Lease, RunCommit, StaleCommit, StoredRun
from writeit.storage import keys, mapping, reads
from writeit.storage.cache import Caches, RunCache
from writeit.storage.checksum import add_checksum
from writeit.storage.reads import SnapshotReader
from writeit.storage.records import (
    EMPTY_VALUE,
    ConfigurationRecord,
    LeaseRecord,
    NewestPrimerRecord,
    PreferencesRecord,
    Record,
    RunRecord,
    RunSummaryRecord,
    SessionRecord,
    SharedTexts,
    encode_record,
)
from writeit.storage.snapshot import Batch

# --- Making room for a run that comes from elsewhere, in the transaction that writes it


def prepare_import(
    batch: Batch, run: PipelineRun, ancestors: Sequence[Ancestor]
) -> None:
    """Get the store ready for `run`, whose ancestors are these, the nearest first.

    Raises:
        BadExport: what is here contradicts it.
    """
    _remove_tombstone(batch, run)
    for ancestor in ancestors:
        if _is_known(batch, ancestor.run_id):
            break  # and so are those above
        _write_tombstone(batch, ancestor)
    _check_imported_responses(batch, run)


def run_responses(run: PipelineRun) -> dict[UUID, AIResponse]:
    """The answers that a run holds, by id."""
    return {
        answer.response_id: answer
        for step in run.steps.values()
        for answer in step.ai_responses
    }


def check_shared_responses(
    run: PipelineRun, known: Mapping[UUID, AIResponse], tree_response_ids: set[UUID]
) -> None:
    """Refuse a run whose answers are others' here; `family` is what relatives hold.

    Raises:
        BadExport: they are.
    """
    for response_id, answer in run_responses(run).items():
        here = known.get(response_id)
        if here is None or (here == answer and response_id in tree_response_ids):
            continue
        raise InvalidExport(
            f"Answer {response_id} of run {run.pipeline_run_id} is here already, "
            + ("as another run's" if here == answer else "and says something else")
            + "; nothing was imported.",
            reason="conflict",
            hint="Such a file was put together by hand, or damaged. Export the run"
            " again where it was made.",
        )


def check_same(what: str, here: str, there: str) -> None:
    """Refuse a pipeline or primer if another one is stored under its id.

    Only an import that somebody put together can have brought it: ids are taken as
    they stand. `here` and `there` are content hashes of both.

    Raises:
        BadExport: there is.
    """
    if here != there:
        raise InvalidExport(
            f"{what} is stored already and says something else; nothing was written.",
            reason="conflict",
            hint="The one that is stored came with an imported run. Change the"
            " description of yours, and it is stored as another one.",
        )


def check_same_parent(run: PipelineRun, parent: UUID | None) -> None:
    """Refuse a run that was deleted here and branched off another parent then.

    Raises:
        BadExport: it did.
    """
    if parent != run.parent_pipeline_run_id:
        raise InvalidExport(
            f"Run {run.pipeline_run_id} was here and branched off"
            f" {parent or 'no run'}; in the file it branches off"
            f" {run.parent_pipeline_run_id or 'no run'}. Nothing was imported.",
            reason="conflict",
            hint="Export the run again where it was made.",
        )


def tombstone_record(ancestor: Ancestor) -> RunSummaryRecord:
    """What stands for an ancestor that is not here: its line in the family."""
    fields = ancestor.model_dump(exclude={"run_id", "parent_run_id", "pipeline"})
    return RunSummaryRecord(
        seq=0,
        pipeline_run_id=ancestor.run_id,
        configuration_id=ancestor.pipeline,
        parent_pipeline_run_id=ancestor.parent_run_id,
        **fields,
    )


def _remove_tombstone(batch: Batch, run: PipelineRun) -> None:
    """Take away the tombstone of a run that comes back."""
    grave = keys.tombstone(run.pipeline_run_id)
    left = reads.read_record(
        batch, RunSummaryRecord, grave, reads.reject_text_reference
    )
    if left is not None:
        check_same_parent(run, left.parent_pipeline_run_id)
        batch.delete(grave)


def _is_known(batch: Batch, run_id: UUID) -> bool:
    places = (keys.run(run_id), keys.tombstone(run_id))
    return any(batch.get(place) is not None for place in places)


def _write_tombstone(batch: Batch, ancestor: Ancestor) -> None:
    grave, above = keys.tombstone(ancestor.run_id), ancestor.parent_run_id
    batch.put(
        grave,
        add_checksum(grave, encode_record(tombstone_record(ancestor), SharedTexts())),
    )
    if above is not None:
        for key, value in reads.branch_entries(ancestor.run_id, above).items():
            batch.put(key, value)


def _check_imported_responses(batch: Batch, run: PipelineRun) -> None:
    here = SnapshotReader(batch, Caches())
    known = {
        response_id: here.response(response_id)
        for response_id in run_responses(run)
        if batch.get(keys.response(response_id)) is not None
    }
    if not known:
        return
    above = run.parent_pipeline_run_id
    relatives = reads.walk_tree(batch, above or run.pipeline_run_id)
    held = {answer for each in relatives for answer in reads.response_ids(batch, each)}
    check_shared_responses(run, known, held)


# --- Writing a decision: its events, entities and indices, in one transaction ---------


@dataclass(frozen=True, slots=True)
class CommittedRun:
    """A run as a decision left it, with its record."""

    stored: StoredRun
    record: bytes


def write_commit(batch: Batch, commit: RunCommit, runs: RunCache) -> CommittedRun:
    """Write a decision whole.

    Raises:
        StaleDecision: the run has another seq than the decision was made at.
        NotFound: it branches off a run that was deleted meanwhile.
        BadExport: it comes from elsewhere and contradicts what is here.
    """
    run_id, key = commit.run.pipeline_run_id, keys.run(commit.run.pipeline_run_id)
    raw = batch.get(key)
    before = raw and reads.decode_stored(
        batch, RunSummaryRecord, key, raw, reads.reject_text_reference
    )
    seq = check_seq(commit, before.seq if before else 0)
    if commit.ancestors is None:
        check_parent_exists(
            commit, lambda parent: batch.get(keys.run(parent)) is not None
        )
    else:
        prepare_import(batch, commit.run, commit.ancestors)
    known = runs.get(run_id, raw)
    run = mapping.without_streamed_text(commit.run)
    _write_events(batch, commit)
    _write_steps(batch, run, known.run if known else None)
    record = _write_run(batch, run, seq, before or None)
    for response_id in ended_response_ids(commit.events):
        delete_prefix(batch, keys.journal_prefix(run_id, response_id))
    for response_id, used in mapping.usage_by_response(run, commit.events).items():
        _write_record(
            batch, keys.usage(used.at, response_id), mapping.usage_record(used)
        )
    _write_side_records(batch, commit)
    return CommittedRun(StoredRun(run, seq), record)


def check_seq(commit: RunCommit, seq: int) -> int:
    """Return the seq after `decision`, if it was made at `seq`.

    Raises:
        StaleDecision: it was not.
        ValueError: it has no events; a seq tells all that a run went through.
    """
    if not commit.events:
        msg = f"a decision on run {commit.run.pipeline_run_id} without events"
        raise ValueError(msg)
    if commit.expected_seq != seq:
        raise StaleCommit(
            f"Run {commit.run.pipeline_run_id} is at event {seq},"
            f" the decision was made at {commit.expected_seq}."
        )
    return seq + len(commit.events)


def check_parent_exists(commit: RunCommit, exists: Callable[[UUID], bool]) -> None:
    """Refuse a branch off a run that was deleted while it was decided.

    Raises:
        NotFound: it was.
    """
    first, parent_id = commit.events[0], commit.run.parent_pipeline_run_id
    if not isinstance(first, e.RunBranched) or parent_id is None:
        return
    if not exists(parent_id):
        raise NotFound(
            f"Run {parent_id} was deleted, so nothing can branch off it.",
            hint="writeit.run.list names the runs that are here.",
        )


def ended_response_ids(events: Iterable[Event]) -> list[UUID]:
    """The responses that ended by these events."""
    found = []
    for event in events:
        if isinstance(event, e.ResponseReceived | e.ResponseInterrupted):
            found.append(event.response.response_id)
        elif isinstance(event, e.ResponseFailed):
            found.append(event.response_id)
    return found


def commit_time(commit: RunCommit) -> datetime:
    """When the decision was made."""
    return commit.events[-1].at


def primer_dates(
    primer: StylePrimer, known: StylePrimer | None, used_at: datetime
) -> tuple[datetime, datetime]:
    """When a primer's version was first seen, and when last used."""
    created_at = (known and known.created_at) or primer.created_at or used_at
    return created_at, max(used_at, (known and known.last_used) or used_at)


def pinned_version(run: PipelineRun, primer: StylePrimer) -> str:
    """The version by which `run` knows the primer it was started with."""
    pinned = run.primer
    if pinned is None or pinned.primer_id != primer.primer_id:
        return primer.version
    return pinned.version


def write_session(batch: Batch, session: UserSession) -> None:
    """Write a session and list it as active."""
    _write_record(
        batch, keys.session(session.session_id), SessionRecord(session=session)
    )
    _put_if_changed(
        batch, keys.active_session(session.user_id, session.session_id), EMPTY_VALUE
    )


def end_session(batch: Batch, session_id: UUID) -> None:
    """Take a session off the list of active ones."""
    key = keys.session(session_id)
    found = reads.read_record(batch, SessionRecord, key, reads.reject_text_reference)
    if found is not None:
        batch.delete(keys.active_session(found.session.user_id, session_id))


def write_preferences(batch: Batch, user_id: str, preferences: UserPreferences) -> None:
    """Write what a user prefers."""
    record = PreferencesRecord(preferences=preferences)
    _write_record(batch, keys.preferences(user_id), record)


def _write_events(batch: Batch, commit: RunCommit) -> None:
    run_id = commit.run.pipeline_run_id
    for seq, event in enumerate(commit.events, commit.expected_seq + 1):
        _write_record(batch, keys.event(run_id, seq), mapping.event_record(event))


def _write_steps(batch: Batch, run: PipelineRun, known: PipelineRun | None) -> None:
    """Write the steps that are not as they are known to be stored."""
    for name, step in run.steps.items():
        stored = known.steps.get(name) if known else None
        if step != stored:
            _write_step(batch, run.pipeline_run_id, step, stored)


def _write_step(
    batch: Batch, run_id: UUID, step: StepState, stored: StepState | None
) -> None:
    _write_record(batch, keys.step(run_id, step.step_name), mapping.step_record(step))
    there = stored.ai_responses if stored else ()
    for index, response in enumerate(step.ai_responses):
        if there[index : index + 1] == (response,):
            continue
        key = keys.step_response(run_id, step.step_name, index, response.response_id)
        _put_if_changed(batch, key, EMPTY_VALUE)
        response_key = keys.response(response.response_id)
        if batch.get(response_key) is None:
            _write_record(batch, response_key, mapping.response_record(response))


def _write_run(
    batch: Batch, run: PipelineRun, seq: int, before: RunSummaryRecord | None
) -> bytes:
    after = mapping.run_record(run, seq)
    old = index_entries(before) if before else {}
    new = index_entries(after)
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
    return _write_record(batch, keys.run(run.pipeline_run_id), after)


def index_entries(run: RunSummaryRecord | RunRecord) -> dict[bytes, bytes]:
    """The index keys that a run should have, and their values."""
    run_id, parent_id = run.pipeline_run_id, run.parent_pipeline_run_id
    indices = [keys.recent_runs(LOCAL_USER), keys.run_by_config(run.configuration_id)]
    indices += [keys.run_by_uri(uri) for uri in mapping.document_uris(run)]
    if run.status is PipelineStatus.COMPLETED:
        indices.append(keys.completed_runs(LOCAL_USER))
    entries = {
        keys.index_entry(index, run.created_at, run_id): EMPTY_VALUE
        for index in indices
    }
    if parent_id is not None:
        entries |= reads.branch_entries(run_id, parent_id)
    return entries


def _write_side_records(batch: Batch, commit: RunCommit) -> None:
    if commit.configuration is not None:
        _write_configuration(batch, commit.configuration, commit.run)
    if commit.primer is not None:
        _write_primer(batch, commit.primer, commit)
    if commit.session is not None:
        write_session(batch, commit.session)
    lease = keys.lease(commit.run.pipeline_run_id)
    if commit.release_lease:
        batch.delete(lease)
    elif commit.lease is not None:
        _write_record(batch, lease, mapping.lease_record(commit.lease))


def renew_leases(batch: Batch, leases: Mapping[UUID, Lease]) -> None:
    """Write new heartbeats of leases that are still the owner's."""
    for run_id, lease in leases.items():
        key = keys.lease(run_id)
        held = reads.read_record(batch, LeaseRecord, key, reads.reject_text_reference)
        if held is not None and held.owner == lease.owner:
            _write_record(batch, key, mapping.lease_record(lease))


def _write_configuration(
    batch: Batch, configuration: PipelineConfiguration, run: PipelineRun
) -> None:
    """Write a configuration under the id that its run knows it by."""
    key = keys.config(run.configuration_id)
    known = reads.read_record(
        batch, ConfigurationRecord, key, reads.reject_text_reference
    )
    if known is None:
        _write_record(batch, key, ConfigurationRecord(configuration=configuration))
        return
    here, there = known.configuration.configuration_id, configuration.configuration_id
    check_same(f"Pipeline {run.configuration_id}", here, there)


def _write_primer(batch: Batch, primer: StylePrimer, commit: RunCommit) -> None:
    """Write a primer's version with the days it was first and last used."""
    run = commit.run
    version = pinned_version(run, primer)
    key = keys.primer(primer.primer_id, version)
    known = reads.SnapshotReader(batch, Caches()).primer(primer.primer_id, version)
    if known is not None:
        what = f"Primer {primer.primer_id} ({version})"
        check_same(what, known.version, primer.version)
    created_at, last_used = primer_dates(primer, known, commit_time(commit))
    _write_record(batch, key, mapping.primer_record(primer, created_at, last_used))
    newest = keys.primer(primer.primer_id)
    if commit.ancestors is None or batch.get(newest) is None:
        _write_record(batch, newest, NewestPrimerRecord(newest=version))
    uses = keys.primer_usage(primer.primer_id)
    _put_if_changed(
        batch, keys.index_entry(uses, run.created_at, run.pipeline_run_id), EMPTY_VALUE
    )


def delete_prefix(batch: Batch, prefix: bytes) -> None:
    """Delete all keys that begin with `prefix`."""
    for key, _ in list(batch.scan(prefix)):
        batch.delete(key)


def _write_record(batch: Batch, key: bytes, record: Record) -> bytes:
    """Write a record, if it changed, and those of its texts that are new."""
    texts = SharedTexts()
    raw = add_checksum(key, encode_record(record, texts))
    if _put_if_changed(batch, key, raw):
        for digest, data in texts.by_digest.items():
            batch.put_if_absent(keys.text(digest), data)
    return raw


def _put_if_changed(batch: Batch, key: bytes, value: bytes) -> bool:
    """Write a value, if it changed."""
    old = batch.get(key)
    if old == value:
        return False
    if old is None:
        batch.put(key, value)
    else:
        batch.replace(key, old, value)
    return True
