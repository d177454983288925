"""Which lines of a text come from a text that was applied, though edited since."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from writeit.core.alignment import lines, matches, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ENOUGH = 0.5
"""Of all the words of two lines, the part both have, from which one is an edit of the
other; as in `merge3`."""

MAX_LIKENESSES = 10_000
"""Pairs of changed lines that are compared; a longer stretch counts as another text."""


def traced(replaced: str, text: str, now: str, line: int) -> tuple[int, int] | None:
    """Return the first and last line around `line` of `now` that an apply put there.

    `replaced` was the document before the apply, and `text` after it. None if the line
    was there before, was typed since, or is blank.
    """
    after, current = lines(text), lines(now)
    if line >= len(current) or not current[line].strip():
        return None
    there_before = {j for _, j in matches(lines(replaced), after)}
    put_in = {
        place
        for place, source in _followed(after, current)
        if source not in there_before
    }
    if line not in put_in:
        return None
    return _edge(current, put_in, line, -1), _edge(current, put_in, line, 1)


def _followed(
    after: Sequence[str], current: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Yield each line of `current` that is a line of `after`, perhaps edited."""
    same = matches(after, current)
    for (i, j), (to_i, to_j) in pairwise([(-1, -1), *same, (len(after), len(current))]):
        if j >= 0:
            yield j, i
        if (to_i - i) * (to_j - j) > MAX_LIKENESSES:
            continue
        for place in range(j + 1, to_j):
            likest = max(
                range(i + 1, to_i),
                key=lambda n: _likeness(after[n], current[place]),
                default=None,
            )
            if likest is not None and _likeness(after[likest], current[place]) > ENOUGH:
                yield place, likest


def _likeness(one: str, other: str) -> float:
    a, b = (
        [token for token in tokens(line) if token[0].isalnum()] for line in (one, other)
    )
    if not a or not b:
        return 0.0
    return 2 * len(matches(a, b)) / (len(a) + len(b))


def _edge(current: Sequence[str], put_in: set[int], line: int, step: int) -> int:
    """Return the last line, going `step` by `step`, that is put in; blanks between."""
    last, at = line, line + step
    while 0 <= at < len(current) and (at in put_in or not current[at].strip()):
        last = at if at in put_in else last
        at += step
    return last
