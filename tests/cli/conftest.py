"""A terminal in a workspace, and a provider on loopback."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from storage.whole import whole_store
from support.provider import running
from support.terminal import QuickShell, Terminal, terminal_in
from writeit.storage.location import STORE_SUBFOLDER


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shell(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Terminal]:
    """A workspace with notes, an API key and a test provider."""
    async with running() as provider:
        yield terminal_in(tmp_path_factory.mktemp("shell"), provider)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a tree of runs, and a run that streams."""
    return whole_store(tmp_path_factory.mktemp("made") / STORE_SUBFOLDER)


@pytest.fixture
def stored(
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> QuickShell:
    """A shell in a new workspace with that store."""
    for name in ("CONFIG", "DATA"):
        monkeypatch.setenv(f"WRITEIT_{name}_DIR", str(tmp_path / name))
    folder = tmp_path / "notes"
    shutil.copytree(made, folder / STORE_SUBFOLDER)
    return QuickShell(folder, monkeypatch, capsys)
