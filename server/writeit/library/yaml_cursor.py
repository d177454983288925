"""Keys and words of a YAML text with their places, while somebody is typing it.

A parser says nothing about half a line; here lines and indentation are enough, so
what is not finished does no harm to the rest. `source` reads what is finished.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

MAX_BRACE_DEPTH = 20
CURSOR_MARK = "\ue000"
"""Stands where the cursor is while a text is looked through."""

KeyPath = tuple[str, ...]

_KEY = re.compile(
    r"""(?:"(?P<double>[^"\r\n]*)"|'(?P<single>[^'\r\n]*)'"""
    r"""|(?P<plain>[^\s:#"'{}\[\],][^:#\r\n]*?))[ \t]*:(?=[ \t\r\n]|\Z)"""
)
_QUOTED = re.compile(
    r"\"((?:[^\"\\\r\n]|\\.)*)(?:\"|(?=[\r\n]|\Z))"
    r"|'((?:[^'\r\n]|'')*)(?:'|(?=[\r\n]|\Z))"
)
_PLAIN_WORD = re.compile(r"(?:[^\s#]|(?<=\S)#|[ \t]+(?![\s#]|\Z))+")
_PLAIN_WORD_IN_BRACES = re.compile(
    r"(?:[^\s,\[\]{}:#]|:(?![\s,\[\]{}]|\Z)|(?<=\S)#|[ \t]+(?![\s,\[\]{}:#]|\Z))+"
)
_DASHES = re.compile(r"(?:-(?:[ \t]+|(?=[\r\n]|\Z)))*")
_BLANKS = re.compile(r"[ \t]*")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")
_DOCUMENT_MARKER = re.compile(r"(?:---|\.\.\.)[ \t]*(?:[\r\n]|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlWord:
    """A key, or a word that may be a value: on one line of the text."""

    text: str
    """Without its quotes, escapes as they are written."""
    path: KeyPath
    """The keys it stands under, the outermost first."""
    kind: Literal["key", "value"]
    """Half a key on a line of its own is a value as far as anybody can see."""
    start: int
    end: int
    """Where `text` begins and ends in the whole text."""
    is_quoted: bool = False
    has_colon: bool = False
    """Whether it is a key with its colon."""
    in_braces: bool = False
    """Whether it stands within braces or brackets."""
    is_beside_key: bool = False
    """Whether its key stands on the same line, with nothing between."""


@dataclass(frozen=True, slots=True)
class CursorContext:
    """What is being typed where the cursor is."""

    word: YamlWord
    """What stands there, perhaps nothing: as the text has it, without the cursor."""
    other_words: tuple[YamlWord, ...]
    """All other words; their places are not those of the text."""

    def value_at(self, path: KeyPath) -> str | None:
        """Return what else stands at `path`, None if nothing does."""
        return next((w.text for w in self.other_words if _is_value_at(w, path)), None)

    def keys_under(self, path: KeyPath) -> set[str]:
        """Return the other keys that stand under `path`."""
        return {w.text for w in self.other_words if w.kind == "key" and w.path == path}

    def values_at(self, path: KeyPath) -> set[str]:
        """Return all else that stands at `path`."""
        return {w.text for w in self.other_words if _is_value_at(w, path)}


def _is_value_at(word: YamlWord, path: KeyPath) -> bool:
    return word.kind == "value" and word.path == path


def cursor_context(text: str, offset: int) -> CursorContext | None:
    """Return what is typed at `offset`; None in a comment, or within a long text."""
    marked = text[:offset] + CURSOR_MARK + text[offset:]
    found = parse_words(marked)
    here = next((w for w in found if w.start <= offset < w.end), None)
    if here is None:
        return None
    word = replace(here, text=here.text.replace(CURSOR_MARK, "", 1), end=here.end - 1)
    return CursorContext(word, tuple(w for w in found if w is not here))


def find_word(text: str, offset: int) -> tuple[YamlWord, list[YamlWord]] | None:
    """Return the word that `offset` is in, or at the end of, and all words."""
    found = parse_words(text)
    here = next((w for w in found if w.start <= offset <= w.end), None)
    return None if here is None else (here, found)


def parse_words(text: str) -> list[YamlWord]:
    """Return every key and word of a YAML text, whatever state it is in."""
    scan = _WordScanner(text)
    at = 0
    while at < len(text):
        at = scan.scan_line(at)
    return scan.words


class _WordScanner:
    """One way through a text, from line to line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[YamlWord] = []
        self._open_keys: list[tuple[int, str]] = []
        """The keys the line stands under, each with its column."""
        self._block_scalar_column: int | None = None
        """The column of the key whose long text (`|`, `>`) is being passed."""

    # --- lines --------------------------------------------------------------------

    def scan_line(self, position: int) -> int:
        """Look at the line that begins at `at`; return where the next one begins."""
        following = _match_end(_LINE, self.text, position)
        end = position + len(self.text[position:following].rstrip("\r\n"))
        start = _match_end(_BLANKS, self.text, position)
        if start >= end or self.text[start] == "#":
            return following
        column = start - position
        if self._block_scalar_column is not None and column > self._block_scalar_column:
            return following
        self._block_scalar_column = None
        if column == 0 and _DOCUMENT_MARKER.match(self.text, start):
            self._open_keys.clear()
            return following
        item = _match_end(_DASHES, self.text, start)
        self._close_keys(column, is_list_item=item > start)
        return self._scan_entry(position, item, end, following)

    def _close_keys(self, column: int, *, is_list_item: bool) -> None:
        """Leave the keys that the line does not stand under; a dash needs no space."""
        least = column + 1 if is_list_item else column
        while self._open_keys and self._open_keys[-1][0] >= least:
            self._open_keys.pop()

    def _scan_entry(self, position: int, start: int, end: int, next_line: int) -> int:
        match = _KEY.match(self.text, start, end)
        column = start - position
        if match is None:
            return self._scan_value(start, end, next_line, column, is_beside_key=False)
        group = match.lastgroup or "plain"
        path = self._current_path
        self._add_word(
            YamlWord(
                text=match[group],
                path=path,
                kind="key",
                start=match.start(group),
                end=match.end(group),
                is_quoted=group != "plain",
                has_colon=True,
            )
        )
        self._open_keys.append((column, match[group]))
        return self._scan_value(match.end(), end, next_line, column, is_beside_key=True)

    def _scan_value(
        self, start: int, end: int, next_line: int, column: int, *, is_beside_key: bool
    ) -> int:
        start = _match_end(_BLANKS, self.text, start)
        if start >= end or self.text[start] == "#":
            return next_line
        if self.text[start] in "|>" and is_beside_key:
            self._block_scalar_column = column
            return next_line
        if self.text[start] in "{[":
            limit = self._braces_limit(next_line, column)
            after = self._scan_braces(start, self._current_path, limit, 0)
            return limit if after >= limit else _match_end(_LINE, self.text, after)
        match = _QUOTED.match(self.text, start, end) or _PLAIN_WORD.match(
            self.text, start, end
        )
        if match is not None:
            self._add_word(
                _value_word(match, self._current_path, is_beside_key=is_beside_key)
            )
        return next_line

    def _braces_limit(self, next_line: int, column: int) -> int:
        """Return where braces that nobody closed have to end: with the indentation."""
        at = next_line
        while at < len(self.text):
            start = _match_end(_BLANKS, self.text, at)
            shallow = start - at <= column
            if shallow and self.text[start : start + 1] not in ("", *"\r\n}]#"):
                return at
            at = _match_end(_LINE, self.text, at)
        return at

    # --- braces -------------------------------------------------------------------

    def _scan_braces(self, position: int, path: KeyPath, limit: int, depth: int) -> int:
        """Look at what begins with `{` or `[`; return where it ends."""
        mapping, key = self.text[position] == "{", None
        position += 1
        while position < limit:
            character = self.text[position]
            here = path if key is None else (*path, key)
            if character in "}]":
                return position + 1
            if character == ",":
                key, position = None, position + 1
            elif character in " \t\r\n:":
                position += 1
            elif character in "{[":
                if depth == MAX_BRACE_DEPTH:
                    return limit
                position = self._scan_braces(position, here, limit, depth + 1)
            elif character == "#":
                position = _match_end(_LINE, self.text, position)
            elif mapping and key is None:
                position, key = self._scan_braced_word(
                    position, here, limit, is_key=True
                )
            else:
                position, _ = self._scan_braced_word(
                    position, here, limit, is_key=False
                )
        return limit

    def _scan_braced_word(
        self, position: int, path: KeyPath, limit: int, *, is_key: bool
    ) -> tuple[int, str | None]:
        match = _QUOTED.match(
            self.text, position, limit
        ) or _PLAIN_WORD_IN_BRACES.match(self.text, position, limit)
        if match is None or match.end() == position:
            return position + 1, None
        word = _value_word(match, path)
        if is_key:
            after = _match_end(_BLANKS, self.text, match.end())
            colon = self.text[after : after + 1] == ":"
            word = replace(word, kind="key", has_colon=colon)
        self._add_word(replace(word, in_braces=True))
        return match.end(), word.text if is_key else None

    # --- both ---------------------------------------------------------------------

    @property
    def _current_path(self) -> KeyPath:
        return tuple(key for _, key in self._open_keys)

    def _add_word(self, word: YamlWord) -> None:
        self.words.append(word)


def _value_word(
    match: re.Match[str], path: KeyPath, *, is_beside_key: bool = False
) -> YamlWord:
    group = match.lastindex or 0
    return YamlWord(
        text=match[group],
        path=path,
        kind="value",
        start=match.start(group),
        end=match.end(group),
        is_quoted=group > 0,
        is_beside_key=is_beside_key,
    )


def _match_end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()
