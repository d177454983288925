"""Write the wire contract into a folder: as JSON Schema and as a page of commands.

`python scripts/protocol_schema.py docs`; a test fails while one of them is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from writeit.lsp.command_ids import COMMAND_IDS
from writeit.lsp.commands import HANDLERS
from writeit.lsp.messages import ERROR_DATA_BY_KIND
from writeit.lsp.protocol import Params
from writeit.lsp.schema import schema_text

PAGE = "commands.md"
SCHEMA = "protocol.schema.json"

_HEAD = """\
# Commands

Every operation is a `workspace/executeCommand` with one argument, an object.
Its result is JSON; `docs/protocol.md` says all else about the wire.
Besides what stands here, each takes `folder` (string), `streamToken` (string) and
`wait` (boolean, default `true`). An empty default is null.
Each command names the kinds of errors that it can be refused with.
This page is generated from the code: `make schemas`.

"""


def page() -> str:
    """Return the documentation's page of commands."""
    contract = json.loads(schema_text())
    parts = [_section(name, contract) for name in COMMAND_IDS]
    return "\n".join([_HEAD, *parts, _errors()])


def _section(name: str, contract: dict[str, Any]) -> str:
    """Return what a command does, takes, answers and is refused with."""
    entry, handler = contract["commands"][name], HANDLERS[name]
    summary = (handler.handler.__doc__ or "").strip().splitlines()[0]
    params = contract["$defs"][entry["params"]["$ref"].rpartition("/")[2]]
    shared = {field.alias for field in Params.model_fields.values()}
    rows = [
        f"| `{key}` | {_type_of(field)} | {_default_of(key, field, params)} |"
        for key, field in params.get("properties", {}).items()
        if key not in shared
    ]
    table = ["| param | type | default |", "| --- | --- | --- |", *rows, ""]
    errors = ", ".join(f"`{kind}`" for kind in contract["commandErrors"][name])
    return "\n".join(
        [
            f"## {name}",
            "",
            summary,
            "",
            *(table if rows else []),
            f"Result: `{_type_of(entry['result'])}`. Errors: {errors}.",
            "",
        ]
    )


def _type_of(field: dict[str, Any]) -> str:
    """Return the type of a param in a few characters."""
    if "$ref" in field:
        return str(field["$ref"].rpartition("/")[2])
    if "anyOf" in field:
        return " \\| ".join(_type_of(option) for option in field["anyOf"])
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"[{_type_of(field['items'])}]"
    if field.get("type") == "object":
        values = field.get("additionalProperties")
        return f"{{name: {_type_of(values)}}}" if isinstance(values, dict) else "object"
    return str(field.get("format") or field.get("type") or field.get("const") or "any")


def _default_of(key: str, field: dict[str, Any], params: dict[str, Any]) -> str:
    if key in params.get("required", ()):
        return "required"
    default = field.get("default")
    return "" if default is None else f"`{json.dumps(default)}`"


def _errors() -> str:
    rows = [f"| {data.code} | `{kind}` |" for kind, data in ERROR_DATA_BY_KIND.items()]
    return "\n".join(["## Errors", "", "| code | kind |", "| --- | --- |", *rows, ""])


FILES = {PAGE: page, SCHEMA: schema_text}
"""What is written, and what makes its text."""


if __name__ == "__main__":
    for name, text in FILES.items():
        (Path(sys.argv[1]) / name).write_text(text(), encoding="utf-8")
