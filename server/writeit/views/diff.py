"""What differs between two texts, word by word, in markdown a person can read.

Words taken out are ~~struck~~, words put in are **bold**. Lines are matched first,
so that a long text costs little. Between two lines that have little in common, a
word-by-word account would be noise: the one is struck, the other put in whole.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from writeit.views import words
from writeit.views.markdown import inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Words = tuple[str, ...]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BREAKS_LAYOUT = re.compile(r"^(?:#{1,6}(?=\s)|[=-]+$)")
_ALIKE = 0.5
"""Lines with less in common than this are not compared by words."""
_AHEAD = 8
"""How many lines further a line's match is looked for."""
_MANY_WORDS = 1_000
"""In longer lines the commonest words are no places to match at: it bounds the time."""
_ISLAND = 3
"""Fewer words that stayed, between words that did not, are not worth showing."""
_IN_SIGHT = 1
"""Unchanged lines shown on each side of a change."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that stayed, were taken out, or were put in."""

    old: Words
    new: Words

    @property
    def stayed(self) -> bool:
        """Whether these words are in both texts."""
        return self.old == self.new


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the two texts together: its pieces in order."""

    pieces: tuple[Piece, ...]
    after_blank: bool
    """Whether a paragraph begins with it."""

    @property
    def changed(self) -> bool:
        """Whether it differs between the texts."""
        return any(not piece.stayed for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Difference:
    """How two texts differ."""

    lines: tuple[Line, ...]
    taken_out: int
    put_in: int
    stayed: int

    @property
    def related(self) -> bool:
        """Whether the texts have enough in common to be one text in two versions."""
        return self.stayed >= min(self.taken_out, self.put_in)


def difference(left: str, right: str) -> Difference:
    """Compare two texts by words."""
    old, new = _lines(left), _lines(right)
    lines: list[Line] = []
    matcher = SequenceMatcher(
        None, [words for words, _ in old], [words for words, _ in new], autojunk=False
    )
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            lines += [_line([Piece(text, text)], blank) for text, blank in new[c:d]]
        else:
            lines += _paired(old[a:b], new[c:d])
    pieces = [piece for line in lines for piece in line.pieces]
    return Difference(
        lines=tuple(lines),
        taken_out=sum(len(piece.old) for piece in pieces if not piece.stayed),
        put_in=sum(len(piece.new) for piece in pieces if not piece.stayed),
        stayed=sum(len(piece.old) for piece in pieces if piece.stayed),
    )


def told(found: Difference) -> str:
    """Say in a sentence how much differs."""
    if not found.taken_out and not found.put_in:
        return "The two have the same words."
    if not found.related:
        return "The two have little in common; here they stand one after the other."
    return (
        f"{words.count(found.taken_out, 'word')} ~~out~~,"
        f" {words.count(found.put_in, 'word')} **in**,"
        f" {words.count(found.stayed, 'word')} as before."
    )


def in_markdown(found: Difference) -> str:
    """Return the differences as markdown; long stretches without any are left out."""
    shown, left_out = "", 0
    for line, near in zip(found.lines, _near_a_change(found.lines), strict=True):
        if not near:
            left_out += 1
            continue
        shown += _gap(left_out)
        shown += "\n\n" if line.after_blank or left_out else "\n"
        shown += _shown(line)
        left_out = 0
    return (shown + _gap(left_out)).strip("\n")


def _lines(text: str) -> list[tuple[Words, bool]]:
    """Return the words of each line that has some, and whether a blank is before it."""
    found: list[tuple[Words, bool]] = []
    blank = True
    for line in _LINE_BREAK.split(text):
        if split := tuple(line.split()):
            found.append((split, blank))
        blank = not split
    return found


def _line(pieces: Iterable[Piece], after_blank: bool) -> Line:
    return Line(tuple(pieces), after_blank)


def _paired(
    old: Sequence[tuple[Words, bool]], new: Sequence[tuple[Words, bool]]
) -> Iterator[Line]:
    """Match lines that changed, each with the one most like it a little further on."""
    at = 0
    for text, blank in old:
        match = _most_alike(text, [words for words, _ in new[at : at + _AHEAD]])
        if match is None:
            yield _line([Piece(text, ())], blank)
            continue
        yield from (_line([Piece((), w)], b) for w, b in new[at : at + match])
        at += match
        yield _line(_by_words(text, new[at][0]), new[at][1])
        at += 1
    yield from (_line([Piece((), w)], b) for w, b in new[at:])


def _most_alike(text: Words, others: Sequence[Words]) -> int | None:
    """Return which of `others` has most in common with `text`, if any has enough."""
    shares = [_share(text, other) for other in others]
    best = max(shares, default=0.0)
    return shares.index(best) if best >= _ALIKE else None


def _share(one: Words, other: Words) -> float:
    common = (Counter(one) & Counter(other)).total()
    return 2 * common / (len(one) + len(other))


def _by_words(old: Words, new: Words) -> list[Piece]:
    many = max(len(old), len(new)) > _MANY_WORDS
    matcher = SequenceMatcher(None, old, new, autojunk=many)
    pieces = [Piece(old[a:b], new[c:d]) for _, a, b, c, d in matcher.get_opcodes()]
    return _without_islands(pieces)


def _without_islands(pieces: list[Piece]) -> list[Piece]:
    """Join changes that only a few words stand between."""
    joined: list[Piece] = []
    for place, piece in enumerate(pieces):
        between = place < len(pieces) - 1 and len(piece.old) < _ISLAND
        if joined and not joined[-1].stayed and (between or not piece.stayed):
            last = joined.pop()
            piece = Piece(last.old + piece.old, last.new + piece.new)  # noqa: PLW2901 -- one that has grown
        joined.append(piece)
    return joined


def _near_a_change(lines: Sequence[Line]) -> list[bool]:
    changed = [line.changed for line in lines]
    return [
        any(changed[max(0, place - _IN_SIGHT) : place + _IN_SIGHT + 1])
        for place in range(len(changed))
    ]


def _gap(left_out: int) -> str:
    if not left_out:
        return ""
    return f"\n\n*… {words.count(left_out, 'line')} the same …*"


def _shown(line: Line) -> str:
    text = " ".join(part for piece in line.pieces for part in _marked(piece))
    return _BREAKS_LAYOUT.sub(r"\\\g<0>", text)


def _marked(piece: Piece) -> Iterator[str]:
    old, new = inline(" ".join(piece.old)), inline(" ".join(piece.new))
    if piece.stayed:
        yield old
        return
    if old:
        yield f"~~{old}~~"
    if new:
        yield f"**{new}**"
