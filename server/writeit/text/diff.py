"""Which parts two texts share, the edits between them, and lines from an apply."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

from writeit.text.lines import split_lines, split_tokens

IndexPairs = list[tuple[int, int]]
"""Indices of equal or related items in two sequences."""

MAX_COMPARISONS = 50_000
"""Pairs of equal items up to which difflib compares two sequences as a whole.

Two paragraphs of some 200 words have about as many. Longer sequences are first divided
at the items that occur once in each, so that the time stays nearly linear.
"""

MIN_SIMILARITY = 0.5
"""The similarity from which one line counts as an edited version of another.

An edit by a model keeps 60 to 90 percent of the words. A rewritten paragraph about the
same subject still shares 25 to 40 percent: names and words such as "the".
"""

MAX_LINE_COMPARISONS = 10_000
"""Pairs of changed lines that are compared; a longer passage counts as rewritten."""


def match_sequences(a: Sequence[str], b: Sequence[str]) -> IndexPairs:
    """Return the indices of the items that `a` and `b` share in the same order."""
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
    return sum(count * in_b[item] for item, count in in_a.items())


def _match_with_difflib(a: Sequence[str], b: Sequence[str]) -> IndexPairs:
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [(i + n, j + n) for i, j, size in blocks for n in range(size)]


def _match_by_anchors(a: Sequence[str], b: Sequence[str]) -> IndexPairs:
    """Match the items that occur once in each sequence, then the gaps between them."""
    in_a, in_b = Counter(a), Counter(b)
    unique = {item for item, count in in_a.items() if count == in_b[item] == 1}
    index_in_b = {item: j for j, item in enumerate(b) if item in unique}
    pairs = [(i, index_in_b[item]) for i, item in enumerate(a) if item in unique]
    return match_gaps(
        _longest_increasing(pairs),
        a,
        b,
        lambda x, y: (
            _match_with_difflib(x, y)
            if _count_comparisons(x, y) <= MAX_COMPARISONS
            else []
        ),
    )


def match_gaps(
    matches: IndexPairs,
    a: Sequence[str],
    b: Sequence[str],
    match_gap: Callable[[Sequence[str], Sequence[str]], IndexPairs],
) -> IndexPairs:
    """Return `matches` and what `match_gap` matches before, between and after them."""
    pairs: IndexPairs = []
    for i, end_i, j, end_j in find_gaps(matches, a, b):
        inner = match_gap(a[i:end_i], b[j:end_j])
        pairs += [(i + x, j + y) for x, y in inner]
        if end_i < len(a):
            pairs.append((end_i, end_j))
    return pairs


def find_gaps(
    matches: IndexPairs, a: Sequence[str], b: Sequence[str]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield start and end, in `a` and in `b`, of each gap around the matches."""
    for (i, j), (end_i, end_j) in pairwise([(-1, -1), *matches, (len(a), len(b))]):
        yield i + 1, end_i, j + 1, end_j


def _longest_increasing(pairs: IndexPairs) -> IndexPairs:
    """Return the longest subsequence of `pairs` that increases in both indices."""
    ends: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        ends[length:] = [j, *ends[length + 1 :]]
        last[length:] = [index, *last[length + 1 :]]
        previous.append(last[length - 1] if length else -1)
    chain: IndexPairs = []
    index = last[-1] if last else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]


def count_words(line: str) -> Counter[str]:
    """Return the words of a line, counted."""
    return Counter(token for token in split_tokens(line) if token[0].isalnum())


def similarity(a: Counter[str], b: Counter[str]) -> float:
    """Return the share of their words that two lines have in common, in any order."""
    shared = sum(min(count, b[word]) for word, count in a.items() if word in b)
    return 2 * shared / (a.total() + b.total()) if shared else 0.0


def most_similar(words: Counter[str], candidates: Iterable[Counter[str]]) -> int | None:
    """Return the index of the line that `words` is a version of, or None."""
    shares = [similarity(words, candidate) for candidate in candidates]
    best = max(shares, default=0.0)
    return shares.index(best) if best >= MIN_SIMILARITY else None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the text between two offsets, in code points, with `new`."""

    start: int
    end: int
    new: str


def compute_edits(old: str, new: str) -> list[Edit]:
    """Return the smallest edits, in whole words, that turn `old` into `new`.

    They are in order and do not touch each other.
    """
    return [
        Edit(line + start, line + start + len(removed), added)
        for line, before, after in _changed_spans(split_lines(old), split_lines(new))
        for start, removed, added in _changed_spans(
            split_tokens(before), split_tokens(after)
        )
    ]


def edit_distance(a: str, b: str) -> int:
    """Count the code points that are removed and added between two texts."""
    return sum(e.end - e.start + len(e.new) for e in compute_edits(a, b))


def _changed_spans(
    a: Sequence[str], b: Sequence[str]
) -> Iterator[tuple[int, str, str]]:
    """Yield the offset of each part of `a` that differs, the part, its replacement."""
    offsets = list(accumulate(map(len, a), initial=0))
    for i, end_i, j, end_j in find_gaps(match_sequences(a, b), a, b):
        removed, added = "".join(a[i:end_i]), "".join(b[j:end_j])
        if removed or added:
            yield offsets[i], removed, added


def find_applied_lines(
    text_before: str, text_after: str, current_text: str, line: int
) -> tuple[int, int] | None:
    """Return the first and last line, around `line`, that an apply inserted.

    `text_before` and `text_after` are the document before and after the apply. Lines
    edited since still count. None if the line is blank, was there before, or was typed
    since.
    """
    after, current = split_lines(text_after), split_lines(current_text)
    if line >= len(current) or not current[line].strip():
        return None
    there_before = {j for _, j in match_sequences(split_lines(text_before), after)}
    same = match_sequences(after, current)
    inserted = {
        index
        for source, index in match_gaps(same, after, current, _match_most_similar)
        if source not in there_before
    }
    if line not in inserted:
        return None
    first, last = (_last_inserted(current, inserted, line, step) for step in (-1, 1))
    return first, last


def _match_most_similar(a: Sequence[str], b: Sequence[str]) -> IndexPairs:
    """Match each line of `b` with the line of `a` that it is a version of, if any."""
    if len(a) * len(b) > MAX_LINE_COMPARISONS:
        return []
    sources = [count_words(line) for line in a]
    matches = ((most_similar(count_words(b[j]), sources), j) for j in range(len(b)))
    return [(i, j) for i, j in matches if i is not None]


def _last_inserted(
    lines: Sequence[str], inserted: set[int], line: int, step: int
) -> int:
    """Return the last inserted line from `line` on, by `step`, across blank lines."""
    last, index = line, line + step
    while 0 <= index < len(lines) and (index in inserted or not lines[index].strip()):
        last = index if index in inserted else last
        index += step
    return last
