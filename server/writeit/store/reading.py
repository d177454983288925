"""Reading entities within one snapshot."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from writeit.ports import StoredRun
from writeit.store import failures, keys, shapes
from writeit.store.codec import decode, newer
from writeit.store.records import (
    EventRecord,
    Record,
    ResponseRecord,
    RunRecord,
    StepRecord,
)
from writeit.store.seal import intact, unsealed_text
from writeit.store.side_records import (
    ConfigurationRecord,
    LeaseRecord,
    PreferencesRecord,
    PrimerPointer,
    PrimerRecord,
    SessionRecord,
    UsedRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from writeit.core.errors import StoreError
    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.run import AIResponse, StepState
    from writeit.core.session import UserPreferences, UserSession
    from writeit.ports import Lease, UsageRecord
    from writeit.store.cache import Caches
    from writeit.store.snapshot import Snapshot

R = TypeVar("R", bound=Record)
T = TypeVar("T")

Waiting = dict["UUID", list[tuple[int, str]]]
"""Streamed text of responses that is not on the disk yet: offset and piece."""


def record(
    snapshot: Snapshot, kind: type[R], key: bytes, text: Callable[[str], str]
) -> R | None:
    """Read the record under `key`, if there is one.

    Raises:
        StoreError: it is damaged, or too new.
    """
    raw = snapshot.get(key)
    return None if raw is None else decoded(snapshot, kind, key, raw, text)


def decoded(
    snapshot: Snapshot,
    kind: type[R],
    key: bytes,
    raw: bytes,
    text: Callable[[str], str],
) -> R:
    """Decode what stood under `key`.

    Raises:
        StoreError: it is damaged, or too new.
    """
    return understood(snapshot, key, raw, lambda: decode(kind, raw, text))


def understood(snapshot: Snapshot, key: bytes, raw: bytes, make: Callable[[], T]) -> T:
    """Return what `make` makes of the value that stood under `key`.

    Raises:
        StoreError: it is damaged, or too new; its checksum tells which.
    """
    try:
        return make()
    except ValueError as error:
        shown = key.decode(errors="replace")
        if intact(key, raw) and (what := newer(error)):
            raise failures.too_new(snapshot.folder, f"{shown}: {what}") from error
        what = f"{shown} cannot be read ({error})"
        raise failures.corrupt(snapshot.folder, what) from error


def missing(snapshot: Snapshot, key: bytes) -> StoreError:
    """Build the error for a key that must be there."""
    return failures.corrupt(
        snapshot.folder, f"{key.decode(errors='replace')} is missing"
    )


def no_text(digest: str) -> str:
    """Stand in for texts where a record has none."""
    msg = f"an unexpected reference to text {digest}"
    raise ValueError(msg)


def usage(
    snapshot: Snapshot, start: bytes, limit: int
) -> list[tuple[bytes, UsageRecord]]:
    """Read what up to `limit` calls used, with their keys, from `start` on."""
    found = islice(snapshot.scan(keys.USAGE, start), limit)
    return [
        (key, shapes.usage_of(decoded(snapshot, UsedRecord, key, raw, no_text)))
        for key, raw in found
    ]


class Reading:
    """What can be read in one snapshot; texts that are shared are read once."""

    def __init__(self, snapshot: Snapshot, caches: Caches) -> None:
        self._snapshot = snapshot
        self._caches = caches
        self._texts: dict[str, str] = {}

    def run(self, run_id: UUID, waiting: Waiting) -> StoredRun | None:
        """Read a run; of what streams, what was journaled and what waits to be."""
        key = keys.run(run_id)
        raw = self._snapshot.get(key)
        if raw is None:
            return None
        stored = self._caches.runs.get(run_id, raw)
        if stored is None:
            found = decoded(self._snapshot, RunRecord, key, raw, self.text)
            steps = self._steps(run_id, found.step_names)
            run = understood(
                self._snapshot, key, raw, lambda: shapes.run_entity(found, steps)
            )
            stored = StoredRun(run, found.seq)
            self._caches.runs.add(raw, stored)
        run = shapes.with_streamed(
            stored.run, lambda response: self._streamed(run_id, response, waiting)
        )
        return StoredRun(run, stored.seq)

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first."""
        found = self._snapshot.scan(keys.events(run_id))
        return [self._event(key, raw) for key, raw in found]

    def _event(self, key: bytes, raw: bytes) -> Event:
        record = decoded(self._snapshot, EventRecord, key, raw, self.text)
        return understood(
            self._snapshot, key, raw, lambda: shapes.event_entity(record, self.response)
        )

    def response(self, response_id: UUID) -> AIResponse:
        """Read an answer that must be there."""
        response = self._caches.responses.get(response_id)
        if response is None:
            found = self._must(ResponseRecord, keys.response(response_id))
            response = shapes.response_entity(found)
            self._caches.responses.add(response)
        return response

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        found = self._record(ConfigurationRecord, keys.config(configuration_id))
        return None if found is None else found.configuration

    def primer(self, primer_id: str, version: str | None) -> StylePrimer | None:
        """Read a primer's version, by default the one used last."""
        if version is None:
            pointer = self._record(PrimerPointer, keys.primer(primer_id))
            if pointer is None:
                return None
            version = pointer.newest
        found = self._record(PrimerRecord, keys.primer(primer_id, version))
        return None if found is None else shapes.primer_entity(found)

    def lease(self, run_id: UUID) -> Lease | None:
        """Read who is asking models for a run."""
        found = self._record(LeaseRecord, keys.lease(run_id))
        return None if found is None else shapes.lease_of(found)

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        found = self._record(SessionRecord, keys.session(session_id))
        return None if found is None else found.session

    def preferences(self, user_id: str) -> UserPreferences | None:
        """Read what a user prefers."""
        found = self._record(PreferencesRecord, keys.preferences(user_id))
        return None if found is None else found.preferences

    def text(self, digest: str) -> str:
        """Read a text that must be there."""
        if digest not in self._texts:
            raw = self._snapshot.get(keys.text(digest))
            if raw is None:
                msg = f"text {digest} is missing"
                raise ValueError(msg)
            self._texts[digest] = raw.decode()
        return self._texts[digest]

    def _steps(self, run_id: UUID, names: Sequence[str]) -> dict[str, StepState]:
        responses = self._responses_of(run_id)
        return {
            name: shapes.step_entity(
                self._must(StepRecord, keys.step(run_id, name)), responses[name]
            )
            for name in names
        }

    def _responses_of(self, run_id: UUID) -> dict[str, list[AIResponse]]:
        """All answers of a run by step, in the order of their index."""
        found = defaultdict(list)
        for key, _ in self._snapshot.scan(keys.step_responses(run_id)):
            response = self.response(keys.id_at_end(key))
            found[keys.step_of_response(key)].append(response)
        return found

    def _streamed(self, run_id: UUID, response_id: UUID, waiting: Waiting) -> str:
        """Join what is on the disk and what is not yet; the two may overlap."""
        text = ""
        prefix = keys.journal_of(run_id, response_id)
        for _, raw in self._snapshot.scan(prefix):
            text += unsealed_text(raw).decode()
        for offset, piece in waiting.get(response_id, ()):
            if offset >= len(text):
                text += piece
        return text

    def _record(self, kind: type[R], key: bytes) -> R | None:
        return record(self._snapshot, kind, key, self.text)

    def _must(self, kind: type[R], key: bytes) -> R:
        found = self._record(kind, key)
        if found is None:
            raise missing(self._snapshot, key)
        return found
