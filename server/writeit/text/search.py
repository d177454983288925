"""Search in texts: their words, the terms of a query, and where a text has them.

Case and accents are folded. Scripts without spaces between words, such as Chinese, are
divided into pairs of characters. Any text is a query: words, words that end in `*`, and
phrases in quotation marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_QUERY_LENGTH = 1000
MAX_TEXT_LENGTH = 4_000_000
"""Characters; the rest of a query is ignored, that of a text is not found."""
MAX_WORD_LENGTH = 64
"""Characters; longer words are equal if they begin alike."""
EXCERPT_LENGTH = 74
_EXCERPT_LEAD = 24
"""Characters before the match, at most."""

_MARKS = re.compile(r"[\u00ad\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f]")
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"}
"""Letters that Unicode does not take apart."""
_LETTER = re.compile(f"[{''.join(_LETTERS)}]")
_PAIRED = (
    r"\u0e00-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
    r"\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Japanese, Chinese, Korean."""
_PAIRED_CHARACTER = re.compile(f"[{_PAIRED}]")
_HAN = "\u3400"
"""The first Chinese character; Korean ones follow. There are many pairs of them."""
_INDIC = r"\u0900-\u0dff"
"""Their vowel signs are marks, for Python no part of a word."""
_RUN = re.compile(rf"([{_PAIRED}]+)|[{_INDIC}]+|[^\W_{_PAIRED}{_INDIC}]+")
_PLAIN_WORD = re.compile(rf"[{_INDIC}]+|[^\W_{_INDIC}]+")
_QUOTES = str.maketrans(dict.fromkeys("“”„«»", '"'))
_QUERY_PART = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """Words in a row; the last one may be only the beginning of a word."""

    words: tuple[str, ...]
    is_prefix: bool

    @property
    def pattern(self) -> str:
        """What joined words after a space must have."""
        return f" {' '.join(self.words)}{'' if self.is_prefix else ' '}"


@dataclass(frozen=True, slots=True)
class TextMatch:
    """The line of a text that has most terms of a query, from 0, and an excerpt."""

    line: int
    line_text: str
    excerpt: str


def fold(text: str) -> str:
    """Return a text without case and accents; its line breaks stay."""
    if text.isascii():
        return text.lower()
    folded = _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold())
    folded = _LETTER.sub(lambda letter: _LETTERS[letter[0]], folded)
    return unicodedata.normalize("NFC", folded)


def split_words(folded: str) -> Iterator[tuple[str, int]]:
    """Yield the words of a folded text, and where each begins.

    Of "abc" in a paired script: "ab", "bc", "c".
    """
    for run in _RUN.finditer(folded):
        if run[1] is None:
            yield run[0][:MAX_WORD_LENGTH], run.start()
        else:
            for place in range(len(run[1])):
                yield run[1][place : place + 2], run.start() + place


def joined_words(text: str) -> str:
    """Return the words of a text with a space after each."""
    folded = fold(text[:MAX_TEXT_LENGTH])
    if _PAIRED_CHARACTER.search(folded):
        return "".join(f"{word} " for word, _ in split_words(folded))
    words = _PLAIN_WORD.findall(folded)  # the same, and ten times as fast
    return "".join([f"{word[:MAX_WORD_LENGTH]} " for word in words])


def indexed_word(word: str) -> str:
    """Return what stands for a word in the index, also for 1 in 16 Chinese pairs."""
    if len(word) == 1 or word < _HAN:  # most words
        return word
    return f"{word[0]}{ord(word[1]) % 16:x}" if len(word) == 2 else word  # noqa: PLR2004 -- a pair


def parse_query(text: str) -> list[SearchTerm]:
    """Return the terms that a text must have, all of them; [] of a text without words.

    A text in quotation marks is a phrase; so are the parts of a word like "don't".
    """
    terms: dict[SearchTerm, None] = {}
    for part in _QUERY_PART.finditer(text[:MAX_QUERY_LENGTH].translate(_QUOTES)):
        given = part[1] or part[3] or ""
        folded = fold(given)
        words = [word for word, _ in split_words(folded)]
        is_prefix = bool(part[2]) or given.endswith("*")
        if words:
            *_, last = _RUN.finditer(folded)
            if last[1] is not None:  # more of the same run may follow in a text
                is_prefix = is_prefix or len(last[1]) == 1
                words = words[:-1] if len(last[1]) > 1 else words
            terms[SearchTerm(tuple(words), is_prefix)] = None
    return list(terms)


def has_terms(text: str, terms: Sequence[SearchTerm]) -> bool:
    """Return whether a text has all of the terms."""
    folded = fold(text[:MAX_TEXT_LENGTH])
    if not all(word in folded for term in terms for word in term.words):
        return False  # found out fast
    joined = f" {joined_words(text)}"
    return all(term.pattern in joined for term in terms)


def find_match(text: str, terms: Sequence[SearchTerm]) -> TextMatch | None:
    """Return where a text has most of the terms, or None if it lacks one."""
    if not terms or not has_terms(text, terms):
        return None
    patterns = [term.pattern for term in terms]
    patterns += [f" {term.words[0]}" for term in terms]  # a phrase may go on below
    best, column, most = 0, 0, 0
    lines = text[:MAX_TEXT_LENGTH].split("\n")
    for number, line in enumerate(lines):
        words = list(split_words(fold(line)))
        joined = "".join(f" {word}" for word, _ in words) + " "
        found = [at for at in map(joined.find, patterns) if at >= 0]
        if len(found) > most:
            place = joined[: min(found)].count(" ")
            best, column, most = number, words[place][1], len(found)
    line_text = text.split("\n", best + 1)[best].rstrip("\r")
    return TextMatch(best, line_text, _excerpt(line_text, column))


def _excerpt(line: str, column: int) -> str:
    """Return the words of a line around a column of the folded line."""
    origins = [place for place, char in enumerate(line) for _ in fold(char)]
    at = origins[column] if column < len(origins) else 0
    start = max(0, min(at - _EXCERPT_LEAD, len(line) - EXCERPT_LENGTH))
    end = min(len(line), start + EXCERPT_LENGTH)
    if start and " " in line[start:at]:
        start = line.index(" ", start)
    if end < len(line) and " " in line[at + 1 : end]:
        end = line.rindex(" ", at + 1, end)
    words = " ".join(line[start:end].split())
    return ("…" if start else "") + words + ("…" if end < len(line) else "")
