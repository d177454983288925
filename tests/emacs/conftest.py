"""A real Emacs with eglot, a real server, and a provider on loopback."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from emacs import driving
from emacs.writer import Writer
from support.skips import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

AS_IT_COMES = """\
(require 'eglot)
(add-to-list 'eglot-server-programs '(markdown-mode . ("writeit" "serve")))
(add-hook 'markdown-mode-hook #'eglot-ensure)
"""
"""The least that starts a server."""

missing = lru_cache(driving.missing)


def documented() -> str:
    """The init file that docs/emacs.md tells a writer to have."""
    page = (ROOT / "docs/emacs.md").read_text(encoding="utf-8")
    found = re.search(r"```elisp\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def pytest_runtest_setup() -> None:
    """Pass over all of these tests, in one line, where there is no such Emacs."""
    if reason := missing():
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def surroundings() -> Iterator[dict[str, str]]:
    """What Emacs and so the server is started with; a provider that answers."""
    script = ROOT / "tests/support/provider.py"
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True
    ) as provider:
        assert provider.stdout is not None
        port = provider.stdout.readline().strip()
        yield {
            "OPENAI_API_KEY": "sk-secret-of-the-tests",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
            "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",  # nobody answers there
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        }
        provider.kill()


@pytest.fixture(scope="session")
def emacs(
    surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Writer]:
    """An Emacs with the init file of the documentation."""
    home = tmp_path_factory.mktemp("emacs")
    with Writer(home, surroundings, documented()) as writer:
        yield writer


@pytest.fixture(scope="session")
def plain_emacs(
    surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Writer]:
    """An Emacs with the least that starts a server."""
    home = tmp_path_factory.mktemp("plain")
    with Writer(home, surroundings, AS_IT_COMES) as writer:
        yield writer
