"""The TypeScript mirror of the contract is the one the code makes."""

from __future__ import annotations

from pathlib import Path

from writeit.lsp import mirror
from writeit.lsp.names import COMMANDS
from writeit.lsp.schema import contract

ROOT = Path(__file__).parents[2]


def test_the_mirror_that_is_checked_in_is_the_contracts() -> None:
    """The extension is compiled against today's server."""
    checked_in = (ROOT / mirror.FILE).read_text("utf-8")
    stale = f"run `python -m writeit.lsp.mirror {mirror.FILE}`"
    assert checked_in == mirror.mirror(), stale


def test_every_command_and_every_shape_is_mirrored() -> None:
    """Nothing of the JSON Schema is left out."""
    text = mirror.mirror()
    assert all(f"'{name}': {{ params: " in text for name in COMMANDS)
    for name, schema in contract()["$defs"].items():
        assert f" {name} " in text
        for field in schema.get("properties", {}):
            assert f"  readonly {field}: " in text or f"  readonly {field}?: " in text


def test_what_may_be_left_out_is_optional() -> None:
    """Params have defaults, results are whole."""
    text = mirror.mirror()
    start = text[text.index("interface RunStartParams") :].partition("}\n")[0]
    assert "readonly pipeline: string;" in start
    assert "readonly outputPath?: string | null | undefined;" in start
    usage = text[text.index("interface TokenUsage") :].partition("}\n")[0]
    assert "readonly costUsd: number | null;" in usage
