"""Check a data file without LMDB, which a damaged file could crash.

lmdb's offline verifier reads bytes only.
"""

from __future__ import annotations

import struct
from pathlib import Path

from lmdb import verify as offline

from writeit.storage.snapshot import DATA_FILE

_PAGE_SIZE_OFFSET = 40
_TXNID_OFFSET = 144
"""Where a meta page of LMDB 0.9 says which transaction wrote it."""


def find_file_damage(folder: Path) -> list[str]:
    """Check pages, their order and their use; nothing may write meanwhile."""
    try:
        # py-lmdb has types for its extension module only.
        problems: list[str] = offline.verify(str(folder))  # type: ignore[no-untyped-call]
        return problems or _check_meta_pages(folder / DATA_FILE)
    except (offline.VerifyError, OSError, struct.error, RecursionError) as error:
        return [str(error)]


def _check_meta_pages(data: Path) -> list[str]:
    """Check that the two meta pages are of consecutive transactions."""
    with data.open("rb") as file:
        head = file.read(1 << 16)
    size = struct.unpack_from("=I", head, _PAGE_SIZE_OFFSET)[0]
    one, other = (
        struct.unpack_from("=Q", head, i + _TXNID_OFFSET)[0] for i in (0, size)
    )
    if abs(one - other) == 1 or one == other == 0:
        return []
    return [f"its two meta pages are of transactions {one} and {other}"]
