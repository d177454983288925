"""`writeit model add`: a first model, in a terminal and in a script."""

# ruff: noqa: D103 -- the name of a test is its promise

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from support import keyring_backend
from support.provider import Provider, running
from support.terminal import Terminal, terminal_in

KEY = "sk-nobody-must-see-this-0815"
DOCS = Path(__file__).parents[2] / "docs" / "models.md"


@pytest_asyncio.fixture(loop_scope="module")
async def provider() -> AsyncIterator[Provider]:
    async with running() as provider:
        yield provider


@pytest.fixture
def shell(tmp_path: Path, provider: Provider) -> Terminal:
    """A terminal of a user who has no key and no configuration."""
    shell = terminal_in(tmp_path, provider)
    del shell.environment["OPENAI_API_KEY"]
    shell.environment |= {
        "PYTHON_KEYRING_BACKEND": keyring_backend.BACKEND,
        "PYTHONPATH": keyring_backend.PATH,
        "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",
    }
    return shell


def config(shell: Terminal) -> Path:
    return shell.folder / ".config" / "writeit" / "config.yaml"


def transcript() -> list[str]:
    """Return the lines of the documented transcript."""
    page = DOCS.read_text("utf-8").split("$ writeit model add\n")[1]
    return page.split("```")[0].splitlines()


async def test_the_documented_transcript_is_what_happens(shell: Terminal) -> None:
    async with shell.screen("model", "add") as screen:
        for line in transcript():
            words, colon, typed = line.partition(": ")
            if line.endswith("(not shown):"):
                await screen.shows(line)
                screen.type(f"{KEY}\n")
            elif colon:
                await screen.shows(f"{words}:")
                screen.type(f"{typed}\n")
            else:
                await screen.shows(line.replace("~", str(shell.folder)))
        assert await screen.ends() == 0
    assert KEY not in screen.text
    assert yaml.safe_load(config(shell).read_text("utf-8")) == {
        "models": {"default": [{"model": "openai/gpt-4o-mini"}]}
    }
    assert stat.S_IMODE(config(shell).stat().st_mode) == 0o600


async def test_a_script_adds_a_model_and_the_next_run_uses_it(
    shell: Terminal, provider: Provider
) -> None:
    config(shell).parent.mkdir(parents=True)
    config(shell).write_text(
        "# mine\nollama_url: http://127.0.0.1:9\nbase_urls:\n  x: http://y\n"
        "default_model: openai/old\n"
    )
    done = await shell.writeit(
        "model", "add", "lm_studio/fast-3", "--base-url", provider.base_url
    )
    assert done.code == 0, done.err
    text = config(shell).read_text("utf-8")
    assert text.startswith("# mine\n")
    assert yaml.safe_load(text) == {
        "ollama_url": "http://127.0.0.1:9",
        "models": {"default": [{"model": "lm_studio/fast-3"}]},
        "base_urls": {"x": "http://y", "lm_studio": provider.base_url},
    }
    run = await shell.writeit("run", "tech-article", "notes.md")
    assert run.code == 0, run.err
    assert provider.calls[-1].model == "fast-3"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["openai/err-401", "--key-stdin"], "key"),
        (["openai/err-404", "--key-stdin"], "It lists: openai/gpt-4o"),
        (["opanai/gpt-4o", "--key-stdin"], "openai"),
        (["openai/x", "--base-url", "http://user:pw@host/v1"], "password"),
        (["openai/x", "--base-url", "http://127.0.0.1:9/v1"], "takes precedence"),
        (["ollama/phi"], "ollama"),
        ([], "PROVIDER/MODEL"),
    ],
)
async def test_a_failure_saves_nothing_and_says_what_to_do(
    shell: Terminal, arguments: list[str], says: str
) -> None:
    done = await shell.writeit("model", "add", *arguments, lines=f"{KEY}\n")
    assert done.code != 0
    assert says in done.err
    assert KEY not in done.out + done.err
    assert not config(shell).exists()


async def test_without_a_keyring_it_names_the_variable(shell: Terminal) -> None:
    shell.environment["PYTHON_KEYRING_BACKEND"] = keyring_backend.NO_BACKEND
    done = await shell.writeit(
        "model", "add", "openai/fast-3", "--key-stdin", lines=f"{KEY}\n"
    )
    assert done.code != 0
    assert "OPENAI_API_KEY" in done.err
    assert not config(shell).exists()


async def test_a_model_that_only_thinks_is_accepted(shell: Terminal) -> None:
    done = await shell.writeit(
        "model", "add", "openai/empty", "--key-stdin", lines=f"{KEY}\n"
    )
    assert done.code == 0, done.err
