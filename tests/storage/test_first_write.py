"""A store is created by the first write."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import samples
from storage.samples import a_run, an_id, at, put
from writeit.domain.errors import NotFound, StoreError
from writeit.domain.session import UserPreferences
from writeit.ports.store import DeletionCounts, Lease, RunQuery
from writeit.storage import location
from writeit.storage.location import store_exists
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.migrations import SCHEMA_VERSION
from writeit.storage.store import LmdbStore

CHILD = Path(__file__).parent / "child.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the store, which does not exist yet."""
    return tmp_path / ".writeit" / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[LmdbStore]:
    """A store that is not created yet."""
    made = LmdbStore(folder)
    yield made
    made.close()


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_reading_creates_no_store(store: LmdbStore, tmp_path: Path) -> None:
    """Nor do changes of existing entities, nor closing."""
    assert store.changed_runs(None) == ([], b"")
    assert (store.get_run(an_id(1)), store.summary(an_id(1))) == (None, None)
    assert store.list_runs(RunQuery()).runs == []
    assert (store.events(an_id(1)), store.children(an_id(1))) == ([], [])
    assert (store.streaming_runs(), store.lease(an_id(1))) == ([], None)
    assert list(store.usage_records()) == []
    assert (store.configuration("x@y"), store.primer("x")) == (None, None)
    assert (store.session(an_id(1)), store.active_sessions()) == (None, [])
    assert store.preferences() is None
    lease = Lease(owner=an_id(1), pid=1, process_started=0.5, heartbeat=at(1))
    await store.renew_leases({an_id(1): lease})
    await store.end_session(an_id(1))
    for descendants in (False, True):
        with pytest.raises(NotFound):
            await store.delete_run(an_id(1), descendants=descendants)
    with pytest.raises(NotFound):
        store.list_runs(RunQuery(older_than=an_id(1)))
    store.close()
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("what", ["run", "session", "preferences"])
async def test_the_first_write_creates_the_store(
    store: LmdbStore, folder: Path, what: str
) -> None:
    """It is complete, and ignored by git."""
    if what == "run":
        await put(store, a_run())
    elif what == "session":
        await store.save_session(samples.session())
    else:
        await store.save_preferences(UserPreferences(theme="dark"))
    assert store_exists(folder)
    assert (folder.parent / ".gitignore").read_text() == "*\n"
    assert names_in(folder) == ["data.mdb", "lock.mdb"]


async def test_a_store_created_by_another_process_is_used(
    store: LmdbStore, folder: Path
) -> None:
    """The next read sees it, and later writes go to it."""
    assert store.list_runs(RunQuery()).runs == []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, CHILD, "grow", folder, "1"), stdout=subprocess.DEVNULL
    )
    assert await process.wait() == 0
    assert store.changed_runs(b"")[0]
    theirs = store.list_runs(RunQuery()).runs
    assert theirs
    await put(store, a_run(1))
    assert len(store.list_runs(RunQuery()).runs) == len(theirs) + 1


async def test_two_stores_of_one_process_share_the_environment(
    store: LmdbStore, folder: Path
) -> None:
    """LMDB must not open an environment twice in a process."""
    other = LmdbStore(folder)
    assert other.get_run(an_id(1)) is None
    await put(store, a_run(1))
    assert other.get_run(an_id(1)) is not None
    await put(other, a_run(2))
    assert store.get_run(an_id(2)) is not None
    other.close()
    await put(store, a_run(3))


async def test_each_write_fails_while_the_store_cannot_be_created(
    tmp_path: Path,
) -> None:
    """Reads work; once the store can be created, a write creates it."""
    (tmp_path / "in the way").write_text("a file")
    store = LmdbStore(tmp_path / "in the way" / "store")
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            await put(store, a_run())
        assert caught.value.reason == "read_only"
        assert str(store.folder) in caught.value.message
        assert store.list_runs(RunQuery()).runs == []
    (tmp_path / "in the way").unlink()
    await put(store, a_run())
    store.close()


@pytest.mark.parametrize("damage", [b"", b"not a store " * 1024])
async def test_a_damaged_store_of_another_process_is_an_error(
    store: LmdbStore, folder: Path, damage: bytes
) -> None:
    """Reads and writes fail and change nothing; a repaired store is read."""
    assert store.get_run(an_id(1)) is None
    theirs = LmdbStore.open(folder)
    await put(theirs, a_run(1))
    theirs.close()
    data = folder / "data.mdb"
    sound = data.read_bytes()
    data.write_bytes(damage)
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            store.get_run(an_id(1))
        assert caught.value.reason == "corrupt"
        with pytest.raises(StoreError):
            await put(store, a_run(2))
    assert data.read_bytes() == damage
    data.write_bytes(sound)
    assert store.get_run(an_id(1)) is not None


async def test_a_link_is_not_an_empty_folder(
    store: LmdbStore, folder: Path, tmp_path: Path
) -> None:
    """LMDB would create the link's target."""
    location.create_store_folder(folder)
    (folder / "data.mdb").symlink_to(tmp_path / "made")
    with pytest.raises(StoreError, match="not a plain file"):
        store.list_runs(RunQuery())
    with pytest.raises(StoreError, match="not a plain file"):
        await put(store, a_run())
    assert not (tmp_path / "made").exists()


async def test_a_closed_store_creates_nothing(store: LmdbStore, folder: Path) -> None:
    """Later calls change nothing."""
    store.close()
    with pytest.raises(StoreError, match="closed"):
        await put(store, a_run())
    with pytest.raises(StoreError, match="closed"):
        store.append_journal(an_id(1), an_id(11), "late")
    assert not store_exists(folder)


async def test_maintenance_without_a_store_creates_nothing(
    store: LmdbStore, folder: Path, tmp_path: Path
) -> None:
    """Only a backup is refused, because an empty one would be misleading."""
    care = LmdbMaintenance(store)
    status = await care.status()
    assert (status.path, status.schema) == (folder, SCHEMA_VERSION)
    assert (status.runs, status.file_bytes) == (0, 0)
    assert (await care.verify()).problems == []
    assert await care.compact() == status
    for dry_run in (True, False):
        assert await care.prune(at(9), dry_run=dry_run) == DeletionCounts(
            runs=0, responses=0
        )
    with pytest.raises(NotFound, match="nothing to back up"):
        await care.backup(tmp_path / "copy")
    assert names_in(tmp_path) == []


async def test_maintenance_works_once_the_store_is_created(
    store: LmdbStore, tmp_path: Path
) -> None:
    """The same as for any other store."""
    await put(store, a_run())
    care = LmdbMaintenance(store)
    assert (await care.status()).runs == 1
    assert (await care.verify()).checked > 0
    assert (await care.backup(tmp_path / "copy")).is_dir()
