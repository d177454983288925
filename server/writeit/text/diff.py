"""Texts in pieces, and which pieces two texts share: the ground of merge and edits."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

# --- Texts in pieces, and which pieces two texts share: the ground of merge and edits -

IndexPairs = list[tuple[int, int]]
"""Places in two sequences that belong together, rising in both."""

MAX_COMPARISONS = 50_000
"""Pairs of equal pieces up to which difflib looks at all of them.

It is what two paragraphs of some 200 words come to. Two longer ones are first cut at
the pieces that are there once in each, so the work stays near proportional.
"""

_LINE_WITH_END = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SPLITLINES_EXTRAS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""Where `splitlines` cuts as well, and no editor does."""
_UNSPACED_SCRIPTS = (
    "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\U00020000-\U0003ffff"
)
_TOKEN = re.compile(
    rf"\r\n|\r|\n|[^\S\r\n]+|[{_UNSPACED_SCRIPTS}]"
    rf"|[^\W{_UNSPACED_SCRIPTS}]+(?:['\u2019][^\W{_UNSPACED_SCRIPTS}]+)*|[^\w\s]"
)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_ZERO_WIDTH_JOINER = "\u200d"


def split_lines(text: str) -> list[str]:
    """Cut a text into lines with their ends: LF, CRLF or CR, as LSP counts them."""
    if any(character in text for character in _SPLITLINES_EXTRAS):
        return _LINE_WITH_END.findall(text)
    return text.splitlines(keepends=True)


def split_tokens(text: str) -> list[str]:
    """Cut a text into words, blanks, line ends and signs; joined they are the text.

    What a reader sees as one character stays in one piece: a letter with its
    combining marks, an emoji of several code points, a flag.
    """
    found = _TOKEN.findall(text)
    return found if text.isascii() else list(_join_graphemes(found))


def _join_graphemes(pieces: list[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        if held and _continues_grapheme(held, piece):
            held += piece
        else:
            if held:
                yield held
            held = piece
    if held:
        yield held


def _continues_grapheme(grapheme: str, piece: str) -> bool:
    first = piece[0]
    if first.isascii() or grapheme.isspace():
        return False
    if ord(first) in _FLAG_LETTERS:
        return len(grapheme) == 1 and ord(grapheme) in _FLAG_LETTERS
    return (
        first == _ZERO_WIDTH_JOINER
        or grapheme[-1] == _ZERO_WIDTH_JOINER
        or ord(first) in _SKIN_TONES
        or unicodedata.category(first).startswith("M")
    )


def match_sequences(a: Sequence[str], b: Sequence[str]) -> IndexPairs:
    """Return which pieces of `a` stand, in the same order, in `b`."""
    if _count_comparisons(a, b) <= MAX_COMPARISONS:
        return _match_with_difflib(a, b)
    size = min(len(a), len(b))
    head = next((n for n in range(size) if a[n] != b[n]), size)
    rest = size - head
    tail = next((n for n in range(rest) if a[-1 - n] != b[-1 - n]), rest)
    inner = _match_by_anchors(a[head : len(a) - tail], b[head : len(b) - tail])
    return [
        *((n, n) for n in range(head)),
        *((head + i, head + j) for i, j in inner),
        *((len(a) - n, len(b) - n) for n in range(tail, 0, -1)),
    ]


def _count_comparisons(a: Sequence[str], b: Sequence[str]) -> int:
    in_a, in_b = Counter(a), Counter(b)
    return sum(count * in_b[piece] for piece, count in in_a.items())


def _match_with_difflib(a: Sequence[str], b: Sequence[str]) -> IndexPairs:
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [(i + n, j + n) for i, j, size in blocks for n in range(size)]


def _match_by_anchors(a: Sequence[str], b: Sequence[str]) -> IndexPairs:
    """Match long sequences: what is there once in each, then what lies between."""
    in_a, in_b = Counter(a), Counter(b)
    once = {piece for piece, count in in_a.items() if count == in_b[piece] == 1}
    place = {piece: j for j, piece in enumerate(b) if piece in once}
    anchors = _longest_increasing([(i, place[p]) for i, p in enumerate(a) if p in once])
    found: IndexPairs = []
    for (i, j), (to_i, to_j) in pairwise([(-1, -1), *anchors, (len(a), len(b))]):
        gap = (a[i + 1 : to_i], b[j + 1 : to_j])
        if _count_comparisons(*gap) <= MAX_COMPARISONS:
            found += [(i + 1 + x, j + 1 + y) for x, y in _match_with_difflib(*gap)]
        if to_i < len(a):
            found.append((to_i, to_j))
    return found


def _longest_increasing(pairs: IndexPairs) -> IndexPairs:
    """Return the longest part of `pairs` that rises in both places."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        ends[at:] = [j, *ends[at + 1 :]]
        last[at:] = [index, *last[at + 1 :]]
        before.append(last[at - 1] if at else -1)
    chain: IndexPairs = []
    index = last[-1] if last else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


# --- The smallest edits, in whole words, that make one text of another ----------------


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `new` in place of what lies between two places, counted in code points."""

    start: int
    end: int
    new: str


def compute_edits(old: str, new: str) -> list[Edit]:
    """Return edits of `old`, in order and apart from each other, that make `new`."""
    found: list[Edit] = []
    for start, before, after in _changed_spans(split_lines(old), split_lines(new)):
        for place, gone, come in _changed_spans(
            split_tokens(before), split_tokens(after)
        ):
            at = start + place
            found.append(Edit(at, at + len(gone), come))
    return found


def apply_edits(text: str, text_edits: Iterable[Edit]) -> str:
    """Return `text` after `changes`, all of which mean places in `text` as it is."""
    pieces, here = [], 0
    for change in text_edits:
        pieces += [text[here : change.start], change.new]
        here = change.end
    return "".join([*pieces, text[here:]])


def edit_distance(a: str, b: str) -> int:
    """Count the code points that go or come on the way from one text to the other."""
    return sum(e.end - e.start + len(e.new) for e in compute_edits(a, b))


def _changed_spans(
    a: Sequence[str], b: Sequence[str]
) -> Iterator[tuple[int, str, str]]:
    """Yield each stretch of `a` that differs: where it begins, it, what it becomes."""
    starts = [0]
    for piece in a:
        starts.append(starts[-1] + len(piece))
    ends = (len(a), len(b))
    for (i, j), (to_i, to_j) in pairwise([(-1, -1), *match_sequences(a, b), ends]):
        gone, come = "".join(a[i + 1 : to_i]), "".join(b[j + 1 : to_j])
        if gone or come:
            yield starts[i + 1], gone, come


# --- Which lines of a text come from a text that was applied, though edited since -----

MIN_TRACE_SIMILARITY = 0.5
"""Of all the words of two lines, the part both have, from which one is an edit of the
other; as in `merge3`."""

MAX_TRACE_COMPARISONS = 10_000
"""Pairs of changed lines that are compared; a longer stretch counts as another text."""


def find_applied_lines(
    text_before: str, text_after: str, current_text: str, line: int
) -> tuple[int, int] | None:
    """Return the first and last line around `line` of `now` that an apply put there.

    `replaced` was the document before the apply, and `text` after it. None if the line
    was there before, was typed since, or is blank.
    """
    after, current = split_lines(text_after), split_lines(current_text)
    if line >= len(current) or not current[line].strip():
        return None
    there_before = {j for _, j in match_sequences(split_lines(text_before), after)}
    put_in = {
        place
        for place, source in _match_applied_lines(after, current)
        if source not in there_before
    }
    if line not in put_in:
        return None
    return _applied_range_end(current, put_in, line, -1), _applied_range_end(
        current, put_in, line, 1
    )


def _match_applied_lines(
    applied_text: Sequence[str], current: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Yield each line of `current` that is a line of `after`, perhaps edited."""
    same = match_sequences(applied_text, current)
    for (i, j), (to_i, to_j) in pairwise(
        [(-1, -1), *same, (len(applied_text), len(current))]
    ):
        if j >= 0:
            yield j, i
        if (to_i - i) * (to_j - j) > MAX_TRACE_COMPARISONS:
            continue
        for place in range(j + 1, to_j):
            likest = max(
                range(i + 1, to_i),
                key=lambda n: _token_similarity(applied_text[n], current[place]),
                default=None,
            )
            if (
                likest is not None
                and _token_similarity(applied_text[likest], current[place])
                > MIN_TRACE_SIMILARITY
            ):
                yield place, likest


def _token_similarity(first: str, second: str) -> float:
    a, b = (
        [token for token in split_tokens(line) if token[0].isalnum()]
        for line in (first, second)
    )
    if not a or not b:
        return 0.0
    return 2 * len(match_sequences(a, b)) / (len(a) + len(b))


def _applied_range_end(
    current: Sequence[str], applied_lines: set[int], line: int, direction: int
) -> int:
    """Return the last line, going `step` by `step`, that is put in; blanks between."""
    last, at = line, line + direction
    while 0 <= at < len(current) and (at in applied_lines or not current[at].strip()):
        last = at if at in applied_lines else last
        at += direction
    return last
