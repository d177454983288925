"""Conversions between our values and the wire's, each in one place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pygls.exceptions import JsonRpcException

from writeit.core.errors import InvalidParams, WriteItError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel, ValidationError

    from writeit.lsp.protocol import Position

ERROR_CODES = {
    "invalid_params": -32602,
    "not_found": -32010,
    "invalid_transition": -32011,
    "busy": -32012,
    "retry_limit": -32013,
    "invalid_pipeline": -32014,
    "model_error": -32015,
    "budget_exceeded": -32016,
    "store_error": -32017,
    "not_trusted": -32018,
    "document_changed": -32019,
}
"""JSON-RPC codes by kind; the contract's table."""

INTERNAL_ERROR = -32603


def to_rpc_error(error: WriteItError) -> JsonRpcException:
    """Return the JSON-RPC error that carries `error`."""
    return JsonRpcException(
        message=error.message,
        code=ERROR_CODES.get(error.kind, INTERNAL_ERROR),
        data=error.as_data(),
    )


def to_invalid_params(error: ValidationError, model: type[BaseModel]) -> InvalidParams:
    """Return every problem of some params with its path; name the known keys."""
    problems = [
        {"path": _path(problem["loc"]), "message": problem["msg"]}
        for problem in error.errors()
    ]
    known = sorted(field.alias or name for name, field in model.model_fields.items())
    said = "; ".join(f"{p['path'] or 'params'}: {p['message']}" for p in problems)
    return InvalidParams(
        f"The parameters are not right: {said}.",
        hint=f"Known keys: {', '.join(known)}.",
        problems=problems,
    )


def _path(location: Sequence[Any]) -> str:
    return ".".join(str(part) for part in location)


def to_offset(text: str, position: Position, encoding: str) -> int:
    """Return how many code points of `text` lie in front of `position`.

    A position behind the end of its line means the line's end.
    """
    lines = text.splitlines(keepends=True)
    if position.line >= len(lines):
        return len(text)
    line = lines[position.line]
    before = sum(len(earlier) for earlier in lines[: position.line])
    return before + _code_points(line, position.character, encoding)


def _code_points(line: str, units: int, encoding: str) -> int:
    line = line.rstrip("\r\n")
    if encoding == "utf-32":
        return min(units, len(line))
    width = (lambda c: len(c.encode())) if encoding == "utf-8" else _utf16_units
    seen = 0
    for index, character in enumerate(line):
        if seen >= units:
            return index
        seen += width(character)
    return len(line)


def _utf16_units(character: str) -> int:
    return 2 if ord(character) > _LAST_OF_THE_BASIC_PLANE else 1


_LAST_OF_THE_BASIC_PLANE = 0xFFFF


def path_of(uri: str) -> Path | None:
    """Return the file a URI names, or None if it is no file."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return None
    return Path(unquote(parts.path))


def uri_of(path: Path) -> str:
    """Return the `file:` URI of an absolute path."""
    return path.as_uri()
