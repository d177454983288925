"""The contract's schema and page are those of the code."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import protocol_schema
from writeit.domain.errors import WriteItError
from writeit.lsp.command_ids import COMMAND_IDS
from writeit.lsp.messages import (
    ERROR_DATA_BY_KIND,
    ERROR_DATA_MODELS,
    ClientOptions,
    ErrorDataBase,
)
from writeit.lsp.schema import build_schema, schema_text
from writeit.lsp.shapes import WireModel

DOCS = Path(__file__).parents[2] / "docs"
STALE = "the contract changed: run `python scripts/protocol_schema.py docs`"


@pytest.mark.parametrize("name", protocol_schema.FILES)
def test_what_is_checked_in_is_what_the_code_says(name: str) -> None:
    """Nobody reads a page about yesterday's commands."""
    assert (DOCS / name).read_text("utf-8") == protocol_schema.FILES[name](), STALE


def test_every_command_has_both_schemas() -> None:
    """Params and result of each, and nothing else."""
    commands = build_schema()["commands"]
    assert list(commands) == list(COMMAND_IDS)
    assert all(set(entry) == {"params", "result"} for entry in commands.values())


def test_field_names_are_camel_case_on_the_wire() -> None:
    """Field names are the seed's in camelCase on the wire."""
    for definition in build_schema()["$defs"].values():
        for name in definition.get("properties", {}):
            assert "_" not in name


def test_unknown_keys_are_refused_everywhere() -> None:
    """Every model forbids what it does not know, but for two that may gain fields."""
    models = [WireModel]
    for model in models:
        models += model.__subclasses__()
    tolerant = {m for m in models if m.model_config["extra"] != "forbid"}
    assert tolerant == {ClientOptions, ErrorDataBase, *ERROR_DATA_MODELS}


def test_every_kind_of_error_has_its_data() -> None:
    """And a code of its own."""
    kinds = {error.kind for error in every_error(WriteItError)}
    assert kinds == ERROR_DATA_BY_KIND.keys()
    assert len({data.code for data in ERROR_DATA_MODELS}) == len(ERROR_DATA_MODELS)


def every_error(base: type[WriteItError]) -> Iterator[type[WriteItError]]:
    """The errors below `base`."""
    for error in base.__subclasses__():
        yield error
        yield from every_error(error)


def test_the_command_line_prints_the_contract() -> None:
    """`writeit protocol --json` is for people who write clients."""
    printed = subprocess.run(
        [sys.executable, "-m", "writeit", "protocol", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == schema_text()
