"""A checksum at the end of each value, computed over its key and the value.

A record has it as its last JSON member, a piece of streamed text after the text.
`store verify` checks it, and so does a reader that cannot decode a record. Other reads
do not: a text with a wrong letter is better than no text.
"""

from __future__ import annotations

from zlib import crc32

_CHECKSUM_MEMBER = b',"sum":"'
_CHECKSUM_DIGITS = 8
_CHECKSUM_MEMBER_LENGTH = len(_CHECKSUM_MEMBER) + _CHECKSUM_DIGITS + len(b'"}')


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
