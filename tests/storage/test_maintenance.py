"""Maintenance of an open store: status, compacting, backups, pruning."""

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import lmdb
import pytest

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, put, receive
from storage.whole import CHILD as BRANCHED
from storage.whole import FINISHED, begin, branch, fill, finish
from writeit.domain import events as e
from writeit.domain.errors import Busy, InvalidParams, NotFound, StoreError
from writeit.domain.events import Event
from writeit.domain.operations import generate
from writeit.domain.run import PipelineRun
from writeit.ports.store import DeletionCounts, Maintenance, RunQuery
from writeit.storage import integrity, keys, maintenance, migrations
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.snapshot import Snapshot
from writeit.storage.store import LmdbStore

CHILD = Path(__file__).parent / "child.py"


@pytest.fixture
def care(lmdb_store: LmdbStore) -> Maintenance:
    """The maintenance of the test's store."""
    return LmdbMaintenance(lmdb_store)


def dump(store: LmdbStore) -> dict[bytes, bytes]:
    """Return all keys and values on disk."""
    with store.snapshot() as snapshot:
        return dict(snapshot.scan(b""))


def data_file(tmp_path: Path) -> Path:
    """The data file of the test's store."""
    return tmp_path / ".writeit" / "store" / "data.mdb"


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Let another process have the store open meanwhile."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), "hold", str(folder), "60"], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        yield
        other.kill()


# Figures


async def test_figures_are_counts_of_keys(
    lmdb_store: LmdbStore, care: Maintenance, tmp_path: Path
) -> None:
    """Runs, responses, texts, events, and bytes of map, pages and file."""
    await fill(lmdb_store)
    status = await care.status()
    kinds = [key.partition(b":")[0] for key in dump(lmdb_store)]
    counted = (status.runs, status.responses, status.texts, status.events)
    assert counted == tuple(
        kinds.count(kind) for kind in (b"run", b"response", b"text", b"event")
    )
    assert status.path == data_file(tmp_path).parent
    assert status.schema == migrations.SCHEMA_VERSION
    assert status.file_bytes == data_file(tmp_path).stat().st_size
    assert 0 < status.used_bytes <= status.file_bytes <= status.map_bytes


async def test_reads_and_writes_go_on_during_a_long_read(lmdb_store: LmdbStore) -> None:
    """Its snapshot is of one moment; a map that has to grow waits for it."""
    await put(lmdb_store, a_run(1))
    assert lmdb_store.environment_and_writer is not None
    environment, _ = lmdb_store.environment_and_writer
    with environment.long_read_transaction() as snapshot:
        await put(lmdb_store, a_run(2))
        assert lmdb_store.get_run(an_id(2)) is not None
        assert list(snapshot.scan_keys(keys.RUNS)) == [keys.run(an_id(1))]


# Compacting


async def test_compacting_frees_disk_space(
    lmdb_store: LmdbStore, care: Maintenance, tmp_path: Path
) -> None:
    """Unused texts are deleted, and the file is as small as its data."""
    await begin(lmdb_store, an_id(1))
    await begin(lmdb_store, an_id(2))
    await finish(lmdb_store, an_id(1), 100)
    await finish(lmdb_store, an_id(2), 200)
    kept = lmdb_store.get_run(an_id(2))
    await lmdb_store.delete_run(an_id(1))
    before = await care.status()
    after = await care.compact()
    assert after.texts < before.texts
    assert after.file_bytes < before.file_bytes * 0.7
    assert after.file_bytes == data_file(tmp_path).stat().st_size
    assert lmdb_store.get_run(an_id(2)) == kept
    assert not (await care.verify()).problems
    assert integrity.find_file_damage(data_file(tmp_path).parent) == []


async def test_compacting_drops_texts_only(
    lmdb_store: LmdbStore, care: Maintenance
) -> None:
    """Configurations and primers without a run are kept: they are small."""
    await fill(lmdb_store)
    for summary in lmdb_store.list_runs(RunQuery()).runs:
        if summary.run_id not in lmdb_store.streaming_runs():
            await lmdb_store.delete_run(summary.run_id)
    before = dump(lmdb_store)
    await care.compact()
    after = dump(lmdb_store)
    gone = before.keys() - after.keys()
    assert gone
    assert all(key.startswith(keys.TEXTS) for key in gone)
    assert all(after[key] == before[key] for key in after)


async def test_the_store_is_usable_while_and_after_it_is_compacted(
    lmdb_store: LmdbStore, care: Maintenance, tmp_path: Path
) -> None:
    """Decisions and reads of this process find the new file; none is lost."""
    await begin(lmdb_store, FINISHED)
    compacting = asyncio.create_task(care.compact())
    number = 10
    while not compacting.done():
        await put(lmdb_store, a_run(number))
        assert lmdb_store.get_run(an_id(number)) is not None
        number += 1
    await compacting
    await put(lmdb_store, a_run(number))
    shared = LmdbStore.open(data_file(tmp_path).parent)
    for each in range(10, number + 1):
        assert shared.get_run(an_id(each)) is not None
    shared.close()
    lmdb_store.close()
    again = LmdbStore.open(data_file(tmp_path).parent)
    assert len(again.list_runs(RunQuery(limit=10_000)).runs) == number - 8
    again.close()


async def test_a_text_used_again_during_compacting_is_kept(
    lmdb_store: LmdbStore, care: Maintenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision may refer to a text that was unused a moment before."""
    text = "Words that come back. " * 40
    await put(lmdb_store, a_run(1, user_inputs={"text": text}))
    await lmdb_store.delete_run(an_id(1))
    loop = asyncio.get_running_loop()
    unused_of = maintenance._unused_text_keys  # noqa: SLF001 -- what happens behind its back
    late: list[PipelineRun] = []

    def slow(snapshot: Snapshot) -> list[bytes]:
        unused = unused_of(snapshot)
        if not late:
            run = a_run(2, user_inputs={"text": text})
            put_again = asyncio.run_coroutine_threadsafe(put(lmdb_store, run), loop)
            late.append(put_again.result(10))
        return unused

    monkeypatch.setattr(maintenance, "_unused_text_keys", slow)
    await care.compact()
    assert late
    stored = lmdb_store.get_run(an_id(2))
    assert stored is not None
    assert keys.text(hashlib.sha256(text.encode()).hexdigest()) in dump(lmdb_store)


async def test_no_commit_is_under_way_when_the_compact_copy_begins(
    lmdb_store: LmdbStore, care: Maintenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LMDB writes it into the file before readers see it: the copy would lack it."""
    await put(lmdb_store, a_run(1))
    loop = asyncio.get_running_loop()
    writing: list[Future[PipelineRun]] = []
    read_meta_pages = LmdbEnvironment.meta_pages

    def read(environment: LmdbEnvironment) -> bytes:
        if not writing:
            writing.append(
                asyncio.run_coroutine_threadsafe(put(lmdb_store, a_run(2)), loop)
            )
            with pytest.raises(TimeoutError):
                writing[0].result(0.3)
        return read_meta_pages(environment)

    monkeypatch.setattr(LmdbEnvironment, "meta_pages", read)
    await care.compact()
    await asyncio.wrap_future(writing[0])
    assert lmdb_store.get_run(an_id(2)) is not None


async def test_compacting_is_refused_while_another_process_has_it_open(
    lmdb_store: LmdbStore, care: Maintenance, tmp_path: Path
) -> None:
    """It would write into a file that no longer exists."""
    await put(lmdb_store, a_run(1))
    await lmdb_store.delete_run(an_id(1))
    folder = data_file(tmp_path).parent
    with held(folder):
        before = dump(lmdb_store)
        with pytest.raises(Busy, match="open"):
            await care.compact()
        assert dump(lmdb_store) == before
    await care.compact()
    await put(lmdb_store, a_run(2))
    assert names(folder) == ["data.mdb", "lock.mdb"]


async def test_compacting_with_a_full_disk_changes_nothing(
    lmdb_store: LmdbStore, care: Maintenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is deleted, and the store can be used."""
    await begin(lmdb_store, FINISHED)
    assert lmdb_store.environment_and_writer is not None
    environment, _ = lmdb_store.environment_and_writer

    def full(*_: object, **__: object) -> None:
        raise lmdb.DiskError("No space left on device")

    monkeypatch.setattr(type(environment), "copy_to", full)
    with pytest.raises(StoreError) as caught:
        await care.compact()
    assert caught.value.reason == "full"
    monkeypatch.undo()
    await put(lmdb_store, a_run(7))


# Backing up


async def test_a_backup_is_a_valid_store(
    lmdb_store: LmdbStore, care: Maintenance, tmp_path: Path
) -> None:
    """It is consistent although the store is written at the same time."""
    await fill(lmdb_store)
    before = dump(lmdb_store)
    target = tmp_path / "backups" / "monday"
    backing_up = asyncio.create_task(care.backup(target))
    number = 100
    while not backing_up.done():
        await put(lmdb_store, a_run(number))
        number += 1
    assert await backing_up == target
    assert names(target.parent) == ["monday"]
    copy = LmdbStore.open(target)
    assert dump(copy).items() >= before.items()
    assert len(copy.list_runs(RunQuery(limit=1000)).runs) <= number
    assert copy.get_run(BRANCHED) == lmdb_store.get_run(BRANCHED)
    copy.close()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
async def test_a_backup_overwrites_nothing(
    lmdb_store: LmdbStore, care: Maintenance, tmp_path: Path, kind: str
) -> None:
    """Not even an empty folder, or a link to nowhere."""
    target = tmp_path / "backup"
    if kind == "file":
        target.write_text("mine")
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to("nowhere")
    before = names(tmp_path)
    with pytest.raises(InvalidParams, match="already"):
        await care.backup(target)
    assert names(tmp_path) == before
    assert lmdb_store.list_runs(RunQuery()).runs == []


async def test_an_incomplete_backup_is_deleted(
    lmdb_store: LmdbStore,
    care: Maintenance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was written before the disk was full is deleted."""
    assert lmdb_store.environment_and_writer is not None
    environment, _ = lmdb_store.environment_and_writer
    (tmp_path / "backups").mkdir()

    def half(_: object, target: Path, **__: object) -> None:
        (target / "data.mdb").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(environment), "copy_to", half)
    with pytest.raises(StoreError) as caught:
        await care.backup(tmp_path / "backups" / "monday")
    assert caught.value.reason == "full"
    assert names(tmp_path / "backups") == []


async def test_a_backup_where_no_folder_can_be_is_refused(
    lmdb_store: LmdbStore, care: Maintenance, tmp_path: Path
) -> None:
    """With a typed error."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError):
        await care.backup(tmp_path / "file" / "backup")
    assert lmdb_store.list_runs(RunQuery()).runs == []


# Pruning


async def grow(store: LmdbStore) -> None:
    """Finished runs, young and old, one of them with branches, and an open one."""
    for number in (10, 20, 500):
        await begin(store, an_id(number))
        await finish(store, an_id(number), 1000 + 10 * number)
    await begin(store, an_id(30))
    await branch(store, an_id(10), an_id(40), "draft")


async def test_only_finished_and_old_runs_are_pruned(
    lmdb_store: LmdbStore, care: Maintenance
) -> None:
    """One with a child that stays leaves a tombstone, and what it shares."""
    await grow(lmdb_store)
    child = lmdb_store.get_run(an_id(40))
    gone = await care.prune(at(100), dry_run=False)
    assert gone == DeletionCounts(runs=2, responses=8 + 2)
    left = {run.run_id for run in lmdb_store.list_runs(RunQuery()).runs}
    assert left == {an_id(500), an_id(30), an_id(40)}
    tombstone = lmdb_store.summary(an_id(10))
    assert tombstone is not None
    assert tombstone.deleted
    assert lmdb_store.summary(an_id(20)) is None
    assert lmdb_store.get_run(an_id(40)) == child
    assert not (await care.verify()).problems


async def test_a_dry_run_counts_what_the_real_one_deletes(
    lmdb_store: LmdbStore, care: Maintenance
) -> None:
    """And changes nothing."""
    await grow(lmdb_store)
    for moment in (at(0), at(15), at(100), at(9999)):
        before = dump(lmdb_store)
        counted = await care.prune(moment)
        assert dump(lmdb_store) == before
        assert await care.prune(moment, dry_run=False) == counted
        assert await care.prune(moment) == DeletionCounts(runs=0, responses=0)


async def test_an_old_run_is_pruned_with_its_old_branches(
    lmdb_store: LmdbStore, care: Maintenance
) -> None:
    """No tombstone is left, and each shared answer counts once."""
    await begin(lmdb_store, an_id(10))
    await finish(lmdb_store, an_id(10), 1000)
    await branch(lmdb_store, an_id(10), an_id(11), "polish")
    await samples.select(lmdb_store, an_id(11))
    await branch(lmdb_store, an_id(11), an_id(12), "polish")
    await samples.select(lmdb_store, an_id(12))
    assert await care.prune(at(9999)) == DeletionCounts(runs=3, responses=8)
    assert await care.prune(at(9999), dry_run=False) == DeletionCounts(
        runs=3, responses=8
    )
    kinds = {key.partition(b":")[0] for key in dump(lmdb_store)}
    assert not kinds & {b"run", b"tombstone", b"response", b"branch_parent", b"event"}


async def test_a_run_being_regenerated_is_not_pruned(
    lmdb_store: LmdbStore, care: Maintenance
) -> None:
    """It is no longer finished."""
    await begin(lmdb_store, an_id(10))
    await finish(lmdb_store, an_id(10), 1000)
    await samples.go_on(lmdb_store, an_id(10), *regenerated(lmdb_store, an_id(10)))
    assert await care.prune(at(9999), dry_run=False) == DeletionCounts(
        runs=0, responses=0
    )
    assert lmdb_store.streaming_runs() == [an_id(10)]


def regenerated(store: LmdbStore, run_id: UUID) -> tuple[Event, ...]:
    """The events that regenerate the last step of a run."""
    stored = store.get_run(run_id)
    assert stored is not None
    again, moment = samples.call(2000), stored.run.updated_at
    return (
        e.StepRegenerated(at=moment, step="polish", calls=(again,)),
        generate.start_response("polish", again, "Again.", moment),
    )


async def test_pruning_counts_like_delete_run(
    lmdb_store: LmdbStore, care: Maintenance, tmp_path: Path
) -> None:
    """Both return the number of deleted runs and answers."""
    other = LmdbStore(tmp_path / "other")
    for store in (lmdb_store, other):
        for number in (1, 2):
            await put(store, a_run(number))
            for index, _ in enumerate(samples.STEPS):
                await ask(store, an_id(number), number * 100 + index)
                await receive(store, an_id(number), answer(number * 100 + index))
                await samples.select(store, an_id(number))
    gone = [await other.delete_run(an_id(number)) for number in (1, 2)]
    other.close()
    assert await care.prune(at(9999), dry_run=False) == DeletionCounts(
        runs=sum(each.runs for each in gone),
        responses=sum(each.responses for each in gone),
    )
    with pytest.raises(NotFound):
        await lmdb_store.delete_run(an_id(1))
