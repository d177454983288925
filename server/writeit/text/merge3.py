"""Three texts into one: what the writer did and what the answer did to the same base.

Our own diff3, since the libraries for it override the writer, loop, or cannot be had.

Theory of operation. Lines are paragraphs. A line of the base is followed into either
side: as it stands, or as the line that shares at least half its words. Where both
sides have it, the three versions are merged word by word; what lies between such lines
is taken from the side that changed it. Where both sides changed the same words, or one
side wrote a paragraph so anew that it shares less than half with the base, there is no
telling what belongs together: the writer's paragraph stays whole and the conflict is
reported. So is what the answer did right beside a conflict: it may be the other half
of a paragraph it cut in two.

Everything the writer typed is in the result, always. Merging the result again changes
nothing; a merge of which that is not true is thrown away for a coarser one: paragraphs
not merged by word, and at last the writer's text as it is, all of it a conflict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from writeit.text.diff import IndexPairs, match_sequences, split_lines, split_tokens

MIN_SIMILARITY = 0.5
"""Of all the words of two lines, the part both have, from which one is an edit of the
other. An editor's pass keeps 60 to 90 in a hundred; a paragraph written anew on the
same matter still shares a quarter to four tenths, in words such as "the" and in names.
"""

MAX_LINE_COMPARISONS = 10_000
"""Pairs of changed lines that are compared; a longer stretch counts as written anew."""


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A stretch that both sides changed; `ours` is what stands in the result."""

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The merged text, and where the writer's side won over the other."""

    text: str
    conflicts: tuple[MergeConflict, ...] = ()


def merge(base: str, ours: str, theirs: str) -> MergeResult:
    """Merge what `ours` (the writer) and `theirs` made of `base`."""
    for words in (True, False):
        merged = _merge_pass(base, ours, theirs, by_words=words)
        if _merge_pass(base, merged.text, theirs).text == merged.text:
            return merged
    return MergeResult(ours, (MergeConflict(base, ours, theirs),))


def _merge_pass(
    base: str, ours: str, theirs: str, *, by_words: bool = True
) -> MergeResult:
    if theirs in {base, ours}:
        return MergeResult(ours)
    if base == ours:
        return MergeResult(theirs)
    pieces = _extend_conflicts(
        list(_merge_lines(base, ours, theirs, by_words=by_words))
    )
    conflicts = tuple(
        MergeConflict(
            *("".join(side) for side in zip(*(p.sides for p in group), strict=True))
        )
        for clash, group in groupby(pieces, key=lambda piece: piece.is_conflict)
        if clash
    )
    return MergeResult("".join(piece.text for piece in pieces), conflicts)


@dataclass(frozen=True, slots=True)
class _MergeChunk:
    """A stretch of the three texts and what becomes of it."""

    sides: tuple[str, str, str]
    text: str
    is_conflict: bool = False
    is_gap: bool = False
    """Whether it lies between the lines that all three have."""


def _resolve_chunk(
    base: str, ours: str, theirs: str, *, is_gap: bool = False
) -> _MergeChunk:
    sides = (base, ours, theirs)
    if theirs in {base, ours}:
        return _MergeChunk(sides, ours, is_gap=is_gap)
    if ours == base:
        return _MergeChunk(sides, theirs, is_gap=is_gap)
    return _MergeChunk(sides, ours, is_conflict=True, is_gap=is_gap)


def _merge_lines(
    base: str, ours: str, theirs: str, *, by_words: bool
) -> Iterator[_MergeChunk]:
    texts = (split_lines(base), split_lines(ours), split_lines(theirs))
    likeness = _SimilarityCache()
    sides = (_match_lines(texts[0], side, likeness) for side in texts[1:])
    for gap, same in _align_common(texts, *sides):
        yield _resolve_chunk(*gap, is_gap=True)
        if same is not None:
            yield _merge_line_words(*same) if by_words else _resolve_chunk(*same)


def _merge_line_words(base: str, ours: str, theirs: str) -> _MergeChunk:
    """Merge a line that all three have; any clash in it is a clash of all of it."""
    whole = _resolve_chunk(base, ours, theirs)
    if not whole.is_conflict:
        return whole
    texts = (split_tokens(base), split_tokens(ours), split_tokens(theirs))
    sides = (match_sequences(texts[0], side) for side in texts[1:])
    text = []
    for gap, same in _align_common(texts, *sides):
        piece = _resolve_chunk(*gap)
        if piece.is_conflict:
            return whole
        text += [piece.text, same[0] if same else ""]
    return _MergeChunk(whole.sides, "".join(text))


def _align_common(
    texts: Sequence[Sequence[str]], ours: IndexPairs, theirs: IndexPairs
) -> Iterator[tuple[tuple[str, str, str], tuple[str, str, str] | None]]:
    """Yield what lies before each piece that all three have, and that piece."""
    in_ours, in_theirs = dict(ours), dict(theirs)
    common = [(i, in_ours[i], in_theirs[i]) for i in in_ours if i in in_theirs]
    ends = tuple(len(text) for text in texts)
    for before, here in pairwise([(-1, -1, -1), *common, ends]):
        a, b, c = (
            "".join(text[start + 1 : end])
            for text, start, end in zip(texts, before, here, strict=True)
        )
        same = None
        if here != ends:
            same = (texts[0][here[0]], texts[1][here[1]], texts[2][here[2]])
        yield (a, b, c), same


def _extend_conflicts(chunks: list[_MergeChunk]) -> list[_MergeChunk]:
    """Leave out what the other side did between lines right beside a conflict."""
    quiet = _MergeChunk(("", "", ""), "")
    around = zip([quiet, *chunks], chunks, [*chunks[1:], quiet], strict=False)
    return [
        replace(piece, text=piece.sides[1], is_conflict=True)
        if piece.is_gap
        and (left.is_conflict or right.is_conflict)
        and piece.sides[2] not in piece.sides[:2]
        else piece
        for left, piece, right in around
    ]


# --- which lines are the same line ----------------------------------------------------


class _SimilarityCache:
    """How much of their words two lines share; 1.0 is all, in whatever order."""

    def __init__(self) -> None:
        self._word_counts: dict[str, Counter[str]] = {}

    def __call__(self, a: str, b: str) -> float:
        words_a, words_b = self._count_words(a), self._count_words(b)
        size = words_a.total() + words_b.total()
        if not size:
            return 0.0
        shared = sum(min(n, words_b[word]) for word, n in words_a.items())
        return 2 * shared / size

    def _count_words(self, line: str) -> Counter[str]:
        if line not in self._word_counts:
            self._word_counts[line] = Counter(
                t for t in split_tokens(line) if t[0].isalnum()
            )
        return self._word_counts[line]


def _match_lines(
    base: Sequence[str], side: Sequence[str], similarity: _SimilarityCache
) -> IndexPairs:
    """Return where the lines of `base` are in `side`, as they stand or edited.

    Blank lines are no signposts: one is like the other.
    """
    from_base = [n for n, line in enumerate(base) if not line.isspace()]
    from_side = [n for n, line in enumerate(side) if not line.isspace()]
    a, b = [base[n] for n in from_base], [side[n] for n in from_side]
    same = match_sequences(a, b)
    found: IndexPairs = []
    for (i, j), (to_i, to_j) in pairwise([(-1, -1), *same, (len(a), len(b))]):
        edited = _match_edited_lines(a[i + 1 : to_i], b[j + 1 : to_j], similarity)
        found += [(i + 1 + x, j + 1 + y) for x, y in edited]
        if to_i < len(a):
            found.append((to_i, to_j))
    return [(from_base[i], from_side[j]) for i, j in found]


def _match_edited_lines(
    a: Sequence[str], b: Sequence[str], similarity: _SimilarityCache
) -> IndexPairs:
    """Pair lines in order so that together they are as like as can be."""
    if not a or not b or len(a) * len(b) > MAX_LINE_COMPARISONS:
        return []
    like = [[similarity(x, y) for y in b] for x in a]
    best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in reversed(range(len(a))):
        for j in reversed(range(len(b))):
            together = (
                like[i][j] + best[i + 1][j + 1] if like[i][j] >= MIN_SIMILARITY else 0.0
            )
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    found: IndexPairs = []
    i = j = 0
    while i < len(a) and j < len(b):
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            found.append((i, j))
            i, j = i + 1, j + 1
    return found
