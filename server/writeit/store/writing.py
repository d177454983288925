"""Writing a decision: its events, entities and indices, in one transaction.

What is there already is left as it is: only records that changed are written, texts
and responses that are shared are written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.errors import NotFound
from writeit.core.run import PipelineStatus
from writeit.core.session import LOCAL_USER
from writeit.ports import StaleDecision, StoredRun
from writeit.store import arriving, keys, kinship, reading, shapes
from writeit.store.cache import Caches
from writeit.store.codec import EMPTY, Texts, encode
from writeit.store.records import Listing, RunRecord
from writeit.store.seal import sealed
from writeit.store.side_records import (
    ConfigurationRecord,
    LeaseRecord,
    PreferencesRecord,
    PrimerPointer,
    SessionRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.run import PipelineRun, StepState
    from writeit.core.session import UserPreferences, UserSession
    from writeit.ports import Decision, Lease
    from writeit.store.cache import RunCache
    from writeit.store.records import Record
    from writeit.store.snapshot import Batch


@dataclass(frozen=True, slots=True)
class Written:
    """A run as a decision left it, with its record."""

    stored: StoredRun
    record: bytes


def write_decision(batch: Batch, decision: Decision, runs: RunCache) -> Written:
    """Write a decision whole.

    Raises:
        StaleDecision: the run has another seq than the decision was made at.
        NotFound: it branches off a run that was deleted meanwhile.
        BadExport: it comes from elsewhere and contradicts what is here.
    """
    run_id, key = decision.run.pipeline_run_id, keys.run(decision.run.pipeline_run_id)
    raw = batch.get(key)
    before = raw and reading.decoded(batch, Listing, key, raw, reading.no_text)
    seq = check_seq(decision, before.seq if before else 0)
    if decision.ancestors is None:
        check_parent(decision, lambda parent: batch.get(keys.run(parent)) is not None)
    else:
        arriving.make_room(batch, decision.run, decision.ancestors)
    known = runs.get(run_id, raw)
    run = shapes.without_streamed(decision.run)
    _write_events(batch, decision)
    _write_steps(batch, run, known.run if known else None)
    record = _write_run(batch, run, seq, before or None)
    for response_id in ended(decision.events):
        drop(batch, keys.journal_of(run_id, response_id))
    for response_id, used in shapes.used_by(run, decision.events).items():
        _write(batch, keys.usage(used.at, response_id), shapes.used_record(used))
    _write_what_comes_along(batch, decision)
    return Written(StoredRun(run, seq), record)


def check_seq(decision: Decision, seq: int) -> int:
    """Return the seq after `decision`, if it was made at `seq`.

    Raises:
        StaleDecision: it was not.
        ValueError: it has no events; a seq tells all that a run went through.
    """
    if not decision.events:
        msg = f"a decision on run {decision.run.pipeline_run_id} without events"
        raise ValueError(msg)
    if decision.expected_seq != seq:
        raise StaleDecision(
            f"Run {decision.run.pipeline_run_id} is at event {seq},"
            f" the decision was made at {decision.expected_seq}."
        )
    return seq + len(decision.events)


def check_parent(decision: Decision, is_there: Callable[[UUID], bool]) -> None:
    """Refuse a branch off a run that was deleted while it was decided.

    Raises:
        NotFound: it was.
    """
    first, parent_id = decision.events[0], decision.run.parent_pipeline_run_id
    if not isinstance(first, e.RunBranched) or parent_id is None:
        return
    if not is_there(parent_id):
        raise NotFound(
            f"Run {parent_id} was deleted, so nothing can branch off it.",
            hint="writeit.run.list names the runs that are here.",
        )


def ended(events: Iterable[Event]) -> list[UUID]:
    """The responses that ended by these events."""
    found = []
    for event in events:
        if isinstance(event, e.ResponseReceived | e.ResponseInterrupted):
            found.append(event.response.response_id)
        elif isinstance(event, e.ResponseFailed):
            found.append(event.response_id)
    return found


def moment_of(decision: Decision) -> datetime:
    """When the decision was made."""
    return decision.events[-1].at


def primer_dates(
    primer: StylePrimer, known: StylePrimer | None, at: datetime
) -> tuple[datetime, datetime]:
    """When a primer's version was first seen, and when last used."""
    created_at = (known and known.created_at) or primer.created_at or at
    return created_at, max(at, (known and known.last_used) or at)


def pinned_version(run: PipelineRun, primer: StylePrimer) -> str:
    """The version by which `run` knows the primer it was started with."""
    pinned = run.primer
    if pinned is None or pinned.primer_id != primer.primer_id:
        return primer.version
    return pinned.version


def write_session(batch: Batch, session: UserSession) -> None:
    """Write a session and list it as active."""
    _write(batch, keys.session(session.session_id), SessionRecord(session=session))
    _put(batch, keys.active_session(session.user_id, session.session_id), EMPTY)


def end_session(batch: Batch, session_id: UUID) -> None:
    """Take a session off the list of active ones."""
    key = keys.session(session_id)
    found = reading.record(batch, SessionRecord, key, reading.no_text)
    if found is not None:
        batch.delete(keys.active_session(found.session.user_id, session_id))


def write_preferences(batch: Batch, user_id: str, preferences: UserPreferences) -> None:
    """Write what a user prefers."""
    record = PreferencesRecord(preferences=preferences)
    _write(batch, keys.preferences(user_id), record)


def _write_events(batch: Batch, decision: Decision) -> None:
    run_id = decision.run.pipeline_run_id
    for seq, event in enumerate(decision.events, decision.expected_seq + 1):
        _write(batch, keys.event(run_id, seq), shapes.event_record(event))


def _write_steps(batch: Batch, run: PipelineRun, known: PipelineRun | None) -> None:
    """Write the steps that are not as they are known to be stored."""
    for name, step in run.steps.items():
        stored = known.steps.get(name) if known else None
        if step != stored:
            _write_step(batch, run.pipeline_run_id, step, stored)


def _write_step(
    batch: Batch, run_id: UUID, step: StepState, stored: StepState | None
) -> None:
    _write(batch, keys.step(run_id, step.step_name), shapes.step_record(step))
    there = stored.ai_responses if stored else ()
    for index, response in enumerate(step.ai_responses):
        if there[index : index + 1] == (response,):
            continue
        key = keys.step_response(run_id, step.step_name, index, response.response_id)
        _put(batch, key, EMPTY)
        response_key = keys.response(response.response_id)
        if batch.get(response_key) is None:
            _write(batch, response_key, shapes.response_record(response))


def _write_run(
    batch: Batch, run: PipelineRun, seq: int, before: Listing | None
) -> bytes:
    after = shapes.run_record(run, seq)
    old = index_entries(before) if before else {}
    new = index_entries(after)
    for key in old.keys() - new.keys():
        batch.delete(key)
    for key, value in new.items():
        if old.get(key) != value:
            batch.put(key, value)
    streaming = keys.streaming(run.pipeline_run_id)
    if run.is_streaming:
        _put(batch, streaming, EMPTY)
    else:
        batch.delete(streaming)
    return _write(batch, keys.run(run.pipeline_run_id), after)


def index_entries(run: Listing | RunRecord) -> dict[bytes, bytes]:
    """The index keys that a run should have, and their values."""
    run_id, parent_id = run.pipeline_run_id, run.parent_pipeline_run_id
    indices = [keys.recent_runs(LOCAL_USER), keys.run_by_config(run.configuration_id)]
    indices += [keys.run_by_uri(uri) for uri in shapes.documents_of(run)]
    if run.status is PipelineStatus.COMPLETED:
        indices.append(keys.completed_runs(LOCAL_USER))
    entries = {keys.at(index, run.created_at, run_id): EMPTY for index in indices}
    if parent_id is not None:
        entries |= kinship.entries(run_id, parent_id)
    return entries


def _write_what_comes_along(batch: Batch, decision: Decision) -> None:
    if decision.configuration is not None:
        _write_configuration(batch, decision.configuration, decision.run)
    if decision.primer is not None:
        _write_primer(batch, decision.primer, decision)
    if decision.session is not None:
        write_session(batch, decision.session)
    lease = keys.lease(decision.run.pipeline_run_id)
    if decision.release:
        batch.delete(lease)
    elif decision.lease is not None:
        _write(batch, lease, shapes.lease_record(decision.lease))


def renew(batch: Batch, leases: Mapping[UUID, Lease]) -> None:
    """Write new heartbeats of leases that are still the owner's."""
    for run_id, lease in leases.items():
        key = keys.lease(run_id)
        held = reading.record(batch, LeaseRecord, key, reading.no_text)
        if held is not None and held.owner == lease.owner:
            _write(batch, key, shapes.lease_record(lease))


def _write_configuration(
    batch: Batch, configuration: PipelineConfiguration, run: PipelineRun
) -> None:
    """Write a configuration under the id that its run knows it by."""
    key = keys.config(run.configuration_id)
    known = reading.record(batch, ConfigurationRecord, key, reading.no_text)
    if known is None:
        _write(batch, key, ConfigurationRecord(configuration=configuration))
        return
    here, there = known.configuration.configuration_id, configuration.configuration_id
    arriving.check_same(f"Pipeline {run.configuration_id}", here, there)


def _write_primer(batch: Batch, primer: StylePrimer, decision: Decision) -> None:
    """Write a primer's version with the days it was first and last used."""
    run = decision.run
    version = pinned_version(run, primer)
    key = keys.primer(primer.primer_id, version)
    known = reading.Reading(batch, Caches()).primer(primer.primer_id, version)
    if known is not None:
        what = f"Primer {primer.primer_id} ({version})"
        arriving.check_same(what, known.version, primer.version)
    created_at, last_used = primer_dates(primer, known, moment_of(decision))
    _write(batch, key, shapes.primer_record(primer, created_at, last_used))
    newest = keys.primer(primer.primer_id)
    if decision.ancestors is None or batch.get(newest) is None:
        _write(batch, newest, PrimerPointer(newest=version))
    uses = keys.primer_usage(primer.primer_id)
    _put(batch, keys.at(uses, run.created_at, run.pipeline_run_id), EMPTY)


def drop(batch: Batch, prefix: bytes) -> None:
    """Delete all keys that begin with `prefix`."""
    for key, _ in list(batch.scan(prefix)):
        batch.delete(key)


def _write(batch: Batch, key: bytes, record: Record) -> bytes:
    """Write a record, if it changed, and those of its texts that are new."""
    texts = Texts()
    raw = sealed(key, encode(record, texts))
    if _put(batch, key, raw):
        for digest, data in texts.found.items():
            batch.put_new(keys.text(digest), data)
    return raw


def _put(batch: Batch, key: bytes, value: bytes) -> bool:
    """Write a value, if it changed."""
    old = batch.get(key)
    if old == value:
        return False
    if old is None:
        batch.put(key, value)
    else:
        batch.replace(key, old, value)
    return True
