"""Code fences of markdown: where code begins and ends, and a text that is all code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from writeit.core.alignment import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")


def outside(text_lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines outside code, without their ends, each with its number from 0."""
    fence = ""
    for place, with_end in enumerate(text_lines):
        line = with_end.rstrip("\r\n")
        if fence:
            fence = "" if _closes(line, fence) else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening["fence"]
        else:
            yield place, line


def is_open(text: str) -> bool:
    """Whether what is written behind a text is code: its last fence is not closed."""
    fence = ""
    for with_end in lines(text):
        line = with_end.rstrip("\r\n")
        if fence:
            fence = "" if _closes(line, fence) else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening["fence"]
    return bool(fence)


def code_of(text: str) -> str:
    """Return what stands within a text's fence if the whole text is one; else it."""
    found = lines(text.strip())
    opening = _FENCE.fullmatch(found[0].rstrip("\r\n")) if found else None
    inside = found[1:-1]
    if opening is None or not inside or not _closes(found[-1], opening["fence"]):
        return text
    if any(_closes(line.rstrip("\r\n"), opening["fence"]) for line in inside):
        return text  # it ends before, and something comes after it
    return "".join(inside).rstrip("\r\n")


def _closes(line: str, fence: str) -> bool:
    match = _FENCE.fullmatch(line)
    if match is None or match["info"].strip():
        return False
    return match["fence"].startswith(fence)
