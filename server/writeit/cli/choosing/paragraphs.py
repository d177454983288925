"""The paragraphs of a text, so that some of them can be named and taken."""

from __future__ import annotations

import re

from writeit.core.errors import InvalidParams
from writeit.views.markdown import fence_after

_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def paragraphs(text: str) -> list[str]:
    """Return what blank lines divide; a block of code is not divided."""
    found: list[list[str]] = [[]]
    fence: str | None = None
    for line in text.split("\n"):
        fence = fence_after(line, fence)
        if line.strip() or fence:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return ["\n".join(lines) for lines in found if lines]


def named(which: str, count: int) -> list[range]:
    """Return the places that "2,4-5" names among `count` paragraphs.

    Raises:
        InvalidParams: it names none, or one that is not there.
    """
    places = []
    for part in re.split(r"[,\s]+", which.strip()):
        match = _RANGE.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 1 <= first <= last <= count:
            raise InvalidParams(
                f"{part!r} is no paragraph of the {count} there are.",
                hint="Name them by their numbers, such as 2 or 1,3-4.",
            )
        places.append(range(first - 1, last))
    return places
