"""A real Emacs with eglot, a real server, and a provider on loopback."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from emacs import process
from emacs.session import EmacsSession
from support.skips import skip_or_fail

ROOT = Path(__file__).parents[2]

MINIMAL_INIT = """\
(require 'eglot)
(add-to-list 'eglot-server-programs '(markdown-mode . ("writeit" "serve")))
(add-hook 'markdown-mode-hook #'eglot-ensure)
"""
"""The least that starts a server, used by `minimal_emacs`."""

missing_reason = lru_cache(process.missing_reason)


def documented_init() -> str:
    """Return the init file of docs/emacs.md."""
    page = (ROOT / "docs/emacs.md").read_text(encoding="utf-8")
    found = re.search(r"```elisp\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def pytest_runtest_setup() -> None:
    """Skip these tests where this Emacs is not installed."""
    if reason := missing_reason():
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def environment() -> Iterator[dict[str, str]]:
    """Return the environment of Emacs and the server, with a provider on loopback."""
    with subprocess.Popen(
        [sys.executable, "-m", "support.provider"],
        cwd=ROOT / "tests",
        stdout=subprocess.PIPE,
        text=True,
    ) as provider:
        assert provider.stdout is not None
        port = provider.stdout.readline().strip()
        yield {
            "OPENAI_API_KEY": "sk-secret-of-the-tests",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
            "WRITEIT_TRUST": "1",
            "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",  # nothing listens there
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        }
        provider.kill()


@pytest.fixture(scope="session")
def emacs(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmacsSession]:
    """An Emacs with the documented init file."""
    home = tmp_path_factory.mktemp("emacs")
    with EmacsSession(home, environment, documented_init()) as session:
        yield session


@pytest.fixture(scope="session")
def minimal_emacs(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmacsSession]:
    """An Emacs with the shortest init file that starts a server."""
    home = tmp_path_factory.mktemp("plain")
    with EmacsSession(home, environment, MINIMAL_INIT) as session:
        yield session
