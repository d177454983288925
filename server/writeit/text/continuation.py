"""Where a cut text is whole up to, and how its rest is joined to it."""

from __future__ import annotations

import re

from writeit.text.lines import CODE_FENCE

_BOUNDARY = re.compile(
    r"(?P<sentence>[.!?…。！？][\"'”’»)\]*_`]*)(?=\s|\Z)"  # noqa: RUF001 -- full-width
    r"|(?=\n[ \t]*\n)"
    r"|(?=\n[ \t]*(?:[-*+>|#]|\d+[.)]\s))"
    r"|(?<=\n)#{1,6}[ \t][^\n]*(?=\n)"
)
"""Ends of sentences, paragraphs, items, rows and headings."""
_ITEM_NUMBER = re.compile(r"[ \t>]*\d+[.)]")
_MIN_REPETITION = 20
"""Fewer characters that a rest repeats may be there by chance."""
_MAX_REPETITION = 2_000


def whole_part(text: str) -> str:
    """Return a cut text up to its last whole sentence; of code, its last whole line.

    A text without any whole sentence is returned up to its last whole word.
    """
    fences = [m for line in text.splitlines(keepends=True) if (m := _fence(line))]
    if len(fences) % 2 and "\n" in text:
        return text[: text.rindex("\n")].rstrip()
    end = max(
        (m.end() for m in _BOUNDARY.finditer(text) if not _is_item_number(text, m)),
        default=0,
    )
    return text[:end].rstrip() or text.rpartition(" ")[0].rstrip() or text


def _fence(line: str) -> re.Match[str] | None:
    return CODE_FENCE.fullmatch(line)


def _is_item_number(text: str, match: re.Match[str]) -> bool:
    """Say whether a full stop belongs to the number of an item."""
    start = text.rfind("\n", 0, match.start()) + 1
    return bool(_ITEM_NUMBER.fullmatch(text, start, match.end()))


def join_rest(text: str, rest: str) -> str:
    """Return a cut text with the rest that a model wrote; repetitions are left out.

    The space between is that of the rest if it begins with a line break, else that of
    the text.
    """
    kept, new = whole_part(text), rest.strip()
    if new.startswith(kept):
        return new  # the model began again
    sizes = range(min(len(kept), len(new), _MAX_REPETITION), _MIN_REPETITION - 1, -1)
    repeated = next((n for n in sizes if kept.endswith(new[:n])), 0)
    breaks = rest[: len(rest) - len(rest.lstrip())].count("\n")
    after = text[len(kept) :]
    space = after[: len(after) - len(after.lstrip())] or " "
    if breaks:
        space = "\n\n" if breaks > 1 else "\n"
    new = new[repeated:].lstrip() if repeated else new
    return f"{kept}{space}{new}" if new else kept
