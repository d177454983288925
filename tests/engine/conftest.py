"""An engine on a real store and scripted models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.bench import Bench
from writeit.storage.store import LmdbStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A new bench."""
    store = LmdbStore(tmp_path / "store")
    yield Bench(store)
    store.close()
