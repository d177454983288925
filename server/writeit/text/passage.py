"""A passage of a markdown text, without the marks of its containers.

Containers are the quotes, items, admonitions, footnotes and definitions that hold all
lines of the passage. A model sees plain markdown and is told in words where it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from writeit.text.block_reader import read_blocks
from writeit.text.blocks import (
    CONTAINER_KINDS,
    Block,
    BlockKind,
    MarkdownBlocks,
    table_cells,
)
from writeit.text.lines import line_end

Form = Literal["blocks", "line", "cell", "rows", "code"]
"""What a passage is: blocks or text, one line, text of a table cell, rows, or code."""

CODE_INDENT = "    "
TAB_STOP = 4
HEADERS: dict[BlockKind, tuple[str, ...]] = {
    "quote": ("[!",),
    "admonition": ("!!!", "???", ":::"),
}
"""What the first line of a container begins with if it is a header of its own."""

_NAMES: dict[BlockKind, str] = {
    "quote": "a block quote",
    "item": "a list item",
    "admonition": "an admonition",
    "footnote": "a footnote",
    "definition": "a definition",
    "term": "a term of a definition list",
    "heading": "a heading",
    "fence": "a code block",
    "code": "a code block",
    "math": "a formula",
    "html": "an HTML block",
    "comment": "a comment",
}
TASK_BOX = r"\[[ xX]\][ \t]+"
"""What makes an item a task."""

_HEADING_MARKS = re.compile(
    r" {0,3}#{1,6}[ \t]+(?P<text>.*?)(?:[ \t]+#+)?(?:[ \t]+\{[#.][^{}]*\})?[ \t]*"
)
_OUTER_PIPES = re.compile(r"^\|[ \t]*|[ \t]*(?<!\\)\|$")
_TASK_BOX = re.compile(TASK_BOX)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedPassage:
    """A passage, its containers and the text that it is in."""

    text: str
    """The whole text."""
    blocks: MarkdownBlocks = field(repr=False)
    start: int
    """The offset of the passage's first character that is not a mark."""
    end: int
    containers: tuple[Block, ...] = field(default=(), repr=False)
    """The outermost first."""
    leaf: Block | None = field(default=None, repr=False)
    """The heading, table or code that the passage is a part of."""
    form: Form = "blocks"

    @property
    def inner(self) -> Block | None:
        """The innermost container."""
        return self.containers[-1] if self.containers else None

    def without_inner(self) -> SelectedPassage:
        """Return it as a passage of what the innermost container is in."""
        return replace(self, containers=self.containers[:-1])

    @property
    def first(self) -> int:
        """Its first line, from 0."""
        return self.line_at(self.start)

    @property
    def last(self) -> int:
        """Its last line."""
        return self.line_at(max(self.start, self.end - 1))

    @property
    def content(self) -> str:
        """The passage without the marks of its containers."""
        ends = [line_end(line) for line in self.blocks.lines[self.first : self.last]]
        lines = self.content_lines()
        indent = self.text[self.content_start(self.first) : self.start]
        if self.form == "code" and not indent.strip():
            lines[0] = indent + lines[0]
        return "".join(map("".join, zip(lines, [*ends, ""], strict=True)))

    @property
    def container(self) -> str:
        """What it is in, in words: "a list item in a block quote"; "" if in nothing."""
        names = []
        if self.form in {"cell", "rows"}:
            names.append("a table cell" if self.form == "cell" else "rows of a table")
        elif self.leaf is not None and self.leaf.kind in _NAMES:
            names.append(_NAMES[self.leaf.kind])
        for block in reversed(self.containers):
            if block.kind in _NAMES:
                is_callout = block.kind == "quote" and block.info
                names.append("a callout" if is_callout else _NAMES[block.kind])
            elif block.kind == "list" and not names:
                names.append("a list")
        return " in ".join(names)

    def line_at(self, offset: int) -> int:
        """Return the line that an offset is in."""
        line = bisect_right(self.blocks.offsets, offset) - 1
        return max(min(line, len(self.blocks.lines) - 1), 0)

    def line_text(self, line: int) -> str:
        """Return a line without its end; "" in an empty text."""
        lines = self.blocks.lines
        return lines[line].rstrip("\r\n") if lines else ""

    def line_stop(self, line: int) -> int:
        """Return the offset of a line's end."""
        return self.blocks.offsets[line] + len(self.line_text(line))

    def prefix(self, line: int) -> str:
        """Return what the containers, and indented code, put before a line."""
        prefix = self.blocks.prefix(line, self.inner) if self.inner else ""
        if self.leaf is not None and self.leaf.kind == "code":
            rest = self.line_text(line)[len(prefix) :]
            spaces = len(rest[:4]) - len(rest[:4].lstrip(" "))
            prefix += "\t" if rest.startswith("\t") else rest[:spaces]
        return prefix

    def continuation(self) -> str:
        """Return the prefix of a new line in the containers."""
        inner = self.inner
        prefix = self.blocks.continuation(self.first, inner) if inner else ""
        for line in inner.lines[1:] if inner else ():
            own = self.prefix(line)
            if "\t" in own and own.expandtabs(TAB_STOP) == prefix:
                return own  # as its other lines are
        is_indented = self.leaf is not None and self.leaf.kind == "code"
        return prefix + (CODE_INDENT if is_indented else "")

    def content_start(self, line: int) -> int:
        """Return the offset at which a line's text begins, after its prefix."""
        return self.blocks.offsets[line] + len(self.prefix(line))

    def content_lines(self) -> list[str]:
        """Return its lines without prefixes and line ends."""
        lines = []
        for line in range(self.first, self.last + 1):
            start = max(self.start, self.content_start(line))
            end = min(self.end, self.line_stop(line))
            lines.append(self.text[start : max(start, end)])
        return lines

    def items(self) -> list[Block]:
        """Return the items that the passage consists of, if it is (part of) a list."""
        chain = self.blocks.chain(self.first, self.last)
        inner = chain[len(self.containers) :] or self.containers[-1:]
        if self.form != "blocks" or not inner or inner[0].kind != "list":
            return []
        items = [
            block for block in inner[0].children if block.lines.start >= self.first
        ]
        return items if items and items[0].lines.start == self.first else []

    def covers(self, block: Block) -> bool:
        """Whether all lines of a block are lines of the passage."""
        first, stop = block.lines.start, block.lines.stop
        return self.first <= first and stop - 1 <= self.last


@lru_cache(maxsize=8)
def read_passage(before: str, selection: str, after: str) -> SelectedPassage:
    """Return the selected passage between two texts."""
    text, passage = before + selection + after, selection.strip()
    start = len(before) + (selection.index(passage) if passage else 0)
    return passage_at(text, read_blocks(text), start, start + len(passage))


def passage_at(
    text: str, blocks: MarkdownBlocks, start: int, end: int
) -> SelectedPassage:
    """Return the passage between two offsets of a text that has been read."""
    found = SelectedPassage(text=text, blocks=blocks, start=start, end=end)
    chain = blocks.chain(found.first, found.last)
    containers = tuple(block for block in chain if block.kind in CONTAINER_KINDS)
    leaf = chain[-1] if chain and chain[-1] not in containers else None
    found = replace(found, containers=containers, leaf=leaf)
    inner = found.inner
    if inner and inner.kind in {"list", "definitions"} and found.covers(inner):
        found = replace(found, containers=containers[:-1])  # it is the passage itself
    found = _without_blank_lines(_without_header(found))
    first = found.first
    if found.start < found.content_start(first):
        found = replace(found, start=min(found.content_start(first), end))
    return _narrowed(_without_task_box(_with_item_marker(found)))


def _without_header(found: SelectedPassage) -> SelectedPassage:
    """Begin below the header of a callout, admonition or div that was selected."""
    first, last = found.first, found.last
    inner = found.inner
    if inner is None or inner.lines.start != first or first == last:
        return found
    start = found.content_start(first)
    if found.start > start or not found.text.startswith(
        HEADERS.get(inner.kind, ("\0",)), start
    ):
        return found
    first += 1
    end = found.end
    if inner.is_div and inner.is_closed and last == inner.lines.stop - 1:
        last -= 1
        end = found.line_stop(last) if last >= first else end
    while first < last and not found.line_text(first)[len(found.prefix(first)) :]:
        first += 1
    if first > last:
        return found
    return replace(found, start=found.content_start(first), end=end)


def _without_blank_lines(found: SelectedPassage) -> SelectedPassage:
    """Leave out first and last lines that have only marks: their ends stay."""
    while (first := found.first) < found.last:
        begin = max(found.start, found.content_start(first))
        if found.text[begin : found.line_stop(first)].strip():
            break
        found = replace(found, start=found.content_start(first + 1))
    while found.first < (last := found.last):
        if found.text[found.content_start(last) : found.end].strip():
            break
        found = replace(found, end=found.line_stop(last - 1))
    return found


def _with_item_marker(found: SelectedPassage) -> SelectedPassage:
    """Begin with the marker of the first of several items, as the others do."""
    starts = [block.lines.start for block in found.blocks.containers(found.first)]
    if found.first == found.last or found.leaf or found.first not in starts:
        return found
    marked = found.blocks.offsets[found.first] + len(found.blocks.prefix(found.first))
    if found.start == marked:
        return replace(found, start=found.content_start(found.first))
    return found


def _without_task_box(found: SelectedPassage) -> SelectedPassage:
    """Begin after the box of the one item that is a task."""
    inner = found.inner
    if inner is None or inner.kind != "item" or inner.lines.start != found.first:
        return found
    match = _TASK_BOX.match(found.text, found.content_start(found.first))
    if match is None or not match.start() <= found.start < match.end() < found.end:
        return found
    return replace(found, start=match.end())


def _narrowed(found: SelectedPassage) -> SelectedPassage:
    """Return the passage as a part of the heading, table or code that it is in."""
    leaf = found.leaf
    if leaf is None or leaf.kind in {"paragraph", "link", "rule"}:
        return replace(found, leaf=None)
    if leaf.kind in {"heading", "term"}:
        return _narrowed_to_line(replace(found, form="line"), leaf)
    if leaf.kind == "code":
        inside = replace(found, form="code")
        return replace(
            inside, start=max(found.start, inside.content_start(inside.first))
        )
    if leaf.kind == "table" and not found.covers(leaf):
        return _narrowed_to_cell(replace(found, form="rows"))
    stop = leaf.lines.stop - leaf.is_closed
    is_inside = leaf.lines.start < found.first and found.last < stop
    if leaf.kind == "table" or not is_inside:
        return replace(found, leaf=None)  # the block itself
    return replace(found, form="code")


def _narrowed_to_line(found: SelectedPassage, heading: Block) -> SelectedPassage:
    """Leave out the marks of a heading: they stay as they are."""
    first = found.first
    if heading.markup == "#":
        offset = found.content_start(first)
        match = _HEADING_MARKS.fullmatch(found.text, offset, found.line_stop(first))
        if match is None:  # it has no text
            return found
        start = max(found.start, match.start("text"))
        return replace(
            found, start=start, end=max(start, min(found.end, match.end("text")))
        )
    if heading.kind == "heading":
        text_end = found.line_stop(heading.lines.stop - 2)
        return replace(found, end=min(found.end, text_end))
    return found


def _narrowed_to_cell(found: SelectedPassage) -> SelectedPassage:
    if found.first != found.last:
        return found
    offset = found.content_start(found.first)
    row = found.text[offset : found.line_stop(found.first)]
    inside = _OUTER_PIPES.sub("", found.text[found.start : found.end].strip())
    begin = found.text.index(inside, found.start)
    end = begin + len(inside)
    for first, stop in table_cells(row):
        if inside and offset + first <= begin and end <= offset + stop:
            return replace(found, form="cell", start=begin, end=end)
    return found
