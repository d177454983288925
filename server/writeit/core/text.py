"""What becomes of an answer's raw text before a writer uses it."""

from __future__ import annotations

import re

_WHOLE_FENCE = re.compile(
    r"\A(?P<fence>`{3,}|~{3,})(?:markdown|md|text|txt)?[ \t]*\n"
    r"(?P<body>.*)\n(?P=fence)[ \t]*\Z",
    re.DOTALL,
)


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
