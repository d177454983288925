"""Code fences around a model's answer and around a passage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from writeit.text.lines import split_lines

_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")
_PROSE_LANGUAGES = {"", "markdown", "md", "text", "txt"}


def split_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text; a code block is not divided."""
    paragraphs: list[list[str]] = [[]]
    for line, fence_before, _ in _with_fences(split_lines(text)):
        if line.strip() or fence_before:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return ["\n".join(lines) for lines in paragraphs if lines]


def find_paragraph(
    text: str, line: int, limits: tuple[int, int]
) -> tuple[int, int, str]:
    """Return the first and last line of the paragraph at `line`, and its text.

    It does not leave `limits`, a first and a last line; all count from 0.
    """
    lines = split_lines(text)
    first = last = line
    while first > limits[0] and lines[first - 1].strip():
        first -= 1
    while last < min(limits[1], len(lines) - 1) and lines[last + 1].strip():
        last += 1
    return first, last, "".join(lines[first : last + 1])


def has_open_fence(text: str) -> bool:
    """Whether the last code fence of `text` is open, so that added text is code."""
    fences = [after for _, _, after in _with_fences(split_lines(text))]
    return bool(fences and fences[-1])


def _with_fences(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each line without its end, and the fence that is open before and after."""
    fence = ""
    for with_end in lines:
        line, before = with_end.rstrip("\r\n"), fence
        if fence:
            fence = "" if _closes_fence(line, fence) else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening["fence"]
        yield line, before, fence


def _closes_fence(line: str, fence: str) -> bool:
    match = _FENCE.fullmatch(line)
    if match is None or match["info"].strip():
        return False
    return match["fence"].startswith(fence)


def strip_fence(text: str) -> str:
    """Return the content of the code block if `text` is one, else `text`."""
    lines = split_lines(text.strip())
    opening = _FENCE.fullmatch(lines[0].rstrip("\r\n")) if lines else None
    inside = lines[1:-1]
    if opening is None or not inside or not _closes_fence(lines[-1], opening["fence"]):
        return text
    if any(_closes_fence(line.rstrip("\r\n"), opening["fence"]) for line in inside):
        return text  # the block ends earlier, and more text follows it
    return "".join(inside).rstrip("\r\n")


def clean_output(raw_output: str) -> str:
    """Return a model's output without outer blank lines and a fence around all of it.

    Models often put the markdown they were asked for into a code block. A block of
    another language stays.
    """
    text = raw_output.strip()
    opening = _FENCE.match(text)
    if opening and opening["info"].strip() in _PROSE_LANGUAGES:
        return strip_fence(text).strip()
    return text
