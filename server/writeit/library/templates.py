"""Where a template's line and column are in the YAML text that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml.nodes import ScalarNode

    from writeit.library.problem import Range
    from writeit.library.source import Source


def place_in(
    source: Source, node: ScalarNode, line: int, column: int, length: int = 1
) -> Range:
    """Return the range of `length` characters at `line` and `column` of a scalar.

    Exact in literal blocks (`|`) and in scalars that stand in the text as they are;
    elsewhere (folded, escaped) the scalar itself.
    """
    if node.style == "|":
        start = _in_block(source.text, node, line, column)
    else:
        start = _in_line(source.text, node, line, column)
    if start is None:
        return source.range_of(node)
    return source.range(start, start + length)


def _in_block(text: str, node: ScalarNode, line: int, column: int) -> int | None:
    """Return the index in `text`: past the header, past the indentation."""
    raw = text[node.start_mark.index : node.end_mark.index].splitlines(keepends=True)
    lines = node.value.split("\n")
    if line + 1 >= len(raw) or line >= len(lines):
        return None
    start = node.start_mark.index + sum(map(len, raw[: line + 1]))
    # What the block's line has more than the value's is indentation.
    indentation = len(raw[line + 1].rstrip("\r\n")) - len(lines[line])
    if indentation < 0 or not raw[line + 1][indentation:].startswith(lines[line]):
        return None
    return start + indentation + min(column, len(lines[line]))


def _in_line(text: str, node: ScalarNode, line: int, column: int) -> int | None:
    start = node.start_mark.index + (1 if node.style else 0)
    if line == 0 and text.startswith(node.value, start):
        return start + column
    return None
