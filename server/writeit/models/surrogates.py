"""Puts characters together whose two halves came in two pieces of a stream."""

from __future__ import annotations

import re

_HALF = re.compile("[\ud800-\udfff]")


class Surrogates:
    """Joins UTF-16 halves; JSON escapes allow a provider to send them apart."""

    def __init__(self) -> None:
        self._first = ""

    def feed(self, text: str) -> str:
        """Take a piece of text and return what of it is whole."""
        text = self._first + text
        self._first = ""
        if not _HALF.search(text):
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            self._first = text[-1]
            text = text[:-1]
        return _mend(text)

    def end(self) -> str:
        """Return what waited in vain for its other half."""
        return _mend(self._first)


def _mend(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
