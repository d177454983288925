"""The command line as a person uses it: real processes, a provider on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from support.terminal import Terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_notes_become_an_article_in_a_file(shell: Terminal) -> None:
    """`writeit run` shows progress and leaves the article where -o says."""
    said = await shell.writeit(
        *("run", "tech-article", "notes.md", "-m", "openai/say-Rivers%20run.%0A"),
        *("-o", "article.md"),
    )
    assert said.code == 0, said.err
    article = shell.folder / "article.md"
    assert article.read_text(encoding="utf-8") == "Rivers run.\n"
    assert said.out == ""
    for step in ("angles", "outline", "draft", "polish"):
        assert f"── {step} ──" in said.err
    run_id = said.err.rsplit(maxsplit=1)[-1]
    exported = await shell.writeit("export", run_id)
    kept = yaml.safe_load(exported.out)
    assert kept["run"]["status"] == "COMPLETED"
    assert kept["history"][-1]["type"] == "run_completed"


async def test_without_a_place_the_article_goes_to_stdout(shell: Terminal) -> None:
    """Progress is stderr's; stdout can be piped."""
    said = await shell.writeit(
        "run", "tech-article", "notes.md", "-m", "openai/say-words", "-q"
    )
    assert said.code == 0, said.err
    assert said.out == "words\n"


async def test_a_file_that_is_there_is_not_replaced(shell: Terminal) -> None:
    """-o on an existing file is misuse; nothing was sent for it."""
    kept = shell.folder / "kept.md"
    kept.write_text("mine", encoding="utf-8")
    said = await shell.writeit(
        "run", "tech-article", "notes.md", "-m", "openai/say-x", "-o", "kept.md"
    )
    assert said.code == 2
    assert "--force" in said.err
    assert kept.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "tech-artcle", "notes.md"), 1, "tech-article"),
        (("run", "tech-article"), 2, "source_material"),
        (("run", "tech-article", "notes.md"), 1, "models.default"),
        (("run", "tech-article", "notes.md", "-m", "nobody/x"), 1, "nobody"),
        (("run", "tech-article", "notes.md", "-m", "openai/err-401"), 1, "key"),
        (
            ("run", "tech-article", "notes.md", "-m", "gpt-4o", "--max-cost", "0"),
            1,
            "maxCostUsd.run",
        ),
        (("run", "tech-article", "notes.md", "-i", "novalue"), 2, "NAME=VALUE"),
        (("export", "00000000-0000-0000-0000-000000000000"), 1, "no run"),
        (("run", "tech-article", "notes.md", "-o", "no/x.md"), 2, "no folder"),
        (("run", "tech-article", "cache/bytes.md"), 2, "UTF-8"),
        (("fly",), 2, "fly"),
        (("serve", "--smoke"), 2, "smoke"),
    ],
)
async def test_what_went_wrong_is_said_with_what_to_do(
    shell: Terminal, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """0 done, 1 the work failed, 2 misuse; no traceback."""
    (shell.folder / "cache").mkdir(exist_ok=True)
    (shell.folder / "cache" / "bytes.md").write_bytes(b"\xff\xfe")
    said = await shell.writeit(*arguments)
    assert said.code == code, said.err
    assert words in said.err
    assert "Traceback" not in said.err


async def test_models_are_listed_with_why_they_cannot_be_used(
    shell: Terminal,
) -> None:
    """Without weights the list says how to get them."""
    said = await shell.writeit("model", "list", "--json")
    assert said.code == 0, said.err
    embedded = next(
        m for m in json.loads(said.out) if m["id"] == "embedded/smollm2-135m"
    )
    assert not embedded["available"]
    assert "install" in embedded["reason"]


async def test_pipelines_are_checked_with_their_places(shell: Terminal) -> None:
    """File, line and column; exit 1 while there are errors."""
    broken = shell.folder / "pipelines" / "broken.yaml"
    broken.write_text("name: broken\nsteps: []\n", encoding="utf-8")
    try:
        said = await shell.writeit("pipeline", "check")
    finally:
        broken.unlink()
    assert said.code == 1
    assert "broken.yaml:2:" in said.out
    listed = await shell.writeit("pipeline", "list")
    assert "tech-article" in listed.out


async def test_the_version_is_the_packages(shell: Terminal) -> None:
    """`--version` says what is installed."""
    said = await shell.writeit("--version")
    assert said.out.strip().endswith("0.1.0")
