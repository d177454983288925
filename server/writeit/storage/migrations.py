"""The schema version of a store, and the migrations from older ones.

The schema is the set of keys. Each value has the version of its record
(`writeit.storage.records`), which is upcast when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from writeit.domain.session import LOCAL_USER
from writeit.storage import errors, keys
from writeit.storage.integrity import add_checksum, add_text_checksum
from writeit.storage.records import RunSummaryRecord, decode_record
from writeit.storage.snapshot import Batch, Snapshot
from writeit.storage.writes import index_entries


def _add_checksums(batch: Batch) -> None:
    """Add a checksum to each record and each piece of streamed text."""
    for kind in keys.RECORD_PREFIXES:
        for key in list(batch.scan_keys(kind)):
            batch.put(key, add_checksum(key, batch.get(key) or b"{}"))
    for key in list(batch.scan_keys(keys.JOURNAL)):
        batch.put(key, add_text_checksum(key, batch.get(key) or b""))


def _index_applied_documents(batch: Batch) -> None:
    """Index each run by the documents that its texts were applied to."""
    for key in list(batch.scan_keys(keys.RUNS)):
        run = decode_record(RunSummaryRecord, batch.get(key) or b"{}")
        for entry, value in index_entries(batch, run).items():
            batch.put(entry, value)


def _order_by_completion(batch: Batch) -> None:
    """Order the index of completed runs by the time of their completion."""
    prefix = keys.completed_runs(LOCAL_USER) + b":"
    for key in list(batch.scan_keys(prefix)):
        batch.delete(key)
        run_key = keys.run(keys.trailing_id(key))
        run = decode_record(RunSummaryRecord, batch.get(run_key) or b"{}")
        for entry, value in index_entries(batch, run).items():
            if entry.startswith(prefix):
                batch.put(entry, value)


MIGRATIONS: tuple[Callable[[Batch], None], ...] = (
    _add_checksums,
    _index_applied_documents,
    _order_by_completion,
)
"""The first one migrates schema 1 to 2, and so on; never reordered."""
SCHEMA_VERSION = len(MIGRATIONS) + 1


def schema_value(version: int) -> bytes:
    """The value of `meta:schema`."""
    return json.dumps({"v": 1, "schema": version}).encode()


def read_schema_version(snapshot: Snapshot) -> int:
    """Read the store's schema version.

    Raises:
        StoreError: it is missing, invalid, or newer than this program.
    """
    version = _parse_version(snapshot.get(keys.SCHEMA), snapshot.folder)
    if version > SCHEMA_VERSION:
        newer = f"its format is {version}, this version knows {SCHEMA_VERSION}"
        raise errors.too_new_error(snapshot.folder, newer)
    return version


def migrate(batch: Batch) -> None:
    """Migrate the store to this program's schema."""
    for step in MIGRATIONS[read_schema_version(batch) - 1 :]:
        step(batch)
    batch.put(keys.SCHEMA, schema_value(SCHEMA_VERSION))


def _parse_version(raw: bytes | None, folder: Path) -> int:
    try:
        version = json.loads(raw or b"")["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise errors.corrupt_error(folder, "its format is missing") from error
    if not isinstance(version, int) or version < 1:
        raise errors.corrupt_error(folder, f"its format is {version!r}")
    return version
