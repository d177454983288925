"""What becomes of an answer's raw text before a writer uses it."""

from __future__ import annotations

import re

# --- What becomes of an answer's raw text before a writer uses it ---------------------

_ENCLOSING_FENCE = re.compile(
    r"\A(?P<fence>`{3,}|~{3,})(?:markdown|md|text|txt)?[ \t]*\n"
    r"(?P<body>.*)\n(?P=fence)[ \t]*\Z",
    re.DOTALL,
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def repair_surrogates(text: str) -> str:
    """Return `text` with halves of characters joined, or replaced where one is alone.

    Editors and JSON count in UTF-16 and can cut a character in two; a half can neither
    be stored nor sent.
    """
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_output(raw_output: str) -> str:
    """Return `raw` without outer blank lines and without one fence around it all.

    A model asked for markdown often wraps the whole of it in a code fence. A fence
    that is part of the text stays.
    """
    text = raw_output.strip()
    match = _ENCLOSING_FENCE.match(text)
    if match and match["fence"] not in match["body"]:
        return match["body"].strip()
    return text


# --- Puts characters together whose two halves came in two pieces of a stream ---------

_SURROGATE_PATTERN = re.compile("[\ud800-\udfff]")


class SurrogateJoiner:
    """Joins UTF-16 halves; JSON escapes allow a provider to send them apart."""

    def __init__(self) -> None:
        self._high_half = ""

    def feed(self, text: str) -> str:
        """Take a piece of text and return what of it is whole."""
        text = self._high_half + text
        self._high_half = ""
        if not _SURROGATE_PATTERN.search(text):
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            self._high_half = text[-1]
            text = text[:-1]
        return _join_surrogates(text)

    def finish(self) -> str:
        """Return what waited in vain for its other half."""
        return _join_surrogates(self._high_half)


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
