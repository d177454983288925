"""The wheel in an empty environment: it serves and finds its pipelines."""

import asyncio
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from support.waiting import TIMEOUT

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without asking the network for tools."""
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
            *("--outdir", str(place), str(ROOT)),
        ],
        check=True,
        capture_output=True,
    )
    (built,) = place.glob("*.whl")
    return built


def test_the_wheel_carries_pipelines_and_primers(wheel: Path) -> None:
    """What is at the top of the checkout is inside the package."""
    names = zipfile.ZipFile(wheel).namelist()
    assert "writeit/_bundled/pipelines/tech-article.yaml" in names
    assert "writeit/_bundled/primers/tech-journalist.yaml" in names
    assert "writeit/_bundled/neovim/plugin/writeit.lua" in names
    assert not [name for name in names if name.startswith("tests/")]


@pytest.mark.parametrize("lock", ["dev", "runtime", "release"])
def test_what_the_make_commands_install_is_locked_with_hashes(lock: str) -> None:
    """Every requirement has a version and a hash, and every dependency is there."""
    text = (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text).strip())
    assert all("==" in block and "--hash=sha256:" in block for block in blocks)
    names = {re.split("[=\\[ ]", block)[0].lower() for block in blocks}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [] if lock == "release" else project["project"]["dependencies"]
    wanted = [*wanted, *project["dependency-groups"].get(lock, ())]
    assert {re.split("[=<>~\\[ ]", each)[0].lower() for each in wanted} <= names


def test_the_wheel_runs_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """Unpacked apart from the checkout it lists its own pipelines and serves."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environment = {"PYTHONPATH": str(site), "HOME": str(tmp_path)}
    listed = subprocess.run(
        [sys.executable, "-m", "writeit", "pipeline", "list"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "tech-article" in listed.stdout
    where = subprocess.run(
        [sys.executable, "-c", "import writeit; print(writeit.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(site))


async def test_both_entry_points_end_with_their_input(tmp_path: Path) -> None:
    """`writeit serve` and `writeit-server` are installed; no editor, no server."""
    for command in (["writeit", "serve"], ["writeit-server"]):
        program = Path(sys.executable).with_name(command[0])
        process = await asyncio.create_subprocess_exec(
            *(str(program), *command[1:]),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            cwd=tmp_path,
        )
        out, _ = await asyncio.wait_for(process.communicate(), TIMEOUT)
        assert out == b""
        assert process.returncode == 1
