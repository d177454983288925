"""Code fences of markdown: where code begins and ends, and a text that is all code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from writeit.text.diff import split_lines

# --- Code fences of markdown: where code begins and ends, and a text that is all code -

_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")


def lines_outside_code(text_lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines outside code, without their ends, each with its number from 0."""
    fence = ""
    for place, with_end in enumerate(text_lines):
        line = with_end.rstrip("\r\n")
        if fence:
            fence = "" if _closes_fence(line, fence) else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening["fence"]
        else:
            yield place, line


def has_open_fence(text: str) -> bool:
    """Whether what is written behind a text is code: its last fence is not closed."""
    fence = ""
    for with_end in split_lines(text):
        line = with_end.rstrip("\r\n")
        if fence:
            fence = "" if _closes_fence(line, fence) else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening["fence"]
    return bool(fence)


def strip_fence(text: str) -> str:
    """Return what stands within a text's fence if the whole text is one; else it."""
    found = split_lines(text.strip())
    opening = _FENCE.fullmatch(found[0].rstrip("\r\n")) if found else None
    inside = found[1:-1]
    if opening is None or not inside or not _closes_fence(found[-1], opening["fence"]):
        return text
    if any(_closes_fence(line.rstrip("\r\n"), opening["fence"]) for line in inside):
        return text  # it ends before, and something comes after it
    return "".join(inside).rstrip("\r\n")


def _closes_fence(line: str, fence: str) -> bool:
    match = _FENCE.fullmatch(line)
    if match is None or match["info"].strip():
        return False
    return match["fence"].startswith(fence)


# --- What is read out of a markdown text ----------------------------------------------

_ANY_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?:[ \t].*)?")
_TITLE_HEADING = re.compile(r" {0,3}#(?:[ \t]+(?P<title>.*?))?(?:[ \t]+#+)?[ \t]*")


def first_title(body: str) -> str:
    """Return the text of the first `# heading` outside code, or ""."""
    for _, line in lines_outside_code(body.splitlines()):
        if (heading := _TITLE_HEADING.fullmatch(line)) and heading["title"]:
            return str(heading["title"])
    return ""


@dataclass(frozen=True, slots=True)
class MarkdownSection:
    """A heading and the lines below it, up to the next of its level or above."""

    heading_line: int
    """The heading's line, from 0."""
    level: int
    """1 to 6."""
    last_line: int
    """The last line that is not blank; the heading's own if there is none below."""


def parse_sections(lines: Sequence[str]) -> list[MarkdownSection]:
    """Return the sections of a text without front matter, `#` headings outside code."""
    headings = list(_heading_lines(lines))
    found = []
    for place, (line, level) in enumerate(headings):
        ends = (at for at, other in headings[place + 1 :] if other <= level)
        last = next(ends, len(lines)) - 1
        while last > line and not lines[last].strip():
            last -= 1
        found.append(MarkdownSection(line, level, last))
    return found


def _heading_lines(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    for place, line in lines_outside_code(lines):
        if heading := _ANY_HEADING.fullmatch(line):
            yield place, len(heading["marks"])
