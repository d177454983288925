"""`writeit doctor`: what can be used here and now, and why the rest cannot."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support import keyring_backend
from support.provider import running
from support.waiting import TIMEOUT
from support.workspace import new_workspace

if TYPE_CHECKING:
    from pathlib import Path

KEY = "a-key-that-looks-like-nothing-known-0815"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace in which nothing was done yet."""
    folder = new_workspace(tmp_path / "w")
    (folder / ".writeit").mkdir()
    return folder


async def doctor(
    folder: Path, *arguments: str, **environment: str
) -> tuple[int, str, str]:
    """Run it; return exit code, stdout and stderr."""
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


def finding(told: Any, name: str) -> Any:
    """One thing that was looked at."""
    (found,) = [f for f in told["findings"] if f["name"] == name]
    return found


async def test_with_nothing_it_says_what_to_do_and_fails(folder: Path) -> None:
    """Exit 1; each thing says how to get it; no store was made by looking."""
    code, out, err = await doctor(folder)
    assert (code, err) == (1, "")
    for remedy in ("ollama serve", "pip install 'writeit[local]'", "writeit keys set"):
        assert remedy in out
    assert "None yet" in out
    assert list((folder / ".writeit").iterdir()) == []


async def test_with_keys_and_ollama_it_says_what_is_usable(folder: Path) -> None:
    """Models by provider, where keys come from, never a key; proxies by name."""
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
    told = json.loads(out)
    assert told["usable"]
    assert told["usable_models"]["ollama"] == ["ollama/llama3:latest"]
    assert "openai/gpt-4o" in told["usable_models"]["openai"]
    assert (told["keys"]["openai"], told["keys"]["groq"]) == ("keyring", "environment")
    assert finding(told, "Ollama")["ok"]
    assert finding(told, "store")["ok"]
    assert not finding(told, "embedded model")["ok"]
    assert told["proxies"] == ["HTTPS_PROXY"]
    assert told["python"].startswith("3.")
    assert KEY not in out + err
    assert "password" not in out + err


async def test_a_store_that_cannot_be_opened_is_told(folder: Path) -> None:
    """It is a finding with its remedy, the rest is still looked at, and exit is 1."""
    store = folder / ".writeit" / "store"
    store.mkdir()
    (store / "data.mdb").write_bytes(b"nothing of LMDB" * 1000)
    code, out, _ = await doctor(folder, "--json", GROQ_API_KEY=KEY)
    told = json.loads(out)
    assert code == 1
    assert not finding(told, "store")["ok"]
    assert finding(told, "model host")["ok"]
    assert told["usable_models"]["groq"]
