"""Which shape the store has, and the ordered steps from older shapes to this one.

The shape is the set of keys. The shape of a single value is its record's own version
(`writeit.storage.records`), which is brought up to date when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from writeit.storage import errors, keys
from writeit.storage.checksum import add_checksum, add_text_checksum
from writeit.storage.reads import reject_text_reference
from writeit.storage.records import RunSummaryRecord, decode_record
from writeit.storage.snapshot import Batch, Snapshot
from writeit.storage.writes import index_entries


def _add_checksums(batch: Batch) -> None:
    """Give each record and each piece of streamed text its checksum."""
    for kind in keys.RECORD_PREFIXES:
        for key in list(batch.scan_keys(kind)):
            batch.put(key, add_checksum(key, batch.get(key) or b"{}"))
    for key in list(batch.scan_keys(keys.JOURNAL)):
        batch.put(key, add_text_checksum(key, batch.get(key) or b""))


def _index_applied_documents(batch: Batch) -> None:
    """List each run among those of the documents that its texts stand in."""
    for key in list(batch.scan_keys(keys.RUNS)):
        run = decode_record(
            RunSummaryRecord, batch.get(key) or b"{}", reject_text_reference
        )
        for entry, value in index_entries(run).items():
            batch.put(entry, value)


MIGRATIONS: tuple[Callable[[Batch], None], ...] = (
    _add_checksums,
    _index_applied_documents,
)
"""The first one leads from schema 1 to schema 2, and so on; never reordered."""
SCHEMA_VERSION = len(MIGRATIONS) + 1


def schema_value(version: int) -> bytes:
    """The value of `meta:schema`."""
    return json.dumps({"v": 1, "schema": version}).encode()


def read_schema_version(snapshot: Snapshot) -> int:
    """Read the store's schema.

    Raises:
        StoreError: it is newer than this program, or not there.
    """
    raw = snapshot.get(keys.SCHEMA)
    version = _parse_version(raw, snapshot.folder)
    if version > SCHEMA_VERSION:
        what = f"its schema is {version}, this version knows {SCHEMA_VERSION}"
        raise errors.too_new_error(snapshot.folder, what)
    return version


def migrate(batch: Batch) -> None:
    """Bring the store to this program's schema, all steps or none."""
    for step in MIGRATIONS[read_schema_version(batch) - 1 :]:
        step(batch)
    batch.put(keys.SCHEMA, schema_value(SCHEMA_VERSION))


def _parse_version(raw: bytes | None, folder: Path) -> int:
    try:
        version = json.loads(raw or b"")["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise errors.corrupt_error(
            folder, "it does not say which schema it has"
        ) from error
    if not isinstance(version, int) or version < 1:
        raise errors.corrupt_error(folder, f"its schema is said to be {version!r}")
    return version
