"""The facts that a markdown text states: what it must have from its sources.

Numbers, dates, quotations, links, code spans and, in English, proper names. Front
matter, comments, blocks of code and formulas are not searched.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, pairwise
from typing import Literal

from writeit.text.amounts import LABELS, SPELLINGS, Amount, Number, NumberReader
from writeit.text.block_reader import read_blocks
from writeit.text.blocks import (
    CONTAINER_KINDS,
    INLINE_MATH,
    QUOTATION,
    VERBATIM_KINDS,
    Block,
)
from writeit.text.front_matter import find_front_matter
from writeit.text.language import FUNCTION_WORDS, Language, language_of
from writeit.text.moments import MONTHS, WEEKDAYS, Moment, find_moments
from writeit.text.search import fold

FactKind = Literal["number", "date", "quotation", "link", "code", "name"]

_LEAST_QUOTED_WORDS = 3
"""Fewer words in quotation marks are a term or a title."""
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W\d_]+)*")
_APOSTROPHES = str.maketrans("", "", "'\u2019")
_NO_LINE_END = re.compile(r"[^\r\n]")
_HEADING_NUMBER = re.compile(r"[# \t]*\d+(?:\.\d+)*[.):]?(?=\s)")
_LINK = re.compile(
    r"\]\(\s*<?(?P<inline>[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?[^()\n]*\)"
    r"|\b(?P<bare>(?:https?://|www\.|mailto:)[^\s<>\"`|]+)"
)
"""The target behind a link's text, or an address as it is."""
_DEFINED = re.compile(r"\[[^\]\n]+\]:\s*<?(?P<target>[^\s>]+)")
_AFTER_LINK = ".,;:!?'\"*_~\u201d\u201c\u2019"
_SHORT = 3
_TICKS = re.compile(r"`+")
_MARKS = re.compile(
    r"\[\^?\d{1,4}\]|\(\d\)|\[\^[^\]\n]{0,80}\]|</?[A-Za-z][^<>\n]*>|<!--|-->|&\w{1,30};"
    r"|[*~\\]|(?<![^\W_])_+|_+(?![^\W_])"
)
"""Inline markdown that is no text."""
_LEFT_OUT = re.compile(r"\[[^\]]{2,80}\]|\.(?: ?\.){2,}|…")
"""What a quotation leaves out or adds."""
_SMALL_LETTER = re.compile(r"\[(\w)\](?=\w)")
_BY = re.compile(r"\n[ \t>]*(?:--|[—\u2013-])")
"""The line that says who is quoted."""
_NUMBER_IN_MATH = re.compile(r"(\$\$?|\\\()[-+\d.,\s\\%]*(\$\$?|\\\))")
_CAPITAL = "A-ZÀ-ÖØ-Þ"
_NAME_WORD = (
    rf"(?:(?:Dr|Mr|Mrs|Ms|Prof|St)\.|[{_CAPITAL}]\.(?=\s)|[{_CAPITAL}][\w'\u2019&-]*)"
)
_NAME = re.compile(
    rf"(?<![\w'\u2019-]){_NAME_WORD}(?:\s+(?:(?:of|de|van|von|der|la|du)\s+)?{_NAME_WORD})*"
)
_SENTENCE_START = re.compile(
    r"(?:^|[.!?:…—\u2013|][\"'”\u2019)\]]*|[\"“\u2018(\[])[\"“\u2018(\[\s]*$"
)
_SMALL_WORD = re.compile(r"(?<![\w'\u2019-])[a-zà-öø-þ]+")
_INNER_CAPITAL = re.compile(rf".+[{_CAPITAL}\d]")
_NO_NAMES = {*FUNCTION_WORDS, *SPELLINGS, *MONTHS, *WEEKDAYS, *LABELS}
_NO_NAMES |= {"im", "ive", "id"}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a text states, and where."""

    kind: FactKind
    start: int
    end: int
    text: str
    readings: tuple[Amount | Moment, ...] = field(default=(), repr=False)
    """What a number or a date may mean."""
    words: tuple[str, ...] = field(default=(), repr=False)
    """What is compared of the other kinds; "" where a quotation left words out."""
    is_loose: bool = False
    """Whether it counts in notes only."""


def fold_words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the words of a text without case and accents, and where they are."""
    for match in WORD.finditer(text):
        yield fold(match[0].translate(_APOSTROPHES)), match.start(), match.end()


def fold_link(target: str) -> str:
    """Return an address without what may be left out."""
    target = target.lower().removeprefix("mailto:")
    return target.rpartition("://")[2].removeprefix("www.").rstrip("/")


def stem(word: str) -> str:
    """Return a folded word without a plural or a genitive ending."""
    return word.removesuffix("s") if len(word) > _SHORT else word


class FactText:
    """A markdown text as it is searched for facts."""

    def __init__(self, text: str, language: Language | None = None) -> None:
        self.text = text
        self.language = language_of(text) if language is None else language
        found = find_front_matter(text)
        self.start = len(found.head) if found else 0
        """Where its front matter ends."""
        self._found: list[Fact] = []
        self._verbatim: list[tuple[int, int]] = []
        """Code and formulas: in notes, their numbers count."""
        self.leaves: list[tuple[Block, int, int]] = []
        """The blocks of prose, and where each begins and ends."""
        self.plain = self._read()
        """As long as the text: what is no paragraph or the like is spaces."""
        self.prose = _blank(self.plain, self._verbatim)
        """The same without code and formulas."""

    def quantities_in_verbatim(self) -> Iterator[Fact]:
        """Yield the numbers and dates in code and formulas, which count in notes."""
        gaps = pairwise(
            [0, *chain.from_iterable(sorted(self._verbatim)), len(self.text)]
        )
        return self.quantities(_blank(self.text, [*gaps][::2]), self._verbatim)

    @cached_property
    def facts(self) -> list[Fact]:
        """All facts in their order, a quotation before what is in it."""
        places = [(start, end) for _, start, end in self.leaves]
        found = [
            *self._found,
            *self._quotations(),
            *self.quantities(self.prose, places),
        ]
        if self.language == "en":
            found.extend(self._names())
        return sorted(found, key=lambda fact: (fact.start, -fact.end))

    # --- markdown --------------------------------------------------------------------

    def _read(self) -> str:
        blocks = read_blocks(self.text[self.start :])
        at = [self.start + offset for offset in blocks.offsets]
        hidden: list[tuple[int, int]] = []
        last = 0
        for block in blocks.root.walk():
            if block.kind in CONTAINER_KINDS:
                continue
            start, end = at[block.lines.start], at[block.lines.stop]
            hidden.append((last, start))
            last = end
            if block.kind == "link":
                self._add_links(_DEFINED, self.text, start, end)
            elif block.kind not in VERBATIM_KINDS and block.kind != "rule":
                is_inside = block.parent is not None and block.parent.parent is not None
                hidden.extend(
                    (at[line], at[line] + len(blocks.prefix(line)))
                    for line in (block.lines if is_inside else ())
                )
                self.leaves.append((block, start, end))
                continue
            elif block.kind in {"fence", "code", "math"}:
                self._verbatim.append((start, end))
            hidden.append((start, end))
        text = _blank(self.text, [*hidden, (last, len(self.text))])
        for _, start, end in self.leaves:
            self._verbatim.extend(_code_spans(text, start, end))
        for start, end in self._verbatim:
            key = "".join(text[start:end].split()).lower()
            self._add("code", start, end, (key,) if key else ())
        prose = _blank(text, self._verbatim)
        marks = [*self._add_formulas(prose)]
        return _blank(text, [*marks, *self._inline(_blank(prose, self._verbatim))])

    def _add_formulas(self, prose: str) -> Iterator[tuple[int, int]]:
        """Find formulas, and yield the marks of those that are only a number."""
        for _, start, end in self.leaves:
            for formula in INLINE_MATH.finditer(prose, start, end):
                if number := _NUMBER_IN_MATH.fullmatch(prose, *formula.span()):
                    yield from number.regs[1:]
                else:
                    self._verbatim.append(formula.span())

    def _inline(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield what is no text in blocks of prose, and find the links."""
        for block, start, end in self.leaves:
            yield from self._add_links(_LINK, text, start, end)
            yield from (mark.span() for mark in _MARKS.finditer(text, start, end))
            number = _HEADING_NUMBER.match(text, start, end)
            if number and block.kind == "heading":
                yield number.span()

    def _add_links(
        self, form: re.Pattern[str], text: str, start: int, end: int
    ) -> list[tuple[int, int]]:
        """Find links, and return the places that are no text."""
        places = []
        for match in form.finditer(text, start, end):
            name = match.lastgroup or ""
            target = match[name].rstrip(_AFTER_LINK)
            if target.endswith(")") and "(" not in target:
                target = target.rstrip(")" + _AFTER_LINK)
            if target and not target.startswith("#"):
                first = match.start(name)
                self._add("link", first, first + len(target), (fold_link(target),))
            places.append(match.span())
        return places

    def _add(
        self, kind: FactKind, start: int, end: int, words: tuple[str, ...]
    ) -> None:
        if words:
            text = self.text[start:end]
            self._found.append(Fact(kind, start, end, text, words=words))

    # --- facts in prose --------------------------------------------------------------

    def _quotations(self) -> Iterator[Fact]:
        for block, start, end in self.leaves:
            marked = [
                (match.start() + 1, match.end() - 1)
                for match in QUOTATION.finditer(self.prose, start, end)
            ]
            parent = block.parent
            if not marked and parent and parent.kind == "quote" and not parent.info:
                by = _BY.search(self.prose, start, end)
                marked = [stripped(self.prose, start, by.start() if by else end)]
            for first, last in marked:
                words = tuple(quoted_words(self.plain[first:last]))
                if len(words) - words.count("") >= _LEAST_QUOTED_WORDS:
                    text = self.text[first:last]
                    yield Fact("quotation", first, last, text, words=words)

    def quantities(
        self, text: str, places: Iterable[tuple[int, int]]
    ) -> Iterator[Fact]:
        """Yield the numbers and dates in places of `prose` or `code`."""
        moments, rest = find_moments(text)
        for place, readings in moments.items():
            yield Fact("date", *place, self.text[slice(*place)], readings)
        for start, end in places:
            reader = NumberReader(rest, self.language, start, end)
            yield from map(self._number, reader.read())

    def _number(self, number: Number) -> Fact:
        text = self.text[number.start : number.end]
        readings: tuple[Amount | Moment, ...] = number.readings
        kind: FactKind = "number"
        if _YEAR.fullmatch(text) and not number.is_loose:
            readings = (Moment(int(text)), *readings)
            kind = "date"
        words = (number.literal,) if number.literal else ()
        return Fact(
            kind, number.start, number.end, text, readings, words, number.is_loose
        )

    def _names(self) -> Iterator[Fact]:
        common = {*_SMALL_WORD.findall(self.prose)}
        for block, start, end in self.leaves:
            if block.kind != "paragraph":
                continue
            for match in _NAME.finditer(self.prose, start, end):
                lead = self.prose[max(start, match.start() - 8) : match.start()]
                is_first = _SENTENCE_START.search(lead) is not None
                words = [*_name_words(match[0], common, is_first=is_first)]
                if sure := tuple(word for word, _, is_sure in words if is_sure):
                    place = match.start() + words[0][1], match.end()
                    text = self.text[slice(*place)]
                    yield Fact("name", *place, text, words=sure)


def _name_words(
    text: str, common: set[str], *, is_first: bool
) -> Iterator[tuple[str, int, bool]]:
    """Yield the folded words of a name, where each begins, and whether it is sure."""
    for word in WORD.finditer(text):
        folded = stem(fold(word[0].removesuffix("'s").removesuffix("\u2019s")))
        small = word[0].lower()
        is_unsure = is_first and not word.start() and not _INNER_CAPITAL.match(word[0])
        is_common = small in common or small in _NO_NAMES or folded in _NO_NAMES
        if word[0][0].isupper() and len(folded) > 1 and not is_common:
            yield folded, word.start(), not is_unsure


def quoted_words(text: str) -> Iterator[str]:
    """Yield the words of a quotation, "" where it leaves words out or adds some."""
    for number, piece in enumerate(_LEFT_OUT.split(_SMALL_LETTER.sub(r"\1", text))):
        if number:
            yield ""
        yield from (word for word, _, _ in fold_words(piece))


def _code_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where code is between equal runs of backticks."""
    runs = [run.span() for run in _TICKS.finditer(text, start, end)]
    places: defaultdict[int, list[int]] = defaultdict(list)
    """Where runs of each length begin, the last first."""
    for first, stop in reversed(runs):
        places[stop - first].append(first)
    last = start
    for first, stop in runs:
        same = places[stop - first]
        same.pop()
        if same and first >= last:
            yield stop, same[-1]
            last = same[-1] + stop - first


def _blank(text: str, places: Iterable[tuple[int, int]]) -> str:
    """Return a text with spaces at some places; its line ends stay."""
    pieces = []
    at = 0
    for start, end in sorted(places):
        pieces.append(text[at:start])
        pieces.append(_NO_LINE_END.sub(" ", text[max(at, start) : end]))
        at = max(at, end)
    return "".join([*pieces, text[at:]])


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a part of a text is without the spaces around it."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())
