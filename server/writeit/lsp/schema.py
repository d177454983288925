"""The wire contract as JSON Schema, as `writeit protocol --json` prints it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, get_args

from pydantic.json_schema import models_json_schema

from writeit.domain.session import Settings
from writeit.lsp import messages
from writeit.lsp.command_ids import COMMAND_IDS
from writeit.lsp.commands import HANDLERS
from writeit.lsp.messages import ERROR_DATA_BY_KIND, WireMessage

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaMode

Json = dict[str, Any]
ModelPart = tuple["type[BaseModel]", "JsonSchemaMode"]

STREAM_EVENTS: tuple[type[WireMessage], ...] = get_args(
    get_args(messages.StreamEvent)[0]
)
"""The events of a stream."""
MESSAGES: tuple[type[BaseModel], ...] = (
    *ERROR_DATA_BY_KIND.values(),
    *STREAM_EVENTS,
    messages.ChangedParams,
    messages.LanguageModel,
    messages.LanguageModelRequest,
    messages.LanguageModelResult,
    messages.LanguageModelDelta,
    messages.ClientOptions,
    Settings,
)


def build_schema() -> Json:
    """Return the schema of everything on the wire besides LSP's own messages."""
    handlers = [HANDLERS[name] for name in COMMAND_IDS]
    parts: list[ModelPart] = [
        *((handler.params_model, "validation") for handler in handlers),
        *((handler.result_model, "serialization") for handler in handlers),
        *((model, "validation") for model in MESSAGES),
    ]
    refs, definitions = models_json_schema(
        parts, by_alias=True, ref_template="#/$defs/{model}"
    )
    for name, handler in zip(COMMAND_IDS, handlers, strict=True):
        params = definitions["$defs"][handler.params_model.__name__]
        params.setdefault("description", f"`{name}`.")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "WriteIt: the wire contract",
        "commands": {
            name: {
                "params": refs[handler.params_model, "validation"],
                "result": refs[handler.result_model, "serialization"],
            }
            for name, handler in zip(COMMAND_IDS, handlers, strict=True)
        },
        "errors": {kind: data.code for kind, data in ERROR_DATA_BY_KIND.items()},
        "commandErrors": {name: command_errors(name) for name in COMMAND_IDS},
        "errorData": {
            kind: refs[data, "validation"] for kind, data in ERROR_DATA_BY_KIND.items()
        },
        "stream": {
            _event_kind(event): refs[event, "validation"] for event in STREAM_EVENTS
        },
        "notifications": {
            messages.CHANGED_METHOD: refs[messages.ChangedParams, "validation"],
            messages.DELTA_METHOD: refs[messages.LanguageModelDelta, "validation"],
        },
        "clientRequests": {
            messages.LIST_METHOD: {
                "params": {},
                "result": {"items": refs[messages.LanguageModel, "validation"]},
            },
            messages.REQUEST_METHOD: {
                "params": refs[messages.LanguageModelRequest, "validation"],
                "result": refs[messages.LanguageModelResult, "validation"],
            },
        },
        "initializationOptions": refs[messages.ClientOptions, "validation"],
        "settings": refs[Settings, "validation"],
        "lifecycle": list(messages.LIFECYCLE),
        "$defs": definitions["$defs"],
    }
    return _as_public(schema)


_GENERATING = {
    *("step.run", "step.regenerate", "step.continue", "step.merge"),
    "document.polish",
}
_WRITING = {
    *("step.apply", "edit.restore", "document.frontMatter", "document.polish"),
    *("document.revert", "facts.add", "finding.fix"),
}
"""Commands that edit documents."""
_TRANSITIONS = {
    *("run.pause", "run.resume", "run.branch", "run.rewind", "run.diff", "run.export"),
    "run.refresh",
    *("step.preview", "step.run", "step.regenerate", "step.continue"),
    *(
        "step.select",
        "step.take",
        "step.merge",
        "step.feedback",
        "step.skip",
        "step.apply",
        "edit.restore",
    ),
    *("response.rate", "document.polish", "view.open", "view.read"),
}
_OUTSIDE = {"run.start", "run.export", "store.backup", "step.preview", "view.open"}
"""Commands whose paths, or texts, may leave the workspace or a limit of providers."""
_LIBRARY = {
    *("run.start", "run.stale", "run.refresh", "pipeline.show", "primer.show"),
}


def command_errors(command_id: str) -> list[str]:
    """Return the kinds of errors that a command can be refused with."""
    name = command_id.removeprefix("writeit.")
    noun = name.partition(".")[0]
    generates, writes = name in _GENERATING, name in _WRITING
    prompts = generates or name == "step.preview"
    kinds = {
        "invalid_transition": name in _TRANSITIONS,
        "busy": name in _TRANSITIONS or name in {"run.delete", "store.compact"},
        "retry_limit": name == "step.regenerate",
        "invalid_pipeline": prompts or writes or noun == "view" or name in _LIBRARY,
        "model_error": prompts
        or noun in {"model", "keys", "view"}
        or name in {"run.start", "preferences.set"},
        "budget_exceeded": generates,
        "not_trusted": generates or writes or name in _OUTSIDE,
        "document_changed": writes,
    }
    special = [kind for kind, applies in kinds.items() if applies]
    return ["invalid_params", "not_found", "store_error", *special]


def _event_kind(event: type[WireMessage]) -> str:
    return str(get_args(event.model_fields["kind"].annotation)[0])


def _as_public(schema: Json) -> Json:
    """Name each wire model like its entity: `WirePipelineRun` becomes PipelineRun."""
    text = re.sub(r'"(#/\$defs/)?Wire(?=[A-Z])', r'"\1', json.dumps(schema))
    return dict(json.loads(text))


def schema_text() -> str:
    """Return the contract as text."""
    return json.dumps(build_schema(), indent=2) + "\n"
