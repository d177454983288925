"""Where a step's text goes in the user's document.

The result is the base and one side of a three-way merge. The other side is the document
as it is when the text is applied. All texts are without front matter.
"""

from __future__ import annotations

from dataclasses import dataclass

from writeit.domain.document import RunDocument
from writeit.domain.pipeline import Output
from writeit.text.diff import match_sequences
from writeit.text.fitting import (
    Misfit,
    continue_passage,
    keep_line_ends,
    replace_passage,
)
from writeit.text.lines import LINE_END, split_tokens
from writeit.text.passage import SelectedPassage, read_passage

MIN_REMAINING_SHARE = 0.2
"""The share of a passage's words below which the passage counts as deleted.

An edited passage keeps more; a deleted one has only matches by chance.
"""


@dataclass(frozen=True, slots=True)
class PlacedText:
    """The document body when the run started, and the same with the step's text."""

    base: str
    theirs: str
    misfit: Misfit | None = None
    """Why `theirs` must only be shown, not applied."""


def place_content(document: RunDocument, content: str, mode: Output) -> PlacedText:
    """Put `content` in place of the selection or the whole body, or after it."""
    if not (document.selection or document.before or document.after):
        return _place_in_body(document.text, content.strip(), mode)
    passage = passage_of(document)
    fit = continue_passage if mode == "insert" else replace_passage
    fitted = fit(passage, content)
    return PlacedText(passage.text, fitted.text, fitted.misfit)


def passage_of(document: RunDocument) -> SelectedPassage:
    """Return the selected passage of a document, without the marks around it."""
    return read_passage(document.before, document.selection, document.after)


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


def with_line_ends_of(sample: str, content: str) -> str:
    """Return `content` with the most frequent line end of `sample`."""
    ends = LINE_END.findall(sample)
    return LINE_END.sub(max(("\n", "\r\n", "\r"), key=ends.count), content)


def _place_in_body(body: str, content: str, mode: Output) -> PlacedText:
    """Put `content` in the body.

    Blank lines between the front matter and the text, and a missing end of the last
    line are preserved.
    """
    kept = body.rstrip()
    if mode == "insert" and kept:
        new = f"{kept}\n\n{content}{body[len(kept) :]}"
    else:
        new = kept[: len(kept) - len(kept.lstrip("\r\n"))] + content
        new += "" if body and body == kept else "\n"
    return PlacedText(body, keep_line_ends(body, new))
