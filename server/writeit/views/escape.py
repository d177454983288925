"""Text made safe for its place in markdown: a line, a table or a code block."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_INLINE_SYNTAX = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)")
_LINE_START_SYNTAX = re.compile(
    r"^(?:#{1,6}(?=\s|$)|[-+](?=\s|$)|=+$|-+$|%%|\$\$|:::|\d+(?=[.)](?:\s|$)))"
)
_HTML_OR_LINK = re.compile(r"[\\<>\[\]]")
ELLIPSIS = "…"
_TRAILING_PUNCTUATION = " ,;:.-\N{EN DASH}\N{EM DASH}"
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the writing direction up to the end of the line."""


def single_line(text: str) -> str:
    """Return `text` on one line, without control characters."""
    shown = "".join(" " if _is_control(c) else c for c in text)
    return " ".join(shown.split())


def escape_inline(text: str) -> str:
    """Return `text` as plain words within a line of markdown."""
    return _INLINE_SYNTAX.sub(r"\\\g<0>", single_line(text))


def escape_line(text: str) -> str:
    """Return `text` as a line that is not a heading, list item or rule."""
    words = escape_inline(text)
    match = _LINE_START_SYNTAX.match(words)
    if match is None:
        return words
    if words[0].isdigit():
        return f"{match[0]}\\{words[match.end() :]}"
    return f"\\{words}"


def escape_quotation(text: str) -> str:
    """Return `text` on one line with its markdown, but without HTML and links."""
    words = _HTML_OR_LINK.sub(r"\\\g<0>", single_line(text))
    return f"\\{words}" if _LINE_START_SYNTAX.match(words) else words


def shorten(text: str, limit: int = 80) -> str:
    """Return the first words of `text` on one line, about `limit` characters.

    An ellipsis marks what is left out.
    """
    start = single_line(text[: 4 * limit])
    if len(start) <= limit and len(text) <= 4 * limit:
        return start
    whole_words = start[: limit + 1].rpartition(" ")[0]
    return f"{(whole_words or start[:limit]).rstrip(_TRAILING_PUNCTUATION)} {ELLIPSIS}"


def code_block(text: str, language: str = "text") -> str:
    """Return `text` as a code block with a fence longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    body = text.removesuffix("\n")
    return f"{fence}{language}\n{body}\n{fence}"


def markdown_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    right_aligned: Iterable[int] = (),
) -> str:
    """Return a table with aligned columns; the cells are inline markdown."""
    right = set(right_aligned)
    lines = [list(headers), *(list(row) for row in rows)]
    widths = [
        max(3, *(display_width(line[i]) for line in lines)) for i in range(len(headers))
    ]
    rule = [
        "-" * (w - 1) + ":" if i in right else "-" * w for i, w in enumerate(widths)
    ]
    padded = []
    for line in (lines[0], rule, *lines[1:]):
        cells = []
        for i, cell in enumerate(line):
            space = " " * (widths[i] - display_width(cell))
            cells.append(space + cell if i in right else cell + space)
        padded.append(f"| {' | '.join(cells)} |")
    return "\n".join(padded)


def display_width(text: str) -> int:
    """Return how many columns `text` takes in a monospaced font."""
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_control(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Cc", "Zl", "Zp", "Cs"} or character in _BIDI_CONTROLS


def join_blocks(*parts: str) -> str:
    """Join the parts of a page with blank lines, without empty parts."""
    return "\n\n".join(part for part in parts if part)


def page_of_blocks(*parts: str) -> str:
    """Join the parts of a page as `join_blocks`, with a line break at the end."""
    return f"{join_blocks(*parts)}\n"
