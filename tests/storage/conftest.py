"""Fixtures: a store that exists, and one that the first write creates."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from writeit.storage.store import LmdbStore


@pytest.fixture(autouse=True)
def data_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Set the user's data folder to a folder of the test."""
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the store."""
    return tmp_path / "store"


@pytest.fixture
def lmdb_store(tmp_path: Path) -> Iterator[LmdbStore]:
    """A new store on disk."""
    store = LmdbStore.open(tmp_path / ".writeit" / "store")
    yield store
    store.close()


@pytest.fixture(params=["created", "not created"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LmdbStore]:
    """A store that exists, or one that the first write creates."""
    store = LmdbStore(tmp_path / ".writeit" / "store")
    if request.param == "created":
        store = LmdbStore.open(store.folder)
    yield store
    store.close()
