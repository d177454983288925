"""The wire contract as JSON Schema and as a page: generated, never written by hand.

`python -m writeit.lsp.schema docs` writes both; a test fails while they are stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from writeit.lsp.commands import HANDLERS
from writeit.lsp.convert import ERROR_CODES
from writeit.lsp.names import COMMANDS
from writeit.lsp.protocol import Params

PAGE = "commands.md"
SCHEMA = "protocol.schema.json"

Json = dict[str, Any]


def contract() -> Json:
    """Return every command with the schemas of its params and its result."""
    handlers = [HANDLERS[name] for name in COMMANDS]
    refs, definitions = models_json_schema(
        [
            *((handler.params, "validation") for handler in handlers),
            *((handler.result, "serialization") for handler in handlers),
        ],
        by_alias=True,
        ref_template="#/$defs/{model}",
    )
    commands = {
        name: {
            "params": refs[handler.params, "validation"],
            "result": refs[handler.result, "serialization"],
        }
        for name, handler in zip(COMMANDS, handlers, strict=True)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "WriteIt: commands of workspace/executeCommand",
        "commands": commands,
        "errors": ERROR_CODES,
        "$defs": definitions["$defs"],
    }


def page() -> str:
    """Return the documentation's page of commands."""
    return "\n".join([_HEAD, *(_row(name) for name in COMMANDS), "", _errors()])


_HEAD = """\
# Commands

Every operation is a `workspace/executeCommand` with one argument, an object.
Its result is JSON.
Besides what stands here, each takes `folder`, `streamToken` and `wait`.
A `?` marks what may be left out.
This page is generated from the code: `python -m writeit.lsp.schema docs`.

| command | params | result | what it does |
| --- | --- | --- | --- |"""


def _row(name: str) -> str:
    handler = HANDLERS[name]
    shared = set(Params.model_fields)
    fields = [
        f"`{field.alias}`" + ("" if field.is_required() else "?")
        for key, field in handler.params.model_fields.items()
        if key not in shared
    ]
    summary = (handler.handler.__doc__ or "").strip().splitlines()[0]
    result = handler.result.__name__
    return f"| `{name}` | {' '.join(fields)} | {result} | {summary} |"


def _errors() -> str:
    rows = [f"| {code} | `{kind}` |" for kind, code in ERROR_CODES.items()]
    return "\n".join(["## Errors", "", "| code | kind |", "| --- | --- |", *rows, ""])


def as_json() -> str:
    """Return the contract as text; what `writeit protocol --json` prints."""
    return json.dumps(contract(), indent=2) + "\n"


def main() -> None:
    """Write both files into the folder that is named."""
    folder = Path(sys.argv[1])
    (folder / PAGE).write_text(page(), encoding="utf-8")
    (folder / SCHEMA).write_text(as_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
