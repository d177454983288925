"""A checksum at the end of each value, so that no bit of it changes unnoticed.

It is made of the key and the value: a value that stands under another key is found
as well. A record carries it as its last member and stays JSON; a piece of streamed
text has it behind the text. Only `store verify` looks at it: a reader rather shows a
text with a wrong letter than none.
"""

from __future__ import annotations

from zlib import crc32

_MEMBER = b',"sum":"'
_DIGITS = 8
_LENGTH = len(_MEMBER) + _DIGITS + len(b'"}')


def sealed(key: bytes, record: bytes) -> bytes:
    """Return a record, a JSON object with members, with its checksum."""
    return b'%b%b%b"}' % (record[:-1], _MEMBER, _sum(key, record))


def unsealed(raw: bytes) -> bytes:
    """Return the record without its checksum, if it has one."""
    if raw.startswith(_MEMBER, max(0, len(raw) - _LENGTH)):
        return raw[:-_LENGTH] + b"}"
    return raw


def intact(key: bytes, raw: bytes) -> bool:
    """Whether a record is as it was sealed under `key`."""
    return raw == sealed(key, unsealed(raw))


def sealed_text(key: bytes, text: bytes) -> bytes:
    """Return a text with its checksum behind it."""
    return text + _sum(key, text)


def unsealed_text(raw: bytes) -> bytes:
    """Return the text in front of its checksum."""
    return raw[:-_DIGITS]


def intact_text(key: bytes, raw: bytes) -> bool:
    """Whether a text is as it was sealed under `key`."""
    return raw == sealed_text(key, unsealed_text(raw))


def _sum(key: bytes, value: bytes) -> bytes:
    return b"%08x" % crc32(value, crc32(key))
