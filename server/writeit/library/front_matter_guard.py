"""Places that name the key `writeit` although no block was read there.

A mistake must not lift the limit of a text's providers, so such a place stops sending.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from yaml.nodes import MappingNode, Node

from writeit.library.yaml_source import YamlSource
from writeit.text.front_matter import Dialect

_LINE_ENDS = "\r\n\x85\u2028\u2029"
_QUOTES = "\"'`\xab\xbb\u2039\u203a\uff02\uff07" + "".join(
    map(chr, (*range(0x2018, 0x2020), *range(0x300C, 0x3010)))
)
_SPACES = "".join(
    chr(code)
    for code in (*range(0x2100), 0x3000)
    if chr(code).isspace() or unicodedata.category(chr(code)) == "Cc"
) + ("\xad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
"""Spaces of any width, and characters that are not shown."""
_COLONS = ":=\uff1a\ufe13\ufe55\u02d0\u2236\ua789"
_UNSEEN = "\xad\u180b-\u180f\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff"
_WORD = rf"[{_UNSEEN}]{{0,9}}".join(
    rf"(?:{c}|{chr(ord(c) + 0xFEE0)}"  # the full-width letter
    rf"|\\(?:x|u00|U000000|u{{0*)(?:{ord(c):x}|{ord(c) - 32:x})}}?)"
    for c in "writeit"
)
"""The key, its letters also as escapes of YAML, TOML and JSON, or full-width."""
_PREFIX = f"{_SPACES}{_QUOTES}-?%[{{"
_S = rf"[^\S{_LINE_ENDS}]{{0,99}}"
_MENTION = re.compile(
    rf"(?P<word>{_WORD})[{_QUOTES}]*(?:"
    rf"(?P<key>[\s\x00-\x1f\xad\u200b-\u200f\u2060\ufeff]{{0,99}}[{_COLONS}{{]"
    rf"|\.[\w.{_QUOTES}-]{{1,99}}{_S}[:=]"
    rf"|{_S}[{_LINE_ENDS}]+[ \t\xa0]{_S}[\w{_QUOTES}-]{{1,99}}{_S}[:=])"
    rf"|{_S}(?:\.[^\]{_LINE_ENDS}]{{1,99}})?\]+{_S}(?=[#{_LINE_ENDS}]|\Z))",
    re.IGNORECASE,
)
"""The word as a key, with its colon missing before an indented line, or as a table."""
_MAX_INDENTATION = 500
_PROPERTIES = re.compile(r"(?:(?<!\S)[!&]\S{0,99}[^\S\r\n]+)+\Z")
"""Tags and anchors in front of a key in YAML."""
EXPORT_KEY = "writeit_export"
"""The provenance of an exported article; it has a key `writeit` for the version."""


def find_key(text: str, dialect: Dialect | None = None) -> int | None:
    """Return where a text first names the key; see `iter_keys`."""
    return next(iter_keys(text, dialect), None)


def iter_keys(text: str, dialect: Dialect | None = None) -> Iterator[int]:
    """Yield where lines name the key, in any case, quotes and indentation.

    `dialect` is that of a text that could be read; then keys inside of a line are
    known from its data.
    """
    for match in _MENTION.finditer(text):
        if dialect is not None and "\\" in match["word"]:
            continue
        before = text[max(0, match.start() - _MAX_INDENTATION) : match.start()]
        before = _PROPERTIES.sub("", before)
        rest = before.rstrip(_PREFIX)
        gap = before[len(rest) :]
        starts_line = not rest or any(character in _LINE_ENDS for character in gap)
        in_braces = dialect is None and ("{" in gap or rest.endswith((",", "{")))
        is_table = match["key"] is None and not ("[" in gap and dialect != "YAML")
        if (starts_line or in_braces) and not is_table:
            yield match.start()


def is_our_key(name: object) -> bool:
    """Return whether a key looks like `writeit`, or like a path below it."""
    shown = re.sub(f"[{_UNSEEN}]", "", unicodedata.normalize("NFKC", str(name)))
    word = shown.strip(_SPACES + _QUOTES).casefold()
    return word == "writeit" or word.startswith("writeit.")


def find_unread_key(
    source: YamlSource, content: str, data: Mapping[str, Any], dialect: Dialect
) -> int | None:
    """Return where valid front matter names the key outside of the block that was read.

    `data` has the keys of TOML and JSON.
    """
    read = source.root.value if isinstance(source.root, MappingNode) else []
    if dialect == "YAML":
        ranges = [
            (node.start_mark.index, node.end_mark.index)
            for key, value in read
            if key.value in ["writeit", EXPORT_KEY]  # it may be a list, too
            for node in (key, value)
        ]
        keys = [key for key, _ in source.iter_pairs() if is_our_key(key.value)]
        found = [*iter_keys(content, dialect), *map(_start, keys)]
        return next(
            (i for i in sorted(found) if not any(a <= i < b for a, b in ranges)), None
        )
    if any(map(is_our_key, _other_keys(data))):
        return find_key(content) or 0
    if dialect == "JSON":
        return None
    return next(
        (
            index
            for index in iter_keys(content, dialect)
            if not (read and content.startswith("writeit", index))
        ),
        None,
    )


def _start(node: Node) -> int:
    index: int = node.start_mark.index
    return index


def _other_keys(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys at any depth, without the block and what is below it."""
    pending: list[Any] = [{k: v for k, v in data.items() if k != "writeit"}]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield from value
            pending += [v for k, v in value.items() if k != EXPORT_KEY]
        elif isinstance(value, list):
            pending += value


_PROVIDERS_LINE = re.compile(
    rf"^[\s{_QUOTES}]*providers[{_QUOTES}]*\s*[:=]", re.IGNORECASE | re.MULTILINE
)


def has_misplaced_providers(data: Mapping[str, Any]) -> bool:
    """Return whether `providers` is a key, or begins a line, deeper in the block."""
    if "providers" in data:
        return False
    pending: list[Any] = [*data.values()]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if any(str(key).strip().casefold() == "providers" for key in value):
                return True
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str) and _PROVIDERS_LINE.search(value):
            return True
    return False
