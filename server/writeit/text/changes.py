"""The blocks that an apply changed in a document, found again in its text of now.

Theory of operation. The lines before and after the apply give pieces: lines that both
texts have, and changes. If a document consists of all pieces, each change as it was
before or after, nobody has typed in it. Else it is divided at the lines that both texts
have, then at whole changes, and each part is read in the same way. In a part that the
user edited, a three-way merge undoes the changes and keeps the user's words, or finds a
conflict. Nothing is remembered, so undo and redo of the editor cannot confuse it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from writeit.text.diff import (
    MIN_SIMILARITY,
    count_words,
    find_gaps,
    match_sequences,
    similarity,
)
from writeit.text.lines import LINE_END, first_line_end
from writeit.text.merge3 import merge

Lines = Sequence[str]
"""Lines without their ends; the last one of a text may be empty."""

MAX_READINGS = 64
"""Ways to read a text up to a piece; more are not followed."""


@dataclass(frozen=True, slots=True)
class ChangedBlock:
    """A block of a document that an apply changed and nobody has undone."""

    keys: tuple[str, ...]
    """Its changes: several if they cannot be told apart any more."""
    first: int
    """Its first line, from 0."""
    stop: int
    """The line after its last; the first line if its text was removed."""
    before: str
    """Its text before the apply, each line with an end."""
    undone: str | None
    """The same with what the user typed in the block since; None is a conflict."""

    def touches(self, other: ChangedBlock) -> bool:
        """Whether the two have a line or a place in common."""
        one, two = ((b.first, max(b.stop, b.first + 1)) for b in (self, other))
        return one[0] < two[1] and two[0] < one[1]


def undo_blocks(text: str, blocks: Iterable[ChangedBlock], line_end: str = "\n") -> str:
    """Return a text with blocks as before; one in conflict loses what was typed.

    `line_end` is for a text that has none any more.
    """
    lines, ends = LINE_END.split(text), LINE_END.findall(text)
    end = ends[0] if ends else line_end
    pairs = list(zip(lines, [*ends, ""], strict=True))
    for block in reversed([*blocks]):
        new = block.before if block.undone is None else block.undone
        pairs[block.first : block.stop] = [(line, end) for line in new.split("\n")[:-1]]
    joined = "".join(line + (line_end or end) for line, line_end in pairs)
    return joined.removesuffix((pairs[-1][1] if pairs else "") or end)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line that is in both texts (without a key), or a change."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """Pieces, and the lines of a document that stand for them."""

    pieces: Sequence[_Piece]
    first: int
    lines: Lines

    def find_blocks(self) -> Iterator[ChangedBlock]:
        """Yield the changed blocks, in order."""
        if not any(piece.key for piece in self.pieces):
            return
        if (sides := _read_sides(self.pieces, self.lines)) is not None:
            yield from self._exact_blocks(sides)
            return
        for find_places in (self._common_lines, self._whole_changes):
            if places := list(find_places()):
                for part in self._divide(places):
                    yield from part.find_blocks()
                return
        if block := self._edited_block():
            yield block

    def _exact_blocks(self, sides: Iterable[Lines]) -> Iterator[ChangedBlock]:
        line = self.first
        for piece, side in zip(self.pieces, sides, strict=True):
            stop = line + len(side)
            if piece.key and side is piece.after:
                before = _join(piece.before)
                yield ChangedBlock((piece.key,), line, stop, before, before)
            line = stop

    def _common_lines(self) -> Iterator[tuple[int, int, int]]:
        """Yield the lines of both texts that the document has, too.

        Blank lines are all the same.
        """
        pieces = [
            n for n, p in enumerate(self.pieces) if not p.key and p.after[0].strip()
        ]
        lines = [n for n, line in enumerate(self.lines) if line.strip()]
        for i, j in match_sequences(
            [self.pieces[n].after[0] for n in pieces], [self.lines[n] for n in lines]
        ):
            yield pieces[i], lines[j], 1

    def _whole_changes(self) -> Iterator[tuple[int, int, int]]:
        """Yield the changes of which one side is in the document, and is there once."""
        counts, stop = Counter(self.lines), 0
        place_of = {line: n for n, line in enumerate(self.lines)}
        sides = Counter(side for p in self.pieces for side in (p.before, p.after))
        for n, piece in enumerate(self.pieces):
            for side in (piece.after, piece.before) if piece.key else ():
                head = next((i for i, line in enumerate(side) if line.strip()), None)
                if head is None or counts[side[head]] != 1 or sides[side] != 1:
                    continue
                place = place_of[side[head]] - head
                end = place + len(side)
                if place >= stop and tuple(self.lines[place:end]) == side:
                    yield n, place, len(side)
                    stop = end
                    break

    def _divide(self, places: Iterable[tuple[int, int, int]]) -> Iterator[_Part]:
        """Yield the parts at and around places: a piece, its line, its length."""
        piece = line = 0
        for index, place, count in [*places, (len(self.pieces), len(self.lines), 0)]:
            yield self._part(piece, index, line, place)
            yield self._part(index, index + 1, place, place + count)
            piece, line = index + 1, place + count

    def _part(self, piece: int, end: int, line: int, stop: int) -> _Part:
        return _Part(self.pieces[piece:end], self.first + line, self.lines[line:stop])

    def _edited_block(self) -> ChangedBlock | None:
        """Return a block in which the user typed; None if the user replaced it."""
        applied = [line for piece in self.pieces for line in piece.after]
        before = [line for piece in self.pieces for line in piece.before]
        head = _count_equal(applied, before, self.lines)
        sides = [side[head:] for side in (applied, self.lines, before)]
        tail = _count_equal(*(side[::-1] for side in sides))
        words = [_join(side[: len(side) - tail]) for side in sides]
        undone = _undo_in(*words)
        if undone == words[1]:
            return None
        first, stop = self.first + head, self.first + len(self.lines) - tail
        keys = tuple(piece.key for piece in self.pieces if piece.key)
        return ChangedBlock(keys, first, stop, words[2], undone)


class AppliedChanges:
    """The changes of one apply. All line ends count as the same."""

    def __init__(self, before: str, after: str) -> None:
        self.line_end = first_line_end(before)
        self._pieces = list(_to_pieces(LINE_END.split(before), LINE_END.split(after)))

    def find_blocks(self, text: str) -> list[ChangedBlock]:
        """Return the changed blocks of a text, in order."""
        return list(_Part(self._pieces, 0, LINE_END.split(text)).find_blocks())


def _to_pieces(before: Lines, after: Lines) -> Iterator[_Piece]:
    counts: Counter[str] = Counter()
    for i, end_i, j, end_j in find_gaps(match_sequences(before, after), before, after):
        removed, added = tuple(before[i:end_i]), tuple(after[j:end_j])
        if removed or added:
            words = f"{_join(removed)}\0{_join(added)}"
            counts[words] += 1
            key = sha256(f"{counts[words]}\0{words}".encode()).hexdigest()
            yield _Piece(removed, added, key[:16])
        if end_i < len(before):
            yield _Piece((before[end_i],), (before[end_i],))


def _join(lines: Lines) -> str:
    return "".join(f"{line}\n" for line in lines)


def _read_sides(pieces: Sequence[_Piece], lines: Lines) -> list[Lines] | None:
    """Return the sides of pieces that lines consist of, or None.

    All readings are followed at once.
    """
    readings: list[dict[int, tuple[str, ...]]] = []
    starts: Iterable[int] = (0,)
    for piece in pieces:
        reading = {
            at + len(side): side
            for side in (piece.before, piece.after)
            for at in starts
            if tuple(lines[at : at + len(side)]) == side
        }
        if not reading or len(reading) > MAX_READINGS:
            return None
        readings.append(reading)
        starts = reading
    if len(lines) not in starts:
        return None
    at = len(lines)
    sides: list[Lines] = []
    for reading in reversed(readings):
        sides.append(reading[at])
        at -= len(reading[at])
    return sides[::-1]


def _undo_in(applied: str, now: str, before: str) -> str | None:
    """Return an edited block as it was before, with the user's words.

    That is `now` if nothing of the applied text is left in it, and None if the user's
    words cannot be told from the applied ones.
    """
    words, words_before = count_words(now), count_words(before)
    if not applied.strip():  # the apply removed the text, and the user typed there
        is_back = before in now or similarity(words, words_before) >= MIN_SIMILARITY
        return now if is_back else before + now
    merged = merge(applied, now, before)
    if not merged.conflicts:
        return merged.text
    share = similarity(words, count_words(applied))
    is_left = share >= max(MIN_SIMILARITY, similarity(words, words_before))
    return None if is_left else now


def _count_equal(*sides: Lines) -> int:
    """Count the lines with which all sides begin."""
    equal = (len(set(lines)) == 1 for lines in zip(*sides, strict=False))
    return next((n for n, same in enumerate(equal) if not same), min(map(len, sides)))
