"""Where the front matter of a markdown text begins and ends, whoever it is for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from writeit.text.lines import first_line_end

BOM = "\ufeff"
MAX_HEAD_CHARACTERS = 260_000
"""How far from the start of a text its front matter may end."""

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
    r"[\s\u200b\u2060\ufeff]*(?:"
    r"(?P<YAML>---)|(?P<TOML>\+\+\+)|(?P<JSON>\{(?![{%:]))|(?P<Pandoc>%(?=\s|\Z)))"
)
_OTHER_OPENING = re.compile(
    r"[\s\u200b\u2060\ufeff]*(?:[-\u2010-\u2015\u2212]{2,}|[\u2014\u2015]\s|;;;"
    r"|%(?:YAML|TAG)\b|\[\s*\{\s*\")"
)
"""Dashes that an editor replaced, the fence of an older tool, a directive of YAML, a
list of objects."""
_KEY_BELOW = re.compile(r"\s*[\"']?writeit[\"']?\s*:", re.IGNORECASE)
"""What is below a fence that was written twice."""
_REST_OF_LINE = re.compile(rf"[ \t]*(?:{_END}|\Z)")
_COMMENTS = rf"\A(?:[ \t]*(?:#[^\r\n]*)?{_END})*\Z"
_DATA = {
    "YAML": re.compile(
        r"^ *(?:[!&]\S* +)*"  # a tag, an anchor
        r"(?:[^\s#\-*>\[\]{}&!|%@`\"':,][^\r\n]*?|\"[^\"\r\n]*\"|'[^'\r\n]*')"
        rf"[ \t]*:(?=\s|\Z)|^ *[{{?]|{_COMMENTS}",
        re.MULTILINE,
    ),
    "TOML": re.compile(
        rf"^[ \t]*(?:\[[\w.\"'\\ -]+\]|\[\[|[\w.\"'\\ -]+=)|{_COMMENTS}",
        re.MULTILINE,
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

    Prose between two thematic breaks is none, nor is what does not end within
    `MAX_HEAD_CHARACTERS`.
    """
    is_cut, text = len(text) > MAX_HEAD_CHARACTERS, text[:MAX_HEAD_CHARACTERS]
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
    if is_cut and len(found.head) == MAX_HEAD_CHARACTERS:
        return None  # its last line may go on
    data = _DATA.get(dialect)
    return found if data is None or data.search(found.content) else None


def opening_dialect(text: str) -> Dialect | None:
    """Return the front matter that a text may begin with, by its first characters."""
    match = _OPENING.match(text)
    return cast("Dialect", match.lastgroup) if match else None


def has_opening(text: str) -> bool:
    """Return whether a text begins like front matter, or may have been meant to."""
    return bool(_OPENING.match(text) or _OTHER_OPENING.match(text))


def unread_opening(text: str, *, is_below: bool = False) -> str:
    """Return where front matter may have been meant, in a text that has none.

    That is the text between two thematic breaks, or all of a text that begins like
    front matter without an end; "" otherwise. `is_below`: the text is below other
    front matter.
    """
    start = text[:MAX_HEAD_CHARACTERS]
    dialect = opening_dialect(start)
    if dialect is None:
        is_key = (is_below and _KEY_BELOW.match(start)) or not start.strip()
        return text if is_key or _OTHER_OPENING.match(start) else ""
    match = _PATTERNS[dialect].match(start)
    if match is None or dialect == "JSON" or match.end() == MAX_HEAD_CHARACTERS:
        return text
    return text[: match.end("content")]


def with_providers(text: str, providers: Sequence[str] | None) -> str:
    """Return the text of a new file that begins with the allowed providers.

    The block goes into YAML front matter that the text has, and before any other.
    """
    if providers is None:
        return text
    end = first_line_end(text)
    block = f"writeit:{end}  providers: {json.dumps(list(providers))}{end}"
    found = find_front_matter(text)
    if (
        found is None
        or found.dialect != "YAML"
        or "writeit" in found.content.casefold()
        or found.content.lstrip().startswith(("{", "?", "%", "<<"))
    ):
        return f"---{end}{block}---{end}{end}{text}"
    return replace(found, content=block + found.content).head + text[len(found.head) :]


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
