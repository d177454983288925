"""`writeit doctor`: what is usable, and why the rest is not."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from support import keyring_backend
from support.provider import running
from support.waiting import TIMEOUT
from support.workspace import new_workspace

KEY = "a-key-that-looks-like-nothing-known-0815"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new workspace."""
    folder = new_workspace(tmp_path / "w")
    (folder / ".writeit").mkdir()
    return folder


async def doctor(
    folder: Path, *arguments: str, **environment: str
) -> tuple[int, str, str]:
    """Run `writeit doctor`; return exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "writeit", "doctor", *arguments),
        cwd=folder,
        env={
            **os.environ,
            "HOME": str(folder),
            "PYTHON_KEYRING_BACKEND": keyring_backend.BACKEND,
            "PYTHONPATH": keyring_backend.PATH,
            "WRITEIT_CACHE_DIR": str(folder / "cache"),
            **environment,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(TIMEOUT):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def finding(report: Any, name: str) -> Any:
    """Return a finding by its name."""
    (match,) = [f for f in report["findings"] if f["name"] == name]
    return match


async def test_without_models_it_fails_and_says_what_to_do(folder: Path) -> None:
    """Each finding says how to fix it; no store is made."""
    code, out, err = await doctor(folder)
    assert (code, err) == (1, "")
    for remedy in ("ollama serve", "pip install 'writeit[local]'", "writeit keys set"):
        assert remedy in out
    assert "None yet" in out
    assert list((folder / ".writeit").iterdir()) == []


async def test_with_keys_and_ollama_it_says_what_is_usable(folder: Path) -> None:
    """Models by provider, sources of keys, names of proxies; no key."""
    async with running() as provider:
        provider.ollama_models = ["llama3:latest"]
        code, out, err = await doctor(
            folder,
            "--json",
            WRITEIT_OLLAMA_URL=provider.root,
            WRITEIT_TEST_KEYRING=KEY,
            GROQ_API_KEY=KEY,
            HTTPS_PROXY="http://name:password@127.0.0.1:9",
        )
    assert code == 0, err
    report = json.loads(out)
    assert report["usable"]
    assert report["usable_models"]["ollama"] == ["ollama/llama3:latest"]
    assert report["usable_models"]["openai"]
    assert (report["keys"]["openai"], report["keys"]["groq"]) == (
        "keyring",
        "environment",
    )
    assert finding(report, "Ollama")["ok"]
    assert finding(report, "store")["ok"]
    assert not finding(report, "embedded model")["ok"]
    assert report["proxies"] == ["HTTPS_PROXY"]
    assert report["python"].startswith("3.")
    assert KEY not in out + err
    assert "password" not in out + err


async def test_a_damaged_store_is_a_finding(folder: Path) -> None:
    """The other checks still run, and the exit code is 1."""
    store = folder / ".writeit" / "store"
    store.mkdir()
    (store / "data.mdb").write_bytes(b"nothing of LMDB" * 1000)
    code, out, _ = await doctor(folder, "--json", GROQ_API_KEY=KEY)
    report = json.loads(out)
    assert code == 1
    assert not finding(report, "store")["ok"]
    assert finding(report, "model host")["ok"]
    assert report["usable_models"]["groq"]
