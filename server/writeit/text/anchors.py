"""Where a text has the words that somebody quotes, and where they are after edits.

Models quote badly: with other quotation marks and dashes, without line breaks and
markdown, in other case, with "..." for what they leave out. So texts are compared by
their words, folded. If the words are not exact, the place is searched where the rarest
of them stand close together, and only the likeliest places are compared in full.

No library for approximate search is used. The fit one, rapidfuzz, adds 12 MB for a
case that is rare, and names the best place only: whether another is as good decides
here.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from writeit.text.diff import find_gaps, match_sequences
from writeit.text.lines import UNSPACED_SCRIPTS, split_lines

MIN_MATCH = 0.8
"""The similarity from which words count as the quoted ones."""
MAX_APPROXIMATE_WORDS = 300
"""A longer quotation has to be exact: it is compared word by word."""
MAX_RARE_WORDS = 8
"""Words of a quotation that lead to places where it may be."""
MAX_OCCURRENCES = 100
"""A word that occurs more often leads nowhere."""
MAX_COMPARED = 4
"""Places that are compared in full with one quotation."""
MAX_MISSPELLED = 60
"""Letters in a row that are compared one by one."""
MAX_LEFT_OUT = 2_000
"""Characters that "..." in a quotation may stand for."""
DISTINCT_CHARACTERS = 24
"""Letters from which words are recognized without those around them."""
MIN_MOVED_WORDS = 6
"""Words that are recognized elsewhere although some of them were edited."""
CONTEXT_WORDS = 3
"""Words on either side by which shorter ones are recognized."""

_LINK_END = re.compile(r"\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\]\n]*\])")
_SKIPPED = rf"{_LINK_END.pattern}|&#?\w{{1,10}};|</?[A-Za-z][^<>\n]{{0,200}}>"
_LETTER = rf"[^\W_{UNSPACED_SCRIPTS}]"
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff"
_IN_WORD = rf"{_LETTER}|[{_MARKS}]|\*{{1,3}}(?={_LETTER})"
_WORD = re.compile(
    rf"(?:{_SKIPPED})|(?P<word>[{UNSPACED_SCRIPTS}]|{_LETTER}(?:{_IN_WORD})*)"
)
LEFT_OUT = re.compile(r"\s*[\[(]?(?:\u2026|\.{3,}|\. \. \.)[\])]?\s*")
_SPACES = " \u00a0\u202f"
"""Between a number and its unit, for example."""
_LINE_START = re.compile(r"\s*[\r\n][\s>]*")
"""A line end, and the marks of a quote behind it."""
_EMPHASIS = re.compile(r"(\*{1,3}|~~|`+|(?<!\w)_{1,3}|_{1,3}(?!\w))")
_SIGNS = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u201a\u2039\u203a`'", '"')
    | dict.fromkeys("\u2010\u2011\u2013\u2014\u2015\u2212", "-")
)


class Span(NamedTuple):
    """The offsets, in code points, between which words stand."""

    start: int
    end: int


def _fold(word: str) -> str:
    """Return a word without case, accents, forms of letters and marks."""
    if word.isascii():
        return word.lower().replace("*", "")
    letters = unicodedata.normalize("NFKD", word).casefold()
    return "".join(filter(str.isalnum, letters))


@lru_cache(maxsize=4096)
def _words_of(line: str) -> list[tuple[str, int, int]]:
    """Return the folded words of a line, with the offsets of each."""
    return [
        (word, *match.span())
        for match in _WORD.finditer(line)
        if match["word"] and (word := _fold(match["word"]))
    ]


class FoldedText:
    """A text as its folded words, in which quotations are found."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []
        self.spans: list[Span] = []
        self.lines: list[tuple[str, range]] = []
        """The folded words of each line that has any, and their numbers."""
        start = 0
        for line in split_lines(text):
            if words := _words_of(line):
                number = len(self.words)
                self.words += [word for word, _, _ in words]
                self.spans += [Span(start + a, start + b) for _, a, b in words]
                key = " ".join(self.words[number:])
                self.lines.append((key, range(number, len(self.words))))
            start += len(line)
        self._letters = "".join(self.words)
        self._offsets = [*accumulate(map(len, self.words), initial=0)]
        self._places: dict[str, list[int]] = {}

    def find(self, quotation: str) -> Span | None:
        """Return where a quotation is; None if it is nowhere or in several places."""
        wanted = FoldedText(quotation)
        places = self._literal_places(quotation.strip()) or [
            self.to_span(words, wanted)
            for words in (
                self.word_ranges(wanted.words)
                or self._abridged_ranges(quotation)
                or self.similar_ranges(wanted.words)
            )
        ]
        return places[0] if len(places) == 1 else None

    def words_in(self, span: Span) -> range:
        """Return the numbers of the words that begin between two offsets."""
        return range(
            bisect_left(self.spans, (span.start, 0)),
            bisect_left(self.spans, (span.end, 0)),
        )

    def count_letters(self, words: Iterable[int]) -> int:
        """Count the letters of words, given by their numbers."""
        return sum(len(self.words[n]) for n in words)

    def words_around(self, words: range, count: int) -> Counter[str]:
        """Return so many words before and after others."""
        before = self.words[max(0, words.start - count) : words.start]
        return Counter([*before, *self.words[words.stop : words.stop + count]])

    def to_span(self, found: range, like: FoldedText) -> Span:
        """Return where some words are, with the signs around them in the quotation."""
        start, end = self.spans[found[0]].start, self.spans[found[-1]].end
        before = like.text[: like.spans[0].start].translate(_SIGNS)
        after = like.text[like.spans[-1].end :].translate(_SIGNS)
        for sign in "".join(before.split())[::-1]:
            gap = self.text[max(0, start - 2) : start].translate(_SIGNS)
            if (near := gap.rstrip(_SPACES))[-1:] != sign:
                break
            start -= 1 + len(gap) - len(near)
        for sign in "".join(after.split()):
            gap = self.text[end : end + 2].translate(_SIGNS)
            if (near := gap.lstrip(_SPACES))[:1] != sign:
                break
            end += 1 + len(gap) - len(near)
        return self._with_marks(Span(start, end))

    def _with_marks(self, span: Span) -> Span:
        """Take a mark of emphasis or a link along whose other half is in the span."""
        start, end = span
        inside = self.text[start:end]
        marks = Counter(match[0] for match in _EMPHASIS.finditer(inside))
        for mark in (mark for mark, count in marks.items() if count % 2):
            if self.text.endswith(mark, 0, start):
                start -= len(mark)
            elif self.text.startswith(mark, end):
                end += len(mark)
        opened = inside.count("[") - len(_LINK_END.findall(inside))
        if opened < 0 and self.text.endswith("[", 0, start):
            start -= 1
        elif opened > 0 and (link := _LINK_END.match(self.text, end)):
            end = link.end()
        return Span(start, end)

    # --- exact ---

    def _literal_places(self, quotation: str) -> list[Span]:
        """Return the first two places of the same characters."""
        places: list[Span] = []
        at = self.text.find(quotation) if quotation else -1
        while at >= 0 and len(places) < 2:  # noqa: PLR2004 -- the second decides
            ends = (at, at + len(quotation))
            around = [self.text[max(0, end - 1) : end + 1] for end in ends]
            if not any(len(pair) > 1 and pair.isalnum() for pair in around):
                places.append(Span(*ends))
            at = self.text.find(quotation, at + 1)
        return places if len(places) > 1 or not places else [self._with_marks(*places)]

    def word_ranges(self, words: Sequence[str]) -> list[range]:
        """Return the first two places of the same words, wherever they are divided."""
        found: list[range] = []
        for place in self._ranges_from("".join(words), 0):
            found.append(place)
            if len(found) > 1:
                break
        return found

    def _ranges_from(self, letters: str, offset: int) -> Iterator[range]:
        at = self._letters.find(letters, offset) if letters else -1
        while at >= 0:
            first = bisect_left(self._offsets, at)
            stop = bisect_left(self._offsets, at + len(letters))
            if (self._offsets[first], self._offsets[stop]) == (at, at + len(letters)):
                yield range(first, stop)
            at = self._letters.find(letters, at + 1)

    def _abridged_ranges(self, quotation: str) -> list[range]:
        """Return the first two places whose middle the quotation leaves out."""
        parts = ["".join(FoldedText(p).words) for p in LEFT_OUT.split(quotation)]
        head, *tail = [*filter(None, parts), ""]
        found: list[range] = []
        for first in self._ranges_from(head, 0) if tail[1:] else ():
            last = first
            for part in tail[:-1]:
                following = self._ranges_from(part, self._offsets[last.stop])
                if (last := next(following, range(0))) == range(0):
                    break
            else:
                left_out = self.spans[last[-1]].end - self.spans[first[0]].start
                if left_out <= MAX_LEFT_OUT + len(quotation):
                    found.append(range(first.start, last.stop))
            if len(found) > 1 or not last:
                break
        return found

    # --- approximate ---

    def similar_ranges(self, words: Sequence[str]) -> list[range]:
        """Return the places with the most similar words; several are equally good."""
        if not 1 < len(words) <= MAX_APPROXIMATE_WORDS:
            return []
        best = dict(self._align(words, start) for start in self._likely_starts(words))
        score = max(best.values(), default=0.0)
        return [p for p, s in best.items() if s == score >= MIN_MATCH]

    def _likely_starts(self, words: Sequence[str]) -> list[int]:
        """Return the places to which most of the rare words lead, the best first."""
        if not self._places:
            places = defaultdict[str, list[int]](list)
            for number, word in enumerate(self.words):
                places[word].append(number)
            self._places = places
        known = [(n, self._places[w]) for n, w in enumerate(words) if w in self._places]
        rare = sorted(known, key=lambda one: len(one[1]))[:MAX_RARE_WORDS]
        votes: Counter[int] = Counter(
            place - n
            for n, places in rare
            if len(places) <= MAX_OCCURRENCES
            for place in places
        )
        # A word that was left out or added moves the votes of those behind it.
        near = {s: sum(votes[s + d] for d in range(-2, 3)) for s in votes}
        starts: list[int] = []
        for start in sorted(near, key=lambda s: (-near[s], -votes[s], s)):
            if all(abs(start - other) > CONTEXT_WORDS for other in starts):
                starts.append(start)
            if len(starts) == MAX_COMPARED:
                break
        return starts

    def _align(self, words: Sequence[str], start: int) -> tuple[range, float]:
        """Return the words around a place that stand for the quoted ones, and how well.

        That is the share of the letters of both that are the same.
        """
        first = max(0, start - CONTEXT_WORDS)
        window = self.words[first : start + len(words) + CONTEXT_WORDS]
        pairs = match_sequences(words, window)
        if not pairs:
            return range(first, first), 0.0
        (i, j), (k, m) = pairs[0], pairs[-1]
        place = range(
            first + max(0, j - i), first + min(len(window), m + len(words) - k)
        )
        found = self.words[place.start : place.stop]
        equal = 0
        for i, end_i, j, end_j in find_gaps(
            match_sequences(words, found), words, found
        ):
            equal += _count_equal("".join(words[i:end_i]), "".join(found[j:end_j]))
            equal += len(words[end_i]) if end_i < len(words) else 0
        return place, 2 * equal / sum(map(len, (*words, *found)))


@lru_cache(maxsize=4)
def fold_text(text: str) -> FoldedText:
    """Return a folded text; the same one is folded once."""
    return FoldedText(text)


def _count_equal(a: str, b: str) -> int:
    """Count the letters of misspelled words; none in a longer passage."""
    if not a or not b or max(len(a), len(b)) > MAX_MISSPELLED:
        return 0
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)


# --- after edits ---


class FollowedText:
    """The words of a text as it was, found again in the text of now."""

    def __init__(self, before: FoldedText, now: FoldedText) -> None:
        self._before, self._now = before, now
        self._pairs: dict[int, int] = {}
        self._sure: set[int] = set()
        """The words in a line that is unchanged and occurs once."""
        a, b = before.lines, now.lines
        keys_a, keys_b = ([*(key for key, _ in lines)] for lines in (a, b))
        counts = Counter(keys_b)
        matches = match_sequences(keys_a, keys_b)
        for i, end_i, j, end_j in find_gaps(matches, keys_a, keys_b):
            self._pair(
                [n for _, words in a[i:end_i] for n in words],
                [n for _, words in b[j:end_j] for n in words],
            )
            if end_i < len(a):
                self._pairs.update(zip(a[end_i][1], b[end_j][1], strict=True))
                if counts[keys_a[end_i]] == 1:
                    self._sure.update(a[end_i][1])

    def _pair(self, a: Sequence[int], b: Sequence[int]) -> None:
        words = [self._before.words[n] for n in a], [self._now.words[n] for n in b]
        self._pairs.update((a[i], b[j]) for i, j in match_sequences(*words))

    def find(self, span: Span) -> Span | None:
        """Return where the words of a span are now; None if they are lost.

        Lost are words that were edited away, and those that stand in several places.
        """
        words = self._before.words_in(span)
        if not words:
            return None
        found = self._kept_range(words) or self._moved_range(words)
        like = FoldedText(self._before.text[span.start : span.end])
        return self._now.to_span(found, like) if found else None

    def is_replaced(self, span: Span, replacement: str) -> bool:
        """Whether a replacement stands where the words of a span stood."""
        words = self._before.words_in(span)
        before = self._pairs.get(words.start - 1, -1 if not words.start else None)
        is_last = words.stop == len(self._before.words)
        after = self._pairs.get(words.stop, len(self._now.words) if is_last else None)
        if before is None or after is None:
            return False
        spans, text = self._now.spans, self._now.text
        start = spans[before].end if before >= 0 else 0
        end = spans[after].start if after < len(spans) else len(text)
        quoted = self._before.text[slice(*span)]
        gap, wanted, quoted = (
            _LINE_START.sub(" ", each).strip()
            for each in (text[start:end], replacement, quoted)
        )
        return (
            wanted in gap
            and quoted not in gap
            and FoldedText(gap).words == FoldedText(wanted).words
        )

    def _kept_range(self, words: range) -> range | None:
        """Return the place to which most of the words were matched."""
        kept = [n for n in words if n in self._pairs]
        if not kept:
            return None
        place = range(self._pairs[kept[0]], self._pairs[kept[-1]] + 1)
        letters = self._before.count_letters(words) + self._now.count_letters(place)
        if 2 * self._before.count_letters(kept) < MIN_MATCH * letters:
            return None
        if self._sure.issuperset(words):
            return place
        quoted = self._before.words[words.start : words.stop]
        is_equal_elsewhere = len(self._now.word_ranges(quoted)) > 1
        is_distinct = self._before.count_letters(words) >= DISTINCT_CHARACTERS
        is_known = is_distinct or self._has_context(words, place)
        return place if is_known and not is_equal_elsewhere else None

    def _moved_range(self, words: range) -> range | None:
        """Return the only place to which the words can have been moved."""
        quoted = self._before.words[words.start : words.stop]
        found = self._now.word_ranges(quoted)
        is_distinct = self._before.count_letters(words) >= DISTINCT_CHARACTERS
        if is_distinct and not found and len(words) >= MIN_MOVED_WORDS:
            found = self._now.similar_ranges(quoted)
        elif found and not is_distinct and not self._has_context(words, found[0]):
            return None
        return found[0] if len(found) == 1 else None

    def _has_context(self, words: range, place: range) -> bool:
        """Whether at least half of the words around a place are still around it."""
        before = self._before.words_around(words, CONTEXT_WORDS)
        now = self._now.words_around(place, 2 * CONTEXT_WORDS)
        return 2 * (before & now).total() >= before.total()
