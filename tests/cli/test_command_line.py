"""The command line as a person uses it: real processes, a provider on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import yaml

from support.provider import running
from support.workspace import new_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Terminal:
    """A shell in a workspace."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._environment = environment

    async def writeit(self, *arguments: str) -> Said:
        """Run one command to its end."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "writeit", *arguments),
            cwd=self.folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def terminal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Terminal]:
    """A workspace with notes, a key, and nobody to talk to outside."""
    folder = new_workspace(tmp_path_factory.mktemp("terminal"))
    (folder / "pipelines").mkdir()
    async with running() as provider:
        yield Terminal(
            folder,
            {
                **os.environ,
                "HOME": str(folder),
                "OPENAI_API_KEY": "sk-terminal",
                "OPENAI_BASE_URL": provider.base_url,
                "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
                "WRITEIT_CACHE_DIR": str(folder / "cache"),
            },
        )


async def test_notes_become_an_article_in_a_file(terminal: Terminal) -> None:
    """`writeit run` shows progress and leaves the article where -o says."""
    said = await terminal.writeit(
        *("run", "tech-article", "notes.md", "-m", "openai/say-Rivers%20run.%0A"),
        *("-o", "article.md"),
    )
    assert said.code == 0, said.err
    article = terminal.folder / "article.md"
    assert article.read_text(encoding="utf-8") == "Rivers run.\n"
    assert said.out == ""
    for step in ("angles", "outline", "draft", "polish"):
        assert f"── {step} ──" in said.err
    run_id = said.err.rsplit(maxsplit=1)[-1]
    exported = await terminal.writeit("export", run_id)
    kept = yaml.safe_load(exported.out)
    assert kept["run"]["status"] == "COMPLETED"
    assert kept["history"][-1]["type"] == "run_completed"


async def test_without_a_place_the_article_goes_to_stdout(terminal: Terminal) -> None:
    """Progress is stderr's; stdout can be piped."""
    said = await terminal.writeit(
        "run", "tech-article", "notes.md", "-m", "openai/say-words", "-q"
    )
    assert said.code == 0, said.err
    assert said.out == "words\n"


async def test_a_file_that_is_there_is_not_replaced(terminal: Terminal) -> None:
    """-o on an existing file is misuse; nothing was sent for it."""
    kept = terminal.folder / "kept.md"
    kept.write_text("mine", encoding="utf-8")
    said = await terminal.writeit(
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
        (("fly",), 2, "fly"),
        (("serve", "--smoke"), 2, "smoke"),
    ],
)
async def test_what_went_wrong_is_said_with_what_to_do(
    terminal: Terminal, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """0 done, 1 the work failed, 2 misuse; no traceback."""
    said = await terminal.writeit(*arguments)
    assert said.code == code, said.err
    assert words in said.err
    assert "Traceback" not in said.err


async def test_models_are_listed_with_why_they_cannot_be_used(
    terminal: Terminal,
) -> None:
    """Without weights the list says how to get them."""
    said = await terminal.writeit("model", "list", "--json")
    assert said.code == 0, said.err
    embedded = next(
        m for m in json.loads(said.out) if m["id"] == "embedded/smollm2-135m"
    )
    assert not embedded["available"]
    assert "install" in embedded["reason"]


async def test_pipelines_are_checked_with_their_places(terminal: Terminal) -> None:
    """File, line and column; exit 1 while there are errors."""
    broken = terminal.folder / "pipelines" / "broken.yaml"
    broken.write_text("name: broken\nsteps: []\n", encoding="utf-8")
    try:
        said = await terminal.writeit("pipeline", "check")
    finally:
        broken.unlink()
    assert said.code == 1
    assert "broken.yaml:2:" in said.out
    listed = await terminal.writeit("pipeline", "list")
    assert "tech-article" in listed.out


async def test_the_version_is_the_packages(terminal: Terminal) -> None:
    """`--version` says what is installed."""
    said = await terminal.writeit("--version")
    assert said.out.strip().endswith("0.1.0")
