"""What holds for every test: nobody outside is spoken to, nobody's keys are used."""

from __future__ import annotations

import os

import pytest

FOREIGN = ("_API_KEY", "_BASE_URL", "_API_BASE")


@pytest.fixture(scope="session", autouse=True)
def _alone() -> None:
    """A real model call inside the suite is an error; loopback is all there is."""
    for name in list(os.environ):
        if name.endswith(FOREIGN) or name.startswith("WRITEIT_"):
            del os.environ[name]
    os.environ["WRITEIT_ALLOW_MODEL_REQUESTS"] = "loopback"
    os.environ["WRITEIT_OLLAMA_URL"] = "http://127.0.0.1:9"  # nobody answers there
