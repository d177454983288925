"""Compares the facts of a text with its sources, which are read once."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, groupby, pairwise
from typing import NamedTuple

from writeit.text.amounts import REACH, Amount, Key
from writeit.text.facts import Fact, FactText, fold_link, fold_words, stem, stripped
from writeit.text.language import FUNCTION_WORDS, Language
from writeit.text.moments import Moment

_MAX_COMPARED = 24
"""Words; a longer quotation is compared in pieces."""
_MAX_DATES = 40
"""So many are compared with each other, for the time between them."""
_MAX_SIZES = 400
"""So many are compared with each other, for their differences."""
_MAX_PASSAGES = 50
"""A word that stands in more passages does not tell them apart."""
_LEAST_LIKE = 0.3
_LEAST_INITIALS = 3
_ADDRESS = re.compile(
    r"(?<![\w.-])(?:[\w-]{1,63}\.){1,9}[A-Za-z]{2,24}(?:[/?][^\s<>\"`|)\]]*)?"
)
_CODE_TOKEN = re.compile(r"\w+|[^\w\s]")
_PASSAGE_END = re.compile(r"(?<=[.!?…])[\"'”\u2019“)\]]*\s+|\n[ \t]*(?=\n|[|])")


class SourcePlace(NamedTuple):
    """A place in the sources: the number of one, from 0, and offsets in it."""

    source: int
    start: int
    end: int


class CheckedFact(NamedTuple):
    """A fact of a text, and whether the sources have it."""

    fact: Fact
    is_found: bool
    place: SourcePlace | None
    """Where it stands in the sources, else their passage that is likest."""


class FactSources:
    """What the sources of a text say."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._texts = [FactText(source) for source in sources]
        self._keys: dict[Key, SourcePlace] = {}
        self._sizes = defaultdict[str, list[tuple[float, SourcePlace]]](list)
        self._read_facts()
        self._words = _Sequences(
            (word, SourcePlace(number, start, end))
            for number, text in enumerate(self._texts)
            for word, start, end in [*fold_words(text.plain), ("", 0, 0)]
        )
        self._code = _Sequences(
            (token[0].lower(), SourcePlace(number, *token.span()))
            for number, text in enumerate(self._texts)
            for token in _CODE_TOKEN.finditer(text.text, text.start)
        )
        self._read_names()
        self._passages = _Passages(self._texts)

    def _read_facts(self) -> None:
        dates: dict[Moment, SourcePlace] = {}
        for number, text in enumerate(self._texts):
            for fact in (*text.facts, *text.quantities_in_verbatim()):
                place = SourcePlace(number, fact.start, fact.end)
                for key in _keys_of(fact):
                    self._keys.setdefault(key, place)
                for reading in fact.readings:
                    if isinstance(reading, Moment):
                        dates.setdefault(reading, place)
                    else:
                        for measure in reading.measures:
                            self._sizes[measure].append((reading.size, place))
            for match in _ADDRESS.finditer(text.text, text.start):
                place = SourcePlace(number, *match.span())
                self._keys.setdefault(("link", fold_link(match[0])), place)
        self._add_durations([*dates.items()][:_MAX_DATES])
        for sizes in self._sizes.values():
            sizes.sort()

    def _add_durations(self, known: list[tuple[Moment, SourcePlace]]) -> None:
        for (first, place), (second, _) in combinations(known, 2):
            for measure, size in second.since(first):
                self._keys.setdefault((measure, f"{size:.9g}"), place)
                self._sizes[measure].append((size, place))

    # --- what is asked ---------------------------------------------------------------

    def missing(
        self, text: str, language: Language | None = None
    ) -> tuple[CheckedFact, ...]:
        """Return the facts of a text that the sources do not have, in their order."""
        return self._missing_in(FactText(text, language))

    def check(self, text: str, language: Language | None) -> Iterator[CheckedFact]:
        """Yield the facts of a text in their order."""
        read = FactText(text, language)
        missing = {one.fact: one for one in self._missing_in(read)}
        for fact in read.facts:
            if fact in missing:
                yield missing[fact]
            elif not fact.is_loose:
                yield CheckedFact(fact, is_found=True, place=self.place(fact))

    def _missing_in(self, text: FactText) -> tuple[CheckedFact, ...]:
        passages, near = _Passages([text]), self._passages.likest
        return tuple(
            CheckedFact(fact, is_found=False, place=near(passages.at(fact.start)[1]))
            for fact in self._missing(text)
        )

    def count_missing(self, text: str, language: Language | None = None) -> int:
        """Return how many facts of a text the sources do not have."""
        return sum(1 for _ in self._missing(FactText(text, language)))

    def place(self, fact: Fact) -> SourcePlace | None:
        """Return where a fact of a text stands in the sources, None if it does not."""
        if fact.kind == "quotation":
            return self._words.find(fact.words)
        if fact.kind == "code":
            return self._code.find(_code_tokens(fact.text))
        if fact.kind == "name":
            return self._place_of_name(fact)
        for word in fact.words:
            page = word.partition("#")[0].rstrip("/")
            for key in ((fact.kind, word), (fact.kind, page)):
                if place := self._keys.get(key):
                    return place
        if fact.kind == "number" and fact.words:  # 2.5.1 is more than 2.5
            return None
        return next(filter(None, map(self._place_of_reading, fact.readings)), None)

    def _missing(self, text: FactText) -> Iterator[Fact]:
        languages = {source.language for source in self._texts}
        is_translated = text.language not in languages and "" not in languages
        end = 0
        """Of the last missing fact: what is in it is not counted again."""
        for fact in text.facts:
            is_unclear = fact.kind == "quotation" and is_translated and text.language
            if (
                fact.start >= end
                and not fact.is_loose
                and not is_unclear
                and not self._is_own_count(fact)
                and self.place(fact) is None
            ):
                end = fact.end
                yield fact

    def _is_own_count(self, fact: Fact) -> bool:
        """Return whether a small number may count what the text itself lists."""
        return any(
            isinstance(reading, Amount)
            and reading.is_small_word
            and ("noun", reading.noun) not in self._keys
            for reading in fact.readings
        )

    def _place_of_reading(self, reading: Amount | Moment) -> SourcePlace | None:
        if found := next(filter(None, map(self._keys.get, reading.wanted())), None):
            return found
        if isinstance(reading, Moment):
            year = self._keys.get(("date", reading.year, None, None))
            return year and self._keys.get(("yearless", reading.month, reading.day))
        if reading.is_difference:
            name, own = reading.unit[0] or "counted", reading.size
            for size, place in self._sizes[reading.unit[0]][:_MAX_SIZES]:
                if (name, f"{size + own:.9g}") in self._keys:
                    return place
        if not reading.bound:
            return None
        rounded = self._place_of_rounded(reading, reading.unit[0], reading.size)
        return rounded or self._place_of_rounded(reading, "alone", reading.value)

    def _place_of_rounded(
        self, reading: Amount, measure: str, own: float
    ) -> SourcePlace | None:
        sizes = self._sizes[measure]
        least = own - abs(own) * REACH * 2
        at = bisect_left(sizes, least, key=lambda pair: pair[0])
        for given, place in sizes[at : at + _MAX_PASSAGES]:
            if reading.is_rounding_of(given, own):
                return place
        return None

    # --- names -----------------------------------------------------------------------

    def _read_names(self) -> None:
        self._initials = "".join(word[:1] or " " for word in self._words.tokens)
        for number, text in enumerate(self._texts):
            before = ""
            for word, start, end in fold_words(text.text[text.start :]):
                place = SourcePlace(number, text.start + start, text.start + end)
                self._keys.setdefault(("name", stem(word)), place)
                self._keys.setdefault(("name", stem(before + word)), place)
                before = word

    def _place_of_name(self, fact: Fact) -> SourcePlace | None:
        words = fact.words
        short = "".join(word[0] for word in words)
        for name in ("".join(words), short if len(short) >= _LEAST_INITIALS else ""):
            if place := self._keys.get(("name", name)):
                return place
        if fact.text.isupper() and len(fact.text) >= _LEAST_INITIALS:
            at = self._initials.find(fact.text.lower())
            if at >= 0:
                return self._words.place(at, len(fact.text))
        places = [self._keys.get(("name", word)) for word in words]
        return places[0] if all(places) else None


def _keys_of(fact: Fact) -> Iterator[Key]:
    """Yield the keys that a fact of the notes has; a link without its fragment, too."""
    for reading in fact.readings:
        yield from reading.given()
    if fact.kind in {"number", "link"}:
        for word in fact.words:
            yield fact.kind, word
            yield fact.kind, word.partition("#")[0].rstrip("/")


def _code_tokens(text: str) -> tuple[str, ...]:
    return tuple(_CODE_TOKEN.findall(text.lower().removesuffix("()")))


class _Sequences:
    """Finds words in a row: a suffix array of the first words of each suffix."""

    def __init__(self, tokens: Iterable[tuple[str, SourcePlace]]) -> None:
        pairs = [*tokens]
        self.tokens = tuple(token for token, _ in pairs)
        self._places = [place for _, place in pairs]
        self._order = sorted(
            range(len(pairs)), key=lambda at: self._from(at, _MAX_COMPARED)
        )

    def _from(self, at: int, count: int) -> tuple[str, ...]:
        return self.tokens[at : at + count]

    def find(self, words: tuple[str, ...]) -> SourcePlace | None:
        """Return the place of a sequence, or of its first piece between gaps ("")."""
        places = [self._find(piece) for piece in _pieces(words)]
        return places[0] if places and all(places) else None

    def _find(self, words: tuple[str, ...]) -> SourcePlace | None:
        count = len(words)
        found = bisect_left(self._order, words, key=lambda at: self._from(at, count))
        if found == len(self._order):
            return None
        at = self._order[found]
        return self.place(at, count) if self._from(at, count) == words else None

    def place(self, at: int, count: int) -> SourcePlace:
        """Return the place of tokens in a row."""
        first, last = self._places[at], self._places[at + count - 1]
        return SourcePlace(first.source, first.start, last.end)


def _pieces(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the words between gaps, in pieces that are not too long."""
    for is_word, group in groupby(words, key=bool):
        piece = tuple(group) if is_word else ()
        for start in range(0, len(piece), _MAX_COMPARED):
            yield piece[start : start + _MAX_COMPARED]


class _Passages:
    """The sentences of texts, and in which of them words stand."""

    def __init__(self, texts: Sequence[FactText]) -> None:
        self._places: list[SourcePlace] = []
        self._words: list[set[str]] = []
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            for _, start, end in text.leaves:
                ends = [
                    match.end()
                    for match in _PASSAGE_END.finditer(text.plain, start, end)
                ]
                for first, last in pairwise([start, *ends, end]):
                    self._add(text.plain, SourcePlace(number, first, last))

    def _add(self, plain: str, place: SourcePlace) -> None:
        start, end = stripped(plain, place.start, place.end)
        folded = fold_words(plain[start:end])
        words = {stem(word) for word, _, _ in folded} - FUNCTION_WORDS
        for word in words:
            self._by_word[word].append(len(self._places))
        self._places.append(SourcePlace(place.source, start, end))
        self._words.append(words)

    def at(self, offset: int) -> tuple[SourcePlace | None, set[str]]:
        """Return the sentence at an offset of the first text, and its words."""
        at = bisect_right(self._places, offset, key=lambda place: place.start)
        return (self._places[at - 1], self._words[at - 1]) if at else (None, set())

    def likest(self, words: set[str]) -> SourcePlace | None:
        """Return the passage that shares most of its rare words with others."""
        scores: defaultdict[int, float] = defaultdict(float)
        for word in words:
            passages = self._by_word.get(word, [])
            if len(passages) <= _MAX_PASSAGES:
                for passage in passages:
                    scores[passage] += 1 / len(passages)
        best = max(scores, key=lambda at: (scores[at], -at), default=None)
        if best is None or scores[best] < _LEAST_LIKE:
            return None
        return self._places[best]


def find_passage(text: str, offset: int) -> tuple[int, int] | None:
    """Return where the sentence at an offset of a text is, None before the first."""
    place, _ = _Passages([FactText(text)]).at(offset)
    return place and (place.start, place.end)
