"""The keys of the store: the data model's patterns as UTF-8.

Parts are joined by colons and numbers are padded with zeros, so that keys sort by time
or by position. A time contains colons; it always has 27 characters and precedes an id
of 36 characters, so both are found from the end. Colons and percent signs in other
parts are quoted.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from writeit.domain.errors import InvalidParams

MAX_KEY_BYTES = 511
"""LMDB's limit."""
SCHEMA = b"meta:schema"
STREAMING = b"streaming:"
SESSIONS = b"session:"
RUNS = b"run:"
USAGE = b"usage:"
RESPONSES = b"response:"
EVENTS = b"event:"
TEXTS = b"text:"
STEPS = b"step:"
CONFIGURATIONS = b"config:"
PRIMERS = b"primer:"
PREFERENCES = b"preferences:"
LEASES = b"lease:"
TOMBSTONES = b"tombstone:"
JOURNAL = b"journal:"
ACTIVE_DOCUMENTS = b"active_document:"
DRAFTS = b"draft:"
CHANGES = b"change:"
RECORD_PREFIXES = (
    *(RUNS, STEPS, RESPONSES, EVENTS, USAGE, TOMBSTONES, LEASES, ACTIVE_DOCUMENTS),
    *(CONFIGURATIONS, PRIMERS, SESSIONS, PREFERENCES, DRAFTS),
)
"""The prefixes of records; other keys have a text or `EMPTY_VALUE`."""
MIN_ID = UUID(int=0)
"""Sorts before every id."""
_ID_LENGTH = 36


def config(configuration_id: str) -> bytes:
    """A configuration."""
    return _build_key("config", configuration_id)


def run(run_id: UUID) -> bytes:
    """A run without its steps."""
    return _build_key("run", run_id)


def run_by_config(configuration_id: str) -> bytes:
    """The index of a configuration's runs."""
    return _build_key("run_by_config", configuration_id)


def run_by_pipeline(name: str) -> bytes:
    """The prefix of the indices of all configurations called `name`."""
    return _build_key("run_by_config", f"{name}@")


def run_by_uri(uri: str) -> bytes:
    """The index of a document's runs; hashed, because a URI has no limit."""
    return _build_key("run_by_uri", _hash_uri(uri))


def active_document(uri: str) -> bytes:
    """The run that was last activated for a document."""
    return _build_key("active_document", _hash_uri(uri))


def _hash_uri(uri: str) -> str:
    return hashlib.sha256(uri.encode()).hexdigest()[:32]


def recent_runs(user_id: str) -> bytes:
    """The index of a user's runs."""
    return _build_key("recent_runs", user_id)


def completed_runs(user_id: str) -> bytes:
    """The index of a user's completed runs."""
    return _build_key("completed_runs", user_id)


def primer_usage(primer_id: str) -> bytes:
    """The index of the runs that used a primer."""
    return _build_key("primer_usage", primer_id)


def index_entry(index: bytes, timestamp: datetime, run_id: UUID) -> bytes:
    """The key of a run in a time-ordered index."""
    return _check_length(index + b":" + index_suffix(timestamp, run_id))


def index_suffix(timestamp: datetime, run_id: UUID) -> bytes:
    """The end of a run's key in every time-ordered index."""
    time = timestamp.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{time.removesuffix('+00:00')}Z:{run_id}".encode()


INDEX_SUFFIX_LENGTH = 27 + 1 + _ID_LENGTH


def step(run_id: UUID, step_name: str) -> bytes:
    """A step of a run, without its responses."""
    return _build_key("step", run_id, step_name)


def drafts(run_id: UUID, step_name: str) -> bytes:
    """What the user typed in a step and no decision has taken."""
    return _build_key("draft", run_id, step_name)


def response(response_id: UUID) -> bytes:
    """A response, which several runs may share."""
    return _build_key("response", response_id)


def step_responses_prefix(run_id: UUID) -> bytes:
    """The prefix of the keys of all responses of a run."""
    return _build_key("step_responses", run_id, "")


def step_response(run_id: UUID, step_name: str, index: int, response_id: UUID) -> bytes:
    """One response's place in a step."""
    return _build_key("step_responses", run_id, step_name, f"{index:04d}", response_id)


def step_of_response(key: bytes) -> str:
    """The step in a `step_response` key; step names need no quoting."""
    return key.rsplit(b":", 3)[1].decode()


def branch_children_prefix(parent_id: UUID) -> bytes:
    """The prefix of the keys of a run's children."""
    return _build_key("branch_children", parent_id, "")


def branch_parent(child_id: UUID) -> bytes:
    """A child's parent."""
    return _build_key("branch_parent", child_id)


def branch_child(parent_id: UUID, child_id: UUID) -> bytes:
    """One of a parent's children."""
    return _build_key("branch_children", parent_id, child_id)


def primer(primer_id: str, version: str | None = None) -> bytes:
    """A version of a primer; without one, the pointer to the version used last."""
    if version is None:
        return _build_key("primer", primer_id)
    return _build_key("primer", primer_id, version)


def preferences(user_id: str) -> bytes:
    """A user's preferences."""
    return _build_key("preferences", user_id)


def session(session_id: UUID) -> bytes:
    """A session."""
    return _build_key("session", session_id)


def active_session(user_id: str, session_id: UUID) -> bytes:
    """One of a user's sessions that have not ended."""
    return _build_key("active_sessions", user_id, session_id)


def active_sessions_prefix(user_id: str) -> bytes:
    """The prefix of the keys of a user's active sessions."""
    return _build_key("active_sessions", user_id, "")


def event(run_id: UUID, seq: int) -> bytes:
    """One event of a run; the first has number 1."""
    return _build_key("event", run_id, f"{seq:010d}")


def events_prefix(run_id: UUID) -> bytes:
    """The prefix of the keys of a run's events."""
    return _build_key("event", run_id, "")


def text(digest: str) -> bytes:
    """A text, by its SHA-256 in hexadecimal."""
    return _build_key("text", digest)


def journal(run_id: UUID, response_id: UUID, offset: int) -> bytes:
    """A piece of streamed text that begins at character `offset` of the answer."""
    return _build_key("journal", run_id, response_id, f"{offset:010d}")


def thoughts_id(response_id: UUID) -> UUID:
    """Return the id under which the thoughts of a response are journaled."""
    return UUID(int=response_id.int ^ 1 << 127)  # no UUID of version 7 has this bit


def journal_prefix(run_id: UUID, response_id: UUID) -> bytes:
    """The prefix of the keys of a response's journal."""
    return _build_key("journal", run_id, response_id, "")


def streaming(run_id: UUID) -> bytes:
    """Exists while answers of the run are streaming."""
    return _build_key("streaming", run_id)


def lease(run_id: UUID) -> bytes:
    """The lease of a run."""
    return _build_key("lease", run_id)


def tombstone(run_id: UUID) -> bytes:
    """The tombstone of a deleted run that has children."""
    return _build_key("tombstone", run_id)


def change(number: int, rest: str = "") -> bytes:
    """A change of a run; `rest` is a hash of all changes and the run."""
    return CHANGES + f"{number:012d}:{rest}".encode()


def usage(timestamp: datetime, response_id: UUID) -> bytes:
    """The usage of an answer, kept when its run is deleted."""
    return index_entry(b"usage", timestamp, response_id)


def usage_since(timestamp: datetime) -> bytes:
    """The first possible key of usage at `timestamp` or later."""
    return b"usage:" + index_suffix(timestamp, MIN_ID)


def run_prefixes(run_id: UUID) -> list[bytes]:
    """The prefixes of the keys of one run, besides its record."""
    kinds = ("step", "step_responses", "event", "journal", "draft")
    return [_build_key(kind, run_id, "") for kind in kinds]


def trailing_id(key: bytes) -> UUID:
    """The id at the end of a key."""
    return UUID(key[-_ID_LENGTH:].decode())


def prefix_end(prefix: bytes) -> bytes:
    """A key after all keys that begin with `prefix`: UTF-8 has no byte 0xff."""
    return prefix + b"\xff"


def next_key(key: bytes) -> bytes:
    """The first possible key after `key`."""
    return key + b"\0"


def _build_key(*parts: object) -> bytes:
    return _check_length(":".join(_quote(str(part)) for part in parts).encode())


def _quote(part: str) -> str:
    return part.replace("%", "%25").replace(":", "%3A")


def _check_length(key: bytes) -> bytes:
    """Return `key`.

    Raises:
        InvalidParams: it is too long for LMDB.
    """
    if len(key) > MAX_KEY_BYTES:
        shown = key[:60].decode(errors="replace")
        raise InvalidParams(
            f"A name is too long to be stored: {shown}… has {len(key)} bytes"
            f" (the limit is {MAX_KEY_BYTES}).",
            hint="Use a shorter name.",
        )
    return key
