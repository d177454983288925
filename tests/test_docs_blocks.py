"""Every block of code in README.md and docs/ works, literally as it stands.

Commands run in a fresh folder with notes, a key and a provider on loopback. A block
that cannot run has the line `*Not run by the tests: REASON.*` above it. Blocks without
a language, of `markdown` or of `text` show what WriteIt shows: they are no code.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from support import keyring_backend
from support.provider import Provider, running
from support.waiting import TIMEOUT
from support.workspace import new_workspace
from writeit.library.front_matter import split_front_matter
from writeit.library.pipelines import read_pipeline, read_primer
from writeit.library.user_config import read_user_config

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
NO_CODE = {"", "markdown", "text"}
MOST_NOT_RUN = 7
KEY = "a-key-that-looks-like-nothing-known-0815\n"
_BLOCK = re.compile(r"(?ms)^(`{3,})(\w*)\n(.*?)^\1$")
_NOT_RUN = re.compile(r"\*Not run by the tests.*: .+\*\n\n\Z")


@dataclass(frozen=True)
class Block:
    """A block of code in a page."""

    page: Path
    line: int
    language: str
    text: str
    runs: bool

    def __str__(self) -> str:
        """Return where it stands."""
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page that are code."""
    text = page.read_text("utf-8")
    return [
        Block(
            page=page,
            line=text.count("\n", 0, found.start()) + 1,
            language=found[2],
            text=found[3],
            runs=not _NOT_RUN.search(text[: found.start()]),
        )
        for found in _BLOCK.finditer(text)
        if found[2] not in NO_CODE
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
RUN = [block for block in BLOCKS if block.runs]


def of(*languages: str) -> pytest.MarkDecorator:
    """Parametrize a test with the blocks of these languages."""
    chosen = [block for block in RUN if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=str)


def test_few_blocks_are_not_run_and_every_language_is_known() -> None:
    """Each has its reason; a new language needs a test here."""
    assert len(BLOCKS) - len(RUN) <= MOST_NOT_RUN
    known = {"console", "sh", "yaml", "json", "lua", "vim", "elisp"}
    assert {block.language for block in RUN} <= known


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[Provider]:
    """A provider on loopback."""
    async with running() as provider:
        yield provider


@of("console", "sh")
@pytest.mark.asyncio(loop_scope="module")
async def test_commands_run(block: Block, provider: Provider, tmp_path: Path) -> None:
    """From the first to the last; what a block is asked for is a key."""
    folder = new_workspace(tmp_path / "notes")
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / ".git").mkdir()
    lines = block.text.splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines]
    script = "set -e\n" + "\n".join(lines) + "\n"
    bin_folder = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "OPENAI_API_KEY": "sk-docs",
        "OPENAI_BASE_URL": provider.base_url,
        "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
        "WRITEIT_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHON_KEYRING_BACKEND": keyring_backend.BACKEND,
        "PYTHONPATH": keyring_backend.PATH,
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    typed = KEY if "keys set" in script else ""
    async with asyncio.timeout(TIMEOUT * 3):
        _, err = await process.communicate(typed.encode())
    assert process.returncode == 0, err.decode()


@of("yaml")
def test_yaml_is_valid(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pipeline, a primer, front matter or a configuration, without a problem."""
    text, uri = block.text, "file:///example.yaml"
    if text.startswith("---\n"):
        assert split_front_matter(f"{text}\nNotes.\n").require_valid().config.pipeline
    elif "config.yaml" in text:
        (tmp_path / "config.yaml").write_text(text, "utf-8")
        monkeypatch.setenv("WRITEIT_CONFIG_DIR", str(tmp_path))
        assert read_user_config(None)[1] == []
    elif text.startswith("# proxy.yaml"):  # a file of another program
        assert yaml.safe_load(text)["model_list"]
    elif "primer_id" in text:
        assert not read_primer(text, uri, default_id="example")[1]
    else:
        assert not read_pipeline(text, uri, created=datetime.now(UTC))[1]


@of("json")
def test_json_is_valid(block: Block) -> None:
    """It can be parsed."""
    json.loads(block.text)


@of("lua")
def test_lua_compiles(block: Block) -> None:
    """With the Lua compiler."""
    compiler = shutil.which("luac") or pytest.skip("there is no luac")
    subprocess.run([compiler, "-p", "-"], input=block.text, text=True, check=True)


@of("elisp")
def test_emacs_lisp_can_be_read(block: Block, tmp_path: Path) -> None:
    """By Emacs, to its last form."""
    emacs = shutil.which("emacs") or pytest.skip("there is no Emacs")
    file = tmp_path / "example.el"
    file.write_text(f"(progn {block.text}\n)", "utf-8")
    read = f'(with-temp-buffer (insert-file-contents "{file}") (read (current-buffer))'
    whole = '(skip-chars-forward " \\n") (unless (eobp) (error "More")))'
    command = [emacs, "--batch", "--eval", f"{read} {whole}"]
    subprocess.run(command, check=True, timeout=TIMEOUT)


@of("vim")
def test_verbs_of_neovim_are_in_its_manual(block: Block) -> None:
    """Each line is `:WriteIt` with a verb of the plug-in, or alone."""
    manual = (ROOT / "neovim" / "doc" / "writeit.txt").read_text("utf-8")
    for line in block.text.splitlines():
        verb = re.fullmatch(r":(?:'<,'>)?WriteIt ?(\w*).*", line)
        assert verb, line
        assert re.search(rf"(?m)^(\[range\])?{verb[1]}", manual)
