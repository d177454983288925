"""The check of a store that nobody uses: what `verify` finds on its copy.

First the file as such is looked at, without LMDB: damage there could bring it down.
Only a sound file is opened and read, key by key and run by run. Run as a module with
a folder, this writes what it found to stdout as JSON.
"""

from __future__ import annotations

import gc
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import lmdb

from writeit.domain import state_machine
from writeit.domain.errors import StoreError, WriteItError
from writeit.domain.events import Event
from writeit.domain.run import PipelineRun, pipeline_name
from writeit.ports.store import StoreProblem, VerifyResult
from writeit.storage import (
    checksum,
    errors,
    keys,
    mapping,
    migrations,
    page_check,
    writes,
)
from writeit.storage.backup import temporary_folder
from writeit.storage.cache import Caches
from writeit.storage.checksum import has_valid_checksum
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.reads import SnapshotReader
from writeit.storage.records import (
    EMPTY_VALUE,
    ConfigurationRecord,
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
from writeit.storage.snapshot import DATA_FILE, Counters, Snapshot

# --- What a check knows so far, and what it found wrong -------------------------------

R = TypeVar("R", bound="Record")

_MAX_ERROR_CHARACTERS = 300
"""Characters of another's complaint that are passed on."""


class Verification:
    """One check of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._caches = Caches()
        self.problems: list[StoreProblem] = []
        self.checked = 0
        """Keys that were looked at."""
        self.steps_by_run: dict[UUID, tuple[str, ...]] = {}
        """The steps of each run."""
        self.unreadable_runs: set[UUID] = set()
        """Runs that are there but cannot be read: what is theirs is no orphan."""
        self.expected_entries: dict[bytes, bytes] = {}
        """The index entries that the runs should have, with their values."""
        self.streaming_responses: set[tuple[UUID, UUID]] = set()
        """Answers on their way, by run and response."""
        self.held_responses: set[UUID] = set()
        """Answers that some run holds."""
        self.primer_uses: set[bytes] = set()
        """The entries that runs may have among the uses of their primers."""

    def add_problem(self, key: bytes, message: str) -> None:
        """Take note of a problem."""
        self.problems.append(StoreProblem(key.decode(errors="replace"), message))

    def new_reader(self) -> SnapshotReader:
        """Read one run; its texts are forgotten with it."""
        return SnapshotReader(self.snapshot, self._caches)

    def read_record(self, record_type: type[R], key: bytes, raw: bytes) -> R | None:
        """Decode a record; if it cannot be, that is a problem."""
        try:
            return decode_record(record_type, raw, self._text)
        except (ValueError, LookupError) as error:
            said = error_text(error, whole=has_valid_checksum(key, raw))
            self.add_problem(key, f"It cannot be read: {said}.")
            return None

    def require_key(self, holder: bytes, key: bytes, description: str) -> None:
        """Take note if `key` is not there, although `holder` refers to it."""
        if self.snapshot.get(key) is None:
            self.add_problem(
                holder,
                f"It refers to {description} {key_text(key)}, which is not there.",
            )

    def _text(self, digest: str) -> str:
        raw = self.snapshot.get(keys.text(digest))
        if raw is None:
            msg = f"text {digest} is missing"
            raise ValueError(msg)
        return raw.decode()


def key_text(key: bytes) -> str:
    """A key as a person reads it."""
    return key.decode(errors="replace")


def error_text(error: BaseException, *, whole: bool = False) -> str:
    """What an error says, on one line; of a record that is `whole`, if it is newer."""
    if isinstance(error, StoreError) and error.__cause__ is not None:
        whole = error.reason == "too_new"
        error = error.__cause__
    if whole and (what := describe_newer(error)):
        return f"a newer WriteIt wrote it ({what}); update WriteIt"
    return (
        " ".join(str(error).split())[:_MAX_ERROR_CHARACTERS].rstrip(".")
        or type(error).__name__
    )


# --- Whether each key stands where it should, and its value is as it was written ------

KeyParts = list[str]
"""A key taken apart at its colons; the first part is its kind."""
_PRIMER_POINTER_PARTS = 2
"""The parts of the key that says which version of a primer is the newest."""


def check_key(verification: Verification, key: bytes, raw: bytes) -> None:
    """Check one key and its value."""
    verification.checked += 1
    if verification.snapshot.get(key) != raw:
        verification.add_problem(
            key, "It is not found by its key: the order of keys is damaged."
        )
    if not _is_undamaged(verification, key, raw):
        return
    parts = key.decode(errors="replace").split(":")
    check = CHECKS_BY_KIND.get(parts[0])
    if check is None:
        verification.add_problem(key, "Nothing of this kind is kept here.")
        return
    try:
        check(verification, key, raw, parts)
    except (ValueError, LookupError) as error:
        verification.add_problem(
            key, f"It is not as it should be: {error_text(error)}."
        )


def _is_undamaged(verification: Verification, key: bytes, raw: bytes) -> bool:
    """Check the checksum, or what stands for one."""
    if key.startswith(keys.RECORD_PREFIXES):
        whole = checksum.has_valid_checksum(key, raw)
    elif key.startswith(keys.JOURNAL):
        whole = checksum.has_valid_text_checksum(key, raw)
    elif key.startswith(keys.TEXTS):
        whole = keys.text(hashlib.sha256(raw).hexdigest()) == key
    elif key == keys.SCHEMA:
        whole = raw == migrations.schema_value(migrations.SCHEMA_VERSION)
    elif key.startswith(b"branch_parent:"):
        return True  # its value is the parent's id, which is known
    else:
        whole = raw == EMPTY_VALUE
    if not whole:
        verification.add_problem(
            key, "Its value is not what was written: it was damaged."
        )
    return whole


# --- Runs -------------------------------------------------------------------------


def _has_readable_run(verification: Verification, key: bytes, run_id: UUID) -> bool:
    """Whether the run of `key` is there and can be read; if not there, say so."""
    if run_id in verification.unreadable_runs:
        return False
    if run_id not in verification.steps_by_run:
        verification.add_problem(
            key, f"It belongs to run {run_id}, which is not there."
        )
        return False
    return True


def _check_step_key(
    verification: Verification, key: bytes, raw: bytes, parts: KeyParts
) -> None:
    run_id, name = UUID(parts[1]), parts[2]
    record = verification.read_record(StepRecord, key, raw)
    if record is not None and record.step_name != name:
        verification.add_problem(key, f"It holds another step, {record.step_name!r}.")
    if (
        _has_readable_run(verification, key, run_id)
        and name not in verification.steps_by_run[run_id]
    ):
        verification.add_problem(key, f"Run {run_id} has no such step.")


def _check_event_key(
    verification: Verification, key: bytes, _: bytes, parts: KeyParts
) -> None:
    _has_readable_run(verification, key, UUID(parts[1]))
    _check_expected_key(verification, key, keys.event(UUID(parts[1]), int(parts[2])))


def _check_step_response_key(
    verification: Verification, key: bytes, raw: bytes, parts: KeyParts
) -> None:
    """A response's place in a step."""
    response_id = UUID(parts[4])
    verification.require_key(key, keys.response(response_id), "the response")
    run_id = UUID(parts[1])
    if (
        _has_readable_run(verification, key, run_id)
        and verification.expected_entries.get(key) != raw
    ):
        verification.add_problem(key, f"Run {run_id} has no such place for a response.")


def _check_response_key(
    verification: Verification, key: bytes, raw: bytes, parts: KeyParts
) -> None:
    record = verification.read_record(ResponseRecord, key, raw)
    if record is None:
        return
    if str(record.response_id) != parts[1]:
        verification.add_problem(
            key, f"It holds another response, {record.response_id}."
        )
    piece = record.processed
    if piece and not 0 <= piece[0] <= piece[1] <= len(record.raw_output):
        verification.add_problem(
            key, f"Its cleaned text {piece} is not within its raw one."
        )
    if (
        record.response_id not in verification.held_responses
        and not verification.unreadable_runs
    ):
        verification.add_problem(key, "No run holds this response.")


def _check_journal_key(
    verification: Verification, key: bytes, _: bytes, parts: KeyParts
) -> None:
    """A piece of streamed text, which begins where the one before ended."""
    run_id, response_id, offset = UUID(parts[1]), UUID(parts[2]), int(parts[3])
    if not _has_readable_run(verification, key, run_id):
        return
    if (run_id, response_id) not in verification.streaming_responses:
        verification.add_problem(key, f"Response {response_id} is not on its way.")
    prefix = keys.journal_prefix(run_id, response_id)
    end = 0
    for before in islice(verification.snapshot.scan_keys_reversed(prefix, key), 1):
        text = checksum.strip_text_checksum(verification.snapshot.get(before) or b"")
        begun = int(before.rpartition(b":")[2])
        end = begun + len(text.decode(errors="replace"))
    if offset != end:
        verification.add_problem(key, f"It begins at character {offset}, not at {end}.")


def _check_index_key(
    verification: Verification, key: bytes, raw: bytes, _: KeyParts
) -> None:
    """An index entry that its run, or the tombstone it left, asks for."""
    if key in verification.expected_entries:
        if verification.expected_entries[key] != raw:
            verification.add_problem(
                key, "Its value is not what was written: it was damaged."
            )
        return
    run_id = keys.trailing_id(key)
    if (
        _has_readable_run(verification, key, run_id)
        and key not in verification.primer_uses
    ):
        verification.add_problem(key, f"Run {run_id} should not be found here.")


def _check_tombstone_key(
    verification: Verification, key: bytes, raw: bytes, parts: KeyParts
) -> None:
    run_id = UUID(parts[1])
    record = verification.read_record(RunSummaryRecord, key, raw)
    if record is not None and record.pipeline_run_id != run_id:
        verification.add_problem(
            key, f"It holds another run, {record.pipeline_run_id}."
        )
    if run_id in verification.steps_by_run:
        verification.add_problem(key, "The run is still there.")
    if not any(verification.snapshot.scan_keys(keys.branch_children_prefix(run_id))):
        verification.add_problem(
            key, "No run branched off it: nothing should be left of it."
        )


def _check_usage_key(
    verification: Verification, key: bytes, raw: bytes, _: KeyParts
) -> None:
    record = verification.read_record(UsageEntryRecord, key, raw)
    if record is not None:
        _check_expected_key(
            verification, key, keys.usage(record.at, keys.trailing_id(key))
        )


def _check_expected_key(
    verification: Verification, key: bytes, expected: bytes
) -> None:
    """Check that a record stands where it should."""
    if key != expected:
        verification.add_problem(
            key, f"It holds what should stand under {key_text(expected)}."
        )


# --- What stands beside the runs --------------------------------------------------


def _check_configuration_key(
    verification: Verification, key: bytes, raw: bytes, parts: KeyParts
) -> None:
    record = verification.read_record(ConfigurationRecord, key, raw)
    if record is not None and pipeline_name(parts[1]) != record.configuration.name:
        verification.add_problem(
            key, f"It holds another pipeline, {record.configuration.name!r}."
        )


def _check_primer_key(
    verification: Verification, key: bytes, raw: bytes, parts: KeyParts
) -> None:
    if len(parts) == _PRIMER_POINTER_PARTS:
        pointer = verification.read_record(NewestPrimerRecord, key, raw)
        if pointer is not None:
            version = keys.primer(parts[1], pointer.newest)
            verification.require_key(key, version, "the version")
        return
    record = verification.read_record(PrimerRecord, key, raw)
    if record is not None and record.primer_id != parts[1]:
        verification.add_problem(key, f"It holds another primer, {record.primer_id!r}.")


def _check_session_key(
    verification: Verification, key: bytes, raw: bytes, _: KeyParts
) -> None:
    record = verification.read_record(SessionRecord, key, raw)
    if record is not None:
        _check_expected_key(verification, key, keys.session(record.session.session_id))


def _check_active_session_key(
    verification: Verification, key: bytes, _: bytes, __: KeyParts
) -> None:
    session_key = keys.session(keys.trailing_id(key))
    raw = verification.snapshot.get(session_key)
    record = raw and verification.read_record(SessionRecord, session_key, raw)
    if not record:
        verification.require_key(key, session_key, "the session")
        return
    user, session_id = record.session.user_id, record.session.session_id
    _check_expected_key(verification, key, keys.active_session(user, session_id))


def _check_preferences_key(
    verification: Verification, key: bytes, raw: bytes, _: KeyParts
) -> None:
    verification.read_record(PreferencesRecord, key, raw)


def _check_lease_key(
    verification: Verification, key: bytes, raw: bytes, parts: KeyParts
) -> None:
    verification.read_record(LeaseRecord, key, raw)
    _has_readable_run(verification, key, UUID(parts[1]))


def _accept_key(_: Verification, __: bytes, ___: bytes, ____: KeyParts) -> None:
    """What it says was looked at already."""


CHECKS_BY_KIND: dict[str, Callable[[Verification, bytes, bytes, KeyParts], None]] = {
    "meta": _accept_key,
    "text": _accept_key,
    "run": _accept_key,
    "step": _check_step_key,
    "step_responses": _check_step_response_key,
    "response": _check_response_key,
    "event": _check_event_key,
    "journal": _check_journal_key,
    "streaming": _check_index_key,
    "lease": _check_lease_key,
    "tombstone": _check_tombstone_key,
    "branch_parent": _check_index_key,
    "branch_children": _check_index_key,
    "recent_runs": _check_index_key,
    "completed_runs": _check_index_key,
    "run_by_config": _check_index_key,
    "run_by_uri": _check_index_key,
    "primer_usage": _check_index_key,
    "usage": _check_usage_key,
    "config": _check_configuration_key,
    "primer": _check_primer_key,
    "session": _check_session_key,
    "active_sessions": _check_active_session_key,
    "preferences": _check_preferences_key,
}


# --- Whether a run is what its events make of it, and can be found where it should be -


def collect_expected_entries(verification: Verification) -> None:
    """Note what runs there are, and the index entries each should have."""
    verification.expected_entries[keys.SCHEMA] = migrations.schema_value(
        migrations.SCHEMA_VERSION
    )
    for key, raw in verification.snapshot.scan(keys.RUNS):
        record = verification.read_record(RunRecord, key, raw)
        if record is None:
            _mark_unreadable(verification, key)
            continue
        run_id = record.pipeline_run_id
        if key != keys.run(run_id):
            verification.add_problem(key, f"It holds another run, {run_id}.")
            continue
        verification.steps_by_run[run_id] = record.step_names
        verification.expected_entries |= writes.index_entries(record)
        _check_references(verification, key, record)
    for key, raw in verification.snapshot.scan(keys.TOMBSTONES):
        left = verification.read_record(RunSummaryRecord, key, raw)
        if left is not None:
            verification.expected_entries |= {
                entry: value
                for entry, value in writes.index_entries(left).items()
                if entry.startswith(b"branch_")
            }


def check_index_entries(verification: Verification) -> None:
    """Note what should be there, by what the runs are, and is not."""
    for key in verification.expected_entries:
        if verification.snapshot.get(key) is None:
            verification.add_problem(key, "It is missing.")


def _check_references(
    verification: Verification, key: bytes, record: RunRecord
) -> None:
    configuration = keys.config(record.configuration_id)
    verification.require_key(key, configuration, "the configuration")
    parent = record.parent_pipeline_run_id
    if parent is not None and not _is_known(verification, parent):
        verification.add_problem(
            key, f"It branched off run {parent}, of which nothing is there."
        )
    if record.primer is None:
        return
    version = keys.primer(record.primer.primer_id, record.primer.version)
    verification.require_key(key, version, "the primer")
    verification.require_key(key, keys.primer(record.primer.primer_id), "the newest")
    uses = keys.primer_usage(record.primer.primer_id)
    use = keys.index_entry(uses, record.created_at, record.pipeline_run_id)
    verification.primer_uses.add(use)
    if parent is None:
        verification.expected_entries[use] = EMPTY_VALUE


def _is_known(verification: Verification, run_id: UUID) -> bool:
    there = (keys.run(run_id), keys.tombstone(run_id))
    return any(verification.snapshot.get(key) is not None for key in there)


def _mark_unreadable(verification: Verification, key: bytes) -> None:
    """What belongs to a run that is there but cannot be read is no orphan."""
    try:
        verification.unreadable_runs.add(keys.trailing_id(key))
    except ValueError:
        verification.add_problem(key, "Its key ends in no id.")


def check_run(verification: Verification, run_id: UUID) -> None:
    """Check one run whole."""
    try:
        _check_stored_run(verification, run_id)
    except (WriteItError, ValueError, LookupError) as error:
        verification.unreadable_runs.add(run_id)
        verification.add_problem(
            keys.run(run_id), f"The run cannot be put together: {error_text(error)}."
        )


def _check_stored_run(verification: Verification, run_id: UUID) -> None:
    key = keys.run(run_id)
    reading = verification.new_reader()
    stored = reading.run(run_id, {})
    if stored is None:
        verification.add_problem(
            key, "It is not found by its key: the order of keys is damaged."
        )
        return
    run = mapping.without_streamed_text(stored.run)
    _collect_responses(verification, run)
    events = _read_events(verification, reading, run_id)
    if events is not None:
        _check_history(verification, run, stored.seq, events)


def _collect_responses(verification: Verification, run: PipelineRun) -> None:
    run_id = run.pipeline_run_id
    for name, step in run.steps.items():
        for index, answer in enumerate(step.ai_responses):
            place = keys.step_response(run_id, name, index, answer.response_id)
            verification.expected_entries[place] = EMPTY_VALUE
            verification.held_responses.add(answer.response_id)
        verification.streaming_responses.update(
            (run_id, s.response_id) for s in step.streaming
        )
    if run.is_streaming:
        verification.expected_entries[keys.streaming(run_id)] = EMPTY_VALUE


def _read_events(
    verification: Verification, reader: SnapshotReader, run_id: UUID
) -> list[Event] | None:
    try:
        return reader.events(run_id)
    except (WriteItError, ValueError, LookupError) as error:
        message = f"An event of the run cannot be read: {error_text(error)}."
        verification.add_problem(keys.events_prefix(run_id), message)
        return None


def _check_history(
    verification: Verification, run: PipelineRun, seq: int, events: list[Event]
) -> None:
    key = keys.run(run.pipeline_run_id)
    if len(events) != seq:
        message = f"It is at event {seq}, but {len(events)} events are there."
        verification.add_problem(key, message)
        return
    try:
        replayed = state_machine.replay(events)
    except (WriteItError, ValueError) as error:
        verification.add_problem(
            key, f"Its events do not make a run: {error_text(error)}."
        )
        return
    if replayed != run:
        where = ", ".join(_changed_fields(run, replayed))
        verification.add_problem(key, f"It is not what its events make of it: {where}.")
    _check_usage_records(verification, run, events)


def _changed_fields(run: PipelineRun, replayed: PipelineRun) -> list[str]:
    """The fields that differ, by name."""
    fields = [
        name
        for name, value in run
        if name != "steps" and value != getattr(replayed, name)
    ]
    for step, state in run.steps.items():
        other = replayed.steps.get(step)
        fields += [
            f"{step}.{name}"
            for name, value in state
            if other is None or value != getattr(other, name)
        ]
    return fields or ["its steps"]


def _check_usage_records(
    verification: Verification, run: PipelineRun, events: list[Event]
) -> None:
    for response_id, used in mapping.usage_by_response(run, events).items():
        key = keys.usage(used.at, response_id)
        raw = verification.snapshot.get(key)
        if raw is None:
            message = f"What answer {response_id} of run {run.pipeline_run_id} used"
            verification.add_problem(key, f"{message} is not there.")
            continue
        record = verification.read_record(UsageEntryRecord, key, raw)
        if record is not None and mapping.usage_entity(record) != used:
            verification.add_problem(
                key, f"It is not what {key_text(keys.response(response_id))} is."
            )


# --- The check of a store that nobody uses: what `verify` finds on its copy -----------

DATA_FILE_KEY = DATA_FILE


def check_store(folder: Path) -> VerifyResult:
    """Check the store in `folder`, which nobody has open."""
    if faults := page_check.find_file_damage(folder):
        return VerifyResult(
            checked=0, problems=[_damage_problem(what) for what in faults]
        )
    try:
        return _check_contents(folder)
    except (lmdb.Error, MemoryError) as error:
        return VerifyResult(checked=0, problems=[_damage_problem(str(error))])


def _damage_problem(what: str) -> StoreProblem:
    return StoreProblem(
        DATA_FILE_KEY, f"The data file is damaged: {what}. Its contents were not read."
    )


def _check_contents(folder: Path) -> VerifyResult:
    size = (folder / DATA_FILE).stat().st_size
    with (
        lmdb.Environment(
            str(folder), map_size=size, readonly=True, lock=False
        ) as environment,
        environment.begin() as txn,
    ):
        findings = Verification(Snapshot(txn, Counters(), folder))
        collect_expected_entries(findings)
        for run_id in list(findings.steps_by_run):
            check_run(findings, run_id)
        check_index_entries(findings)
        for key, raw in findings.snapshot.scan(b""):
            check_key(findings, key, raw)
        return VerifyResult(checked=findings.checked, problems=findings.problems)


def main(folder: str) -> None:
    """Check a folder and report."""
    gc.disable()  # what is read makes no cycles; looking for them takes a fifth more
    found = check_store(Path(folder))
    problems = [(problem.key, problem.message) for problem in found.problems]
    json.dump({"checked": found.checked, "problems": problems}, sys.stdout)


# --- Looking a store over while it is in use: on a copy, in a process of its own ------

_VERIFY_COMMAND = (sys.executable, "-P", "-m", "writeit.storage.verify")
"""-P: the folder we stand in is the writer's; modules in it are not ours."""


def verify_store(environment: LmdbEnvironment) -> VerifyResult:
    """Check all that is in a store. Damage is reported, not raised.

    Raises:
        StoreError: there is no room for a copy.
    """
    try:
        with temporary_folder(environment.folder, ".verify-") as made:
            try:
                environment.copy_to(made, compact=False)
            except lmdb.CorruptedError as error:
                return _single_problem(f"The data file cannot be copied: {error}.")
            return _run_check(made)
    except (lmdb.Error, OSError) as error:
        raise errors.to_store_error(error, environment.folder) from error


def _run_check(folder: Path) -> VerifyResult:
    done = subprocess.run(  # noqa: S603 -- our own module, our own copy
        [*_VERIFY_COMMAND, str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return _single_problem(
            "The check itself broke down over what it read"
            f" ({complaint or f'exit {done.returncode}'})."
        )
    report = json.loads(done.stdout)
    problems = [StoreProblem(*problem) for problem in report["problems"]]
    return VerifyResult(checked=report["checked"], problems=problems)


def _single_problem(message: str) -> VerifyResult:
    return VerifyResult(checked=0, problems=[StoreProblem(DATA_FILE_KEY, message)])


if __name__ == "__main__":
    main(sys.argv[1])
