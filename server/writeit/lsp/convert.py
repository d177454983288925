"""Conversions between internal values and LSP's: positions, edits, URIs, errors."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from writeit.domain.errors import InvalidParams
from writeit.text.lines import LINE_END, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pydantic import BaseModel, ValidationError

    from writeit.text.diff import Edit


class PositionLike(Protocol):
    """A position of `protocol` or of lsprotocol."""

    @property
    def line(self) -> int:
        """Counted from 0."""
        ...

    @property
    def character(self) -> int:
        """In the units of its position encoding."""
        ...


def to_invalid_params(error: ValidationError, model: type[BaseModel]) -> InvalidParams:
    """Return an error with each problem's path and the known keys."""
    problems = [
        {"path": _problem_path(problem["loc"], model), "message": problem["msg"]}
        for problem in error.errors()
    ]
    known = sorted(field.alias or name for name, field in model.model_fields.items())
    details = "; ".join(f"{p['path'] or 'params'}: {p['message']}" for p in problems)
    return InvalidParams(
        f"The parameters are not valid: {details}.",
        hint=f"Known keys: {', '.join(known)}.",
        problems=problems,
    )


def _problem_path(loc: Sequence[Any], model: type[BaseModel]) -> str:
    """Return the path of a problem in wire names."""
    first, *rest = loc or ("",)
    field = model.model_fields.get(str(first))
    name = (field.alias if field else None) or first
    return ".".join(str(part) for part in (name, *rest))


def to_offset(text: str, position: PositionLike, encoding: str) -> int:
    """Return the offset of a position in `text`, in code points.

    A position after the end of its line means the line's end.
    """
    start = 0
    if position.line > 0:
        ends = islice(LINE_END.finditer(text), position.line - 1, None)
        if (end := next(ends, None)) is None:
            return len(text)
        start = end.end()
    following = LINE_END.search(text, start)
    line = text[start : following.start() if following else None]
    return start + _to_code_points(line, position.character, encoding)


def _to_code_points(line: str, units: int, encoding: str) -> int:
    if encoding == "utf-32" or line.isascii():
        return min(units, len(line))
    count = 0
    for index, character in enumerate(line):
        if count >= units:
            return index
        count += _count_units(character, encoding)
    return len(line)


def _count_units(text: str, encoding: str) -> int:
    """Count the code units of a text in a position encoding."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def to_lsp_edits(
    text: str, edits: Iterable[Edit], encoding: str
) -> list[types.TextEdit]:
    """Return edits of `text` as LSP edits, in lines and code units."""
    position = _position_converter(text, encoding)
    return [
        types.TextEdit(
            range=types.Range(start=position(edit.start), end=position(edit.end)),
            new_text=edit.new,
        )
        for edit in edits
    ]


def to_lsp_span(text: str, start: int, end: int, encoding: str) -> types.Range:
    """Return the range between two offsets of a text."""
    return to_lsp_spans(text, [(start, end)], encoding)[0]


def to_lsp_spans(
    text: str, spans: Iterable[tuple[int, int]], encoding: str
) -> list[types.Range]:
    """Return the ranges between offsets of a text, which is read once."""
    position = _position_converter(text, encoding)
    return [types.Range(start=position(a), end=position(b)) for a, b in spans]


@lru_cache(maxsize=4)
def _position_converter(text: str, encoding: str) -> Callable[[int], types.Position]:
    """Return a function from an offset in `text` to a position."""
    lines = split_lines(text)
    starts = [0, *accumulate(map(len, lines))]

    def position(offset: int) -> types.Position:
        line = bisect_right(starts, offset) - 1
        if line == len(lines) and lines and lines[-1][-1] not in "\r\n":
            line -= 1  # the last line has no line break
        before = text[starts[line] : offset]
        return types.Position(line=line, character=_count_units(before, encoding))

    return position


def to_lsp_range(
    text: str, start: PositionLike, end: PositionLike, encoding: str
) -> types.Range:
    """Return a range of `text` in code points as an LSP range in code units."""
    lines = split_lines(text)

    def convert(point: PositionLike) -> types.Position:
        before = lines[point.line][: point.character] if point.line < len(lines) else ""
        return types.Position(line=point.line, character=_count_units(before, encoding))

    return types.Range(start=convert(start), end=convert(end))


def line_range(first: int, last: int) -> types.Range:
    """Return the range from the start of line `first` to the start of line `last`."""
    return types.Range(
        start=types.Position(line=first, character=0),
        end=types.Position(line=last, character=0),
    )


def uri_to_path(uri: str) -> Path | None:
    """Return the path of a `file:` URI, or None for other URIs."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # not a URI
        return None
    path = unquote(parts.path)
    return Path(path) if parts.scheme == "file" and "\0" not in path else None


def normalized_uri(uri: str) -> str:
    """Return the stored form of a file's URI; other URIs are unchanged.

    Editors quote different characters of a path, and each must find the runs of others.
    """
    path = uri_to_path(uri)
    if path is None or not path.is_absolute() or urlsplit(uri).netloc:
        return uri
    return path.as_uri()


def path_to_uri(path: Path) -> str:
    """Return the `file:` URI of an absolute path."""
    return path.as_uri()
