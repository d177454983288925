"""Where a text goes in the writer's document: what the run began with, and what of it.

The two texts are the base and one side of a three-way merge; the other side is the
document as it is when the text is applied. Front matter takes no part in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from writeit.domain.pipeline import Output
from writeit.domain.run import RunDocument
from writeit.text import markdown
from writeit.text.diff import match_sequences
from writeit.text.lines import split_tokens

MIN_REMAINING_SHARE = 0.2
"""The part of a passage's words below which the passage is no longer there. One that
was but edited keeps more; one that was deleted keeps what chance matches."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_OUTER_WHITESPACE = re.compile(r"(\s*)(.*?)(\s*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PlacedText:
    """The body as the run began with it, and as it is with the step's text in it."""

    base: str
    theirs: str


def place_content(document: RunDocument, content: str, mode: Output) -> PlacedText:
    """Put `content` in the document's passage, or after it; or in the whole body."""
    content = with_line_ends_of(document.text, content.strip())
    if not has_selection(document):
        return _place_in_body(document.text, content, mode)
    if markdown.has_open_fence(document.before) and not markdown.has_open_fence(
        document.selection
    ):
        content = markdown.strip_fence(content)  # there is a fence around it already
    lead, passage, trail = _split_whitespace(document.selection)
    if mode == "insert":
        inside = lead + passage + _separator(document, passage, trail) + content + trail
    else:
        inside = lead + content + trail
    base = document.before + document.selection + document.after
    return PlacedText(base, document.before + inside + document.after)


def has_selection(document: RunDocument) -> bool:
    """Whether the run was made from a selection, though perhaps an empty one."""
    return bool(document.selection or document.before or document.after)


def is_passage_gone(document: RunDocument, body: str) -> bool:
    """Whether the passage a run was made from is no longer in `body`."""
    if not document.selection.strip():
        return False
    base = split_tokens(document.before + document.selection + document.after)
    start = len(split_tokens(document.before))
    end = start + len(split_tokens(document.selection))
    words = {n for n in range(start, min(end, len(base))) if base[n][0].isalnum()}
    kept = {i for i, _ in match_sequences(base, split_tokens(body))}
    return len(words & kept) < MIN_REMAINING_SHARE * len(words)


def dominant_line_end(text: str) -> str:
    """Return the line end that most lines of a text have; LF if there are none."""
    found = _LINE_END.findall(text)
    return max(("\n", "\r\n", "\r"), key=found.count)


def with_line_ends_of(sample: str, content: str) -> str:
    """Return `content` with the line ends of `text`."""
    return _LINE_END.sub(dominant_line_end(sample), content)


def _split_whitespace(selection: str) -> tuple[str, str, str]:
    match = _OUTER_WHITESPACE.match(selection)
    lead, passage, trail = match.groups() if match else ("", selection, "")
    return (lead, passage, trail) if passage else ("", "", lead + trail)


def _separator(document: RunDocument, passage: str, trail: str) -> str:
    """What stands between a passage and its continuation: a blank line or a blank."""
    rest = trail + document.after
    if not passage:
        return ""
    return (
        dominant_line_end(document.text) * 2 if not rest or rest[0] in "\r\n" else " "
    )


def _place_in_body(body: str, content: str, mode: Output) -> PlacedText:
    """Put `content` in the body; a last line that has no end gets none."""
    end, kept = dominant_line_end(body), body.rstrip()
    if mode == "insert" and kept:
        return PlacedText(body, kept + end * 2 + content + body[len(kept) :])
    return PlacedText(body, content + ("" if body and body == kept else end))
