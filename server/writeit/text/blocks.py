"""The blocks of a markdown text: containers and their prefixes, sections, cells.

Lines count from 0 and end as in the Language Server Protocol: CR LF, CR or LF.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Literal

BlockKind = Literal[
    "document",
    "quote",
    "list",
    "item",
    "admonition",
    "footnote",
    "definitions",
    "term",
    "definition",
    "heading",
    "paragraph",
    "table",
    "fence",
    "code",
    "math",
    "html",
    "comment",
    "link",
    "rule",
]
"""`code` is indented code, `link` a link definition, `rule` a thematic break."""

VERBATIM_KINDS = frozenset({"fence", "code", "math", "html", "comment"})
"""Kinds whose lines are not prose."""

CONTAINER_KINDS = frozenset(
    {"quote", "list", "item", "admonition", "footnote", "definitions", "definition"}
)
INLINE_MATH = re.compile(
    r"(?<![\\$\w])(?P<dollars>\$\$?)(?![\s$])[^$]*(?<![\s\\])(?P=dollars)(?![\w$])"
    r"|\\\(.{1,300}?\\\)",
    re.DOTALL,
)
"""Formulas in a paragraph; `$5 and $6` is money, because of the space before a `$`."""
_OPEN, _SHUT = r"(?<![\w\"'\u2019])", r"(?!\w)"
QUOTATION = re.compile(
    r"“[^“”„]*”|„[^„“”\"]*[“”\"]|«[^«»]*»|»[^«»]*«"
    rf"|{_OPEN}\"(?=\S)[^\"]*(?<=\S)\"{_SHUT}"
    rf"|{_OPEN}['\u2018\u201a](?=[^\s\d])"
    rf"(?:[^'\u2018\u2019\u201a]|(?<=\w)['\u2019](?=\w))*(?<=\S)['\u2019\u2018]{_SHUT}"
)
"""Single quotation marks are told from apostrophes by the letters around them."""
_CLOSING_HASHES = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_QUOTE_MARKER = re.compile(r"[ \t]*>")
_MARKERS = {
    "item": re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])"),
    "footnote": re.compile(r"[ \t]*\[\^[^\]]+\]:"),
    "definition": re.compile(r"[ \t]*[:~]"),
}
_ADMONITION_MARKER = re.compile(r"[ \t]*[!?]{3}\+?(?P<space> *)")
_CELL = re.compile(r"(?:\\.|[^|\\]|\\$)*")
_TAB_STOP = 4
_MAX_MARKER_SPACES = 4
_FOOTNOTE_INDENT = 4
_ADMONITION_INDENT = 3


@dataclass(slots=True, eq=False)
class Block:
    """A block, and the blocks in it; compared by identity."""

    kind: BlockKind
    lines: range
    """Its lines, without blank lines after it."""
    parent: Block | None = None
    children: list[Block] = field(default_factory=list)
    level: int = 0
    """A heading's level, 1 to 6."""
    info: str = ""
    """A fence's info string, a footnote's or link's label, an item's number, the name
    of a callout (`> [!note]`), the header of an admonition or a div."""
    markup: str = ""
    """The characters that mark it: `-`, `>`, a fence, `!!!`, `:::`, `#` or `=`."""
    indent: int = 0
    """The column of a container's text, from the text of the innermost quote."""
    is_closed: bool = True
    """Whether a fence, a comment or a div has its end."""

    @property
    def is_div(self) -> bool:
        """Whether it is a container between `:::` lines."""
        return self.markup == ":::"

    def walk(self) -> Iterator[Block]:
        """Yield the blocks in it, in the order of the text."""
        for child in self.children:
            yield child
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its text, up to the next heading of its level or above."""

    heading: Block
    lines: range
    """The lines below the heading, without blank lines at their end."""


class MarkdownBlocks:
    """The blocks of a text."""

    def __init__(self, lines: list[str], root: Block) -> None:
        self.lines = lines
        """The text in lines with their ends; front matter is blank lines."""
        self.root = root
        self.offsets = [0, *accumulate(map(len, lines))]
        """Where each line begins, and where the text ends."""

    def chain(self, first_line: int, last_line: int | None = None) -> tuple[Block, ...]:
        """Return the blocks that contain these lines, the outermost first."""
        last = first_line if last_line is None else last_line
        found: list[Block] = []
        children = self.root.children
        while index := bisect_right(children, first_line, key=_first_line_of):
            block = children[index - 1]
            if first_line not in block.lines or last not in block.lines:
                break
            found.append(block)
            children = block.children
        return tuple(found)

    def containers(self, line: int) -> tuple[Block, ...]:
        """Return the containers in which a line is, the outermost first."""
        return tuple(b for b in self.chain(line) if b.kind in CONTAINER_KINDS)

    def prefix(self, line: int, innermost: Block | None = None) -> str:
        """Return what the containers of a line, up to `innermost`, put before its text.

        On a container's first line that is its marker: `- `, `> `, `[^1]: `. A lazy
        continuation line has less than the other lines.
        """
        prefix = ""
        for container, piece in self._prefix_pieces(line):
            prefix += piece
            if container is innermost:
                break
        return prefix

    def continuation(self, line: int, innermost: Block | None = None) -> str:
        """Return the prefix of a new line below `line`, in the same containers.

        `innermost`: only in that container and those around it.
        """
        containers = self.containers(line)
        last = innermost or (containers[-1] if containers else None)
        if last is None:
            return ""
        first = last.lines.start
        prefix, base = "", 0
        for container, piece in self._prefix_pieces(first):
            if container.kind == "quote":
                prefix += piece
                base = _columns(prefix)
            else:
                is_marker = container.lines.start == first
                missing = base + container.indent - _columns(prefix)
                prefix += " " * missing if is_marker else piece
            if container is last:
                break
        return prefix

    def _prefix_pieces(self, line: int) -> Iterator[tuple[Block, str]]:
        reader = PrefixReader(self.lines[line])
        for container in self.containers(line):
            piece = reader.take(container, is_first=line == container.lines.start)
            if piece is None:
                return
            yield container, piece

    @cached_property
    def sections(self) -> list[Section]:
        """Every heading with its section, in the order of the text.

        A heading inside a container has a section that ends with the container.
        """
        found = [*_sections_of(self.root, self.lines)]
        found.sort(key=lambda section: section.heading.lines.start)
        return found

    def headings_above(self, line: int) -> list[Block]:
        """Return the headings of the sections that a line is in, the highest first."""
        return [
            section.heading
            for section in self.sections
            if section.heading.lines.stop <= line < section.lines.stop
        ]

    @property
    def title(self) -> str:
        """The text of the first heading of level 1 outside quotes and lists, or ""."""
        for block in _outside_containers(self.root):
            if block.level == 1 and (title := self.heading_text(block)):
                return title
        return ""

    def heading_text(self, heading: Block) -> str:
        """Return a heading's markdown without its marks, on one line."""
        lines = [
            self.lines[line][len(self.prefix(line)) :].strip() for line in heading.lines
        ]
        if heading.markup != "#":
            return " ".join(lines[:-1])
        return _CLOSING_HASHES.sub("", lines[0].lstrip("#")).strip()

    def length(self, lines: range) -> int:
        """Return how many characters lines have, with their ends."""
        return self.offsets[lines.stop] - self.offsets[lines.start]

    def verbatim_lines(self) -> set[int]:
        """Return the lines of code, math, HTML and comments."""
        return {
            line
            for block in self.root.walk()
            if block.kind in VERBATIM_KINDS
            for line in block.lines
        }


def _first_line_of(block: Block) -> int:
    return block.lines.start


def _outside_containers(parent: Block) -> Iterator[Block]:
    for block in parent.children:
        if block.is_div:
            yield from _outside_containers(block)
        else:
            yield block


def _sections_of(parent: Block, lines: list[str]) -> Iterator[Section]:
    end = len(lines) if parent.kind == "document" else parent.lines.stop
    if parent.is_div:
        end -= parent.is_closed
    stops = [end] * 7
    """Where a section of each level ends, seen from below."""
    for block in reversed(parent.children):
        if block.kind == "heading":
            stop, start = stops[block.level], block.lines.stop
            while stop > start and not lines[stop - 1].strip():
                stop -= 1
            yield Section(block, range(start, stop))
            stops[block.level :] = [block.lines.start] * (7 - block.level)
        yield from _sections_of(block, lines)


# --- prefixes -----------------------------------------------------------------------


class PrefixReader:
    """Reads what containers put before the text of a line, the outermost first."""

    def __init__(self, line: str) -> None:
        self._text = line.rstrip("\r\n")
        self._position = 0
        self._column = 0
        self._base = 0
        """The column at which the text of the innermost quote begins."""
        self._indent = 0
        """The column of the innermost container's text, from `_base`."""

    @property
    def rest(self) -> str:
        """The text that was not taken."""
        return self._text[self._position :]

    def take(self, container: Block, *, is_first: bool) -> str | None:
        """Return the container's piece; None on a lazy continuation line."""
        start = self._position
        if container.kind == "quote":
            if not self._take_quote():
                return None
        elif is_first:
            self.measure(container)
        else:
            self._take_spaces(self._base + container.indent)
            self._indent = container.indent
        return self._text[start : self._position]

    def measure(self, container: Block) -> int:
        """Read a container's marker and return the column of its text."""
        if (marker := _MARKERS.get(container.kind)) is not None:
            self._indent = self._take_marker(container.kind, marker)
        elif container.kind == "admonition" and not container.is_div:
            header = _ADMONITION_MARKER.match(self._text, self._position)
            spaces = len(header["space"]) if header else 1
            self._take_spaces(self._base + self._indent)
            self._indent += _ADMONITION_INDENT + spaces
        return self._indent

    def _take_marker(self, kind: str, marker: re.Pattern[str]) -> int:
        outer_indent = self._indent
        match = marker.match(self._text, self._position)
        self._move(match.end() if match else self._position)
        after_marker = self._column - self._base
        if kind == "item" and not self._text[self._position :].strip(" \t"):
            self._move(len(self._text))
            return after_marker + 1
        position, column = self._position, self._column
        spaces = self._take_spaces()
        if kind == "footnote":
            return outer_indent + _FOOTNOTE_INDENT
        if spaces > _MAX_MARKER_SPACES:  # indented code
            self._position, self._column, spaces = position, column, 1
            self._take_spaces(column + 1)
        return after_marker + spaces

    def _take_quote(self) -> bool:
        match = _QUOTE_MARKER.match(self._text, self._position)
        if match is None:
            return False
        self._move(match.end())
        self._base = self._column
        if self._text[self._position : self._position + 1] in {" ", "\t"}:
            self._base += 1
            self._move(self._position + 1)
        self._indent = 0
        return True

    def _take_spaces(self, end_column: int | None = None) -> int:
        """Move over spaces and tabs up to a column; return how many columns."""
        first = self._column
        while (end_column is None or self._column < end_column) and self._text[
            self._position : self._position + 1
        ] in {" ", "\t"}:
            self._move(self._position + 1)
        return self._column - first

    def _move(self, position: int) -> None:
        self._column = _columns(self._text[self._position : position], self._column)
        self._position = position


def _columns(text: str, column: int = 0) -> int:
    """Return the column after a text; tabs go to the next multiple of four."""
    for character in text:
        column += _TAB_STOP - column % _TAB_STOP if character == "\t" else 1
    return column


# --- table rows ---------------------------------------------------------------------


def table_cells(row: str) -> list[tuple[int, int]]:
    """Return the start and end of each cell's text in a row, without its spaces.

    `row` is a line of a table without the prefix of its containers.
    """
    end = len(row.rstrip())
    position = len(row) - len(row.lstrip())
    position += row[position : position + 1] == "|"
    cells = []
    while position < end:
        match = _CELL.match(row, position, end)
        stop = match.end() if match else end
        cell = row[position:stop]
        start = position + len(cell) - len(cell.lstrip())
        cells.append((start, max(start, position + len(cell.rstrip()))))
        position = stop + 1
    return cells
