"""The JSON Schemas: made from the entities, checked in, and true of what is shipped."""

# ruff: noqa: D103 -- the name of a test is its promise

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from library_schema import pipeline_schema, primer_schema
from writeit.library.catalog import bundled_library_root

ROOT = Path(__file__).parents[2]
SCHEMAS = {"pipeline": pipeline_schema, "primer": primer_schema}
SHIPPED = [
    (kind, path)
    for kind in SCHEMAS
    for path in sorted((bundled_library_root() / f"{kind}s").glob("*.yaml"))
]

Schema = dict[str, Any]


@pytest.fixture(params=sorted(SCHEMAS))
def kind(request: pytest.FixtureRequest) -> str:
    """One of the two file formats."""
    return str(request.param)


def test_the_schema_that_is_checked_in_is_the_one_of_the_code(kind: str) -> None:
    path = ROOT / "docs" / f"{kind}.schema.json"
    assert json.loads(path.read_text("utf-8")) == SCHEMAS[kind](), (
        "the file format changed: run `python scripts/library_schema.py docs`"
    )


def parts(schema: Schema) -> list[Schema]:
    """Return a schema's objects with keys of their own."""
    every = [schema, *schema.get("$defs", {}).values()]
    return [part for part in every if "properties" in part]


def test_every_key_is_described(kind: str) -> None:
    for part in parts(SCHEMAS[kind]()):
        for name, value in part["properties"].items():
            assert value.get("description"), f"{part['title']}.{name}"


def test_a_file_needs_no_more_than_the_contract_says() -> None:
    assert pipeline_schema()["required"] == ["name", "inputs", "steps"]
    assert "primer_id" not in primer_schema()["required"]


def test_what_the_store_keeps_is_no_part_of_a_file() -> None:
    assert not {"created_at", "last_used"} & set(primer_schema()["properties"])


@pytest.fixture
def validate() -> Callable[[Any, Schema], None]:
    """The validator, where one is installed."""
    checker = pytest.importorskip("jsonschema").Draft202012Validator

    def check(value: Any, schema: Schema) -> None:
        checker.check_schema(schema)
        assert [error.message for error in checker(schema).iter_errors(value)] == []

    return check


@pytest.mark.parametrize(
    ("kind", "path"), SHIPPED, ids=[path.stem for _, path in SHIPPED]
)
def test_every_shipped_file_follows_its_schema(
    kind: str, path: Path, validate: Callable[[Any, Schema], None]
) -> None:
    # A string is how JSON knows a date.
    data = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 -- makes texts only
    typed = yaml.safe_load(path.read_text("utf-8"))
    if "created" in typed:
        typed["created"] = data["created"]
    validate(typed, SCHEMAS[kind]())


def test_keys_that_begin_with_x_follow_the_schema(
    validate: Callable[[Any, Schema], None],
) -> None:
    step = {"name": "a", "prompt": "b", "x-note": {"any": "thing"}}
    inputs = [{"name": "a", "required": True}]
    validate(
        {"name": "a", "inputs": inputs, "steps": [step], "x-a": 1}, pipeline_schema()
    )
