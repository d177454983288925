"""Three-way merge: what the user and an answer each changed in the same base text.

Our own diff3: the libraries for it let the other side win, do not end, or have a
license that we cannot use.

Theory of operation. Lines are paragraphs. Each line of the base is matched with the
equal line of either side, or with a line that shares at least half of its words. Where
both sides have the line, its three versions are merged word by word. What lies between
matched lines is taken from the side that changed it. If both sides changed the same
words, or one side rewrote a paragraph so that less than half of its words are left,
the user's paragraph is kept whole and the conflict is reported. So is what the answer
changed next to a conflict: it may be the other half of a paragraph that it divided.

Everything the user typed is in the result. Merging the result again changes nothing;
if that fails, a coarser merge is used: first paragraphs that are not merged by word,
then the user's text as it is, all of it a conflict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from writeit.text.diff import (
    MAX_LINE_COMPARISONS,
    MIN_SIMILARITY,
    IndexPairs,
    count_words,
    match_gaps,
    match_sequences,
    similarity,
)
from writeit.text.lines import split_lines, split_tokens


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """A passage that both sides changed; `ours` is what the result contains."""

    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The merged text, and the conflicts in which the user's version was kept."""

    text: str
    conflicts: tuple[MergeConflict, ...] = ()


def merge(base: str, ours: str, theirs: str) -> MergeResult:
    """Merge the changes of `ours` (the user) and `theirs` to `base`."""
    for by_words in (True, False):
        merged = _merge_pass(base, ours, theirs, by_words=by_words)
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
    chunks = _extend_conflicts(
        list(_merge_lines(base, ours, theirs, by_words=by_words))
    )
    conflicts = tuple(
        MergeConflict(
            *("".join(side) for side in zip(*(c.sides for c in group), strict=True))
        )
        for is_conflict, group in groupby(chunks, key=lambda chunk: chunk.is_conflict)
        if is_conflict
    )
    return MergeResult("".join(chunk.text for chunk in chunks), conflicts)


@dataclass(frozen=True, slots=True)
class _MergeChunk:
    """A passage of the three texts and its merged text."""

    sides: tuple[str, str, str]
    text: str
    is_conflict: bool = False
    is_gap: bool = False
    """True for what lies between the lines that all three have."""


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
    sides = (_match_lines(texts[0], side) for side in texts[1:])
    for gap, same in _align_common(texts, *sides):
        yield _resolve_chunk(*gap, is_gap=True)
        if same is not None:
            yield _merge_line_words(*same) if by_words else _resolve_chunk(*same)


def _merge_line_words(base: str, ours: str, theirs: str) -> _MergeChunk:
    """Merge a line that all three have; a conflict in it is one of the whole line."""
    whole = _resolve_chunk(base, ours, theirs)
    if not whole.is_conflict:
        return whole
    texts = (split_tokens(base), split_tokens(ours), split_tokens(theirs))
    sides = (match_sequences(texts[0], side) for side in texts[1:])
    text = []
    for gap, same in _align_common(texts, *sides):
        chunk = _resolve_chunk(*gap)
        if chunk.is_conflict:
            return whole
        text += [chunk.text, same[0] if same else ""]
    return _MergeChunk(whole.sides, "".join(text))


def _align_common(
    texts: Sequence[Sequence[str]], ours: IndexPairs, theirs: IndexPairs
) -> Iterator[tuple[tuple[str, str, str], tuple[str, str, str] | None]]:
    """Yield what lies before each item that all three have, and that item."""
    in_ours, in_theirs = dict(ours), dict(theirs)
    common = [(i, in_ours[i], in_theirs[i]) for i in in_ours if i in in_theirs]
    ends = tuple(len(text) for text in texts)
    for before, indices in pairwise([(-1, -1, -1), *common, ends]):
        a, b, c = (
            "".join(text[start + 1 : end])
            for text, start, end in zip(texts, before, indices, strict=True)
        )
        same = None
        if indices != ends:
            i, j, k = indices
            same = (texts[0][i], texts[1][j], texts[2][k])
        yield (a, b, c), same


def _extend_conflicts(chunks: list[_MergeChunk]) -> list[_MergeChunk]:
    """Leave out what the other side changed between lines next to a conflict."""
    conflicts = [False, *(chunk.is_conflict for chunk in chunks), False]
    return [
        replace(chunk, text=chunk.sides[1], is_conflict=True)
        if chunk.is_gap and (before or after) and chunk.sides[2] not in chunk.sides[:2]
        else chunk
        for before, chunk, after in zip(conflicts, chunks, conflicts[2:], strict=False)
    ]


def _match_lines(base: Sequence[str], side: Sequence[str]) -> IndexPairs:
    """Match the lines of `base` with their versions in `side`.

    Blank lines are left out, because they are all the same.
    """
    from_base = [n for n, line in enumerate(base) if not line.isspace()]
    from_side = [n for n, line in enumerate(side) if not line.isspace()]
    a, b = [base[n] for n in from_base], [side[n] for n in from_side]
    matches = match_gaps(match_sequences(a, b), a, b, _match_edited_lines)
    return [(from_base[i], from_side[j]) for i, j in matches]


def _match_edited_lines(a: Sequence[str], b: Sequence[str]) -> IndexPairs:
    """Match similar lines, in order, so that the sum of similarities is greatest."""
    if not a or not b or len(a) * len(b) > MAX_LINE_COMPARISONS:
        return []
    words_a, words_b = [[count_words(line) for line in lines] for lines in (a, b)]
    like = [[similarity(x, y) for y in words_b] for x in words_a]
    best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in reversed(range(len(a))):
        for j in reversed(range(len(b))):
            together = (
                like[i][j] + best[i + 1][j + 1] if like[i][j] >= MIN_SIMILARITY else 0.0
            )
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    matches: IndexPairs = []
    i = j = 0
    while i < len(a) and j < len(b):
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            matches.append((i, j))
            i, j = i + 1, j + 1
    return matches
