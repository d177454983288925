"""Words and phrases that a style avoids, found in prose in all their inflections.

Code, links, formulas and quotations are left alone. Rules and paragraphs are
compared as the stems of their words. A rule itself is never a regular expression: a
primer may come from anyone, and a search must always end.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, pairwise

from writeit.text.blocks import INLINE_MATH, QUOTATION

_SOME_WORDS = "(?:[ ,][^ ,.]+){1,5}?[ ,]"
"""What a `*` in a rule stands for, between the stems of a paragraph."""
_MAX_GAPS = 2
_MAX_PHRASE_WORDS = 3
"""A guideline with more words describes what is to be avoided."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_RULE_WORD = re.compile(rf"\*|{_WORD.pattern}")
_BETWEEN_WORDS = re.compile(r"[\s>*_]+|[-\u2010\u2011]")
_IN_A_SENTENCE = re.compile(r"[^.!?;:\0]*")
_NOT_PROSE = re.compile(
    r"(?<!`)(?P<code>`+)(?!`).*?(?<!`)(?P=code)(?!`)"
    r"|!?\[(?:[^\[\]]|\[[^\[\]]*\])*\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])"
    r"|<[^<>\s][^<>]*>|\b(?:https?://|www\.)\S+|\[\^[^\[\]\n]*\]"
    rf"|{INLINE_MATH.pattern}|{QUOTATION.pattern}",
    re.DOTALL,
)

_QUOTED = re.compile(r"[\"\u201c\u201e]([^\"\u201c\u201d]+)[\"\u201d\u201c]")
_ARROW = re.compile(r"\s*(?:->|\u2192|=>)\s*")
_INSTEAD = re.compile(
    rf"{_QUOTED.pattern},? (?:instead of|rather than|over|not) {_QUOTED.pattern}"
)
_LISTED = re.compile(r"(?:\bsuch as|\be\.g\.|\b(?:the|these) words|\bwords:)\s+(.+)")
_LIST_BREAK = re.compile(r"\s*,\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+")
_ABOUT_LANGUAGE = re.compile(
    "abbreviations|acronyms|adjectives|adverbs|asides?|buzzwords|capitals|clauses"
    "|clich[e\xe9]s|commas|contractions|emojis?|exclamation|hedges|hedging|humou?r"
    "|idioms|jargon|jokes|language|lists|marks|metaphors|nouns|openings|paragraphs"
    "|participles|parentheses|passive|phrases|puns|questions|repetition|sentences"
    "|similes|slang|synonyms|tense|tone|verbs|voice|words"
)
"""Words of guidelines that describe; they do not name what is to be avoided."""


@dataclass(frozen=True, slots=True)
class StyleRule:
    """Words to avoid; `*` stands for one to five words."""

    avoid: str
    prefer: tuple[str, ...] = ()
    note: str = ""
    """Why, in the primer's words."""


@dataclass(frozen=True, slots=True)
class StyleHit:
    """A place of a text that breaks a rule."""

    start: int
    end: int
    rule: StyleRule
    replacements: tuple[str, ...]
    """What can stand there instead.

    None for another form than that of the rule: "began" and not "begined" would stand
    for "commenced", so it needs a rule of its own. None across emphasis.
    """


def guideline_rules(avoid: Sequence[str], prefer: Sequence[str]) -> Iterator[StyleRule]:
    """Yield the rules in the guidelines of a primer, which are written for people.

    `utilize -> use` may stand in both lists, `"use" instead of "utilize"` in `prefer`.
    Other guidelines of `avoid` name words in quotation marks, behind "such as" or "the
    words", or are short enough to be searched as they are. All others are descriptions.
    """
    for guideline in prefer:
        for better, worse in _INSTEAD.findall(guideline):
            yield StyleRule(worse, (better,))
    for guideline in (*prefer, *avoid):
        worse, *better = _ARROW.split(guideline, 1)
        if better:
            words = (word.strip('"') for word in _split_list(better[0]))
            yield StyleRule(worse.strip('" '), tuple(words))
        elif guideline in avoid:
            yield from map(StyleRule, _named_words(guideline))


def _named_words(guideline: str) -> list[str]:
    if quoted := _QUOTED.findall(guideline):
        return quoted
    if listed := _LISTED.search(guideline):
        return _split_list(listed[1])
    words = guideline.casefold().split()
    is_phrase = len(words) <= _MAX_PHRASE_WORDS and not any(
        map(_ABOUT_LANGUAGE.fullmatch, words)
    )
    return [guideline] if is_phrase or "*" in words else []


def _split_list(words: str) -> list[str]:
    return [item for item in _LIST_BREAK.split(words.rstrip(". ")) if item]


@lru_cache(maxsize=20_000)
def _stem(word: str, language: str) -> str:
    return _stemmer(language)(word)


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    from snowballstemmer import stemmer  # type: ignore[import-untyped]  # noqa: PLC0415 -- it has no types; 40 ms that a start does not need

    stem: Callable[[str], str] = stemmer(language).stemWord
    return stem


def is_searchable(words: str) -> bool:
    """Return whether a rule begins and ends with a word and has no more than two `*`.

    The time of a search grows fivefold with each `*`.
    """
    found = _RULE_WORD.findall(words)
    has_ends = bool(found) and "*" not in {found[0], found[-1]}
    return has_ends and found.count("*") <= _MAX_GAPS


class StyleLinter:
    """Finds what breaks rules; `language` is the Snowball stemmer's name of it."""

    def __init__(self, rules: Iterable[StyleRule], language: str = "english") -> None:
        self._language = language
        by_stems = defaultdict[str, list[StyleRule]](list)
        for rule in rules:
            if is_searchable(rule.avoid):
                stems = self._stems(_RULE_WORD.findall(rule.avoid))
                by_stems[" ".join(stems)].append(rule)
        self._rules: dict[str, list[tuple[re.Pattern[str], list[StyleRule]]]] = {}
        """By the first stem, the longest first."""
        for phrase in sorted(by_stems, key=lambda phrase: -phrase.count(" ")):
            form = re.escape(phrase).replace(r"\ \*\ ", _SOME_WORDS)
            same = re.compile(rf"{form}(?![^ ,.])"), by_stems[phrase]
            self._rules.setdefault(phrase.split(" ")[0], []).append(same)

    def _stems(self, words: Iterable[str]) -> list[str]:
        return [_stem(_fold(word), self._language) for word in words]

    def find(self, paragraph: str) -> list[StyleHit]:
        """Return what breaks rules in a paragraph, in order; hits never overlap."""
        if not self._rules:
            return []
        prose = _NOT_PROSE.sub(lambda found: "\0" * len(found[0]), paragraph)
        places = [place.span() for place in _WORD.finditer(prose)]
        gaps = ["."] + [_mark(prose[a:b]) for (_, a), (b, _) in pairwise(places)]
        stems = self._stems(prose[slice(*place)] for place in places)
        words = [gap + stem for gap, stem in zip(gaps, stems, strict=False)]
        starts = [*accumulate(map(len, words), initial=1)]
        line = "".join(words)
        hits: list[StyleHit] = []
        last = -1
        for first, stem in enumerate(stems):
            if first <= last:
                continue
            for pattern, rules in self._rules.get(stem, ()):
                if match := pattern.match(line, starts[first]):
                    last = bisect_left(starts, match.end()) - 1
                    span = places[first][0], places[last][1]
                    hits.append(_to_hit(paragraph[slice(*span)], span, rules))
                    break
        return hits


def _fold(word: str) -> str:
    return word.casefold().replace("\u2019", "'")


def _mark(gap: str) -> str:
    """Return what is between two words: " " in a phrase, "." between sentences."""
    if _BETWEEN_WORDS.fullmatch(gap):
        return " "
    return "," if _IN_A_SENTENCE.fullmatch(gap) else "."


def _to_hit(words: str, span: tuple[int, int], rules: Sequence[StyleRule]) -> StyleHit:
    """Return the hit of the rule with exactly these words, else of the first."""
    found = _WORD.findall(_fold(words))
    exact = [rule for rule in rules if _WORD.findall(_fold(rule.avoid)) == found]
    better = exact[0].prefer if exact and not {*"*_"} & {*words} else ()
    replacements = tuple(_in_case_of(words, each) for each in better)
    return StyleHit(*span, [*exact, *rules][0], replacements)


def _in_case_of(words: str, better: str) -> str:
    """Return words with a capital where the ones they replace have one."""
    if len(words) > 1 and words.isupper():
        return better.upper()
    return better[:1].upper() + better[1:] if words[:1].isupper() else better
