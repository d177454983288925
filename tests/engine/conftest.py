"""An engine on a real store and scripted models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.engine_setup import EngineSetup
from writeit.storage.store import LmdbStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[EngineSetup]:
    """An engine for a test."""
    store = LmdbStore(tmp_path / "store")
    yield EngineSetup(store)
    store.close()
