"""The check of a store, on a copy and in a process of its own.

First the data file is checked without LMDB, which damage could crash. Then each run is
rebuilt: its events are replayed and written into a `MemoryBatch` by the ordinary
writers, and every key and value of it must be stored. At last every stored key is
checked: its checksum, and that it is part of a run or has its own key.

Run as a module with a folder, this writes the result to stdout as JSON.
"""

from __future__ import annotations

import gc
import hashlib
import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from uuid import UUID

import lmdb

from writeit.domain import state_machine
from writeit.domain.errors import StoreError, WriteItError
from writeit.domain.run import pipeline_name
from writeit.ports.store import RunCommit, StoreProblem, VerifyResult
from writeit.storage import (
    errors,
    integrity,
    keys,
    migrations,
    reads,
    records,
    writes,
)
from writeit.storage.cache import Caches
from writeit.storage.environment import LmdbEnvironment, read_unused_store
from writeit.storage.location import temporary_folder
from writeit.storage.reads import SnapshotReader
from writeit.storage.snapshot import DATA_FILE, MemoryBatch, Snapshot

_MAX_ERROR_CHARACTERS = 300
_DAMAGED_VALUE = "Its value was damaged: it is not the one that was written."
_DAMAGED_ORDER = "It is not found by its key: the order of keys is damaged."
_RECORD_TYPES: dict[str, type[records.Record]] = {
    "run": records.RunRecord,
    "step": records.StepRecord,
    "response": records.ResponseRecord,
    "event": records.EventRecord,
    "usage": records.UsageEntryRecord,
    "tombstone": records.RunSummaryRecord,
    "lease": records.LeaseRecord,
    "config": records.ConfigurationRecord,
    "primer": records.PrimerRecord,
    "session": records.SessionRecord,
    "preferences": records.PreferencesRecord,
    "active_document": records.ActiveDocumentRecord,
    "draft": records.DraftsRecord,
}
_RUN_ID_SECOND = frozenset(
    {"run", "step", "step_responses", "event", "journal", "draft"}
)
"""Kinds of keys whose second part is the id of their run."""
_RUN_ID_LAST = frozenset(
    {
        *("recent_runs", "completed_runs", "run_by_config", "run_by_uri"),
        *("primer_usage", "branch_parent", "branch_children", "streaming", "lease"),
    }
)
"""Kinds of keys that end with the id of their run."""
_PRIMER_POINTER_PARTS = 2
"""Parts of the key of a pointer to the newest version of a primer."""


def _describe_error(error: BaseException, *, is_undamaged: bool = False) -> str:
    """Return an error on one line; of an undamaged record, what is newer in it."""
    if isinstance(error, StoreError) and error.__cause__ is not None:
        is_undamaged = error.reason == "too_new"
        error = error.__cause__
    if is_undamaged and (newer := records.describe_newer(error)):
        return f"a newer WriteIt wrote it ({newer}); update WriteIt"
    message = " ".join(str(error).split())[:_MAX_ERROR_CHARACTERS].rstrip(".")
    return message or type(error).__name__


def _is_damaged(key: bytes, raw: bytes) -> bool:
    """Return whether a value is not the one that was written, by its checksum."""
    if key.startswith(keys.RECORD_PREFIXES):
        return not integrity.has_valid_checksum(key, raw)
    if key.startswith((keys.JOURNAL, keys.CHANGES)):
        return not integrity.has_valid_text_checksum(key, raw)
    if key.startswith(keys.TEXTS):
        return keys.text(hashlib.sha256(raw).hexdigest()) != key
    if key.startswith(b"branch_parent:") or key == keys.SCHEMA:
        return False  # compared with the value that it must have
    return raw != records.EMPTY_VALUE


class Verification:
    """The check of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._caches = Caches()
        self.problems: list[StoreProblem] = []
        self._run_ids: set[UUID] = set()
        self._unreadable_run_ids: set[UUID] = set()
        """Runs that cannot be rebuilt: their keys are not checked further."""
        self._expected_keys: set[bytes] = set()
        """Keys that were rebuilt and compared, besides those under a run's prefixes."""
        self._allowed_keys: set[bytes] = set()
        """Keys that may exist or not."""
        self._streaming: set[tuple[UUID, UUID]] = set()
        """Answers that are streaming, by run and response."""

    def check_all(self) -> VerifyResult:
        """Check every run and every key."""
        expected = MemoryBatch(self._snapshot.folder)
        expected.put(keys.SCHEMA, migrations.schema_value(migrations.SCHEMA_VERSION))
        self._compare(expected)
        for key, raw in self._snapshot.scan(keys.RUNS):
            self._check_run(key, raw)
        for key, raw in self._snapshot.scan(keys.TOMBSTONES):
            self._check_tombstone(key, raw)
        checked = 0
        for key, raw in self._snapshot.scan(b""):
            checked += 1
            self._check_key(key, raw)
        return VerifyResult(checked=checked, problems=self.problems)

    def _add_problem(self, key: bytes, message: str) -> None:
        self.problems.append(StoreProblem(key.decode(errors="replace"), message))

    def _require_key(self, holder: bytes, key: bytes, description: str) -> None:
        """Add a problem of `holder` if `key`, which it refers to, is missing."""
        if self._snapshot.get(key) is None:
            name = key.decode(errors="replace")
            self._add_problem(holder, f"The {description} {name} is missing.")

    # Runs

    def _check_run(self, key: bytes, raw: bytes) -> None:
        """Rebuild a run from its events, and compare all that is stored of it."""
        try:
            run_id = keys.trailing_id(key)
        except ValueError:
            return  # reported with the other keys
        self._run_ids.add(run_id)
        try:
            batch = self._rebuild_run(run_id, key, raw)
        except (WriteItError, ValueError, LookupError) as error:
            self._unreadable_run_ids.add(run_id)
            is_undamaged = integrity.has_valid_checksum(key, raw)
            reason = _describe_error(error, is_undamaged=is_undamaged)
            self._add_problem(key, f"The run cannot be rebuilt: {reason}.")
            return
        self._compare(batch)
        self._check_run_prefixes(run_id, batch)

    def _rebuild_run(self, run_id: UUID, key: bytes, raw: bytes) -> MemoryBatch:
        """Return what the writers write for the events of a run.

        Raises:
            StoreError: an event or a response cannot be read.
            WriteItError: the events do not make a run.
            ValueError: the run's record cannot be read, or lacks events.
        """
        reader = SnapshotReader(self._snapshot, self._caches)
        record = records.decode_record(records.RunRecord, raw, reader.shared_text)
        events = reader.events(run_id)
        if len(events) != record.seq:
            raise ValueError(
                f"it is at event {record.seq}, but {len(events)} events are stored"
            )
        run = state_machine.replay(events)
        # Without its own ancestors, so that the parent need not be in the batch.
        commit = RunCommit(run=run, events=tuple(events), expected_seq=0, ancestors=())
        batch = MemoryBatch(self._snapshot.folder)
        writes.write_commit(batch, commit, Caches().runs)
        self._streaming.update(
            (run_id, journal_id)
            for step in run.steps.values()
            for stream in step.streaming
            for journal_id in (
                stream.response_id,
                keys.thoughts_id(stream.response_id),
            )
        )
        self._check_run_references(key, record, batch)
        return batch

    def _check_run_references(
        self, key: bytes, run: records.RunRecord, batch: MemoryBatch
    ) -> None:
        """Check that what a run refers to exists, and add its use of a primer."""
        self._require_key(key, keys.config(run.configuration_id), "configuration")
        parent = run.parent_pipeline_run_id
        if parent is not None and self._snapshot.get(keys.tombstone(parent)) is None:
            self._require_key(key, keys.run(parent), "run that it branched off")
        if run.primer is None:
            return
        primer_id = run.primer.primer_id
        self._require_key(key, keys.primer(primer_id, run.primer.version), "primer")
        self._require_key(key, keys.primer(primer_id), "pointer to its newest primer")
        uses = keys.primer_usage(primer_id)
        use = keys.index_entry(uses, run.created_at, run.pipeline_run_id)
        if parent is None:
            batch.put(use, records.EMPTY_VALUE)
        else:
            self._allowed_keys.add(use)  # an imported branch has one

    def _check_run_prefixes(self, run_id: UUID, batch: MemoryBatch) -> None:
        """Check that nothing else is stored of a run than was rebuilt."""
        prefixes = tuple(keys.run_prefixes(run_id))
        for prefix in prefixes:
            if prefix.startswith((keys.JOURNAL, keys.DRAFTS)):
                continue  # text that no event has yet
            for key in self._snapshot.scan_keys(prefix):
                if key not in batch.entries:
                    self._add_problem(key, f"It is not part of run {run_id}.")
        self._expected_keys.update(
            key for key in batch.entries if not key.startswith((*prefixes, keys.TEXTS))
        )

    def _check_tombstone(self, key: bytes, raw: bytes) -> None:
        record = self._read_record(records.RunSummaryRecord, key, raw)
        if not isinstance(record, records.RunSummaryRecord):
            return
        run_id, parent = record.pipeline_run_id, record.parent_pipeline_run_id
        if key != keys.tombstone(run_id):
            self._add_problem(key, f"It is of another deleted run, {run_id}.")
            return
        if run_id in self._run_ids:
            self._add_problem(key, "The run still exists.")
        if not any(self._snapshot.scan_keys(keys.branch_children_prefix(run_id))):
            self._add_problem(key, "No run branched off it: it should be deleted.")
        if parent is not None:
            expected = MemoryBatch(self._snapshot.folder)
            expected.entries.update(reads.branch_entries(run_id, parent))
            self._compare(expected)
            self._expected_keys.update(expected.entries)

    # Expected keys and values

    def _compare(self, expected: MemoryBatch) -> None:
        """Compare expected keys and values with those that are stored."""
        for key, value in expected.entries.items():
            if key.startswith(keys.TEXTS):
                continue  # read with each record that refers to it
            raw = self._snapshot.get(key)
            if raw is None:
                self._add_problem(key, "It is missing.")
            elif raw != value and not _is_damaged(key, raw):
                self._compare_values(key, raw, expected)
            elif key.startswith(keys.STEPS):
                self._read_record(records.StepRecord, key, raw)

    def _compare_values(self, key: bytes, raw: bytes, batch: MemoryBatch) -> None:
        """Report the fields of a record that differ, or that another value differs.

        The bytes alone may differ: of a record that an older WriteIt wrote, and of a
        reference to a damaged text, which has a problem of its own.
        """
        record_type = _RECORD_TYPES.get(key.partition(b":")[0].decode())
        if record_type is None:
            self._add_problem(key, _DAMAGED_VALUE)
            return
        stored = self._read_record(record_type, key, raw)
        expected = self._read_record(record_type, key, batch.entries[key], batch)
        if stored is None or expected is None:
            return
        fields = [name for name, field in stored if field != getattr(expected, name)]
        came_later = {"incomplete", "blind"}
        fields = [name for name in fields if name not in came_later]
        if fields:
            names = ", ".join(fields)
            self._add_problem(key, f"It differs from the run's events in: {names}.")

    def _read_record(
        self,
        record_type: type[records.Record],
        key: bytes,
        raw: bytes,
        snapshot: Snapshot | None = None,
    ) -> records.Record | None:
        """Decode a record, or add a problem and return None."""
        reader = SnapshotReader(snapshot or self._snapshot, self._caches)
        try:
            return records.decode_record(record_type, raw, reader.shared_text)
        except (ValueError, LookupError) as error:
            is_undamaged = integrity.has_valid_checksum(key, raw)
            reason = _describe_error(error, is_undamaged=is_undamaged)
            self._add_problem(key, f"It cannot be read: {reason}.")
            return None

    # Stored keys and values

    def _check_key(self, key: bytes, raw: bytes) -> None:
        if self._snapshot.get(key) != raw:
            self._add_problem(key, _DAMAGED_ORDER)
        if _is_damaged(key, raw):
            self._add_problem(key, _DAMAGED_VALUE)
            return
        if key in self._expected_keys or key.startswith((keys.TEXTS, keys.TOMBSTONES)):
            return
        try:
            self._check_other_key(key, raw)
        except (ValueError, LookupError) as error:
            self._add_problem(key, f"It is invalid: {_describe_error(error)}.")

    def _check_other_key(self, key: bytes, raw: bytes) -> None:
        """Check a key that was not rebuilt from the events of a run."""
        parts = key.decode(errors="replace").split(":")
        kind = parts[0]
        if kind in _RUN_ID_SECOND or kind in _RUN_ID_LAST:
            run_id = UUID(parts[1]) if kind in _RUN_ID_SECOND else keys.trailing_id(key)
            self._check_run_key(kind, key, raw, run_id)
        elif kind == "active_sessions":
            self._check_active_session(key)
        elif kind == "primer" and len(parts) == _PRIMER_POINTER_PARTS:
            pointer = self._read_record(records.NewestPrimerRecord, key, raw)
            if isinstance(pointer, records.NewestPrimerRecord):
                self._require_key(key, keys.primer(parts[1], pointer.newest), "version")
        elif kind in _RECORD_TYPES:
            record = self._read_record(_RECORD_TYPES[kind], key, raw)
            if record is not None:
                self._check_record_key(key, parts, record)
        elif key != keys.SCHEMA and not key.startswith(keys.CHANGES):
            self._add_problem(key, "The store has no keys of this kind.")

    def _check_run_key(self, kind: str, key: bytes, raw: bytes, run_id: UUID) -> None:
        """Check a key that belongs to a run but was not rebuilt."""
        is_unreadable = run_id in self._unreadable_run_ids
        if kind in {"lease", "draft"} or (is_unreadable and kind in {"step", "event"}):
            self._read_record(_RECORD_TYPES[kind], key, raw)
        if is_unreadable:
            return
        if run_id not in self._run_ids:
            self._add_problem(key, f"It belongs to run {run_id}, which is missing.")
        elif kind == "journal":
            self._check_journal(key, run_id)
        elif kind in _RUN_ID_LAST - {"lease"} and key not in self._allowed_keys:
            self._add_problem(key, f"It is not an entry of run {run_id}.")

    def _check_journal(self, key: bytes, run_id: UUID) -> None:
        """Check that a piece of streamed text begins where the one before ends."""
        response_id, offset = UUID(key.decode().split(":")[2]), int(key.split(b":")[3])
        if (run_id, response_id) not in self._streaming:
            self._add_problem(key, f"Answer {response_id} is not streaming.")
        end = 0
        prefix = keys.journal_prefix(run_id, response_id)
        for before in islice(self._snapshot.scan_keys_reversed(prefix, key), 1):
            text = integrity.strip_text_checksum(self._snapshot.get(before) or b"")
            start = int(before.rpartition(b":")[2])
            end = start + len(text.decode(errors="replace"))
        if offset != end:
            self._add_problem(key, f"It begins at character {offset}, not at {end}.")

    def _check_active_session(self, key: bytes) -> None:
        session_key = keys.session(keys.trailing_id(key))
        self._require_key(key, session_key, "session")
        raw = self._snapshot.get(session_key)
        if raw is None or _is_damaged(session_key, raw):
            return
        try:
            session = records.decode_record(records.SessionRecord, raw).session
        except ValueError:
            return  # reported with the session
        if key != keys.active_session(session.user_id, session.session_id):
            self._add_problem(key, f"It is not an entry of {session_key.decode()}.")

    def _check_record_key(
        self, key: bytes, parts: list[str], record: records.Record
    ) -> None:
        """Check that a record that no event makes is stored under its own key."""
        match record:
            case records.ResponseRecord():
                if not self._unreadable_run_ids:
                    self._add_problem(key, "No run has this answer.")
                return
            case records.UsageEntryRecord():
                is_own = key == keys.usage(record.at, keys.trailing_id(key))
            case records.SessionRecord():
                is_own = key == keys.session(record.session.session_id)
            case records.PrimerRecord():
                is_own = key.startswith(keys.primer(record.primer_id) + b":")
            case records.ConfigurationRecord():
                is_own = pipeline_name(parts[1]) == record.configuration.name
            case _:
                return
        if not is_own:
            self._add_problem(key, "Its value belongs under another key.")


# The check of a folder, in a process of its own


def check_store(folder: Path) -> VerifyResult:
    """Check the store in `folder`, which no process has open."""
    if damage := integrity.find_file_damage(folder):
        return VerifyResult(
            checked=0, problems=[_data_file_problem(what) for what in damage]
        )
    try:
        with read_unused_store(folder) as snapshot:
            return Verification(snapshot).check_all()
    except (lmdb.Error, MemoryError) as error:
        return VerifyResult(checked=0, problems=[_data_file_problem(str(error))])


def _data_file_problem(damage: str) -> StoreProblem:
    return StoreProblem(
        DATA_FILE, f"The data file is damaged: {damage}. Its contents were not read."
    )


def main(folder: str) -> None:
    """Check a folder and report."""
    gc.disable()  # records have no cycles; collection would take a fifth of the time
    result = check_store(Path(folder))
    problems = [(problem.key, problem.message) for problem in result.problems]
    json.dump({"checked": result.checked, "problems": problems}, sys.stdout)


_VERIFY_COMMAND = (sys.executable, "-P", "-m", "writeit.storage.verify")
"""-P: modules in the current folder, the user's, are not imported."""


def verify_store(environment: LmdbEnvironment) -> VerifyResult:
    """Check an open store on a copy. Damage is reported, not raised.

    Raises:
        StoreError: there is no room for a copy.
    """
    folder = environment.folder
    with (
        errors.as_store_errors(folder),
        temporary_folder(folder, ".verify-") as temporary,
    ):
        try:
            environment.copy_to(temporary, compact=False)
        except lmdb.CorruptedError as error:
            return _single_problem(f"The data file cannot be copied: {error}.")
        return _run_check(temporary)


def _run_check(folder: Path) -> VerifyResult:
    process = subprocess.run(  # noqa: S603 -- our own module, our own copy
        [*_VERIFY_COMMAND, str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if process.returncode:
        message = process.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        message = message or f"exit code {process.returncode}"
        return _single_problem(f"The check failed ({message}).")
    report = json.loads(process.stdout)
    problems = [StoreProblem(*problem) for problem in report["problems"]]
    return VerifyResult(checked=report["checked"], problems=problems)


def _single_problem(message: str) -> VerifyResult:
    return VerifyResult(checked=0, problems=[StoreProblem(DATA_FILE, message)])


if __name__ == "__main__":
    main(sys.argv[1])
