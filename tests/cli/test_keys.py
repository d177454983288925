"""`writeit keys` as a person uses it: a pipe, a terminal, a keyring or none."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import keyring_backend
from support.waiting import TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

KEY = "a-key-that-looks-like-nothing-known-0815"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own and a keyring that lasts as long as the command."""
    return {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": keyring_backend.BACKEND,
        "PYTHONPATH": keyring_backend.PATH,
    }


def writeit(
    environment: dict[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
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
    """A pipe is read; nothing of the key is printed."""
    said = writeit(environment, "keys", "set", "openai", stdin=f"{KEY}\n")
    assert (said.returncode, said.stderr) == (0, "")
    assert "keyring" in said.stdout
    assert KEY not in said.stdout


def test_a_person_is_asked_and_her_key_is_not_shown(
    environment: dict[str, str],
) -> None:
    """The terminal shows the question and not the answer."""
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
def test_what_is_wrong_is_said(
    environment: dict[str, str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    """An argument is never a key; an unknown provider is told its neighbours."""
    said = writeit(environment, "keys", "set", *arguments)
    assert said.returncode == code, said.stderr
    assert words in said.stderr
    assert "Traceback" not in said.stderr


def test_without_a_keyring_it_says_what_to_do(environment: dict[str, str]) -> None:
    """Exit 1 and the variable to set."""
    environment["PYTHON_KEYRING_BACKEND"] = keyring_backend.NO_BACKEND
    said = writeit(environment, "keys", "set", "openai", stdin=KEY)
    assert said.returncode == 1
    assert "OPENAI_API_KEY" in said.stderr
    assert KEY not in said.stderr


def test_the_list_says_where_keys_come_from(environment: dict[str, str]) -> None:
    """Environment, keyring or none; never the key."""
    environment["GROQ_API_KEY"] = KEY
    environment["WRITEIT_TEST_KEYRING"] = KEY
    said = writeit(environment, "keys", "list", "--json")
    found = {e["provider"]: e["source"] for e in json.loads(said.stdout)["providers"]}
    assert found["groq"] == "environment"
    assert found["openai"] == "keyring"
    assert found["anthropic"] == "none"
    one = writeit(environment, "keys", "list", "openai")
    assert one.stdout.split() == ["openai", "keyring"]
    assert KEY not in said.stdout + one.stdout
