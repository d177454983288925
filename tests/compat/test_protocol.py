"""The wire schema keeps all that a client of an earlier one uses."""

import json
from pathlib import Path
from typing import Any

from writeit.lsp.schema import build_schema

EARLIER: dict[str, Any] = json.loads(
    Path(__file__).with_name("protocol.schema.json").read_text("utf-8")
)
PROSE = {"description", "title"}

Json = dict[str, Any]


def same(earlier: Any, now: Any, *, taken: bool = False) -> bool:
    """Say whether two schemas are equal but for prose and what `now` adds.

    It may add values of an enum; if the value is `taken`, not sent, also types.
    """
    if taken and "anyOf" in now and "anyOf" not in earlier:
        return any(same(earlier, one) for one in now["anyOf"])
    if taken and "items" in earlier and "items" in now:
        rest = ({**schema, "items": None} for schema in (earlier, now))
        return same(earlier["items"], now["items"], taken=True) and same(*rest)
    if isinstance(earlier, dict) and isinstance(now, dict) and "enum" in earlier:
        if not set(earlier["enum"]) <= set(now.get("enum", ())):
            return False
        now = {**now, "enum": earlier["enum"]}
    return bool(without_prose(earlier) == without_prose(now))


def without_prose(schema: Any) -> Any:
    """Return a schema without titles and descriptions."""
    if isinstance(schema, list):
        return [without_prose(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: without_prose(v) for key, v in schema.items() if key not in PROSE}


def lost(earlier: Json, now: Json) -> list[str]:
    """Return what an earlier client uses that is missing or changed.

    A definition keeps its properties with their types, and what it requires; its
    result may gain some. A definition without properties (an enum) stays as it was.
    """
    found = [
        f"{part} {name} changed"
        for part in ("commands", "errors")
        for name, value in earlier[part].items()
        if now[part].get(name) != value
    ]
    for name, definition in earlier["$defs"].items():
        taken = name.endswith("Params")
        found += [
            f"{name}{why}"
            for why in changes(definition, now["$defs"].get(name), taken=taken)
        ]
    return found


def changes(earlier: Json, now: Json | None, *, taken: bool) -> list[str]:
    """Return how a definition has changed, without additions."""
    if now is None:
        return [" is gone"]
    if "properties" not in earlier:
        return [] if without_prose(earlier) == without_prose(now) else [" changed"]
    found = []
    for name, schema in earlier["properties"].items():
        if name not in now["properties"]:
            found.append(f".{name} is gone")
        elif not same(schema, now["properties"][name], taken=taken):
            found.append(f".{name} has another type")
        elif (name in earlier.get("required", ())) != (name in now.get("required", ())):
            found.append(f".{name} is required where it was not, or the reverse")
    return found


def test_the_wire_schema_keeps_its_properties_and_types() -> None:
    """Properties are only added: none is removed and none changes its type."""
    assert lost(EARLIER, build_schema()) == []


def test_a_lost_property_and_a_changed_type_are_noticed() -> None:
    """The comparison finds an optional type, a missing field and a missing code."""
    now = json.loads(json.dumps(build_schema()))
    now["$defs"]["StepState"]["properties"]["content"] = {"type": "string"}
    del now["$defs"]["RunTree"]["properties"]["title"]
    del now["errors"]["busy"]
    assert lost(EARLIER, now) == [
        "errors busy changed",
        "RunTree.title is gone",
        "StepState.content has another type",
    ]
