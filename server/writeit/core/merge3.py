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
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from writeit.core.alignment import lines, matches, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from writeit.core.alignment import Pairs

ENOUGH = 0.5
"""Of all the words of two lines, the part both have, from which one is an edit of the
other. An editor's pass keeps 60 to 90 in a hundred; a paragraph written anew on the
same matter still shares a quarter to four tenths, in words such as "the" and in names.
"""

MAX_LIKENESSES = 10_000
"""Pairs of changed lines that are compared; a longer stretch counts as written anew."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A stretch that both sides changed; `ours` is what stands in the result."""

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged text, and where the writer's side won over the other."""

    text: str
    conflicts: tuple[Conflict, ...] = ()


def merge(base: str, ours: str, theirs: str) -> Merged:
    """Merge what `ours` (the writer) and `theirs` made of `base`."""
    for words in (True, False):
        merged = _once(base, ours, theirs, words=words)
        if _once(base, merged.text, theirs).text == merged.text:
            return merged
    return Merged(ours, (Conflict(base, ours, theirs),))


def _once(base: str, ours: str, theirs: str, *, words: bool = True) -> Merged:
    if theirs in {base, ours}:
        return Merged(ours)
    if base == ours:
        return Merged(theirs)
    pieces = _beside_conflicts(list(_by_lines(base, ours, theirs, words=words)))
    conflicts = tuple(
        Conflict(
            *("".join(side) for side in zip(*(p.sides for p in group), strict=True))
        )
        for clash, group in groupby(pieces, key=lambda piece: piece.clash)
        if clash
    )
    return Merged("".join(piece.text for piece in pieces), conflicts)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the three texts and what becomes of it."""

    sides: tuple[str, str, str]
    text: str
    clash: bool = False
    between: bool = False
    """Whether it lies between the lines that all three have."""


def _resolved(base: str, ours: str, theirs: str, *, between: bool = False) -> _Piece:
    sides = (base, ours, theirs)
    if theirs in {base, ours}:
        return _Piece(sides, ours, between=between)
    if ours == base:
        return _Piece(sides, theirs, between=between)
    return _Piece(sides, ours, clash=True, between=between)


def _by_lines(base: str, ours: str, theirs: str, *, words: bool) -> Iterator[_Piece]:
    texts = (lines(base), lines(ours), lines(theirs))
    likeness = _Likeness()
    sides = (_followed(texts[0], side, likeness) for side in texts[1:])
    for gap, same in _synchronised(texts, *sides):
        yield _resolved(*gap, between=True)
        if same is not None:
            yield _by_words(*same) if words else _resolved(*same)


def _by_words(base: str, ours: str, theirs: str) -> _Piece:
    """Merge a line that all three have; any clash in it is a clash of all of it."""
    whole = _resolved(base, ours, theirs)
    if not whole.clash:
        return whole
    texts = (tokens(base), tokens(ours), tokens(theirs))
    sides = (matches(texts[0], side) for side in texts[1:])
    text = []
    for gap, same in _synchronised(texts, *sides):
        piece = _resolved(*gap)
        if piece.clash:
            return whole
        text += [piece.text, same[0] if same else ""]
    return _Piece(whole.sides, "".join(text))


def _synchronised(
    texts: Sequence[Sequence[str]], ours: Pairs, theirs: Pairs
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


def _beside_conflicts(pieces: list[_Piece]) -> list[_Piece]:
    """Leave out what the other side did between lines right beside a conflict."""
    quiet = _Piece(("", "", ""), "")
    around = zip([quiet, *pieces], pieces, [*pieces[1:], quiet], strict=False)
    return [
        replace(piece, text=piece.sides[1], clash=True)
        if piece.between
        and (left.clash or right.clash)
        and piece.sides[2] not in piece.sides[:2]
        else piece
        for left, piece, right in around
    ]


# --- which lines are the same line ----------------------------------------------------


class _Likeness:
    """How much of their words two lines share; 1.0 is all, in whatever order."""

    def __init__(self) -> None:
        self._words: dict[str, Counter[str]] = {}

    def __call__(self, a: str, b: str) -> float:
        words_a, words_b = self._of(a), self._of(b)
        size = words_a.total() + words_b.total()
        if not size:
            return 0.0
        shared = sum(min(n, words_b[word]) for word, n in words_a.items())
        return 2 * shared / size

    def _of(self, line: str) -> Counter[str]:
        if line not in self._words:
            self._words[line] = Counter(t for t in tokens(line) if t[0].isalnum())
        return self._words[line]


def _followed(base: Sequence[str], side: Sequence[str], likeness: _Likeness) -> Pairs:
    """Return where the lines of `base` are in `side`, as they stand or edited.

    Blank lines are no signposts: one is like the other.
    """
    from_base = [n for n, line in enumerate(base) if not line.isspace()]
    from_side = [n for n, line in enumerate(side) if not line.isspace()]
    a, b = [base[n] for n in from_base], [side[n] for n in from_side]
    same = matches(a, b)
    found: Pairs = []
    for (i, j), (to_i, to_j) in pairwise([(-1, -1), *same, (len(a), len(b))]):
        edited = _edited(a[i + 1 : to_i], b[j + 1 : to_j], likeness)
        found += [(i + 1 + x, j + 1 + y) for x, y in edited]
        if to_i < len(a):
            found.append((to_i, to_j))
    return [(from_base[i], from_side[j]) for i, j in found]


def _edited(a: Sequence[str], b: Sequence[str], likeness: _Likeness) -> Pairs:
    """Pair lines in order so that together they are as like as can be."""
    if not a or not b or len(a) * len(b) > MAX_LIKENESSES:
        return []
    like = [[likeness(x, y) for y in b] for x in a]
    best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in reversed(range(len(a))):
        for j in reversed(range(len(b))):
            together = like[i][j] + best[i + 1][j + 1] if like[i][j] >= ENOUGH else 0.0
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    found: Pairs = []
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
