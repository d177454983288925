"""Write the wire contract into a folder: as JSON Schema and as a page of commands.

`python scripts/protocol_schema.py docs`; a test fails while one of them is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

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
Besides what stands here, each takes `folder`, `streamToken` and `wait`.
A `?` marks what may be left out.
This page is generated from the code: `make schemas`.

| command | params | result | what it does |
| --- | --- | --- | --- |"""


def page() -> str:
    """Return the documentation's page of commands."""
    return "\n".join([_HEAD, *(_row(name) for name in COMMAND_IDS), "", _errors()])


def _row(name: str) -> str:
    handler = HANDLERS[name]
    shared = set(Params.model_fields)
    fields = [
        f"`{field.alias}`" + ("" if field.is_required() else "?")
        for key, field in handler.params_model.model_fields.items()
        if key not in shared
    ]
    summary = (handler.handler.__doc__ or "").strip().splitlines()[0]
    result = handler.result_model.__name__.removeprefix("Wire")
    return f"| `{name}` | {' '.join(fields)} | {result} | {summary} |"


def _errors() -> str:
    rows = [f"| {data.code} | `{kind}` |" for kind, data in ERROR_DATA_BY_KIND.items()]
    return "\n".join(["## Errors", "", "| code | kind |", "| --- | --- |", *rows, ""])


FILES = {PAGE: page, SCHEMA: schema_text}
"""What is written, and what makes its text."""


if __name__ == "__main__":
    for name, text in FILES.items():
        (Path(sys.argv[1]) / name).write_text(text(), encoding="utf-8")
