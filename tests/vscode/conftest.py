"""A real VS Code with the extension, a real server, a provider on loopback."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from support.provider import Provider, running
from support.skips import skip_or_fail
from vscode import tools
from vscode.serving import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVER = Path(sys.executable).with_name("writeit")


@dataclass(frozen=True)
class Built:
    """What `make extension` made."""

    bundle: Path
    vsix: Path
    tests: Path


@pytest.fixture(scope="session")
def _tools() -> None:
    """Everything these tests need beside the project."""
    if reason := tools.missing():
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def built(_tools: None) -> Built:
    """The extension, built from the checkout as it stands."""
    made = subprocess.run(
        ["make", "extension", f"WRITEIT_EDITORS={tools.EDITORS}"],
        cwd=tools.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, f"make extension failed:\n{made.stdout}{made.stderr}"
    extension = tools.EXTENSION
    (vsix,) = extension.glob("*.vsix")
    return Built(
        bundle=extension / "dist/extension.js",
        vsix=vsix,
        tests=extension / "dist-test/index.js",
    )


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    """A language model provider that does what the model's name says."""
    async with running() as provider:
        yield provider


@pytest.fixture
def environment(provider: Provider, tmp_path: Path) -> dict[str, str]:
    """What VS Code is started with; its extension host and our server inherit it."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "OPENAI_API_KEY": "sk-secret-of-the-tests",
        "OPENAI_BASE_URL": provider.base_url,
        "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
        "WRITEIT_CACHE_DIR": str(home / "cache"),
        "WRITEIT_CONFIG_DIR": str(home / "config"),
        "WRITEIT_DATA_DIR": str(home / "data"),
    }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """The folders of a VS Code that nobody used before."""
    return Place(tmp_path / "vscode")


@pytest.fixture
def artefacts(request: pytest.FixtureRequest) -> Path:
    """An empty folder for what a person may want to see of this test."""
    folder: Path = tools.ARTEFACTS / request.node.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
