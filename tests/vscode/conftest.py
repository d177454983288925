"""A real VS Code with the extension, a real server and a provider on loopback."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from support.provider import Provider, running
from support.skips import skip_or_fail
from vscode import tools
from vscode.code_server import Profile

SERVER = Path(sys.executable).with_name("writeit")


@dataclass(frozen=True)
class Build:
    """The files that `make extension` builds."""

    bundle: Path
    vsix: Path
    tests: Path


@dataclass(frozen=True)
class Sandbox:
    """A new VS Code with its workspace, environment and provider."""

    profile: Profile
    workspace: Path
    """The folder that VS Code opens."""
    environment: dict[str, str]
    """The environment of VS Code, its extension host and the server."""
    provider: Provider
    artefacts: Path
    """Logs and screenshots to keep."""

    def log(self) -> str:
        """Return the log of the extension, as *WriteIt: Show Log* shows it."""
        (log,) = self.profile.data.glob("logs/*/exthost*/writeit.writeit/*.log")
        return log.read_text("utf-8")


def pytest_runtest_setup() -> None:
    """Skip these tests if their tools are not installed."""
    if reason := tools.missing_tool():
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def build() -> Build:
    """Build the extension from the checkout."""
    process = subprocess.run(
        ["make", "extension", f"WRITEIT_EDITORS={tools.EDITORS}"],
        cwd=tools.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, (
        f"make extension failed:\n{process.stdout}{process.stderr}"
    )
    extension = tools.EXTENSION
    (vsix,) = extension.glob("*.vsix")
    return Build(
        bundle=extension / "dist/extension.js",
        vsix=vsix,
        tests=extension / "dist-test/index.js",
    )


@pytest_asyncio.fixture
async def sandbox(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Sandbox]:
    """Create a sandbox for one test, and keep its log."""
    for name in ("home", "rivers"):
        (tmp_path / name).mkdir()
    artefacts = tools.ARTEFACTS / request.node.name
    shutil.rmtree(artefacts, ignore_errors=True)
    artefacts.mkdir(parents=True)
    profile = Profile(tmp_path / "vscode")
    async with running() as provider:
        yield Sandbox(
            profile=profile,
            workspace=tmp_path / "rivers",
            environment=isolated_environment(tmp_path / "home", provider),
            provider=provider,
            artefacts=artefacts,
        )
    for log in profile.data.glob("logs/*/exthost*/writeit.writeit/*.log"):
        shutil.copy(log, artefacts)


def isolated_environment(home: Path, provider: Provider) -> dict[str, str]:
    """Return an environment with its own home, and the provider as only remote host."""
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "OPENAI_API_KEY": "sk-secret-of-the-tests",
        "OPENAI_BASE_URL": provider.base_url,
        "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
        "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",  # nothing listens there
        "WRITEIT_CACHE_DIR": str(home / "cache"),
        "WRITEIT_CONFIG_DIR": str(home / "config"),
        "WRITEIT_DATA_DIR": str(home / "data"),
    }
