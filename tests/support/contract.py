"""The published contract, to which every reply in the tests is held."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import (  # type: ignore[import-untyped]  # no stubs are published with it
    Draft202012Validator,
    FormatChecker,
)

Json = dict[str, Any]
SCHEMA = Path(__file__).parents[2] / "docs" / "protocol.schema.json"


@cache
def _contract() -> Json:
    return dict(json.loads(SCHEMA.read_text("utf-8")))


@cache
def _validator(part: str, name: str) -> Draft202012Validator:
    contract = _contract()
    schema = contract[part][name]
    if part == "commands":
        schema = schema["result"]
    return Draft202012Validator(
        {**schema, "$defs": contract["$defs"]}, format_checker=FormatChecker()
    )


def check_reply(command: Json, message: Json) -> None:
    """Hold the reply to a command to the schema: its result, or its refusal."""
    name = command["command"]
    if "error" in message:
        data = message["error"].get("data")
        if isinstance(data, dict) and data.get("kind") in _contract()["errorData"]:
            _validator("errorData", data["kind"]).validate(data)
            known = _contract()["commandErrors"].get(name, [data["kind"]])
            assert data["kind"] in known, f"{name} is refused with {data['kind']}"
    elif name in _contract()["commands"]:
        arguments = command.get("arguments") or [{}]
        accepted = message["result"].keys() == {"runId", "step"}
        if arguments[0].get("wait") is False and accepted:
            return
        _validator("commands", name).validate(message["result"])
