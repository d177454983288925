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


@dataclass(frozen=True)
class World:
    """A VS Code that nobody used before, and what is around it."""

    place: Place
    workspace: Path
    """The folder that is opened in it."""
    environment: dict[str, str]
    """What it is started with; its extension host and our server inherit it."""
    provider: Provider
    artefacts: Path
    """What a person may want to see afterwards."""

    def log(self) -> str:
        """Return what the extension wrote down, as *WriteIt: Show Log* shows it."""
        (log,) = self.place.data.glob("logs/*/exthost*/writeit.writeit/*.log")
        return log.read_text("utf-8")


def pytest_runtest_setup() -> None:
    """Pass over all of these tests, in one line, where their tools are not there."""
    if reason := tools.missing():
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def built() -> Built:
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
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A new one for each test."""
    for name in ("home", "rivers"):
        (tmp_path / name).mkdir()
    artefacts = tools.ARTEFACTS / request.node.name
    shutil.rmtree(artefacts, ignore_errors=True)
    artefacts.mkdir(parents=True)
    place = Place(tmp_path / "vscode")
    async with running() as provider:
        yield World(
            place=place,
            workspace=tmp_path / "rivers",
            environment=alone(tmp_path / "home", provider),
            provider=provider,
            artefacts=artefacts,
        )
    for log in place.data.glob("logs/*/exthost*/writeit.writeit/*.log"):
        shutil.copy(log, artefacts)


def alone(home: Path, provider: Provider) -> dict[str, str]:
    """An environment with a home of its own and nobody to talk to outside."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "OPENAI_API_KEY": "sk-secret-of-the-tests",
        "OPENAI_BASE_URL": provider.base_url,
        "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
        "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",  # nobody answers there
        "WRITEIT_CACHE_DIR": str(home / "cache"),
        "WRITEIT_CONFIG_DIR": str(home / "config"),
        "WRITEIT_DATA_DIR": str(home / "data"),
    }
