"""The TypeScript mirror of the contract is the one the code makes."""

import re
import subprocess
from pathlib import Path

import pytest

from vscode import tools
from writeit.lsp.command_ids import COMMAND_IDS
from writeit.lsp.schema import build_schema

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "vscode-extension"
MIRROR = EXTENSION / "src" / "protocol.ts"


def test_every_command_and_every_shape_is_mirrored() -> None:
    """Nothing of the JSON Schema is left out; `npm run check` compares the whole."""
    text = MIRROR.read_text("utf-8")
    assert all(f"readonly '{name}': {{" in text for name in COMMAND_IDS)
    for name, schema in build_schema()["$defs"].items():
        assert f" {name} " in text
        for field in schema.get("properties", {}):
            assert re.search(rf"  readonly {field}\??:\s", text)


def test_what_may_be_left_out_is_optional() -> None:
    """Params have defaults, results are whole."""
    text = MIRROR.read_text("utf-8")
    start = text[text.index("interface RunStartParams") :].partition("\n}\n")[0]
    assert "readonly pipeline: string;" in start
    assert "readonly outputPath?: (string | null) | undefined;" in start
    usage = text[text.index("interface TokenUsage") :].partition("}\n")[0]
    assert "readonly costUsd: number | null;" in usage


def test_the_mirror_that_is_checked_in_is_the_contracts() -> None:
    """The extension is compiled against today's server."""
    if not (EXTENSION / "node_modules" / "json-schema-to-typescript").is_dir():
        pytest.skip("the extension's npm packages are not installed (make ci-setup)")
    node = tools.node()
    if node is None:
        pytest.skip("node is not installed (make ci-setup)")
    check = [str(node), "scripts/protocol.mjs", "--check"]
    subprocess.run(check, cwd=EXTENSION, check=True)


def test_the_extension_reaches_every_command() -> None:
    """What the product can do, VS Code can do."""
    sources = [
        path.read_text("utf-8")
        for path in (EXTENSION / "src").rglob("*.ts")
        if path.name != MIRROR.name
    ]
    missing = {
        name for name in COMMAND_IDS if not any(f"'{name}'" in text for text in sources)
    }
    # The list of pipelines and their files; pages and the diff editor show the others.
    # VS Code asks about trust itself, and tells of renamed files; a lens refreshes.
    # Findings come with their code actions.
    assert missing == {
        "writeit.facts.add",
        "writeit.facts.check",
        "writeit.facts.correct",
        "writeit.finding.ignore",
        "writeit.pipeline.show",
        "writeit.run.diff",
        "writeit.run.move",
        "writeit.run.stale",
        "writeit.step.preview",
        "writeit.trust.set",
        "writeit.trust.show",
    }
