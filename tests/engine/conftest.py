"""An engine on a real store and scripted models."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.engine_setup import EngineSetup
from writeit.storage.store import LmdbStore


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[EngineSetup]:
    """An engine for a test."""
    store = LmdbStore(tmp_path / "store")
    yield EngineSetup(store)
    store.close()
