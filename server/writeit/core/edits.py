"""The smallest edits, in whole words, that make one text of another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from writeit.core.alignment import lines, matches, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `new` in place of what lies between two places, counted in code points."""

    start: int
    end: int
    new: str


def edits(old: str, new: str) -> list[Edit]:
    """Return edits of `old`, in order and apart from each other, that make `new`."""
    found: list[Edit] = []
    for start, before, after in _changed(lines(old), lines(new)):
        for place, gone, come in _changed(tokens(before), tokens(after)):
            at = start + place
            found.append(Edit(at, at + len(gone), come))
    return found


def applied(text: str, changes: Iterable[Edit]) -> str:
    """Return `text` after `changes`, all of which mean places in `text` as it is."""
    pieces, here = [], 0
    for change in changes:
        pieces += [text[here : change.start], change.new]
        here = change.end
    return "".join([*pieces, text[here:]])


def distance(a: str, b: str) -> int:
    """Count the code points that go or come on the way from one text to the other."""
    return sum(e.end - e.start + len(e.new) for e in edits(a, b))


def _changed(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield each stretch of `a` that differs: where it begins, it, what it becomes."""
    starts = [0]
    for piece in a:
        starts.append(starts[-1] + len(piece))
    ends = (len(a), len(b))
    for (i, j), (to_i, to_j) in pairwise([(-1, -1), *matches(a, b), ends]):
        gone, come = "".join(a[i + 1 : to_i]), "".join(b[j + 1 : to_j])
        if gone or come:
            yield starts[i + 1], gone, come
