"""Which shape the store has, and the ordered steps from older shapes to this one.

The shape is the set of keys. The shape of a single value is its record's own version
(`writeit.store.codec`), which is brought up to date when it is read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from writeit.store import failures, keys
from writeit.store.codec import decode
from writeit.store.reading import no_text
from writeit.store.records import Listing
from writeit.store.seal import sealed, sealed_text
from writeit.store.writing import index_entries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from writeit.store.snapshot import Batch, Snapshot


def _seal(batch: Batch) -> None:
    """Give each record and each piece of streamed text its checksum."""
    for kind in keys.RECORDS:
        for key in list(batch.keys(kind)):
            batch.put(key, sealed(key, batch.get(key) or b"{}"))
    for key in list(batch.keys(keys.JOURNAL)):
        batch.put(key, sealed_text(key, batch.get(key) or b""))


def _list_by_what_was_applied(batch: Batch) -> None:
    """List each run among those of the documents that its texts stand in."""
    for key in list(batch.keys(keys.RUNS)):
        run = decode(Listing, batch.get(key) or b"{}", no_text)
        for entry, value in index_entries(run).items():
            batch.put(entry, value)


MIGRATIONS: tuple[Callable[[Batch], None], ...] = (_seal, _list_by_what_was_applied)
"""The first one leads from schema 1 to schema 2, and so on; never reordered."""
SCHEMA = len(MIGRATIONS) + 1


def stamp(version: int) -> bytes:
    """The value of `meta:schema`."""
    return json.dumps({"v": 1, "schema": version}).encode()


def version_of(snapshot: Snapshot) -> int:
    """Read the store's schema.

    Raises:
        StoreError: it is newer than this program, or not there.
    """
    raw = snapshot.get(keys.SCHEMA)
    version = _parsed(raw, snapshot.folder)
    if version > SCHEMA:
        what = f"its schema is {version}, this version knows {SCHEMA}"
        raise failures.too_new(snapshot.folder, what)
    return version


def migrate(batch: Batch) -> None:
    """Bring the store to this program's schema, all steps or none."""
    for step in MIGRATIONS[version_of(batch) - 1 :]:
        step(batch)
    batch.put(keys.SCHEMA, stamp(SCHEMA))


def _parsed(raw: bytes | None, folder: Path) -> int:
    try:
        version = json.loads(raw or b"")["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise failures.corrupt(folder, "it does not say which schema it has") from error
    if not isinstance(version, int) or version < 1:
        raise failures.corrupt(folder, f"its schema is said to be {version!r}")
    return version
