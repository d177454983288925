"""What holds for every test: nobody outside is spoken to, nobody's keys are used.

`make test` runs two tests at a time (pytest-xdist). The tests of one file stay together
and in their order, for they share servers; so do all that share a real VS Code.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

TOGETHER = ("vscode", "neovim")
"""Folders whose tests are one group: their editors are shared, and slow to start."""

FOREIGN = ("_API_KEY", "_BASE_URL", "_API_BASE")


@pytest.fixture(scope="session", autouse=True)
def _alone() -> None:
    """A real model call inside the suite is an error; loopback is all there is."""
    for name in list(os.environ):
        if name.endswith(FOREIGN) or name.startswith("WRITEIT_"):
            del os.environ[name]
    os.environ["WRITEIT_ALLOW_MODEL_REQUESTS"] = "loopback"
    os.environ["WRITEIT_OLLAMA_URL"] = "http://127.0.0.1:9"  # nobody answers there


@pytest.hookimpl(tryfirst=True)  # the groups are read right after it
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what belongs together; what takes longest begins first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.path.parts)))
    items.sort(key=lambda item: _group(item.path.parts) not in TOGETHER)


def _group(parts: Sequence[str]) -> str:
    return next((name for name in TOGETHER if name in parts), "/".join(parts))
