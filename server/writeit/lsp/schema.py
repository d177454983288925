"""The wire contract as JSON Schema; what `writeit protocol --json` prints.

Commands, errors, the stream, notifications, what a client says of itself, settings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

from pydantic.json_schema import models_json_schema

from writeit.core.settings import Settings
from writeit.lsp import messages
from writeit.lsp.commands import HANDLERS
from writeit.lsp.errors import ERRORS, Message
from writeit.lsp.names import COMMANDS

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaMode

Json = dict[str, Any]
Part = tuple["type[BaseModel]", "JsonSchemaMode"]

STREAM: tuple[type[Message], ...] = get_args(get_args(messages.StreamEvent)[0])
"""The events of a stream."""
MESSAGES: tuple[type[BaseModel], ...] = (
    *ERRORS.values(),
    *STREAM,
    messages.ChangedParams,
    messages.ClientOptions,
    Settings,
)


def contract() -> Json:
    """Return all that goes over the wire besides LSP's own messages."""
    handlers = [HANDLERS[name] for name in COMMANDS]
    parts: list[Part] = [
        *((handler.params, "validation") for handler in handlers),
        *((handler.result, "serialization") for handler in handlers),
        *((model, "validation") for model in MESSAGES),
    ]
    refs, definitions = models_json_schema(
        parts, by_alias=True, ref_template="#/$defs/{model}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "WriteIt: the wire contract",
        "commands": {
            name: {
                "params": refs[handler.params, "validation"],
                "result": refs[handler.result, "serialization"],
            }
            for name, handler in zip(COMMANDS, handlers, strict=True)
        },
        "errors": {kind: data.code for kind, data in ERRORS.items()},
        "errorData": {kind: refs[data, "validation"] for kind, data in ERRORS.items()},
        "stream": {_kind_of(event): refs[event, "validation"] for event in STREAM},
        "notifications": {messages.CHANGED: refs[messages.ChangedParams, "validation"]},
        "initializationOptions": refs[messages.ClientOptions, "validation"],
        "settings": refs[Settings, "validation"],
        "lifecycle": list(messages.LIFECYCLE),
        "$defs": definitions["$defs"],
    }


def _kind_of(event: type[Message]) -> str:
    return str(get_args(event.model_fields["kind"].annotation)[0])


def as_json() -> str:
    """Return the contract as text."""
    return json.dumps(contract(), indent=2) + "\n"
