"""Texts made harmless for a terminal: what others wrote must not steer it."""

from __future__ import annotations

from typing import Final

_PICTURES = 0x2400
"""Where Unicode has a picture for each control character."""
_KEPT = "\n\t"
_HARMLESS: Final = {
    **{code: chr(_PICTURES + code) for code in range(0x20) if chr(code) not in _KEPT},
    ord("\r"): None,
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}"),
}


def plain(text: str) -> str:
    """Return a text in which no character is a command; lines and tabs stay."""
    return text.translate(_HARMLESS)
