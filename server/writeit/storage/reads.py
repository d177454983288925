"""Reading entities within one snapshot."""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar
from uuid import UUID

from writeit.domain.errors import NotFound, StoreError
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import AIResponse, PipelineStatus, StepState
from writeit.domain.run_summary import RunSummary
from writeit.domain.session import LOCAL_USER, UserPreferences, UserSession
from writeit.ports.store import Lease, RunPage, RunQuery, StoredRun, UsageRecord
from writeit.storage import errors, keys, mapping
from writeit.storage.cache import Caches
from writeit.storage.checksum import has_valid_checksum, strip_text_checksum
from writeit.storage.records import (
    EMPTY_VALUE,
    ConfigurationRecord,
    EventRecord,
    LeaseRecord,
    NewestPrimerRecord,
    PreferencesRecord,
    PrimerRecord,
    Record,
    ResponseRecord,
    RunRecord,
    RunSummaryRecord,
    SessionRecord,
    StepRecord,
    UsageEntryRecord,
    decode_record,
    describe_newer,
)
from writeit.storage.snapshot import Snapshot

# --- Reading entities within one snapshot ---------------------------------------------

R = TypeVar("R", bound=Record)
T = TypeVar("T")

PendingText = dict["UUID", list[tuple[int, str]]]
"""Streamed text of responses that is not on the disk yet: offset and piece."""


def read_record(
    snapshot: Snapshot,
    record_type: type[R],
    key: bytes,
    read_text: Callable[[str], str],
) -> R | None:
    """Read the record under `key`, if there is one.

    Raises:
        StoreError: it is damaged, or too new.
    """
    raw = snapshot.get(key)
    return (
        None
        if raw is None
        else decode_stored(snapshot, record_type, key, raw, read_text)
    )


def decode_stored(
    snapshot: Snapshot,
    record_type: type[R],
    key: bytes,
    raw: bytes,
    read_text: Callable[[str], str],
) -> R:
    """Decode what stood under `key`.

    Raises:
        StoreError: it is damaged, or too new.
    """
    return run_decoder(
        snapshot, key, raw, lambda: decode_record(record_type, raw, read_text)
    )


def run_decoder(
    snapshot: Snapshot, key: bytes, raw: bytes, decoder: Callable[[], T]
) -> T:
    """Return what `make` makes of the value that stood under `key`.

    Raises:
        StoreError: it is damaged, or too new; its checksum tells which.
    """
    try:
        return decoder()
    except ValueError as error:
        shown = key.decode(errors="replace")
        if has_valid_checksum(key, raw) and (what := describe_newer(error)):
            raise errors.too_new_error(snapshot.folder, f"{shown}: {what}") from error
        what = f"{shown} cannot be read ({error})"
        raise errors.corrupt_error(snapshot.folder, what) from error


def missing_key_error(snapshot: Snapshot, key: bytes) -> StoreError:
    """Build the error for a key that must be there."""
    return errors.corrupt_error(
        snapshot.folder, f"{key.decode(errors='replace')} is missing"
    )


def reject_text_reference(digest: str) -> str:
    """Stand in for texts where a record has none."""
    msg = f"an unexpected reference to text {digest}"
    raise ValueError(msg)


def read_usage(
    snapshot: Snapshot, start: bytes, limit: int
) -> list[tuple[bytes, UsageRecord]]:
    """Read what up to `limit` calls used, with their keys, from `start` on."""
    found = islice(snapshot.scan(keys.USAGE, start), limit)
    return [
        (
            key,
            mapping.usage_entity(
                decode_stored(
                    snapshot, UsageEntryRecord, key, raw, reject_text_reference
                )
            ),
        )
        for key, raw in found
    ]


class SnapshotReader:
    """What can be read in one snapshot; texts that are shared are read once."""

    def __init__(self, snapshot: Snapshot, caches: Caches) -> None:
        self._snapshot = snapshot
        self._caches = caches
        self._texts: dict[str, str] = {}

    def run(self, run_id: UUID, pending: PendingText) -> StoredRun | None:
        """Read a run; of what streams, what was journaled and what waits to be."""
        key = keys.run(run_id)
        raw = self._snapshot.get(key)
        if raw is None:
            return None
        stored = self._caches.runs.get(run_id, raw)
        if stored is None:
            found = decode_stored(self._snapshot, RunRecord, key, raw, self.shared_text)
            steps = self._read_steps(run_id, found.step_names)
            run = run_decoder(
                self._snapshot, key, raw, lambda: mapping.run_entity(found, steps)
            )
            stored = StoredRun(run, found.seq)
            self._caches.runs.add(raw, stored)
        run = mapping.with_streamed_text(
            stored.run, lambda response: self._streamed_text(run_id, response, pending)
        )
        return StoredRun(run, stored.seq)

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first."""
        found = self._snapshot.scan(keys.events_prefix(run_id))
        return [self._event(key, raw) for key, raw in found]

    def _event(self, key: bytes, raw: bytes) -> Event:
        record = decode_stored(self._snapshot, EventRecord, key, raw, self.shared_text)
        return run_decoder(
            self._snapshot,
            key,
            raw,
            lambda: mapping.event_entity(record, self.response),
        )

    def response(self, response_id: UUID) -> AIResponse:
        """Read an answer that must be there."""
        response = self._caches.responses.get(response_id)
        if response is None:
            found = self._read_required(ResponseRecord, keys.response(response_id))
            response = mapping.response_entity(found)
            self._caches.responses.add(response)
        return response

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        found = self._read_record(ConfigurationRecord, keys.config(configuration_id))
        return None if found is None else found.configuration

    def primer(self, primer_id: str, version: str | None) -> StylePrimer | None:
        """Read a primer's version, by default the one used last."""
        if version is None:
            pointer = self._read_record(NewestPrimerRecord, keys.primer(primer_id))
            if pointer is None:
                return None
            version = pointer.newest
        found = self._read_record(PrimerRecord, keys.primer(primer_id, version))
        return None if found is None else mapping.primer_entity(found)

    def lease(self, run_id: UUID) -> Lease | None:
        """Read who is asking models for a run."""
        found = self._read_record(LeaseRecord, keys.lease(run_id))
        return None if found is None else mapping.lease_entity(found)

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        found = self._read_record(SessionRecord, keys.session(session_id))
        return None if found is None else found.session

    def preferences(self, user_id: str) -> UserPreferences | None:
        """Read what a user prefers."""
        found = self._read_record(PreferencesRecord, keys.preferences(user_id))
        return None if found is None else found.preferences

    def shared_text(self, digest: str) -> str:
        """Read a text that must be there."""
        if digest not in self._texts:
            raw = self._snapshot.get(keys.text(digest))
            if raw is None:
                msg = f"text {digest} is missing"
                raise ValueError(msg)
            self._texts[digest] = raw.decode()
        return self._texts[digest]

    def _read_steps(self, run_id: UUID, names: Sequence[str]) -> dict[str, StepState]:
        responses = self._responses_by_step(run_id)
        return {
            name: mapping.step_entity(
                self._read_required(StepRecord, keys.step(run_id, name)),
                responses[name],
            )
            for name in names
        }

    def _responses_by_step(self, run_id: UUID) -> dict[str, list[AIResponse]]:
        """All answers of a run by step, in the order of their index."""
        found = defaultdict(list)
        for key, _ in self._snapshot.scan(keys.step_responses_prefix(run_id)):
            response = self.response(keys.trailing_id(key))
            found[keys.step_of_response(key)].append(response)
        return found

    def _streamed_text(
        self, run_id: UUID, response_id: UUID, pending: PendingText
    ) -> str:
        """Join what is on the disk and what is not yet; the two may overlap."""
        text = ""
        prefix = keys.journal_prefix(run_id, response_id)
        for _, raw in self._snapshot.scan(prefix):
            text += strip_text_checksum(raw).decode()
        for offset, piece in pending.get(response_id, ()):
            if offset >= len(text):
                text += piece
        return text

    def _read_record(self, record_type: type[R], key: bytes) -> R | None:
        return read_record(self._snapshot, record_type, key, self.shared_text)

    def _read_required(self, record_type: type[R], key: bytes) -> R:
        found = self._read_record(record_type, key)
        if found is None:
            raise missing_key_error(self._snapshot, key)
        return found


# --- The list of runs: which index to walk, and what passes the filters ---------------


def matches_query(query: RunQuery, run: RunSummary) -> bool:
    """Whether a run passes the filters; an empty filter passes all."""
    words = (query.text or "").casefold()
    return (
        query.status in {None, run.status}
        and query.pipeline in {None, run.pipeline}
        and (query.uri is None or query.uri in run.documents)
        and (words in run.title.casefold() or words in (run.name or "").casefold())
    )


def read_page(snapshot: Snapshot, query: RunQuery) -> RunPage:
    """Read one page of the list, and no further.

    Raises:
        NotFound: there is no run `query.before`.
    """
    runs: list[RunSummary] = []
    for key in _keys_newest_first(snapshot, query):
        if len(runs) >= query.limit:
            return RunPage(runs, runs[-1].run_id if runs else None)
        run = mapping.run_summary(_required_run_record(snapshot, keys.trailing_id(key)))
        if matches_query(query, run):
            runs.append(run)
    return RunPage(runs)


def read_summary(snapshot: Snapshot, run_id: UUID) -> RunSummary | None:
    """Read the line of one run, or of the tombstone it left."""
    found = _run_summary_record(snapshot, run_id)
    if found is not None:
        return mapping.run_summary(found)
    left = _tombstone_record(snapshot, run_id)
    return None if left is None else mapping.run_summary(left, deleted=True)


def unknown_cursor_error(run_id: UUID) -> NotFound:
    """Build the refusal for a cursor that is not a run."""
    return NotFound(
        f"There is no run {run_id} to list on from.", hint="List from the start."
    )


def _keys_newest_first(snapshot: Snapshot, query: RunQuery) -> Iterator[bytes]:
    """Walk the narrowest index that holds all runs asked for."""
    before = _cursor_suffix(snapshot, query.older_than)
    if query.uri is not None:
        return _walk_index(snapshot, keys.run_by_uri(query.uri), before)
    if query.pipeline is not None:
        indices = [
            _walk_index(snapshot, index, before)
            for index in _configuration_indices(snapshot, query.pipeline)
        ]
        return heapq.merge(*indices, key=_index_suffix, reverse=True)
    if query.status is PipelineStatus.COMPLETED:
        return _walk_index(snapshot, keys.completed_runs(LOCAL_USER), before)
    return _walk_index(snapshot, keys.recent_runs(LOCAL_USER), before)


def _walk_index(snapshot: Snapshot, index: bytes, before: bytes) -> Iterator[bytes]:
    prefix = index + b":"
    return snapshot.scan_keys_reversed(prefix, prefix + before)


def _index_suffix(key: bytes) -> bytes:
    return key[-keys.INDEX_SUFFIX_LENGTH :]


def _cursor_suffix(snapshot: Snapshot, before: UUID | None) -> bytes:
    """Where to begin: how the keys of the run `before` end, or behind all."""
    if before is None:
        return keys.prefix_end(b"")
    run = _run_summary_record(snapshot, before) or _tombstone_record(snapshot, before)
    if run is None:
        raise unknown_cursor_error(before)
    return keys.index_suffix(run.created_at, before)


def _configuration_indices(snapshot: Snapshot, pipeline: str) -> Iterator[bytes]:
    """The indices of all configurations of a pipeline, by leaping over their runs."""
    prefix = keys.run_by_pipeline(pipeline)
    key = snapshot.first_key(prefix)
    while key is not None and key.startswith(prefix):
        index = key[: -keys.INDEX_SUFFIX_LENGTH - 1]
        yield index
        key = snapshot.first_key(keys.prefix_end(index + b":"))


def _required_run_record(snapshot: Snapshot, run_id: UUID) -> RunSummaryRecord:
    found = _run_summary_record(snapshot, run_id)
    if found is None:
        raise missing_key_error(snapshot, keys.run(run_id))
    return found


def _run_summary_record(snapshot: Snapshot, run_id: UUID) -> RunSummaryRecord | None:
    return read_record(
        snapshot, RunSummaryRecord, keys.run(run_id), reject_text_reference
    )


def _tombstone_record(snapshot: Snapshot, run_id: UUID) -> RunSummaryRecord | None:
    return read_record(
        snapshot, RunSummaryRecord, keys.tombstone(run_id), reject_text_reference
    )


# --- Who branched off whom, and which answers a run holds -----------------------------


def read_children(snapshot: Snapshot, run_id: UUID) -> list[UUID]:
    """The runs that branched off a run, oldest first: later ids sort later."""
    prefix = keys.branch_children_prefix(run_id)
    return [keys.trailing_id(key) for key, _ in snapshot.scan(prefix)]


def read_parent(snapshot: Snapshot, run_id: UUID) -> UUID | None:
    """The run that a run branched off, be it a tombstone."""
    raw = snapshot.get(keys.branch_parent(run_id))
    return None if raw is None else UUID(json.loads(raw))


def find_root(snapshot: Snapshot, run_id: UUID) -> UUID:
    """The run that a run's family began with."""
    while (above := read_parent(snapshot, run_id)) is not None:
        run_id = above
    return run_id


def walk_subtree(snapshot: Snapshot, run_id: UUID) -> Iterator[UUID]:
    """A run and all that branched off it, each before its children."""
    waiting = [run_id]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += read_children(snapshot, each)


def walk_tree(snapshot: Snapshot, run_id: UUID) -> Iterator[UUID]:
    """A run's whole family, the run among them."""
    return walk_subtree(snapshot, find_root(snapshot, run_id))


def response_ids(snapshot: Snapshot, run_id: UUID) -> Iterator[UUID]:
    """The answers that a run holds."""
    for key, _ in snapshot.scan(keys.step_responses_prefix(run_id)):
        yield keys.trailing_id(key)


def branch_entries(run_id: UUID, parent_id: UUID) -> dict[bytes, bytes]:
    """The index keys that join a run to its parent, and their values."""
    return {
        keys.branch_parent(run_id): f'"{parent_id}"'.encode(),
        keys.branch_child(parent_id, run_id): EMPTY_VALUE,
    }
