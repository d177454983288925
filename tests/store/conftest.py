"""The stores, so that each contract test runs on all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from writeit.store.lmdb_store import LmdbStore
from writeit.store.memory import MemoryStore
from writeit.store.unmade import UnmadeStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from writeit.ports import Store


@pytest.fixture(autouse=True)
def data_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The user's data folder: the test's own."""
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def lmdb_store(tmp_path: Path) -> Iterator[LmdbStore]:
    """A new store on the disk."""
    store = LmdbStore.open(tmp_path / ".writeit" / "store")
    yield store
    store.close()


@pytest.fixture(params=["memory", "lmdb", "unmade"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A new store of each kind."""
    folder = tmp_path / ".writeit" / "store"
    made: Store
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "lmdb":
        made = LmdbStore.open(folder)
    else:
        made = UnmadeStore(folder)
    yield made
    made.close()
