"""Whether each key stands where it should, and its value is as it was written."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

from writeit.core.run import pipeline_of
from writeit.store import keys, schema, seal
from writeit.store.codec import EMPTY
from writeit.store.findings import shown, why
from writeit.store.records import Listing, ResponseRecord, StepRecord
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
    from collections.abc import Callable

    from writeit.store.findings import Findings

Parts = list[str]
"""A key taken apart at its colons; the first part is its kind."""
_POINTER = 2
"""The parts of the key that says which version of a primer is the newest."""


def check_key(findings: Findings, key: bytes, raw: bytes) -> None:
    """Check one key and its value."""
    findings.checked += 1
    if findings.snapshot.get(key) != raw:
        findings.add(key, "It is not found by its key: the order of keys is damaged.")
    if not _as_written(findings, key, raw):
        return
    parts = key.decode(errors="replace").split(":")
    check = KINDS.get(parts[0])
    if check is None:
        findings.add(key, "Nothing of this kind is kept here.")
        return
    try:
        check(findings, key, raw, parts)
    except (ValueError, LookupError) as error:
        findings.add(key, f"It is not as it should be: {why(error)}.")


def _as_written(findings: Findings, key: bytes, raw: bytes) -> bool:
    """Check the checksum, or what stands for one."""
    if key.startswith(keys.RECORDS):
        whole = seal.intact(key, raw)
    elif key.startswith(keys.JOURNAL):
        whole = seal.intact_text(key, raw)
    elif key.startswith(keys.TEXTS):
        whole = keys.text(hashlib.sha256(raw).hexdigest()) == key
    elif key == keys.SCHEMA:
        whole = raw == schema.stamp(schema.SCHEMA)
    elif key.startswith(b"branch_parent:"):
        return True  # its value is the parent's id, which is known
    else:
        whole = raw == EMPTY
    if not whole:
        findings.add(key, "Its value is not what was written: it was damaged.")
    return whole


# --- Runs -------------------------------------------------------------------------


def _belongs(findings: Findings, key: bytes, run_id: UUID) -> bool:
    """Whether the run of `key` is there and can be read; if not there, say so."""
    if run_id in findings.unreadable:
        return False
    if run_id not in findings.steps:
        findings.add(key, f"It belongs to run {run_id}, which is not there.")
        return False
    return True


def _step(findings: Findings, key: bytes, raw: bytes, parts: Parts) -> None:
    run_id, name = UUID(parts[1]), parts[2]
    record = findings.record(StepRecord, key, raw)
    if record is not None and record.step_name != name:
        findings.add(key, f"It holds another step, {record.step_name!r}.")
    if _belongs(findings, key, run_id) and name not in findings.steps[run_id]:
        findings.add(key, f"Run {run_id} has no such step.")


def _event(findings: Findings, key: bytes, _: bytes, parts: Parts) -> None:
    _belongs(findings, key, UUID(parts[1]))
    _is(findings, key, keys.event(UUID(parts[1]), int(parts[2])))


def _place(findings: Findings, key: bytes, raw: bytes, parts: Parts) -> None:
    """A response's place in a step."""
    response_id = UUID(parts[4])
    findings.expect(key, keys.response(response_id), "the response")
    run_id = UUID(parts[1])
    if _belongs(findings, key, run_id) and findings.entries.get(key) != raw:
        findings.add(key, f"Run {run_id} has no such place for a response.")


def _response(findings: Findings, key: bytes, raw: bytes, parts: Parts) -> None:
    record = findings.record(ResponseRecord, key, raw)
    if record is None:
        return
    if str(record.response_id) != parts[1]:
        findings.add(key, f"It holds another response, {record.response_id}.")
    piece = record.processed
    if piece and not 0 <= piece[0] <= piece[1] <= len(record.raw_output):
        findings.add(key, f"Its cleaned text {piece} is not within its raw one.")
    if record.response_id not in findings.held and not findings.unreadable:
        findings.add(key, "No run holds this response.")


def _journal(findings: Findings, key: bytes, _: bytes, parts: Parts) -> None:
    """A piece of streamed text, which begins where the one before ended."""
    run_id, response_id, offset = UUID(parts[1]), UUID(parts[2]), int(parts[3])
    if not _belongs(findings, key, run_id):
        return
    if (run_id, response_id) not in findings.streaming:
        findings.add(key, f"Response {response_id} is not on its way.")
    prefix = keys.journal_of(run_id, response_id)
    end = 0
    for before in islice(findings.snapshot.scan_back(prefix, key), 1):
        text = seal.unsealed_text(findings.snapshot.get(before) or b"")
        begun = int(before.rpartition(b":")[2])
        end = begun + len(text.decode(errors="replace"))
    if offset != end:
        findings.add(key, f"It begins at character {offset}, not at {end}.")


def _entry(findings: Findings, key: bytes, raw: bytes, _: Parts) -> None:
    """An index entry that its run, or the tombstone it left, asks for."""
    if key in findings.entries:
        if findings.entries[key] != raw:
            findings.add(key, "Its value is not what was written: it was damaged.")
        return
    run_id = keys.id_at_end(key)
    if _belongs(findings, key, run_id) and key not in findings.uses:
        findings.add(key, f"Run {run_id} should not be found here.")


def _tombstone(findings: Findings, key: bytes, raw: bytes, parts: Parts) -> None:
    run_id = UUID(parts[1])
    record = findings.record(Listing, key, raw)
    if record is not None and record.pipeline_run_id != run_id:
        findings.add(key, f"It holds another run, {record.pipeline_run_id}.")
    if run_id in findings.steps:
        findings.add(key, "The run is still there.")
    if not any(findings.snapshot.keys(keys.branch_children(run_id))):
        findings.add(key, "No run branched off it: nothing should be left of it.")


def _usage(findings: Findings, key: bytes, raw: bytes, _: Parts) -> None:
    record = findings.record(UsedRecord, key, raw)
    if record is not None:
        _is(findings, key, keys.usage(record.at, keys.id_at_end(key)))


def _is(findings: Findings, key: bytes, due: bytes) -> None:
    """Check that a record stands where it should."""
    if key != due:
        findings.add(key, f"It holds what should stand under {shown(due)}.")


# --- What stands beside the runs --------------------------------------------------


def _configuration(findings: Findings, key: bytes, raw: bytes, parts: Parts) -> None:
    record = findings.record(ConfigurationRecord, key, raw)
    if record is not None and pipeline_of(parts[1]) != record.configuration.name:
        findings.add(key, f"It holds another pipeline, {record.configuration.name!r}.")


def _primer(findings: Findings, key: bytes, raw: bytes, parts: Parts) -> None:
    if len(parts) == _POINTER:
        pointer = findings.record(PrimerPointer, key, raw)
        if pointer is not None:
            version = keys.primer(parts[1], pointer.newest)
            findings.expect(key, version, "the version")
        return
    record = findings.record(PrimerRecord, key, raw)
    if record is not None and record.primer_id != parts[1]:
        findings.add(key, f"It holds another primer, {record.primer_id!r}.")


def _session(findings: Findings, key: bytes, raw: bytes, _: Parts) -> None:
    record = findings.record(SessionRecord, key, raw)
    if record is not None:
        _is(findings, key, keys.session(record.session.session_id))


def _active_session(findings: Findings, key: bytes, _: bytes, __: Parts) -> None:
    session_key = keys.session(keys.id_at_end(key))
    raw = findings.snapshot.get(session_key)
    record = raw and findings.record(SessionRecord, session_key, raw)
    if not record:
        findings.expect(key, session_key, "the session")
        return
    user, session_id = record.session.user_id, record.session.session_id
    _is(findings, key, keys.active_session(user, session_id))


def _preferences(findings: Findings, key: bytes, raw: bytes, _: Parts) -> None:
    findings.record(PreferencesRecord, key, raw)


def _lease(findings: Findings, key: bytes, raw: bytes, parts: Parts) -> None:
    findings.record(LeaseRecord, key, raw)
    _belongs(findings, key, UUID(parts[1]))


def _nothing_more(_: Findings, __: bytes, ___: bytes, ____: Parts) -> None:
    """What it says was looked at already."""


KINDS: dict[str, Callable[[Findings, bytes, bytes, Parts], None]] = {
    "meta": _nothing_more,
    "text": _nothing_more,
    "run": _nothing_more,
    "step": _step,
    "step_responses": _place,
    "response": _response,
    "event": _event,
    "journal": _journal,
    "streaming": _entry,
    "lease": _lease,
    "tombstone": _tombstone,
    "branch_parent": _entry,
    "branch_children": _entry,
    "recent_runs": _entry,
    "completed_runs": _entry,
    "run_by_config": _entry,
    "run_by_uri": _entry,
    "primer_usage": _entry,
    "usage": _usage,
    "config": _configuration,
    "primer": _primer,
    "session": _session,
    "active_sessions": _active_session,
    "preferences": _preferences,
}
