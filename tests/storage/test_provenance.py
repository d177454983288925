"""A store that this user did not create is verified before LMDB maps it."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from storage.whole import FINISHED, whole_store
from support.store_failures import writing_raw
from writeit.domain.errors import StoreError
from writeit.ports.store import RunQuery
from writeit.storage import keys, provenance
from writeit.storage.store import LmdbStore

CHILD = Path(__file__).parent / "child.py"


@pytest.fixture(scope="module")
def made_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store of another user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRITEIT_DATA_DIR", str(tmp_path_factory.mktemp("their-data")))
        return whole_store(tmp_path_factory.mktemp("theirs") / "store")


@pytest.fixture
def cloned(made_elsewhere: Path, tmp_path: Path) -> Path:
    """A copy of it, as in a cloned repository."""
    return shutil.copytree(made_elsewhere, tmp_path / ".writeit" / "store")


def inode(folder: Path) -> int:
    """Return the identity of the data file."""
    return (folder / "data.mdb").stat().st_ino


def test_an_undamaged_store_is_adopted(cloned: Path) -> None:
    """The copy that was verified is mapped, with its runs."""
    before = inode(cloned)
    store = LmdbStore.open(cloned)
    assert store.get_run(FINISHED) is not None
    store.close()
    assert inode(cloned) != before
    assert sorted(path.name for path in cloned.iterdir()) == ["data.mdb", "lock.mdb"]


def test_a_store_is_verified_once(
    cloned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it counts as created by this user."""
    looked = []
    adopt = provenance.adopt_store

    def watched(folder: Path) -> None:
        looked.append(folder)
        adopt(folder)

    monkeypatch.setattr(provenance, "adopt_store", watched)
    own = cloned.with_name("own")
    for folder in (cloned, cloned, own, own):
        LmdbStore.open(folder).close()
    assert looked == [cloned]


def test_a_damaged_store_is_refused_and_kept(cloned: Path) -> None:
    """Before LMDB maps it; the error has its path."""
    data = cloned / "data.mdb"
    damaged = bytearray(data.read_bytes())
    last = len(damaged) // 4096 - 1
    for page in range(2, last):
        damaged[page * 4096 + 8 : page * 4096 + 16] = b"\xff" * 8
    data.write_bytes(damaged)
    for _ in range(2):
        with pytest.raises(StoreError, match="not made by you") as caught:
            LmdbStore.open(cloned)
        assert caught.value.reason == "corrupt"
        assert str(cloned) in caught.value.message
        assert caught.value.hint
        assert data.read_bytes() == damaged
    assert not list(cloned.glob(".foreign-*"))


def test_no_damage_crashes_the_process(cloned: Path) -> None:
    """With any wrong bytes it is opened or refused."""
    data = cloned / "data.mdb"
    good = data.read_bytes()
    dice = random.Random(5)  # noqa: S311 -- the same damage each time
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(good)
        for _ in range(8):
            damaged[dice.randrange(len(good))] = dice.randrange(256)
        data.unlink()
        data.write_bytes(damaged)
        try:
            store = LmdbStore.open(cloned)
            store.list_runs(RunQuery())
            store.close()
            outcomes.add("opened")
        except StoreError as error:
            outcomes.add(error.reason)
    assert outcomes >= {"opened", "corrupt"}


@pytest.mark.parametrize("size", [0, 100, 4096, 8192, 20000])
def test_a_truncated_store_is_refused(cloned: Path, size: int) -> None:
    """A truncated file is damaged."""
    data = cloned / "data.mdb"
    data.write_bytes(data.read_bytes()[:size])
    with pytest.raises(StoreError) as caught:
        LmdbStore.open(cloned)
    assert caught.value.reason == "corrupt"


@pytest.mark.parametrize("name", ["data.mdb", "lock.mdb"])
def test_a_link_is_not_followed(cloned: Path, tmp_path: Path, name: str) -> None:
    """LMDB would write into the target of a repository's link."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious" * 2000)
    (cloned / name).unlink()
    (cloned / name).symlink_to(precious)
    with pytest.raises(StoreError, match="not a plain file"):
        LmdbStore.open(cloned)
    assert precious.read_bytes() == b"precious" * 2000


def test_a_pipe_is_not_waited_for(cloned: Path) -> None:
    """No process would write into it."""
    (cloned / "data.mdb").unlink()
    os.mkfifo(cloned / "data.mdb")
    with pytest.raises(StoreError, match="not a plain file"):
        LmdbStore.open(cloned)


def test_a_replaced_file_is_verified(made_elsewhere: Path, tmp_path: Path) -> None:
    """Git replaces ignored files, perhaps with the same inode number."""
    folder = tmp_path / "store"
    LmdbStore.open(folder).close()
    assert provenance.is_own_store(folder)
    for _ in range(20):
        (folder / "data.mdb").unlink()
        shutil.copyfile(made_elsewhere / "data.mdb", folder / "data.mdb")
        assert not provenance.is_own_store(folder)
    store = LmdbStore.open(folder)
    assert store.get_run(FINISHED) is not None
    store.close()


def test_an_open_store_is_not_replaced(cloned: Path) -> None:
    """Another process still writes into the same file."""
    before = inode(cloned)
    with subprocess.Popen(
        [sys.executable, str(CHILD), "hold", str(cloned), "60"], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        provenance.adopt_store(cloned)
        other.kill()
    assert inode(cloned) == before
    provenance.adopt_store(cloned)
    assert inode(cloned) != before


def test_a_store_opens_if_its_provenance_cannot_be_saved(
    cloned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is then verified each time."""
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "file"))
    for _ in range(2):
        store = LmdbStore.open(cloned)
        assert store.get_run(FINISHED) is not None
        store.close()
    assert not provenance.is_own_store(cloned)


def test_hostile_values_are_typed_errors(cloned: Path) -> None:
    """The file can be valid and its values invalid."""
    with writing_raw(cloned) as txn:
        txn.put(keys.run(FINISHED), b'{"v":1,"steps":' + b"[" * 100_000)
    store = LmdbStore.open(cloned)
    with pytest.raises(StoreError) as caught:
        store.get_run(FINISHED)
    assert caught.value.reason == "corrupt"
    store.close()
