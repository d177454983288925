"""What is attacked: real servers, and a provider that keeps what is sent."""

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lsp.conftest import environment, provider, workspace
from support.clone import Clone, cloning
from support.editor import Editor, serving
from support.provider import Provider

__all__ = ["environment", "provider", "workspace"]

_numbers = itertools.count()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # before LiteLLM is imported


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cloned(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    """An editor in a folder that somebody else made."""
    folder = tmp_path_factory.mktemp("cloned")
    (folder / "notes.md").write_text("# Secret notes\n")
    async with serving([folder], "neovim", environment) as editor:
        editor.folder = folder
        editor.notes = editor.open_document(folder / "notes.md")
        yield editor


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def undecided(
    environment: dict[str, str],
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Clone]:
    """An editor whose server has been told nothing about trust."""
    folder = tmp_path_factory.mktemp("first")
    async with cloning(folder, environment, provider) as clone:
        yield clone


@pytest.fixture
def clone(undecided: Clone, tmp_path: Path) -> Clone:
    """A new folder with notes in it, which nobody has decided on."""
    folder = tmp_path / f"clone-{next(_numbers)}"
    folder.mkdir()
    (folder / "notes.md").write_text("# Secret notes\n", encoding="utf-8")
    return undecided.add_folder(folder)
