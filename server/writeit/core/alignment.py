"""Texts in pieces, and which pieces two texts share: the ground of merge and edits."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Pairs = list[tuple[int, int]]
"""Places in two sequences that belong together, rising in both."""

MAX_COMPARISONS = 50_000
"""Pairs of equal pieces up to which difflib looks at all of them.

It is what two paragraphs of some 200 words come to. Two longer ones are first cut at
the pieces that are there once in each, so the work stays near proportional.
"""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ENDS_OF_PYTHON = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""Where `splitlines` cuts as well, and no editor does."""
_ONE_BY_ONE = (
    "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\U00020000-\U0003ffff"
)
_TOKEN = re.compile(
    rf"\r\n|\r|\n|[^\S\r\n]+|[{_ONE_BY_ONE}]"
    rf"|[^\W{_ONE_BY_ONE}]+(?:['\u2019][^\W{_ONE_BY_ONE}]+)*|[^\w\s]"
)
_FLAGS = range(0x1F1E6, 0x1F200)
_SKIN = range(0x1F3FB, 0x1F400)
_JOINER = "\u200d"


def lines(text: str) -> list[str]:
    """Cut a text into lines with their ends: LF, CRLF or CR, as LSP counts them."""
    if any(character in text for character in _ENDS_OF_PYTHON):
        return _LINE.findall(text)
    return text.splitlines(keepends=True)


def tokens(text: str) -> list[str]:
    """Cut a text into words, blanks, line ends and signs; joined they are the text.

    What a reader sees as one character stays in one piece: a letter with its
    combining marks, an emoji of several code points, a flag.
    """
    found = _TOKEN.findall(text)
    return found if text.isascii() else list(_whole(found))


def _whole(pieces: list[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        if held and _continues(held, piece):
            held += piece
        else:
            if held:
                yield held
            held = piece
    if held:
        yield held


def _continues(held: str, piece: str) -> bool:
    first = piece[0]
    if first.isascii() or held.isspace():
        return False
    if ord(first) in _FLAGS:
        return len(held) == 1 and ord(held) in _FLAGS
    return (
        first == _JOINER
        or held[-1] == _JOINER
        or ord(first) in _SKIN
        or unicodedata.category(first).startswith("M")
    )


def matches(a: Sequence[str], b: Sequence[str]) -> Pairs:
    """Return which pieces of `a` stand, in the same order, in `b`."""
    if _comparisons(a, b) <= MAX_COMPARISONS:
        return _compared(a, b)
    size = min(len(a), len(b))
    head = next((n for n in range(size) if a[n] != b[n]), size)
    rest = size - head
    tail = next((n for n in range(rest) if a[-1 - n] != b[-1 - n]), rest)
    inner = _cut(a[head : len(a) - tail], b[head : len(b) - tail])
    return [
        *((n, n) for n in range(head)),
        *((head + i, head + j) for i, j in inner),
        *((len(a) - n, len(b) - n) for n in range(tail, 0, -1)),
    ]


def _comparisons(a: Sequence[str], b: Sequence[str]) -> int:
    in_a, in_b = Counter(a), Counter(b)
    return sum(count * in_b[piece] for piece, count in in_a.items())


def _compared(a: Sequence[str], b: Sequence[str]) -> Pairs:
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [(i + n, j + n) for i, j, size in blocks for n in range(size)]


def _cut(a: Sequence[str], b: Sequence[str]) -> Pairs:
    """Match long sequences: what is there once in each, then what lies between."""
    in_a, in_b = Counter(a), Counter(b)
    once = {piece for piece, count in in_a.items() if count == in_b[piece] == 1}
    place = {piece: j for j, piece in enumerate(b) if piece in once}
    anchors = _rising([(i, place[p]) for i, p in enumerate(a) if p in once])
    found: Pairs = []
    for (i, j), (to_i, to_j) in pairwise([(-1, -1), *anchors, (len(a), len(b))]):
        gap = (a[i + 1 : to_i], b[j + 1 : to_j])
        if _comparisons(*gap) <= MAX_COMPARISONS:
            found += [(i + 1 + x, j + 1 + y) for x, y in _compared(*gap)]
        if to_i < len(a):
            found.append((to_i, to_j))
    return found


def _rising(pairs: Pairs) -> Pairs:
    """Return the longest part of `pairs` that rises in both places."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        ends[at:] = [j, *ends[at + 1 :]]
        last[at:] = [index, *last[at + 1 :]]
        before.append(last[at - 1] if at else -1)
    chain: Pairs = []
    index = last[-1] if last else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]
