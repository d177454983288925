"""The forms of an answer: without prefixes, as a heading, a cell, rows, code, items."""

from __future__ import annotations

import re
from collections.abc import Sequence

from writeit.text.block_reader import read_blocks
from writeit.text.blocks import Block, BlockKind, table_cells
from writeit.text.passage import (
    CODE_INDENT,
    HEADERS,
    TAB_STOP,
    TASK_BOX,
    SelectedPassage,
)

ITEM_MARKER = re.compile(rf"^(?:[-+*]|\d{{1,9}}[.)])(?:[ \t]+(?:{TASK_BOX})?|$)")

_TASK_BOX = re.compile(rf"^{TASK_BOX}")
_TABS = re.compile(r"^ *\t[ \t]*")
_QUOTE_MARK = re.compile(r"^ {0,3}> ?")
_HEADING_MARKS = re.compile(
    r"^ {0,3}#{1,6}[ \t]+|[ \t]+#+[ \t]*$|(?:[ \t]+#+)?[ \t]+\{[#.][^{}]*\}[ \t]*$"
)
_PIPE = re.compile(r"(\\.)|\|")
_MARKERS: dict[BlockKind, re.Pattern[str]] = {
    "item": ITEM_MARKER,
    "footnote": re.compile(r"^\[\^[^\]]+\]:[ \t]*"),
    "definition": re.compile(r"^[:~][ \t]+"),
}


class WrongFormError(Exception):
    """An answer does not have the form that its container needs."""


def to_heading_text(lines: list[str]) -> str:
    """Return an answer as the text of a heading, without marks, on one line."""
    text = "\n".join(lines)
    if len(lines) > 1:
        blocks = read_blocks(text)
        children = blocks.root.children
        if len(children) != 1 or children[0].kind not in {"paragraph", "heading"}:
            raise WrongFormError
        if children[0].kind == "heading":
            return blocks.heading_text(children[0])
    return " ".join(_HEADING_MARKS.sub("", text).split("\n"))


def to_cell_text(passage: SelectedPassage, lines: list[str]) -> str:
    """Return an answer as the text of a cell: on one line, its pipes escaped."""
    row = lines[0].strip()
    own = passage.text[passage.start : passage.end]
    if len(lines) == 1 and row[:1] == row[-1:] == "|" and own[:2] != r"\|":
        row = _cell_of_row(passage, row)
    elif len(lines) == 1 and own[-2:] != r"\|":
        row = re.sub(r"(?<!\\)\|$", "", row).rstrip()
    elif len(lines) > 1:
        blocks = read_blocks("\n".join(lines)).root.children
        if any(block.kind != "paragraph" for block in blocks):
            raise WrongFormError
        row = "<br>".join(
            " ".join(lines[line].strip() for line in block.lines) for block in blocks
        )
    if not row:
        raise WrongFormError
    return _PIPE.sub(lambda match: match[1] or r"\|", row)


def _cell_of_row(passage: SelectedPassage, row: str) -> str:
    """Return the passage's cell of an answer that is a whole row."""
    new = [row[start:end] for start, end in table_cells(row)]
    offset = passage.content_start(passage.first)
    own = passage.text[offset : passage.line_stop(passage.first)]
    places = table_cells(own)
    if len(new) == 1:
        return new[0]
    if len(new) != len(places):
        return row
    cells = [own[start:end] for start, end in places]
    is_own = [
        offset + start <= passage.start and passage.end <= offset + end
        for start, end in places
    ]
    if any(a != b for a, b, own_ in zip(cells, new, is_own, strict=True) if not own_):
        raise WrongFormError
    return new[is_own.index(True)]


def to_rows(passage: SelectedPassage, lines: list[str]) -> list[str]:
    """Return an answer that has a cell for each cell of the selected rows."""
    old = passage.content_lines()
    whole = passage.start == passage.content_start(passage.first)
    if whole and passage.end >= passage.line_stop(passage.last):
        columns = {len(table_cells(line)) for line in old}
        if any(len(table_cells(line)) not in columns for line in lines):
            raise WrongFormError
    elif [_count_pipes(line) for line in old] != [_count_pipes(line) for line in lines]:
        raise WrongFormError
    return lines


def _count_pipes(line: str) -> int:
    return sum(match[1] is None for match in _PIPE.finditer(line))


def to_code(passage: SelectedPassage, lines: list[str]) -> list[str]:
    """Return an answer as lines of code, without a fence of its own."""
    answer = read_blocks("\n".join(lines)).root.children
    if [(block.kind, block.is_closed) for block in answer] == [("fence", True)]:
        lines = lines[1:-1] or lines
    if passage.leaf is not None and passage.leaf.kind == "code":
        lines = _dedented(passage, lines, len(CODE_INDENT))
    return [lines[0].lstrip(), *lines[1:]]  # its indentation is in the text


# --- answers that have the prefixes ---------------------------------------------------


def without_prefixes(passage: SelectedPassage, lines: list[str]) -> list[str]:
    """Return the lines of an answer without the marks of the passage's containers.

    Raises:
        WrongFormError: nothing else is in the answer.
    """
    outer_indent = 0
    for container in passage.containers:
        lines = _without_blank_lines(lines)
        width = container.indent - outer_indent
        if container.kind == "quote":
            lines = _without_quote_marks(passage, lines)
            outer_indent = 0
        elif container.lines.start == passage.first or container is passage.inner:
            marked, lines = lines, _without_marker(passage, lines, container)
            removed = len(marked[0]) - len(lines[0])
            width = min(width, removed) if removed else width
        lines = _without_header(passage, container, lines)
        lines = _dedented(passage, lines, width)
        outer_indent = container.indent
    lines = _without_blank_lines(lines)
    return [lines[0].lstrip(), *lines[1:]]


def _without_blank_lines(lines: list[str]) -> list[str]:
    """Return lines without blank ones at both ends."""
    filled = [n for n, line in enumerate(lines) if line.strip()]
    if not filled:
        raise WrongFormError
    return lines[filled[0] : filled[-1] + 1]


def _without_quote_marks(passage: SelectedPassage, lines: list[str]) -> list[str]:
    if all(_QUOTE_MARK.match(x) for x in passage.content_lines() if x.strip()):
        return lines  # they belong to the passage
    start = 0 if _QUOTE_MARK.match(lines[0]) else 1  # its mark is in the text
    marked = [line for line in lines[start:] if start or line.strip()]
    if not marked or not all(map(_QUOTE_MARK.match, marked)):
        return lines
    return [_QUOTE_MARK.sub("", line, count=1) for line in lines]


def _without_marker(
    passage: SelectedPassage, lines: list[str], container: Block
) -> list[str]:
    marker = _MARKERS.get(container.kind)
    if marker is None or marker.match(passage.content_lines()[0]):
        return lines
    if marker is ITEM_MARKER:
        lines = [_TASK_BOX.sub("", lines[0], count=1), *lines[1:]]
    if sum(bool(marker.match(line)) for line in lines) > 1:
        return lines  # a list
    return [marker.sub("", lines[0], count=1), *lines[1:]]


def _dedented(passage: SelectedPassage, lines: list[str], width: int) -> list[str]:
    """Return lines without an indentation that the passage itself does not have."""
    own = _least_indent(passage.content_lines()[1:])
    spaced = [_TABS.sub(lambda tabs: tabs[0].expandtabs(TAB_STOP), x) for x in lines]
    indent = _least_indent(spaced[1:])
    if width <= 0 or indent < own + width:
        return lines
    if spaced != lines:
        width = indent - own  # a tab reaches beyond the column of the text
    return [lines[0], *(line[width:] for line in spaced[1:])]


def _least_indent(lines: Sequence[str]) -> int:
    return min((len(x) - len(x.lstrip(" ")) for x in lines if x.strip()), default=0)


def _without_header(
    passage: SelectedPassage, container: Block, lines: list[str]
) -> list[str]:
    """Leave out the header that an answer repeats, with what depends on it."""
    headers = HEADERS.get(container.kind, ())
    is_below = passage.first > container.lines.start
    if not headers or not is_below or not lines[0].startswith(headers):
        return lines
    body = lines[1:]
    if container.is_div:
        body = body[:-1] if body and body[-1].startswith(":::") else body
    elif container.kind == "admonition" and _least_indent(body[:1]) >= len(CODE_INDENT):
        body = [body[0].lstrip(), *body[1:]]
    return body or [""]


# --- lists ---


def with_item_markers(passage: SelectedPassage, lines: list[str]) -> list[str]:
    """Return an answer for several items with the markers that it left out."""
    markers = _item_markers(passage) if passage.items() else []
    answer = read_blocks("\n".join(lines)).root.children
    if len(markers) < len("ab") or any(block.kind == "list" for block in answer):
        return lines
    texts = [[line] for line in lines if line.strip()]
    if len(texts) != len(markers):
        texts = [[lines[line] for line in block.lines] for block in answer]
    if len(texts) != len(markers):
        return lines
    return [
        line
        for marker, text in zip(markers, texts, strict=True)
        for line in (marker + text[0], *(" " * len(marker) + more for more in text[1:]))
    ]


def _item_markers(passage: SelectedPassage) -> list[str]:
    """Return the markers of the items that the passage consists of."""
    starts = {
        block.lines.start
        for block in passage.blocks.root.walk()
        if block.kind == "item" and passage.first <= block.lines.start <= passage.last
    }
    markers = []
    for line in sorted(starts):
        prefix = passage.blocks.prefix(line)
        box = _TASK_BOX.match(passage.line_text(line)[len(prefix) :])
        markers.append(prefix[len(passage.prefix(line)) :] + (box[0] if box else ""))
    return markers


def is_list(lines: list[str]) -> bool:
    """Whether an answer is a list and nothing else."""
    answer = read_blocks("\n".join(lines)).root.children
    return [block.kind for block in answer] == ["list"]


def own_markers(passage: SelectedPassage) -> list[str]:
    """Return the markers of the items of a list that the passage consists of."""
    items = passage.items()
    return [marker_of(passage, x) for x in items if x.lines.start <= passage.last]


def marker_of(passage: SelectedPassage, item: Block) -> str:
    """Return the marker of an item in the passage's containers."""
    line = item.lines.start
    return passage.blocks.prefix(line, item)[len(passage.prefix(line)) :]


def next_marker(marker: str) -> str:
    """Return the marker of the item after one with `marker`."""
    return re.sub(r"\d+", lambda number: str(int(number[0]) + 1), marker)


def with_markers(lines: list[str], markers: list[str]) -> list[str]:
    """Return an answer that is a list with these markers, and those that follow.

    Models write `-` for `*`, and begin to count at 1.
    """
    answer = read_blocks("\n".join(lines))
    if not markers or [block.kind for block in answer.root.children] != ["list"]:
        return lines
    placed: list[str] = []
    for number, item in enumerate(answer.root.children[0].children):
        if number == len(markers):
            markers = [*markers, next_marker(markers[-1])]
        placed += [""] * (item.lines.start - len(placed))
        first, *others = (
            lines[line][len(answer.prefix(line, item)) :] for line in item.lines
        )
        indent = " " * len(markers[number].expandtabs(TAB_STOP))
        placed.append(markers[number] + first)
        placed += [(indent + line).rstrip() for line in others]
    return placed
