"""What differs between two texts, word by word, in markdown a person can read.

Words taken out are ~~struck~~, words put in are **bold**. Lines are matched first,
so that a long text costs little. Between two lines that have little in common, a
word-by-word account would be noise: the one is struck, the other put in whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from writeit.views import wording
from writeit.views.escape import escape_inline

LineWords = tuple[str, ...]

_DIFF_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BLOCK_SYNTAX = re.compile(r"^(?:#{1,6}(?=\s)|[=-]+$)")
_MIN_LINE_SIMILARITY = 0.5
"""Lines with less in common than this are not compared by words."""
_LOOKAHEAD_LINES = 8
"""How many lines further a line's match is looked for."""
_AUTOJUNK_WORDS = 1_000
"""In longer lines the commonest words are no places to match at: it bounds the time."""
_MIN_UNCHANGED_WORDS = 3
"""Fewer words that stayed, between words that did not, are not worth showing."""
_CONTEXT_LINES = 1
"""Unchanged lines shown on each side of a change."""


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """Words that stayed, were taken out, or were put in."""

    old: LineWords
    new: LineWords

    @property
    def is_unchanged(self) -> bool:
        """Whether these words are in both texts."""
        return self.old == self.new


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of the two texts together: its pieces in order."""

    spans: tuple[DiffSpan, ...]
    starts_paragraph: bool
    """Whether a paragraph begins with it."""

    @property
    def is_changed(self) -> bool:
        """Whether it differs between the texts."""
        return any(not piece.is_unchanged for piece in self.spans)


@dataclass(frozen=True, slots=True)
class TextDiff:
    """How two texts differ."""

    lines: tuple[DiffLine, ...]
    removed_words: int
    added_words: int
    unchanged_words: int

    @property
    def is_related(self) -> bool:
        """Whether the texts have enough in common to be one text in two versions."""
        return self.unchanged_words >= min(self.removed_words, self.added_words)


def compare_words(left: str, right: str) -> TextDiff:
    """Compare two texts by words."""
    old, new = _split_words_by_line(left), _split_words_by_line(right)
    lines: list[DiffLine] = []
    matcher = SequenceMatcher(
        None, [words for words, _ in old], [words for words, _ in new], autojunk=False
    )
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            lines += [
                _diff_line([DiffSpan(text, text)], blank) for text, blank in new[c:d]
            ]
        else:
            lines += _align_lines(old[a:b], new[c:d])
    pieces = [piece for line in lines for piece in line.spans]
    return TextDiff(
        lines=tuple(lines),
        removed_words=sum(len(piece.old) for piece in pieces if not piece.is_unchanged),
        added_words=sum(len(piece.new) for piece in pieces if not piece.is_unchanged),
        unchanged_words=sum(len(piece.old) for piece in pieces if piece.is_unchanged),
    )


def summary(diff: TextDiff) -> str:
    """Say in a sentence how much differs."""
    if not diff.removed_words and not diff.added_words:
        return "The two have the same words."
    if not diff.is_related:
        return "The two have little in common; here they stand one after the other."
    return (
        f"{wording.count_of(diff.removed_words, 'word')} ~~out~~,"
        f" {wording.count_of(diff.added_words, 'word')} **in**,"
        f" {wording.count_of(diff.unchanged_words, 'word')} as before."
    )


def as_markdown(diff: TextDiff) -> str:
    """Return the differences as markdown; long stretches without any are left out."""
    shown, left_out = "", 0
    for line, near in zip(diff.lines, _are_in_context(diff.lines), strict=True):
        if not near:
            left_out += 1
            continue
        shown += _omission_note(left_out)
        shown += "\n\n" if line.starts_paragraph or left_out else "\n"
        shown += _line_markdown(line)
        left_out = 0
    return (shown + _omission_note(left_out)).strip("\n")


def _split_words_by_line(text: str) -> list[tuple[LineWords, bool]]:
    """Return the words of each line that has some, and whether a blank is before it."""
    found: list[tuple[LineWords, bool]] = []
    blank = True
    for line in _DIFF_LINE_BREAK.split(text):
        if split := tuple(line.split()):
            found.append((split, blank))
        blank = not split
    return found


def _diff_line(spans: Iterable[DiffSpan], starts_paragraph: bool) -> DiffLine:
    return DiffLine(tuple(spans), starts_paragraph)


def _align_lines(
    old: Sequence[tuple[LineWords, bool]], new: Sequence[tuple[LineWords, bool]]
) -> Iterator[DiffLine]:
    """Match lines that changed, each with the one most like it a little further on."""
    at = 0
    for text, blank in old:
        match = _most_similar(
            text, [words for words, _ in new[at : at + _LOOKAHEAD_LINES]]
        )
        if match is None:
            yield _diff_line([DiffSpan(text, ())], blank)
            continue
        yield from (_diff_line([DiffSpan((), w)], b) for w, b in new[at : at + match])
        at += match
        yield _diff_line(_diff_line_words(text, new[at][0]), new[at][1])
        at += 1
    yield from (_diff_line([DiffSpan((), w)], b) for w, b in new[at:])


def _most_similar(text: LineWords, candidates: Sequence[LineWords]) -> int | None:
    """Return which of `others` has most in common with `text`, if any has enough."""
    shares = [_word_similarity(text, other) for other in candidates]
    best = max(shares, default=0.0)
    return shares.index(best) if best >= _MIN_LINE_SIMILARITY else None


def _word_similarity(first: LineWords, second: LineWords) -> float:
    common = (Counter(first) & Counter(second)).total()
    return 2 * common / (len(first) + len(second))


def _diff_line_words(old: LineWords, new: LineWords) -> list[DiffSpan]:
    many = max(len(old), len(new)) > _AUTOJUNK_WORDS
    matcher = SequenceMatcher(None, old, new, autojunk=many)
    pieces = [DiffSpan(old[a:b], new[c:d]) for _, a, b, c, d in matcher.get_opcodes()]
    return _merge_short_gaps(pieces)


def _merge_short_gaps(spans: list[DiffSpan]) -> list[DiffSpan]:
    """Join changes that only a few words stand between."""
    joined: list[DiffSpan] = []
    for place, piece in enumerate(spans):
        between = place < len(spans) - 1 and len(piece.old) < _MIN_UNCHANGED_WORDS
        if (
            joined
            and not joined[-1].is_unchanged
            and (between or not piece.is_unchanged)
        ):
            last = joined.pop()
            piece = DiffSpan(last.old + piece.old, last.new + piece.new)  # noqa: PLW2901 -- one that has grown
        joined.append(piece)
    return joined


def _are_in_context(lines: Sequence[DiffLine]) -> list[bool]:
    changed = [line.is_changed for line in lines]
    return [
        any(changed[max(0, place - _CONTEXT_LINES) : place + _CONTEXT_LINES + 1])
        for place in range(len(changed))
    ]


def _omission_note(omitted_lines: int) -> str:
    if not omitted_lines:
        return ""
    return f"\n\n*… {wording.count_of(omitted_lines, 'line')} the same …*"


def _line_markdown(line: DiffLine) -> str:
    text = " ".join(part for piece in line.spans for part in _span_markdown(piece))
    return _BLOCK_SYNTAX.sub(r"\\\g<0>", text)


def _span_markdown(piece: DiffSpan) -> Iterator[str]:
    old, new = escape_inline(" ".join(piece.old)), escape_inline(" ".join(piece.new))
    if piece.is_unchanged:
        yield old
        return
    if old:
        yield f"~~{old}~~"
    if new:
        yield f"**{new}**"
