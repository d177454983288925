"""Keys and values of YAML that is being typed, for completion and hover.

A parser fails on a half-written line. This scanner uses lines and indentation only, so
an unfinished line does not affect the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

MAX_BRACE_DEPTH = 20
CURSOR_MARK = "\ue000"
"""Marks the cursor while a text is scanned."""

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
    """A key or a value on one line of the text."""

    text: str
    """Without its quotes; escapes are kept as written."""
    path: KeyPath
    """The keys above it, the outermost first."""
    kind: Literal["key", "value"]
    """A half-written key on its own line counts as a value."""
    start: int
    end: int
    """The offsets of `text` in the whole text."""
    is_quoted: bool = False
    has_colon: bool = False
    """Whether it is a key with its colon."""
    in_braces: bool = False
    """Whether it is in braces or brackets."""
    is_beside_key: bool = False
    """Whether its key is directly before it on the same line."""


@dataclass(frozen=True, slots=True)
class CursorContext:
    """The word at the cursor, and the others."""

    word: YamlWord
    """The word at the cursor, which may be empty."""
    other_words: tuple[YamlWord, ...]
    """All other words; their offsets count the cursor mark."""

    def value_at(self, path: KeyPath) -> str | None:
        """Return another value at `path`, or None."""
        return next((w.text for w in self.other_words if _is_value_at(w, path)), None)

    def keys_under(self, path: KeyPath) -> set[str]:
        """Return the other keys under `path`."""
        return {w.text for w in self.other_words if w.kind == "key" and w.path == path}

    def values_at(self, path: KeyPath) -> set[str]:
        """Return the other values at `path`."""
        return {w.text for w in self.other_words if _is_value_at(w, path)}


def _is_value_at(word: YamlWord, path: KeyPath) -> bool:
    return word.kind == "value" and word.path == path


def cursor_context(text: str, offset: int) -> CursorContext | None:
    """Return the word at `offset`, None in a comment or a block of text."""
    words = parse_words(text[:offset] + CURSOR_MARK + text[offset:])
    marked = next((w for w in words if w.start <= offset < w.end), None)
    if marked is None:
        return None
    unmarked = marked.text.replace(CURSOR_MARK, "", 1)
    word = replace(marked, text=unmarked, end=marked.end - 1)
    return CursorContext(word, tuple(w for w in words if w is not marked))


def find_word(text: str, offset: int) -> tuple[YamlWord, list[YamlWord]] | None:
    """Return the word that contains or ends at `offset`, and all words."""
    words = parse_words(text)
    word = next((w for w in words if w.start <= offset <= w.end), None)
    return None if word is None else (word, words)


def parse_words(text: str) -> list[YamlWord]:
    """Return every key and value of a YAML text, valid or not."""
    scanner = _WordScanner(text)
    position = 0
    while position < len(text):
        position = scanner.scan_line(position)
    return scanner.words


class _WordScanner:
    """Scans a text line by line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[YamlWord] = []
        self._open_keys: list[tuple[int, str]] = []
        """The keys above the current line, each with its column."""
        self._block_scalar_column: int | None = None
        """The column of the key whose block of text (`|`, `>`) is skipped."""

    def scan_line(self, position: int) -> int:
        """Scan the line at `position`; return the offset of the next one."""
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
        """Remove the keys that are not above the line; a dash needs no indentation."""
        least = column + 1 if is_list_item else column
        while self._open_keys and self._open_keys[-1][0] >= least:
            self._open_keys.pop()

    def _scan_entry(self, position: int, start: int, end: int, next_line: int) -> int:
        match = _KEY.match(self.text, start, end)
        column = start - position
        if match is None:
            return self._scan_value(start, end, next_line, column, is_beside_key=False)
        group = match.lastgroup or "plain"
        self.words.append(
            YamlWord(
                text=match[group],
                path=self._current_path,
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
            self.words.append(
                _value_word(match, self._current_path, is_beside_key=is_beside_key)
            )
        return next_line

    def _braces_limit(self, next_line: int, column: int) -> int:
        """Return where unclosed braces end: at the next line without indentation."""
        position = next_line
        while position < len(self.text):
            start = _match_end(_BLANKS, self.text, position)
            is_outside = start - position <= column
            if is_outside and self.text[start : start + 1] not in ("", *"\r\n}]#"):
                return position
            position = _match_end(_LINE, self.text, position)
        return position

    def _scan_braces(self, position: int, path: KeyPath, limit: int, depth: int) -> int:
        """Scan what begins with `{` or `[`; return the offset of its end."""
        mapping, key = self.text[position] == "{", None
        position += 1
        while position < limit:
            character = self.text[position]
            inner_path = path if key is None else (*path, key)
            if character in "}]":
                return position + 1
            if character == ",":
                key, position = None, position + 1
            elif character in " \t\r\n:":
                position += 1
            elif character in "{[":
                if depth == MAX_BRACE_DEPTH:
                    return limit
                position = self._scan_braces(position, inner_path, limit, depth + 1)
            elif character == "#":
                position = _match_end(_LINE, self.text, position)
            else:
                is_key = mapping and key is None
                position, word = self._scan_braced_word(
                    position, inner_path, limit, is_key=is_key
                )
                key = word if is_key else key
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
        self.words.append(replace(word, in_braces=True))
        return match.end(), word.text if is_key else None

    @property
    def _current_path(self) -> KeyPath:
        return tuple(key for _, key in self._open_keys)


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
