"""Read entities, the list of runs and the run tree within one snapshot."""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from writeit.domain.answer import AIResponse
from writeit.domain.errors import NotFound, StoreError
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineStatus, StepState
from writeit.domain.run_summary import RunSummary
from writeit.domain.session import LOCAL_USER, UserPreferences, UserSession
from writeit.ports.store import Lease, RunPage, RunQuery, StoredRun, UsageRecord
from writeit.storage import errors, keys, mapping, records
from writeit.storage.cache import Caches
from writeit.storage.integrity import has_valid_checksum, strip_text_checksum
from writeit.storage.snapshot import Snapshot

R = TypeVar("R", bound=records.Record)
T = TypeVar("T")

PendingText = dict["UUID", list[tuple[int, str]]]
"""Streamed text of responses that is not on the disk yet: offset and piece."""


def read_record(
    snapshot: Snapshot,
    record_type: type[R],
    key: bytes,
    read_text: Callable[[str], str] = records.reject_text_reference,
) -> R | None:
    """Read the record under `key`, or None.

    Raises:
        StoreError: it is damaged, or too new.
    """
    raw = snapshot.get(key)
    if raw is None:
        return None
    return decode_stored(snapshot, record_type, key, raw, read_text)


def decode_stored(
    snapshot: Snapshot,
    record_type: type[R],
    key: bytes,
    raw: bytes,
    read_text: Callable[[str], str] = records.reject_text_reference,
) -> R:
    """Decode the value of `key`.

    Raises:
        StoreError: it is damaged, or too new.
    """
    return run_decoder(
        snapshot, key, raw, lambda: records.decode_record(record_type, raw, read_text)
    )


def run_decoder(
    snapshot: Snapshot, key: bytes, raw: bytes, decoder: Callable[[], T]
) -> T:
    """Return the result of `decoder`, which decodes the value of `key`.

    Raises:
        StoreError: the value is damaged, or too new if its checksum is right.
    """
    try:
        return decoder()
    except ValueError as error:
        name = key.decode(errors="replace")
        if has_valid_checksum(key, raw) and (newer := records.describe_newer(error)):
            raise errors.too_new_error(snapshot.folder, f"{name}: {newer}") from error
        damage = f"{name} cannot be read ({error})"
        raise errors.corrupt_error(snapshot.folder, damage) from error


def missing_key_error(snapshot: Snapshot, key: bytes) -> StoreError:
    """Return the error for a key that must exist."""
    return errors.corrupt_error(
        snapshot.folder, f"{key.decode(errors='replace')} is missing"
    )


def read_usage(
    snapshot: Snapshot, start: bytes, limit: int
) -> list[tuple[bytes, UsageRecord]]:
    """Read up to `limit` usage records from the key `start` on, with their keys."""
    return [
        (
            key,
            mapping.usage_entity(
                decode_stored(snapshot, records.UsageEntryRecord, key, raw)
            ),
        )
        for key, raw in islice(snapshot.scan(keys.USAGE, start), limit)
    ]


class SnapshotReader:
    """Reads entities in one snapshot, and each shared text once."""

    def __init__(self, snapshot: Snapshot, caches: Caches) -> None:
        self.snapshot = snapshot
        self._caches = caches
        self._texts: dict[str, str] = {}

    def run(self, run_id: UUID, pending: PendingText) -> StoredRun | None:
        """Read a run with its streamed text, journaled and pending."""
        key = keys.run(run_id)
        raw = self.snapshot.get(key)
        if raw is None:
            return None
        stored = self._caches.runs.get(run_id, raw)
        if stored is None:
            record = decode_stored(
                self.snapshot, records.RunRecord, key, raw, self.shared_text
            )
            steps = self._read_steps(run_id, record.step_names)
            run = run_decoder(
                self.snapshot, key, raw, lambda: mapping.run_entity(record, steps)
            )
            stored = StoredRun(run, record.seq)
            self._caches.runs.add(raw, stored)
        run = mapping.with_streamed_text(
            stored.run, lambda response: self._streamed_text(run_id, response, pending)
        )
        return StoredRun(run, stored.seq)

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first."""
        events = self.snapshot.scan(keys.events_prefix(run_id))
        return [self._event(key, raw) for key, raw in events]

    def _event(self, key: bytes, raw: bytes) -> Event:
        record = decode_stored(
            self.snapshot, records.EventRecord, key, raw, self.shared_text
        )
        return run_decoder(
            self.snapshot, key, raw, lambda: mapping.event_entity(record, self.response)
        )

    def response(self, response_id: UUID) -> AIResponse:
        """Read an answer that must exist."""
        response = self._caches.responses.get(response_id)
        if response is None:
            record = self._read_required(
                records.ResponseRecord, keys.response(response_id)
            )
            response = mapping.response_entity(record)
            self._caches.responses.add(response_id, response)
        return response

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        record = self._read_record(
            records.ConfigurationRecord, keys.config(configuration_id)
        )
        return None if record is None else record.configuration

    def primer(self, primer_id: str, version: str | None) -> StylePrimer | None:
        """Read a primer's version, by default the one used last."""
        if version is None:
            pointer = self._read_record(
                records.NewestPrimerRecord, keys.primer(primer_id)
            )
            if pointer is None:
                return None
            version = pointer.newest
        record = self._read_record(
            records.PrimerRecord, keys.primer(primer_id, version)
        )
        return None if record is None else mapping.primer_entity(record)

    def primer_versions(self, primer_id: str) -> list[StylePrimer]:
        """Read the stored versions of a primer, in the order of their creation."""
        versions = [
            self._read_required(records.PrimerRecord, key)
            for key in self.snapshot.scan_keys(keys.primer(primer_id) + b":")
        ]
        versions.sort(key=lambda version: version.created_at)
        return [mapping.primer_entity(version) for version in versions]

    def active_run_of(self, uri: str) -> UUID | None:
        """Read the run that was last activated for a document."""
        record = self._read_record(
            records.ActiveDocumentRecord, keys.active_document(uri)
        )
        return None if record is None else record.run_id

    def drafts(self, run_id: UUID, step: str) -> dict[str, str]:
        """Read what the user typed in a step and no decision has taken."""
        record = self._read_record(records.DraftsRecord, keys.drafts(run_id, step))
        return {} if record is None else record.texts

    def lease(self, run_id: UUID) -> Lease | None:
        """Read the lease of a run."""
        record = self._read_record(records.LeaseRecord, keys.lease(run_id))
        return None if record is None else mapping.lease_entity(record)

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        record = self._read_record(records.SessionRecord, keys.session(session_id))
        return None if record is None else record.session

    def active_sessions(self, user_id: str) -> list[UserSession]:
        """Read a user's sessions that have not ended."""
        entries = self.snapshot.scan_keys(keys.active_sessions_prefix(user_id))
        sessions = [self.session(keys.trailing_id(key)) for key in entries]
        return [session for session in sessions if session is not None]

    def preferences(self, user_id: str) -> UserPreferences | None:
        """Read a user's preferences."""
        record = self._read_record(records.PreferencesRecord, keys.preferences(user_id))
        return None if record is None else record.preferences

    def shared_text(self, digest: str) -> str:
        """Read a text that must exist.

        Raises:
            ValueError: it does not.
        """
        if digest not in self._texts:
            raw = self.snapshot.get(keys.text(digest))
            if raw is None:
                raise ValueError(f"text {digest} is missing")
            self._texts[digest] = raw.decode()
        return self._texts[digest]

    def _read_steps(self, run_id: UUID, names: Sequence[str]) -> dict[str, StepState]:
        responses = self._responses_by_step(run_id)
        return {
            name: mapping.step_entity(
                self._read_required(records.StepRecord, keys.step(run_id, name)),
                responses[name],
            )
            for name in names
        }

    def _responses_by_step(self, run_id: UUID) -> dict[str, list[AIResponse]]:
        """Read all answers of a run by step, in the order of their index."""
        responses = defaultdict(list)
        for key in self.snapshot.scan_keys(keys.step_responses_prefix(run_id)):
            response = self.response(keys.trailing_id(key))
            responses[keys.step_of_response(key)].append(response)
        return responses

    def _streamed_text(
        self, run_id: UUID, response_id: UUID, pending: PendingText
    ) -> str:
        """Join journaled and pending text, which may overlap."""
        text = ""
        prefix = keys.journal_prefix(run_id, response_id)
        for _, raw in self.snapshot.scan(prefix):
            text += strip_text_checksum(raw).decode()
        for offset, piece in pending.get(response_id, ()):
            if offset >= len(text):
                text += piece
        return text

    def _read_record(self, record_type: type[R], key: bytes) -> R | None:
        return read_record(self.snapshot, record_type, key, self.shared_text)

    def _read_required(self, record_type: type[R], key: bytes) -> R:
        record = self._read_record(record_type, key)
        if record is None:
            raise missing_key_error(self.snapshot, key)
        return record


# The list of runs


def read_page(snapshot: Snapshot, query: RunQuery) -> RunPage:
    """Read one page of the list.

    Raises:
        NotFound: there is no run `query.older_than`.
    """
    runs: list[RunSummary] = []
    for key in _keys_newest_first(snapshot, query):
        if len(runs) >= query.limit:
            return RunPage(runs, runs[-1].run_id if runs else None)
        run = summarize(snapshot, _required_run_record(snapshot, keys.trailing_id(key)))
        if _matches_query(query, run):
            runs.append(run)
    return RunPage(runs)


def read_summary(snapshot: Snapshot, run_id: UUID) -> RunSummary | None:
    """Read the summary of a run or of its tombstone."""
    record = _run_summary_record(snapshot, run_id)
    if record is not None:
        return summarize(snapshot, record)
    tombstone = _tombstone_record(snapshot, run_id)
    return mapping.run_summary(tombstone, deleted=True) if tombstone else None


def summarize(snapshot: Snapshot, record: records.RunSummaryRecord) -> RunSummary:
    """Return the summary of a run; `store verify` reports a missing text."""

    def read_beginning(digest: str) -> str:
        raw = snapshot.get(keys.text(digest)) or b""
        return bytes(raw[:_BEGINNING_BYTES]).decode(errors="ignore")

    return mapping.run_summary(record, read_beginning)


_BEGINNING_BYTES = 1_000
"""What a summary needs of a long text."""


def _matches_query(query: RunQuery, run: RunSummary) -> bool:
    text = (query.text or "").casefold()
    return (
        query.status in {None, run.status}
        and query.pipeline in {None, run.pipeline}
        and (query.uri is None or query.uri in run.documents)
        and query.passages in {None, bool(run.passage) or run.is_review}
        and any(
            text in words.casefold()
            for words in (run.title, run.name or "", run.passage)
        )
    )


def _keys_newest_first(snapshot: Snapshot, query: RunQuery) -> Iterator[bytes]:
    """Yield the keys of the narrowest index that has all runs of the query."""
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
        before = _cursor_suffix(snapshot, query.older_than, by_completion=True)
        return _walk_index(snapshot, keys.completed_runs(LOCAL_USER), before)
    return _walk_index(snapshot, keys.recent_runs(LOCAL_USER), before)


def completion_time(
    snapshot: Snapshot, run: records.RunSummaryRecord | records.RunRecord
) -> datetime:
    """Return when a run was completed last, by its events.

    It is the time of the run's creation if no event says it: of an imported run.
    """
    run_id = run.pipeline_run_id
    newest = keys.event(run_id, run.seq + 1)
    for key in snapshot.scan_keys_reversed(keys.events_prefix(run_id), newest):
        raw = snapshot.get(key) or b""
        if b'"run_completed"' not in raw:
            continue
        event = decode_stored(snapshot, records.EventRecord, key, raw, lambda _: "")
        if event.event["type"] == "run_completed":
            return datetime.fromisoformat(str(event.event["at"]))
    return run.created_at


def _walk_index(snapshot: Snapshot, index: bytes, before: bytes) -> Iterator[bytes]:
    prefix = index + b":"
    return snapshot.scan_keys_reversed(prefix, prefix + before)


def _index_suffix(key: bytes) -> bytes:
    return key[-keys.INDEX_SUFFIX_LENGTH :]


def _cursor_suffix(
    snapshot: Snapshot, before: UUID | None, *, by_completion: bool = False
) -> bytes:
    """Return the suffix of the index keys of the run `before`, or one after all."""
    if before is None:
        return keys.prefix_end(b"")
    run = _run_summary_record(snapshot, before) or _tombstone_record(snapshot, before)
    if run is None:
        raise NotFound(
            f"There is no run {before} to continue the list from.",
            hint="List from the start.",
        )
    time = completion_time(snapshot, run) if by_completion else run.created_at
    return keys.index_suffix(time, before)


def _configuration_indices(snapshot: Snapshot, pipeline: str) -> Iterator[bytes]:
    """Yield the indices of all configurations of a pipeline, skipping their runs."""
    prefix = keys.run_by_pipeline(pipeline)
    key = snapshot.first_key(prefix)
    while key is not None and key.startswith(prefix):
        index = key[: -keys.INDEX_SUFFIX_LENGTH - 1]
        yield index
        key = snapshot.first_key(keys.prefix_end(index + b":"))


def _required_run_record(snapshot: Snapshot, run_id: UUID) -> records.RunSummaryRecord:
    record = _run_summary_record(snapshot, run_id)
    if record is None:
        raise missing_key_error(snapshot, keys.run(run_id))
    return record


def _run_summary_record(
    snapshot: Snapshot, run_id: UUID
) -> records.RunSummaryRecord | None:
    return read_record(snapshot, records.RunSummaryRecord, keys.run(run_id))


def _tombstone_record(
    snapshot: Snapshot, run_id: UUID
) -> records.RunSummaryRecord | None:
    return read_record(snapshot, records.RunSummaryRecord, keys.tombstone(run_id))


# The tree of runs, and the answers of a run


def read_children(snapshot: Snapshot, run_id: UUID) -> list[UUID]:
    """Read the branches of a run, oldest first: later ids sort later."""
    prefix = keys.branch_children_prefix(run_id)
    return [keys.trailing_id(key) for key in snapshot.scan_keys(prefix)]


def read_parent(snapshot: Snapshot, run_id: UUID) -> UUID | None:
    """Read the run, or tombstone, that a run branched off."""
    raw = snapshot.get(keys.branch_parent(run_id))
    return None if raw is None else UUID(json.loads(raw))


def find_root(snapshot: Snapshot, run_id: UUID) -> UUID:
    """Return the root of a run's tree."""
    while (parent := read_parent(snapshot, run_id)) is not None:
        run_id = parent
    return run_id


def walk_subtree(snapshot: Snapshot, run_id: UUID) -> Iterator[UUID]:
    """Yield a run and its descendants, each before its children."""
    stack = [run_id]
    while stack:
        descendant = stack.pop()
        yield descendant
        stack += read_children(snapshot, descendant)


def response_ids(snapshot: Snapshot, run_id: UUID) -> Iterator[UUID]:
    """Yield the ids of a run's answers."""
    for key in snapshot.scan_keys(keys.step_responses_prefix(run_id)):
        yield keys.trailing_id(key)


def branch_entries(run_id: UUID, parent_id: UUID) -> dict[bytes, bytes]:
    """Return the index keys that link a run to its parent, with their values."""
    return {
        keys.branch_parent(run_id): f'"{parent_id}"'.encode(),
        keys.branch_child(parent_id, run_id): records.EMPTY_VALUE,
    }
