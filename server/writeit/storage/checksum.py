"""A checksum at the end of each value, so that no bit of it changes unnoticed.

It is made of the key and the value: a value that stands under another key is found
as well. A record carries it as its last member and stays JSON; a piece of streamed
text has it behind the text. Only `store verify` looks at it: a reader rather shows a
text with a wrong letter than none.
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
    """Whether a record is as it was sealed under `key`."""
    return raw == add_checksum(key, strip_checksum(raw))


def add_text_checksum(key: bytes, text: bytes) -> bytes:
    """Return a text with its checksum behind it."""
    return text + _checksum(key, text)


def strip_text_checksum(raw: bytes) -> bytes:
    """Return the text in front of its checksum."""
    return raw[:-_CHECKSUM_DIGITS]


def has_valid_text_checksum(key: bytes, raw: bytes) -> bool:
    """Whether a text is as it was sealed under `key`."""
    return raw == add_text_checksum(key, strip_text_checksum(raw))


def _checksum(key: bytes, value: bytes) -> bytes:
    return b"%08x" % crc32(value, crc32(key))
