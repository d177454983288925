"""Words and phrases that a style avoids, found in prose in all their inflections.

Code, links and quotations are left alone. A rule is compared word by word, never as a
regular expression: a primer may come from anyone, and a search must always end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

MAX_GAP_WORDS = 5
"""Words that a `*` in a rule may stand for."""
_MAX_PHRASE_WORDS = 3
"""Words of a guideline that is taken for a phrase, not for a description."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_RULE_WORD = re.compile(rf"\*|{_WORD.pattern}")
_BETWEEN_WORDS = re.compile(r"[\s>*_]+|[-\u2010\u2011]")
_IN_A_GAP = re.compile(r"[^.!?;:\0]*")
_NOT_PROSE = re.compile(
    r"(?<!`)(?P<code>`+)(?!`).*?(?<!`)(?P=code)(?!`)"
    r"|!?\[(?:[^\[\]]|\[[^\[\]]*\])*\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])"
    r"|<[^<>\s][^<>]*>|\b(?:https?://|www\.)\S+"
    "|\u201c[^\u201c-\u201e]*\u201d|\u201e[^\u201c-\u201e]*[\u201c\u201d]"
    '|\xab[^\xab\xbb]*\xbb|\xbb[^\xab\xbb]*\xab|(?<![\\w"])"[^"]*"'
    r"|\[\^[^\[\]\n]*\]"
    "|(?<!\\w)['\u2018\u201a](?=[^\\s\\d])(?:[^'\u2018\u2019\u201a]|(?<=\\w)['\u2019](?=\\w))*"
    "['\u2018\u2019](?!\\w)",
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
    """What can stand there instead; none for an inflected form or across emphasis,
    which only the user can put right."""


def guideline_rules(avoid: Iterable[str], prefer: Iterable[str]) -> Iterator[StyleRule]:
    """Yield the rules in the guidelines of a primer, which are written for people.

    A guideline names words in quotation marks, behind "such as" or "the words", with
    an arrow to what is better, or is itself a phrase. All others are descriptions.
    """
    for guideline in prefer:
        for better, worse in _INSTEAD.findall(guideline):
            yield StyleRule(worse, (better,))
        if _ARROW.search(guideline):
            yield _arrow_rule(guideline)
    for guideline in avoid:
        if _ARROW.search(guideline):
            yield _arrow_rule(guideline)
        else:
            yield from map(StyleRule, _named_words(guideline))


def _arrow_rule(guideline: str) -> StyleRule:
    worse, better = (part.strip() for part in _ARROW.split(guideline, 1))
    return StyleRule(worse.strip('"'), tuple(w.strip('"') for w in _split_list(better)))


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
    """Return whether a rule begins and ends with a word."""
    found = _RULE_WORD.findall(words)
    return bool(found) and "*" not in {found[0], found[-1]}


class StyleLinter:
    """Finds what breaks rules; `language` is the Snowball stemmer's name of it."""

    def __init__(self, rules: Iterable[StyleRule], language: str = "english") -> None:
        self._language = language
        self._rules: defaultdict[str, list[tuple[list[str], StyleRule]]] = defaultdict(
            list
        )
        for rule in rules:
            if is_searchable(rule.avoid):
                words = self._stems(_RULE_WORD.findall(rule.avoid))
                self._rules[words[0]].append((words, rule))
        for known in self._rules.values():
            known.sort(key=lambda item: -len(item[0]))

    def _stems(self, words: Iterable[str]) -> list[str]:
        return [_stem(_fold(word), self._language) for word in words]

    def find(self, paragraph: str) -> list[StyleHit]:
        """Return what breaks rules in a paragraph, in order; hits never overlap."""
        if not self._rules:
            return []
        prose = _NOT_PROSE.sub(lambda found: "\0" * len(found[0]), paragraph)
        places = list(_WORD.finditer(prose))
        stems = self._stems(place[0] for place in places)
        hits: list[StyleHit] = []
        end = 0
        for index, stem in enumerate(stems):
            if index < end:
                continue
            for wanted, rule in self._rules.get(stem, ()):
                last = _match(prose, places, stems, index, wanted)
                if last is not None:
                    end = last + 1
                    span = places[index].start(), places[last].end()
                    hits.append(_to_hit(paragraph[slice(*span)], span, rule))
                    break
        return hits


def _fold(word: str) -> str:
    return word.casefold().replace("\u2019", "'")


def _match(
    prose: str,
    places: Sequence[re.Match[str]],
    stems: Sequence[str],
    index: int,
    wanted: Sequence[str],
) -> int | None:
    """Return the index of the last word of a phrase that begins at a word, or None."""
    for at, stem in enumerate(wanted[1:], start=1):
        if stem == "*":
            rest = wanted[at + 1 :]
            for start in range(index + 2, index + 2 + MAX_GAP_WORDS):
                if start >= len(stems) or not _IN_A_GAP.fullmatch(
                    prose, places[index].end(), places[start].start()
                ):
                    return None
                if stems[start] == rest[0]:
                    last = _match(prose, places, stems, start, rest)
                    if last is not None:
                        return last
            return None
        if index + 1 >= len(stems) or stems[index + 1] != stem:
            return None
        gap = places[index].end(), places[index + 1].start()
        if not _BETWEEN_WORDS.fullmatch(prose, *gap):
            return None
        index += 1
    return index


def _to_hit(words: str, span: tuple[int, int], rule: StyleRule) -> StyleHit:
    is_as_given = _WORD.findall(_fold(words)) == _WORD.findall(_fold(rule.avoid))
    better = rule.prefer if is_as_given and not {*"*_"} & {*words} else ()
    return StyleHit(*span, rule, tuple(_in_case_of(words, each) for each in better))


def _in_case_of(words: str, better: str) -> str:
    """Return words with a capital where the ones they replace have one."""
    if len(words) > 1 and words.isupper():
        return better.upper()
    return better[:1].upper() + better[1:] if words[:1].isupper() else better
