"""Where a text goes in the writer's document: what the run began with, and what of it.

The two texts are the base and one side of a three-way merge; the other side is the
document as it is when the text is applied. Front matter takes no part in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core import fences
from writeit.core.alignment import matches, tokens

if TYPE_CHECKING:
    from writeit.core.pipeline import Output
    from writeit.core.run import RunDocument

GONE = 0.2
"""The part of a passage's words below which the passage is no longer there. One that
was but edited keeps more; one that was deleted keeps what chance matches."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_EDGES = re.compile(r"(\s*)(.*?)(\s*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Placed:
    """The body as the run began with it, and as it is with the step's text in it."""

    base: str
    theirs: str


def placed(document: RunDocument, content: str, mode: Output) -> Placed:
    """Put `content` in the document's passage, or after it; or in the whole body."""
    content = with_ends_of(document.text, content.strip())
    if not is_passage(document):
        return _in_body(document.text, content, mode)
    if fences.is_open(document.before) and not fences.is_open(document.selection):
        content = fences.code_of(content)  # there is a fence around it already
    lead, passage, trail = _edges(document.selection)
    if mode == "insert":
        inside = lead + passage + _joint(document, passage, trail) + content + trail
    else:
        inside = lead + content + trail
    base = document.before + document.selection + document.after
    return Placed(base, document.before + inside + document.after)


def is_passage(document: RunDocument) -> bool:
    """Whether the run was made from a selection, though perhaps an empty one."""
    return bool(document.selection or document.before or document.after)


def is_gone(document: RunDocument, body: str) -> bool:
    """Whether the passage a run was made from is no longer in `body`."""
    if not document.selection.strip():
        return False
    base = tokens(document.before + document.selection + document.after)
    start = len(tokens(document.before))
    end = start + len(tokens(document.selection))
    words = {n for n in range(start, min(end, len(base))) if base[n][0].isalnum()}
    kept = {i for i, _ in matches(base, tokens(body))}
    return len(words & kept) < GONE * len(words)


def end_of(text: str) -> str:
    """Return the line end that most lines of a text have; LF if there are none."""
    found = _LINE_END.findall(text)
    return max(("\n", "\r\n", "\r"), key=found.count)


def with_ends_of(text: str, content: str) -> str:
    """Return `content` with the line ends of `text`."""
    return _LINE_END.sub(end_of(text), content)


def _edges(selection: str) -> tuple[str, str, str]:
    match = _EDGES.match(selection)
    lead, passage, trail = match.groups() if match else ("", selection, "")
    return (lead, passage, trail) if passage else ("", "", lead + trail)


def _joint(document: RunDocument, passage: str, trail: str) -> str:
    """What stands between a passage and its continuation: a blank line or a blank."""
    rest = trail + document.after
    if not passage:
        return ""
    return end_of(document.text) * 2 if not rest or rest[0] in "\r\n" else " "


def _in_body(body: str, content: str, mode: Output) -> Placed:
    """Put `content` in the body; a last line that has no end gets none."""
    end, kept = end_of(body), body.rstrip()
    if mode == "insert" and kept:
        return Placed(body, kept + end * 2 + content + body[len(kept) :])
    return Placed(body, content + ("" if body and body == kept else end))
