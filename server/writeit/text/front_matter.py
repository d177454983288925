"""Where the front matter of a markdown text begins and ends, whoever it is for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal, cast

BOM = "\ufeff"

Dialect = Literal["YAML", "TOML", "JSON", "Pandoc"]
"""`Pandoc` is its title block: up to three lines that begin with `%`."""

_END = r"(?:\r\n|\r|\n)"
_LEAD = rf"\A(?P<lead>{BOM}?(?:[ \t]*{_END})*)"
_FENCED = (
    rf"{_LEAD}(?P<open>{{0}}[ \t]*{_END})"
    rf"(?P<content>(?:.*?{_END})??)"
    rf"(?P<close>(?:{{1}})[ \t]*(?:{_END}|\Z))"
)
_PATTERNS: dict[Dialect, re.Pattern[str]] = {
    "YAML": re.compile(_FENCED.format("---", r"---|\.\.\."), re.DOTALL),
    "TOML": re.compile(_FENCED.format(r"\+\+\+", r"\+\+\+"), re.DOTALL),
    "JSON": re.compile(rf"{_LEAD}(?P<open>)(?P<content>\{{)(?P<close>)"),
    "Pandoc": re.compile(
        rf"{_LEAD}(?P<open>)(?P<content>(?:%(?:[ \t][^\r\n]*)?(?:{_END}|\Z)"
        rf"(?:[ \t]+[^\s][^\r\n]*(?:{_END}|\Z))*){{1,3}})(?P<close>)"
    ),
}
_OPENING = re.compile(
    r"(?P<YAML>---)|(?P<TOML>\+\+\+)|(?P<JSON>\{(?![{%:]))|(?P<Pandoc>%(?=\s|\Z))"
)
_REST_OF_LINE = re.compile(rf"[ \t]*(?:{_END}|\Z)")
_COMMENTS = rf"\A(?:[ \t]*(?:#[^\r\n]*)?{_END})*\Z"
_DATA = {
    "YAML": re.compile(
        r"^ *(?:[^\s#\-*>\[\]{}&!|%@`\"':,][^\r\n]*?|\"[^\"\r\n]*\"|'[^'\r\n]*')"
        rf"[ \t]*:(?=\s|\Z)|^ *[{{?]|{_COMMENTS}",
        re.MULTILINE,
    ),
    "TOML": re.compile(
        rf"^[ \t]*(?:\[[\w.\"' -]+\]|\[\[|[\w.\"' -]+=)|{_COMMENTS}", re.MULTILINE
    ),
}
"""A key or a table, or nothing but comments; anything else is prose."""


@dataclass(frozen=True, slots=True)
class FrontMatterText:
    """Front matter, cut into its parts."""

    dialect: Dialect
    lead: str
    """A byte order mark and blank lines before it."""
    open: str
    """The line that opens it; "" in JSON and Pandoc."""
    content: str
    close: str
    """The line that closes it; in JSON the blank line below it."""

    @property
    def head(self) -> str:
        """All of it, with what is before it."""
        return f"{self.lead}{self.open}{self.content}{self.close}"


def find_front_matter(text: str) -> FrontMatterText | None:
    """Return the front matter of a text, None if it has none.

    Prose between two thematic breaks is none.
    """
    dialect = opening_dialect(text)
    match = _PATTERNS[dialect].match(text) if dialect else None
    if dialect is None or match is None:
        return None
    parts = match.group("lead", "open", "content", "close")
    if dialect == "JSON":
        start = match.start("content")
        if (ends := _json_ends(text, start)) is None:
            return None
        parts = (parts[0], "", text[start : ends[0]], text[slice(*ends)])
    found = FrontMatterText(dialect, *parts)
    data = _DATA.get(dialect)
    return found if data is None or data.search(found.content) else None


def opening_dialect(text: str) -> Dialect | None:
    """Return the front matter that a text may begin with, by its first characters."""
    match = _OPENING.match(text.removeprefix(BOM).lstrip(" \t\r\n"))
    return cast("Dialect", match.lastgroup) if match else None


def _json_ends(text: str, start: int) -> tuple[int, int] | None:
    """Return where an object and the blank line below it end.

    None without such a line: then it is no front matter.
    """
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    rest = _REST_OF_LINE.match(text, end)
    blank = rest and _REST_OF_LINE.match(text, rest.end())
    return (end, blank.end()) if blank else None
