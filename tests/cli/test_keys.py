"""`writeit keys` with a pipe, a terminal, and with and without a keyring."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from support import keyring_backend
from support.waiting import TIMEOUT

KEY = "a-key-that-looks-like-nothing-known-0815"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A new home and a keyring that lasts as long as the command."""
    return {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": keyring_backend.BACKEND,
        "PYTHONPATH": keyring_backend.PATH,
    }


def writeit(
    environment: dict[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command and return its result."""
    return subprocess.run(
        [sys.executable, "-m", "writeit", *arguments],
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=environment,
    )


def test_a_key_comes_from_stdin(environment: dict[str, str]) -> None:
    """A pipe is read; the key is not printed."""
    result = writeit(environment, "keys", "set", "openai", stdin=f"{KEY}\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert "keyring" in result.stdout
    assert KEY not in result.stdout


def test_the_terminal_prompts_and_hides_the_key(environment: dict[str, str]) -> None:
    """The terminal shows the prompt but not the input."""
    pid, terminal = pty.fork()
    if pid == 0:
        arguments = [sys.executable, "-m", "writeit", "keys", "set", "openai"]
        os.execve(sys.executable, arguments, environment)  # noqa: S606 -- what is tested
    shown = b""
    while b"Key of openai" not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, KEY.encode() + b"\n")
    while b"system keyring" not in shown:
        shown += os.read(terminal, 1024)
    assert os.waitpid(pid, 0)[1] == 0
    os.close(terminal)
    assert KEY.encode() not in shown


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("openai", KEY), 2, "unexpected extra argument"),
        (("opanai",), 1, "openai"),
        (("ollama",), 2, "needs no key"),
        (("groq",), 2, "empty"),
    ],
)
def test_wrong_usage_is_explained(
    environment: dict[str, str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    """A key cannot be an argument; similar providers are suggested."""
    result = writeit(environment, "keys", "set", *arguments)
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_keyring_it_names_the_variable(environment: dict[str, str]) -> None:
    """Exit code 1 and the variable to set."""
    environment["PYTHON_KEYRING_BACKEND"] = keyring_backend.NO_BACKEND
    result = writeit(environment, "keys", "set", "openai", stdin=KEY)
    assert result.returncode == 1
    assert "OPENAI_API_KEY" in result.stderr
    assert KEY not in result.stderr


def test_the_list_shows_the_sources_of_keys(environment: dict[str, str]) -> None:
    """Environment, keyring or none; never the key."""
    environment["GROQ_API_KEY"] = KEY
    environment["WRITEIT_TEST_KEYRING"] = KEY
    result = writeit(environment, "keys", "list", "--json")
    sources = {
        e["provider"]: e["source"] for e in json.loads(result.stdout)["providers"]
    }
    assert sources["groq"] == "environment"
    assert sources["openai"] == "keyring"
    assert sources["anthropic"] == "none"
    one = writeit(environment, "keys", "list", "openai")
    assert one.stdout.split() == ["openai", "keyring"]
    assert KEY not in result.stdout + one.stdout
