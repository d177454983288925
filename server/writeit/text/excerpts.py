"""What stands around a passage, cut at blocks, for a model to read."""

from __future__ import annotations

import re
from collections.abc import Iterable

from writeit.text.blocks import Block
from writeit.text.passage import SelectedPassage

MAX_CONTEXT_CHARACTERS = 1_500
LEFT_OUT = "[…]"
"""Stands for text that is left out."""

_REFERENCE = re.compile(r"\[(?P<label>\^?[^\[\]]+)\]")
_REOPENED = {"fence": 1, "math": 1, "comment": 1, "table": 2}
"""Kinds of blocks that begin with lines of their own, and with how many."""


def context_before(
    passage: SelectedPassage, limit: int = MAX_CONTEXT_CHARACTERS
) -> str:
    """Return the blocks before a passage, at most about `limit` characters.

    What is left out is marked; the headings above are added.
    """
    end = passage.start
    if passage.start <= passage.content_start(passage.first) or (
        passage.form == "line"
    ):
        end = passage.blocks.offsets[passage.first]  # only marks are before it
    before = passage.text[:end].rstrip()
    if len(before) <= limit:
        return before.strip("\r\n")
    blocks = passage.blocks.root.walk()
    starts = _boundaries(passage, (block.lines.start for block in blocks))
    start = min(
        (s for s in starts if s < len(before) <= s + limit), default=len(before)
    )
    excerpt = before[start:] or _end_of_block(passage, before, limit)
    line = passage.line_at(start if start < len(before) else len(before) - 1)
    headings = [
        "".join(passage.blocks.lines[n] for n in heading.lines).strip()
        for heading in passage.blocks.headings_above(line)
    ]
    return "\n\n".join([*headings, LEFT_OUT, excerpt])


def context_after(passage: SelectedPassage, limit: int = MAX_CONTEXT_CHARACTERS) -> str:
    """Return the blocks after a passage, at most about `limit` characters."""
    text, end = passage.text, passage.end
    after = text[end:].rstrip()
    if len(after) <= limit:
        return after.lstrip("\r\n")
    blocks = passage.blocks.root.walk()
    stops = _boundaries(passage, (block.lines.stop for block in blocks))
    stop = max((s for s in stops if end < s <= end + limit), default=end)
    excerpt = text[end:stop].strip("\r\n") or _beginning_of_block(passage, limit)
    return f"{excerpt}\n\n{LEFT_OUT}"


def used_definitions(passage: SelectedPassage) -> str:
    """Return the definitions of the links and footnotes that a passage refers to."""
    used = {_folded(match["label"]) for match in _REFERENCE.finditer(passage.content)}
    used.discard("")  # the box of a task
    lines = passage.blocks.lines
    return "\n".join(
        "".join(lines[n] for n in block.lines).strip()
        for block in passage.blocks.root.walk()
        if _folded(_label_of(block)) in used
        and not passage.first <= block.lines.start <= passage.last
    )


def _label_of(block: Block) -> str:
    if block.kind == "footnote":
        return f"^{block.info.removeprefix('^')}"
    return block.info if block.kind == "link" else ""


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()


def _boundaries(passage: SelectedPassage, lines: Iterable[int]) -> list[int]:
    starts = passage.blocks.offsets
    return [starts[min(line, len(starts) - 1)] for line in lines]


def _end_of_block(passage: SelectedPassage, before: str, limit: int) -> str:
    """Return the end of a block that is too long, from the beginning of a line."""
    block = _block_at(passage, len(before) - 1)
    cut = before[-limit:]
    rest = cut.partition("\n")[2] or cut.partition(" ")[2] or cut
    if block is not None and block.kind in _REOPENED:
        opening = passage.blocks.lines[block.lines.start :][: _REOPENED[block.kind]]
        return f"{''.join(opening).rstrip()}\n{LEFT_OUT}\n{rest}"
    return rest


def _beginning_of_block(passage: SelectedPassage, limit: int) -> str:
    """Return the beginning of a block that is too long, up to the end of a line."""
    after = passage.text[passage.end :].lstrip()
    block = _block_at(passage, len(passage.text) - len(after))
    cut = after[:limit]
    rest = cut.rpartition("\n")[0] or cut.rpartition(" ")[0] or cut
    if block is not None and block.is_closed and _REOPENED.get(block.kind) == 1:
        closing = passage.blocks.lines[block.lines.stop - 1].strip()
        return f"{rest}\n{LEFT_OUT}\n{closing}"
    return rest


def _block_at(passage: SelectedPassage, offset: int) -> Block | None:
    chain = passage.blocks.chain(passage.line_at(offset))
    return chain[-1] if chain else None
