"""Where a step's text goes in the user's document.

The result is the base and one side of a three-way merge. The other side is the document
as it is when the text is applied. All texts are without front matter.
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
"""The share of a passage's words below which the passage counts as deleted.

An edited passage keeps more; a deleted one has only matches by chance.
"""

_LINE_END = re.compile(r"\r\n|\r|\n")
_OUTER_WHITESPACE = re.compile(r"(\s*)(.*?)(\s*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PlacedText:
    """The document body when the run started, and the same with the step's text."""

    base: str
    theirs: str


def place_content(document: RunDocument, content: str, mode: Output) -> PlacedText:
    """Put `content` in place of the selection or the whole body, or after it."""
    content = with_line_ends_of(document.text, content.strip())
    if not (document.selection or document.before or document.after):
        return _place_in_body(document.text, content, mode)
    if markdown.has_open_fence(document.before) and not markdown.has_open_fence(
        document.selection
    ):
        # The selection is inside a fence already.
        content = markdown.strip_fence(content)
    lead, passage, trail = _split_whitespace(document.selection)
    if mode == "insert":
        inside = lead + passage + _separator(document, passage, trail) + content + trail
    else:
        inside = lead + content + trail
    base = document.before + document.selection + document.after
    return PlacedText(base, document.before + inside + document.after)


def is_passage_gone(document: RunDocument, body: str) -> bool:
    """Whether the passage that a run was started from is no longer in `body`."""
    if not document.selection.strip():
        return False
    base = split_tokens(document.before + document.selection + document.after)
    start = len(split_tokens(document.before))
    end = start + len(split_tokens(document.selection))
    words = {n for n in range(start, min(end, len(base))) if base[n][0].isalnum()}
    kept = {i for i, _ in match_sequences(base, split_tokens(body))}
    return len(words & kept) < MIN_REMAINING_SHARE * len(words)


def dominant_line_end(text: str) -> str:
    """Return the most frequent line end of a text; LF if it has none."""
    return max(("\n", "\r\n", "\r"), key=_LINE_END.findall(text).count)


def with_line_ends_of(sample: str, content: str) -> str:
    """Return `content` with the line ends of `sample`."""
    return _LINE_END.sub(dominant_line_end(sample), content)


def _split_whitespace(selection: str) -> tuple[str, str, str]:
    match = _OUTER_WHITESPACE.match(selection)
    lead, passage, trail = match.groups() if match else ("", selection, "")
    return (lead, passage, trail) if passage else ("", "", lead + trail)


def _separator(document: RunDocument, passage: str, trail: str) -> str:
    """Return what separates a passage from its continuation: blank line or space."""
    if not passage:
        return ""
    is_paragraph_end = (trail + document.after)[:1] in {"", "\r", "\n"}
    return dominant_line_end(document.text) * 2 if is_paragraph_end else " "


def _place_in_body(body: str, content: str, mode: Output) -> PlacedText:
    """Put `content` in the body; a missing end of the last line is preserved."""
    end, kept = dominant_line_end(body), body.rstrip()
    if mode == "insert" and kept:
        return PlacedText(body, kept + end * 2 + content + body[len(kept) :])
    return PlacedText(body, content + ("" if body and body == kept else end))
