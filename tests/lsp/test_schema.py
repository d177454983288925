"""The contract's schema and page are those of the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from writeit.lsp import schema
from writeit.lsp.names import COMMANDS
from writeit.lsp.protocol import Wire

DOCS = Path(__file__).parents[2] / "docs"
STALE = "the contract changed: run `python -m writeit.lsp.schema docs`"


@pytest.mark.parametrize(
    ("name", "text"), [(schema.PAGE, schema.page), (schema.SCHEMA, schema.as_json)]
)
def test_what_is_checked_in_is_what_the_code_says(name: str, text: object) -> None:
    """Nobody reads a page about yesterday's commands."""
    assert callable(text)
    assert (DOCS / name).read_text("utf-8") == text(), STALE


def test_every_command_has_both_schemas() -> None:
    """Params and result of each, and nothing else."""
    commands = schema.contract()["commands"]
    assert list(commands) == list(COMMANDS)
    assert all(set(entry) == {"params", "result"} for entry in commands.values())


def test_field_names_are_camel_case_on_the_wire() -> None:
    """Field names are the seed's in camelCase on the wire."""
    for definition in schema.contract()["$defs"].values():
        for name in definition.get("properties", {}):
            assert "_" not in name


def test_unknown_keys_are_refused_everywhere() -> None:
    """Every wire model forbids what it does not know."""
    models: list[type[Wire]] = [Wire, *Wire.__subclasses__()]
    assert all(model.model_config["extra"] == "forbid" for model in models)


def test_the_command_line_prints_the_contract() -> None:
    """`writeit protocol --json` is for people who write clients."""
    printed = subprocess.run(
        [sys.executable, "-m", "writeit", "protocol", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == schema.as_json()
