"""Detect damage: checksums of values, and a check of the data file without LMDB.

A checksum is computed over a key and its value. A record has it as its last JSON
member, a piece of streamed text after the text. `store verify` checks it, and so does a
reader that cannot decode a record. Other reads do not: a text with a wrong letter is
better than no text.

LMDB could crash on a damaged file; its offline verifier reads bytes only.
"""

from __future__ import annotations

import struct
from pathlib import Path
from zlib import crc32

from lmdb import verify as offline

from writeit.storage.snapshot import DATA_FILE

_CHECKSUM_MEMBER = b',"sum":"'
_CHECKSUM_DIGITS = 8
_CHECKSUM_MEMBER_LENGTH = len(_CHECKSUM_MEMBER) + _CHECKSUM_DIGITS + len(b'"}')
_PAGE_SIZE_OFFSET = 40
_TXNID_OFFSET = 144
"""Where a meta page of LMDB 0.9 says which transaction wrote it."""
META_BYTES = _TXNID_OFFSET + 8
"""The bytes of a meta page that are used."""


def add_checksum(key: bytes, record: bytes) -> bytes:
    """Return a record, a JSON object with members, with its checksum."""
    return b'%b%b%b"}' % (record[:-1], _CHECKSUM_MEMBER, _checksum(key, record))


def strip_checksum(raw: bytes) -> bytes:
    """Return the record without its checksum, if it has one."""
    if raw.startswith(_CHECKSUM_MEMBER, max(0, len(raw) - _CHECKSUM_MEMBER_LENGTH)):
        return raw[:-_CHECKSUM_MEMBER_LENGTH] + b"}"
    return raw


def has_valid_checksum(key: bytes, raw: bytes) -> bool:
    """Return whether a record is unchanged since it was written under `key`."""
    return raw == add_checksum(key, strip_checksum(raw))


def add_text_checksum(key: bytes, text: bytes) -> bytes:
    """Return a text followed by its checksum."""
    return text + _checksum(key, text)


def strip_text_checksum(raw: bytes) -> bytes:
    """Return the text without its checksum."""
    return raw[:-_CHECKSUM_DIGITS]


def has_valid_text_checksum(key: bytes, raw: bytes) -> bool:
    """Return whether a text is unchanged since it was written under `key`."""
    return raw == add_text_checksum(key, strip_text_checksum(raw))


def _checksum(key: bytes, value: bytes) -> bytes:
    return b"%08x" % crc32(value, crc32(key))


# The data file


def find_file_damage(folder: Path) -> list[str]:
    """Check pages, their order and their use; nothing may write meanwhile."""
    try:
        # py-lmdb has types for its extension module only.
        problems: list[str] = offline.verify(str(folder))  # type: ignore[no-untyped-call]
        return problems or _check_meta_pages(folder / DATA_FILE)
    except (offline.VerifyError, OSError, struct.error, RecursionError) as error:
        return [str(error)]


def page_size(head: bytes) -> int:
    """Return the size of pages that the start of a data file gives."""
    return int(struct.unpack_from("=I", head, _PAGE_SIZE_OFFSET)[0])


def transaction_number(meta_page: bytes) -> int:
    """Return the number of the transaction that wrote a meta page."""
    return int(struct.unpack_from("=Q", meta_page, _TXNID_OFFSET)[0])


def _check_meta_pages(data: Path) -> list[str]:
    """Check that the two meta pages are of consecutive transactions."""
    with data.open("rb") as file:
        head = file.read(1 << 16)
    one, other = transaction_number(head), transaction_number(head[page_size(head) :])
    if abs(one - other) == 1 or one == other == 0:
        return []
    return [f"its two meta pages are of transactions {one} and {other}"]
