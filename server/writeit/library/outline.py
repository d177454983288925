"""Keys and words of a YAML text with their places, while somebody is typing it.

A parser says nothing about half a line; here lines and indentation are enough, so
what is not finished does no harm to the rest. `source` reads what is finished.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

MAX_DEPTH = 20
CURSOR = "\ue000"
"""Stands where the cursor is while a text is looked through."""

Path = tuple[str, ...]

_KEY = re.compile(
    r"""(?:"(?P<double>[^"\r\n]*)"|'(?P<single>[^'\r\n]*)'"""
    r"""|(?P<plain>[^\s:#"'{}\[\],][^:#\r\n]*?))[ \t]*:(?=[ \t\r\n]|\Z)"""
)
_QUOTED = re.compile(
    r"\"((?:[^\"\\\r\n]|\\.)*)(?:\"|(?=[\r\n]|\Z))"
    r"|'((?:[^'\r\n]|'')*)(?:'|(?=[\r\n]|\Z))"
)
_PLAIN = re.compile(r"(?:[^\s#]|(?<=\S)#|[ \t]+(?![\s#]|\Z))+")
_PLAIN_IN_BRACES = re.compile(
    r"(?:[^\s,\[\]{}:#]|:(?![\s,\[\]{}]|\Z)|(?<=\S)#|[ \t]+(?![\s,\[\]{}:#]|\Z))+"
)
_DASHES = re.compile(r"(?:-(?:[ \t]+|(?=[\r\n]|\Z)))*")
_BLANKS = re.compile(r"[ \t]*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")
_FENCE = re.compile(r"(?:---|\.\.\.)[ \t]*(?:[\r\n]|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A key, or a word that may be a value: on one line of the text."""

    text: str
    """Without its quotes, escapes as they are written."""
    path: Path
    """The keys it stands under, the outermost first."""
    kind: Literal["key", "value"]
    """Half a key on a line of its own is a value as far as anybody can see."""
    start: int
    end: int
    """Where `text` begins and ends in the whole text."""
    quoted: bool = False
    colon: bool = False
    """Whether it is a key with its colon."""
    braced: bool = False
    """Whether it stands within braces or brackets."""
    beside: bool = False
    """Whether its key stands on the same line, with nothing between."""


@dataclass(frozen=True, slots=True)
class Spot:
    """What is being typed where the cursor is."""

    word: Word
    """What stands there, perhaps nothing: as the text has it, without the cursor."""
    others: tuple[Word, ...]
    """All other words; their places are not those of the text."""

    def value(self, path: Path) -> str | None:
        """Return what else stands at `path`, None if nothing does."""
        return next((w.text for w in self.others if _is_value(w, path)), None)

    def keys(self, path: Path) -> set[str]:
        """Return the other keys that stand under `path`."""
        return {w.text for w in self.others if w.kind == "key" and w.path == path}

    def values(self, path: Path) -> set[str]:
        """Return all else that stands at `path`."""
        return {w.text for w in self.others if _is_value(w, path)}


def _is_value(word: Word, path: Path) -> bool:
    return word.kind == "value" and word.path == path


def spot_at(text: str, offset: int) -> Spot | None:
    """Return what is typed at `offset`; None in a comment, or within a long text."""
    marked = text[:offset] + CURSOR + text[offset:]
    found = words_of(marked)
    here = next((w for w in found if w.start <= offset < w.end), None)
    if here is None:
        return None
    word = replace(here, text=here.text.replace(CURSOR, "", 1), end=here.end - 1)
    return Spot(word, tuple(w for w in found if w is not here))


def word_at(text: str, offset: int) -> tuple[Word, list[Word]] | None:
    """Return the word that `offset` is in, or at the end of, and all words."""
    found = words_of(text)
    here = next((w for w in found if w.start <= offset <= w.end), None)
    return None if here is None else (here, found)


def words_of(text: str) -> list[Word]:
    """Return every key and word of a YAML text, whatever state it is in."""
    scan = _Scan(text)
    at = 0
    while at < len(text):
        at = scan.line(at)
    return scan.words


class _Scan:
    """One way through a text, from line to line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[Word] = []
        self._open: list[tuple[int, str]] = []
        """The keys the line stands under, each with its column."""
        self._text_below: int | None = None
        """The column of the key whose long text (`|`, `>`) is being passed."""

    # --- lines --------------------------------------------------------------------

    def line(self, at: int) -> int:
        """Look at the line that begins at `at`; return where the next one begins."""
        following = _end_of(_LINE, self.text, at)
        end = at + len(self.text[at:following].rstrip("\r\n"))
        start = _end_of(_BLANKS, self.text, at)
        if start >= end or self.text[start] == "#":
            return following
        column = start - at
        if self._text_below is not None and column > self._text_below:
            return following
        self._text_below = None
        if column == 0 and _FENCE.match(self.text, start):
            self._open.clear()
            return following
        item = _end_of(_DASHES, self.text, start)
        self._close(column, dashed=item > start)
        return self._after_dashes(at, item, end, following)

    def _close(self, column: int, *, dashed: bool) -> None:
        """Leave the keys that the line does not stand under; a dash needs no space."""
        least = column + 1 if dashed else column
        while self._open and self._open[-1][0] >= least:
            self._open.pop()

    def _after_dashes(self, at: int, start: int, end: int, following: int) -> int:
        match = _KEY.match(self.text, start, end)
        column = start - at
        if match is None:
            return self._value(start, end, following, column, beside=False)
        group = match.lastgroup or "plain"
        path = self._path
        self._add(
            Word(
                text=match[group],
                path=path,
                kind="key",
                start=match.start(group),
                end=match.end(group),
                quoted=group != "plain",
                colon=True,
            )
        )
        self._open.append((column, match[group]))
        return self._value(match.end(), end, following, column, beside=True)

    def _value(
        self, start: int, end: int, following: int, column: int, *, beside: bool
    ) -> int:
        start = _end_of(_BLANKS, self.text, start)
        if start >= end or self.text[start] == "#":
            return following
        if self.text[start] in "|>" and beside:
            self._text_below = column
            return following
        if self.text[start] in "{[":
            limit = self._limit(following, column)
            after = self._braces(start, self._path, limit, 0)
            return limit if after >= limit else _end_of(_LINE, self.text, after)
        match = _QUOTED.match(self.text, start, end) or _PLAIN.match(
            self.text, start, end
        )
        if match is not None:
            self._add(_word(match, self._path, beside=beside))
        return following

    def _limit(self, following: int, column: int) -> int:
        """Return where braces that nobody closed have to end: with the indentation."""
        at = following
        while at < len(self.text):
            start = _end_of(_BLANKS, self.text, at)
            shallow = start - at <= column
            if shallow and self.text[start : start + 1] not in ("", *"\r\n}]#"):
                return at
            at = _end_of(_LINE, self.text, at)
        return at

    # --- braces -------------------------------------------------------------------

    def _braces(self, at: int, path: Path, limit: int, depth: int) -> int:
        """Look at what begins with `{` or `[`; return where it ends."""
        mapping, key = self.text[at] == "{", None
        at += 1
        while at < limit:
            character = self.text[at]
            here = path if key is None else (*path, key)
            if character in "}]":
                return at + 1
            if character == ",":
                key, at = None, at + 1
            elif character in " \t\r\n:":
                at += 1
            elif character in "{[":
                if depth == MAX_DEPTH:
                    return limit
                at = self._braces(at, here, limit, depth + 1)
            elif character == "#":
                at = _end_of(_LINE, self.text, at)
            elif mapping and key is None:
                at, key = self._word_in_braces(at, here, limit, is_key=True)
            else:
                at, _ = self._word_in_braces(at, here, limit, is_key=False)
        return limit

    def _word_in_braces(
        self, at: int, path: Path, limit: int, *, is_key: bool
    ) -> tuple[int, str | None]:
        match = _QUOTED.match(self.text, at, limit) or _PLAIN_IN_BRACES.match(
            self.text, at, limit
        )
        if match is None or match.end() == at:
            return at + 1, None
        word = _word(match, path)
        if is_key:
            after = _end_of(_BLANKS, self.text, match.end())
            colon = self.text[after : after + 1] == ":"
            word = replace(word, kind="key", colon=colon)
        self._add(replace(word, braced=True))
        return match.end(), word.text if is_key else None

    # --- both ---------------------------------------------------------------------

    @property
    def _path(self) -> Path:
        return tuple(key for _, key in self._open)

    def _add(self, word: Word) -> None:
        self.words.append(word)


def _word(match: re.Match[str], path: Path, *, beside: bool = False) -> Word:
    group = match.lastindex or 0
    return Word(
        text=match[group],
        path=path,
        kind="value",
        start=match.start(group),
        end=match.end(group),
        quoted=group > 0,
        beside=beside,
    )


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()
