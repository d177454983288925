"""The log of changed runs, for the search index and for other editors.

Each commit and each deletion adds a key with the next number, a hash of all changes so
far, and the run. So a key that is known says that the store was not replaced since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain, islice
from uuid import UUID

from writeit.storage import integrity, keys
from writeit.storage.snapshot import Batch, Snapshot

MAX_CHANGES = 10_000
"""Changes that are kept; an index that lacks more is made again."""


def log_change(batch: Batch, run_id: UUID) -> None:
    """Log that a run was written or deleted."""
    newest = newest_change(batch)
    number, run = _number(newest) + 1, batch.get(keys.run(run_id)) or b""
    digest = hashlib.sha256(newest + run).hexdigest()[:8]
    key = keys.change(number, f"{digest}:{run_id}")
    batch.put(key, integrity.add_text_checksum(key, b""))
    for old in islice(batch.scan_keys(keys.change(number - MAX_CHANGES)), 1):
        batch.delete(old)


def newest_change(snapshot: Snapshot) -> bytes:
    """Return the key of the newest change; an empty one if nothing was logged."""
    end = keys.prefix_end(keys.CHANGES)
    return next(snapshot.scan_keys_reversed(keys.CHANGES, end), b"")


def changes_after(snapshot: Snapshot, known: bytes) -> Iterator[bytes]:
    """Return the keys of the changes after a known one, oldest first.

    Raises:
        LookupError: some are not in the log, or it is that of another store.
    """
    log = snapshot.scan_keys(keys.CHANGES, known)
    first = next(log, b"")
    if first != known and (known or _number(first) != 1):
        raise LookupError(known)
    return chain([first] if first != known else [], log)


def _number(change: bytes) -> int:
    return int(change.split(b":")[1]) if change else 0
