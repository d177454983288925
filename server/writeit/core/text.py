"""What becomes of an answer's raw text before a writer uses it."""

from __future__ import annotations

import re

_WHOLE_FENCE = re.compile(
    r"\A(?P<fence>`{3,}|~{3,})(?:markdown|md|text|txt)?[ \t]*\n"
    r"(?P<body>.*)\n(?P=fence)[ \t]*\Z",
    re.DOTALL,
)
_HALF = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """Return `text` with halves of characters joined, or replaced where one is alone.

    Editors and JSON count in UTF-16 and can cut a character in two; a half can neither
    be stored nor sent.
    """
    if not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def processed(raw: str) -> str:
    """Return `raw` without outer blank lines and without one fence around it all.

    A model asked for markdown often wraps the whole of it in a code fence. A fence
    that is part of the text stays.
    """
    text = raw.strip()
    match = _WHOLE_FENCE.match(text)
    if match and match["fence"] not in match["body"]:
        return match["body"].strip()
    return text
