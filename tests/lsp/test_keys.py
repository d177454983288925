"""Keys over the wire: set once, used, and never seen again."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support import keyring_backend
from support.editor import Editor, serving
from support.provider import Provider
from support.workspace import new_workspace

KEY = "a-key-that-looks-like-nothing-known-0815"
WRONG_KEYS = ("", "   ", "two words", "line\nbreak", "schlüssel")


@pytest.fixture(scope="module")
def desktop(environment: dict[str, str]) -> dict[str, str]:
    """What an editor started from the desktop has: a keyring and no keys."""
    return {
        **environment,
        "OPENAI_API_KEY": "",
        "PYTHON_KEYRING_BACKEND": keyring_backend.BACKEND,
        "PYTHONPATH": keyring_backend.PATH,
    }


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's stderr goes."""
    return tmp_path_factory.mktemp("log") / "stderr"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keyless(
    desktop: dict[str, str], log: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    """An editor whose server finds no key in its environment."""
    folder = new_workspace(tmp_path_factory.mktemp("keyless"))
    async with serving([folder], "neovim", desktop, log) as editor:
        yield editor


async def sources(editor: Editor) -> dict[str, str]:
    """Where keys come from, by provider."""
    listed = await editor.command("writeit.keys.list")
    return {entry["provider"]: entry["source"] for entry in listed["providers"]}


def files_in(*folders: Path) -> list[Path]:
    """Every file in some folders."""
    return [file for f in folders for file in f.rglob("*") if file.is_file()]


async def test_a_key_that_was_set_is_used_and_never_seen_again(
    keyless: Editor, provider: Provider, log: Path
) -> None:
    """It reaches the provider; no reply, error, log, file or export has it."""
    assert (await sources(keyless))["openai"] == "none"
    result = await keyless.command("writeit.keys.set", provider="openai", key=KEY)
    assert result == {"provider": "openai", "stored": True}
    assert (await sources(keyless))["openai"] == "keyring"
    run_id = await keyless.answered("say-with-a-key", "err-401-0")
    call = await provider.call("say-with-a-key")
    assert call.headers["authorization"] == f"Bearer {KEY}"
    shown = await keyless.show(run_id)
    (failure,) = shown["steps"]["angles"]["failures"]
    assert "boom for [key]" in failure["message"]
    await keyless.command("writeit.run.export", runId=run_id, format="json")
    await keyless.command("writeit.keys.list")
    await keyless.command("writeit.model.list", provider="openai")
    assert KEY not in json.dumps(keyless.messages)
    for file in files_in(keyless.folder, log.parent):
        assert KEY.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("key", WRONG_KEYS)
async def test_what_is_no_key_is_refused_without_being_repeated(
    keyless: Editor, key: str
) -> None:
    """Empty, with white space inside, or in letters no key has."""
    refused = await keyless.refusal("writeit.keys.set", provider="groq", key=key)
    assert refused.kind == "invalid_params"
    assert refused.data["problems"][0]["path"] == "key"
    assert not key.strip() or key not in json.dumps(refused.data)


@pytest.mark.parametrize(
    ("params", "kind", "hint"),
    [
        ({"provider": "opanai", "key": KEY}, "not_found", "openai"),
        ({"provider": "ollama", "key": KEY}, "invalid_params", ""),
        ({"provider": "../x", "key": KEY}, "invalid_params", "provider"),
        ({"provider": "openai", "key": [KEY]}, "invalid_params", "key"),
        ({"provider": "openai", "keys": KEY}, "invalid_params", "key"),
        ({"provider": "openai"}, "invalid_params", "key"),
    ],
)
async def test_wrong_words_are_refused_without_repeating_the_key(
    keyless: Editor, params: dict[str, object], kind: str, hint: str
) -> None:
    """The hint says what would be right; the key is in no part of the refusal."""
    refused = await keyless.refusal("writeit.keys.set", **params)
    assert refused.kind == kind
    assert hint in refused.data["hint"]
    assert KEY not in json.dumps(refused.data) + str(refused)


async def test_the_environment_is_used_first_and_it_is_said(
    environment: dict[str, str], desktop: dict[str, str], tmp_path: Path
) -> None:
    """A key that is kept but not used would puzzle whoever set it."""
    both = {**desktop, "OPENAI_API_KEY": environment["OPENAI_API_KEY"]}
    async with serving([new_workspace(tmp_path / "w")], "neovim", both) as editor:
        await editor.command("writeit.keys.set", provider="openai", key=KEY)
        assert (await sources(editor))["openai"] == "environment"
        (shown,) = editor.sent("window/showMessage")
        assert "environment" in shown["message"]


async def test_without_a_keyring_the_refusal_says_what_to_do(
    desktop: dict[str, str], tmp_path: Path
) -> None:
    """store_error, the variable to set, and the list still works."""
    bare = {**desktop, "PYTHON_KEYRING_BACKEND": keyring_backend.NO_BACKEND}
    async with serving([new_workspace(tmp_path / "w")], "neovim", bare) as editor:
        refused, known = await asyncio.gather(
            editor.refusal("writeit.keys.set", provider="openai", key=KEY),
            sources(editor),
        )
    assert refused.kind == "store_error"
    assert refused.data["reason"] == "keyring"
    assert "OPENAI_API_KEY" in refused.data["hint"]
    assert KEY not in json.dumps(refused.data)
    assert set(known.values()) == {"none"}
