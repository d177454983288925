"""Kills, full disks, other processes, damage and newer versions."""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb
import pytest
from lmdb import verify as offline

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, go_on, put, receive, select
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import StoreError
from writeit.ports.store import RunQuery
from writeit.storage import keys, migrations, writer
from writeit.storage.integrity import add_checksum, strip_checksum
from writeit.storage.snapshot import Batch
from writeit.storage.store import LmdbStore

CHILD = Path(__file__).parent / "child.py"


def child(*arguments: object) -> subprocess.Popen[str]:
    """Start another process on a store."""
    return subprocess.Popen(
        [sys.executable, str(CHILD), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )


def reports(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Return the reports of a process until it ends."""
    output, _ = process.communicate(timeout=60)
    return [json.loads(line) for line in output.splitlines() if line.endswith("}")]


def last_reports(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Return the remaining whole lines that a killed process reported."""
    assert process.stdout is not None
    with process, process.stdout as output:
        return [json.loads(line) for line in output if line.endswith("}\n")]


def first_report(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the next report of a running process."""
    assert process.stdout is not None
    report: dict[str, Any] = json.loads(process.stdout.readline())
    return report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the store."""
    return tmp_path / "store"


def filled(folder: Path) -> Path:
    """A closed store with a run in it; returns its data file."""

    async def fill() -> None:
        store = LmdbStore.open(folder)
        for number in range(1, 20):
            text = f"{number}" * 5000
            await put(store, a_run(number, user_inputs={"text": text}))
        store.close()

    asyncio.run(fill())
    return folder / "data.mdb"


def refused(folder: Path) -> StoreError:
    """Return the error of opening the store."""
    with pytest.raises(StoreError) as caught:
        LmdbStore.open(folder)
    assert str(folder) in caught.value.message
    assert caught.value.hint
    return caught.value


# Killed


@pytest.mark.parametrize("patience", [0.1, 0.3, 0.6])
def test_a_kill_loses_no_acknowledged_decision(folder: Path, patience: float) -> None:
    """Nor any text that streamed before one, which is written with the next."""
    process = child("commit", folder)
    all_reports = [first_report(process)]
    while sum("run" in report for report in all_reports) < 20:
        all_reports.append(first_report(process))
    time.sleep(random.uniform(0, patience))  # noqa: S311 -- not a secret
    process.kill()
    all_reports += last_reports(process)
    runs = [report["run"] for report in all_reports if "run" in report]
    assert offline.verify(str(folder)) == []  # type: ignore[no-untyped-call]
    store = LmdbStore.open(folder)
    for number in (1, *runs):
        stored = store.get_run(an_id(number))
        assert stored is not None
        assert state_machine.replay(store.events(an_id(number))).steps.keys() == set(
            samples.STEPS
        )
    stored = store.get_run(an_id(1))
    assert stored is not None
    text = stored.run.steps["angles"].streaming[0].text
    # A word comes before each run, and one or two may have come behind the last.
    assert [int(word) for word in text.split()] == [*range(2, 2 + len(text.split()))]
    assert max(runs) <= int(text.split()[-1]) <= max(runs) + 2
    assert store.streaming_runs() == [an_id(1)]
    store.close()


# Other processes


async def test_two_processes_lose_no_update(folder: Path) -> None:
    """Each decision on a shared run is kept, once."""
    store = LmdbStore.open(folder)
    await put(store, a_run(1))
    await ask(store, an_id(1), 11)
    await receive(store, an_id(1), answer(11))
    processes = [child("say", folder, name, 60) for name in ("one", "two")]
    results = [report for process in processes for report in reports(process)]
    assert len(results) == 2
    events = store.events(an_id(1))
    comments = [event.text for event in events if isinstance(event, e.FeedbackGiven)]
    assert sorted(comments) == sorted(
        f"{n} {i}" for n in ("one", "two") for i in range(60)
    )
    stored = store.get_run(an_id(1))
    assert stored is not None
    assert (state_machine.replay(events), len(events)) == (stored.run, stored.seq)
    store.close()


async def test_growth_by_another_process_is_followed(folder: Path) -> None:
    """A read works, and a write after it."""
    store = LmdbStore.open(folder, map_size=1 << 20)
    await put(store, a_run(1))
    (report,) = await asyncio.to_thread(lambda: reports(child("grow", folder, 10)))
    assert report["growths"] > 0
    assert store.get_run(an_id(1009)) is not None
    assert store.counters.map_growths == 0
    await put(store, a_run(2))
    store.close()


async def test_writing_follows_growth_too(folder: Path) -> None:
    """Also without a read before it."""
    store = LmdbStore.open(folder, map_size=1 << 20)
    await put(store, a_run(1))
    await asyncio.to_thread(lambda: reports(child("grow", folder, 10)))
    assert await store.commit(samples.started(a_run(2))) == 1
    assert len(store.list_runs(RunQuery()).runs) == 12
    store.close()


async def test_a_blocked_write_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision is not written, reads work, and it can be made again later."""
    monkeypatch.setattr(writer, "WRITE_TIMEOUT", 0.3)
    store = LmdbStore.open(folder)
    await put(store, a_run(1))
    process = child("hold", folder, 600)
    first_report(process)
    with pytest.raises(StoreError) as caught:
        await put(store, a_run(2))
    assert caught.value.reason == "locked"
    assert store.get_run(an_id(1)) is not None
    process.kill()
    process.communicate()
    monkeypatch.setattr(writer, "WRITE_TIMEOUT", 60)
    await put(store, a_run(3))
    assert [run.run_id for run in store.list_runs(RunQuery()).runs] == [
        an_id(3),
        an_id(1),
    ]
    store.close()


async def test_closing_has_a_time_limit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text that could not be written is logged."""
    monkeypatch.setattr(writer, "WRITE_TIMEOUT", 0.3)
    store = LmdbStore.open(folder)
    await put(store, a_run(1))
    process = child("hold", folder, 600)
    first_report(process)
    store.append_journal(an_id(1), an_id(11), "lost for words")
    with pytest.raises(StoreError) as caught:
        store.close()
    assert caught.value.reason == "locked"
    process.kill()
    process.communicate()


# Full disks and missing permissions


def test_a_full_disk_is_an_error_and_loses_nothing(folder: Path) -> None:
    """Streamed text stays visible, and writes work once there is space."""
    limited, roomy = reports(child("full", folder))
    assert limited == {"reasons": ["full"] * 3, "shown": 1_000_000, "second": False}
    assert roomy == {"reasons": ["stored"]}
    assert offline.verify(str(folder)) == []  # type: ignore[no-untyped-call]
    store = LmdbStore.open(folder)
    stored = store.get_run(an_id(1))
    assert stored is not None
    assert len(stored.run.steps["angles"].streaming[0].text) == 1_000_000
    assert [r.run_id for r in store.list_runs(RunQuery()).runs] == [an_id(2), an_id(1)]
    store.close()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that all users can read and only its owner can write."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("existing", [False, True])
def test_a_read_only_folder_is_an_error(public_folder: Path, existing: bool) -> None:
    """With or without a store; tested as a user without permission to write."""
    folder = public_folder / "store"
    if existing:
        filled(folder)
        folder.chmod(0o555)
        for file in folder.iterdir():
            file.chmod(0o444)
    else:
        public_folder.chmod(0o555)
    (report,) = reports(child("deny", folder))
    assert report["reason"] == "read_only"
    assert str(folder) in report["message"]
    assert report["hint"]


def test_an_impossible_folder_is_an_error(tmp_path: Path) -> None:
    """A file cannot have a subfolder."""
    (tmp_path / "file").write_text("in the way")
    assert refused(tmp_path / "file" / "store").reason == "read_only"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# Damage


@pytest.mark.parametrize("part", ["nothing", "a byte", "a meta page", "half", "most"])
def test_a_truncated_file_is_caught(folder: Path, part: str) -> None:
    """When it is opened; it is not changed."""
    data = filled(folder)
    size = data.stat().st_size
    left = {"nothing": 0, "a byte": 1, "a meta page": 4096, "half": size // 2}
    os.truncate(data, left.get(part, size * 9 // 10))
    before = data.read_bytes()
    assert refused(folder).reason == "corrupt"
    assert data.read_bytes() == before


@pytest.mark.parametrize("junk", [b"\0", b"\xff", b"not a store "])
def test_bad_meta_pages_are_caught(folder: Path, junk: bytes) -> None:
    """When it is opened; nothing is overwritten."""
    data = filled(folder)
    content = data.read_bytes()
    spoilt = (junk * 8192)[:8192] + content[8192:]
    data.write_bytes(spoilt)
    assert refused(folder).reason == "corrupt"
    assert data.read_bytes() == spoilt


def test_a_short_complete_file_is_opened(folder: Path) -> None:
    """A kill may come before the file is extended with unused pages."""
    short = None
    for seed in range(60):
        _scribble(folder, seed)
        size = (folder / "data.mdb").stat().st_size
        with lmdb.Environment(str(folder)) as environment:
            needed = (environment.info()["last_pgno"] + 1) * 4096
        if size < needed:
            short = size
            break
        shutil.rmtree(folder)
    assert short is not None, "LMDB fills its files up now: simplify the environment"
    store = LmdbStore.open(folder)
    asyncio.run(put(store, a_run(1)))
    store.close()
    assert offline.verify(str(folder)) == []  # type: ignore[no-untyped-call]


def _scribble(folder: Path, seed: int) -> None:
    """Write and delete at random, as LMDB alone does it."""
    chance = random.Random(seed)  # noqa: S311 -- not a secret
    LmdbStore.open(folder).close()
    with lmdb.Environment(str(folder), map_size=1 << 26) as environment:
        for _ in range(3):
            with environment.begin(write=True) as txn:
                for number in chance.sample(range(300), 150):
                    txn.put(b"x%d" % number, b"x" * (10, 1900, 9000)[number % 3])
                for number in chance.sample(range(300), 150):
                    txn.delete(b"x%d" % number)


async def test_the_file_has_the_length_of_its_pages(folder: Path) -> None:
    """So a shorter file is known to be damaged."""
    store = LmdbStore.open(folder)
    for number in range(1, 40):
        run = await put(store, a_run(number, user_inputs={"text": "x" * number * 300}))
        await ask(store, run.pipeline_run_id, number + 1000, number + 2000)
        store.append_journal(
            run.pipeline_run_id, an_id(number + 1000), "y" * number * 500
        )
        await receive(store, run.pipeline_run_id, answer(number + 1000))
        assert store.environment_and_writer is not None
        assert store.environment_and_writer[0].missing_bytes() == 0
    store.close()


async def test_a_damaged_value_is_an_error(folder: Path) -> None:
    """With its key."""
    store = LmdbStore.open(folder)
    await put(store, a_run(1))
    store.close()
    with (
        lmdb.Environment(str(folder)) as environment,
        environment.begin(write=True) as txn,
    ):
        txn.put(keys.run(an_id(1)), b'{"v":1,"nonsense":true}')
    store = LmdbStore.open(folder)
    with pytest.raises(StoreError, match=f"run:{an_id(1)}") as caught:
        store.get_run(an_id(1))
    assert caught.value.reason == "corrupt"
    with pytest.raises(StoreError):
        await store.commit(samples.started(a_run(1)))
    await put(store, a_run(2))
    store.close()


async def test_a_missing_text_is_an_error(folder: Path) -> None:
    """It is not shown as an empty text."""
    store = LmdbStore.open(folder)
    await put(store, a_run(1))
    store.close()
    with (
        lmdb.Environment(str(folder)) as environment,
        environment.begin(write=True) as txn,
    ):
        for key in [key for key, _ in txn.cursor() if key.startswith(b"text:")]:
            txn.delete(key)
    store = LmdbStore.open(folder)
    with pytest.raises(StoreError, match="is missing"):
        store.get_run(an_id(1))
    store.close()


# Versions


def write_schema(folder: Path, value: bytes | None) -> None:
    """Set another schema of the store, or none."""
    LmdbStore.open(folder).close()
    with (
        lmdb.Environment(str(folder)) as environment,
        environment.begin(write=True) as txn,
    ):
        txn.put(keys.SCHEMA, value) if value else txn.delete(keys.SCHEMA)


def test_a_store_with_a_newer_schema_is_refused(folder: Path) -> None:
    """It is not changed."""
    write_schema(folder, migrations.schema_value(migrations.SCHEMA_VERSION + 1))
    before = (folder / "data.mdb").read_bytes()
    assert refused(folder).reason == "too_new"
    assert (folder / "data.mdb").read_bytes() == before


@pytest.mark.parametrize("value", [None, b"nonsense", b"{}", b'{"schema": 0}', b"[1]"])
def test_a_store_without_a_schema_is_refused(folder: Path, value: bytes | None) -> None:
    """It is other data, or damaged."""
    write_schema(folder, value)
    assert refused(folder).reason == "corrupt"


@pytest.mark.parametrize(
    ("old", "new"),
    [('"v":1', '"v":99'), ('"v":1', '"v":1,"new":"key"'), ("INITIALIZING", "DREAMING")],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_a_newer_record_with_a_right_checksum_is_too_new(
    folder: Path, old: str, new: str, *, whole: bool
) -> None:
    """Its checksum is right; a record whose checksum is wrong is damaged."""
    store = LmdbStore.open(folder)
    await put(store, a_run(1))
    store.close()
    with (
        lmdb.Environment(str(folder)) as environment,
        environment.begin(write=True) as txn,
    ):
        key = keys.run(an_id(1))
        record = strip_checksum(txn.get(key) or b"")
        record = record.replace(old.encode(), new.encode(), 1)
        txn.put(key, add_checksum(key, record) if whole else record)
    store = LmdbStore.open(folder)
    with pytest.raises(StoreError) as caught:
        store.get_run(an_id(1))
    assert caught.value.reason == ("too_new" if whole else "corrupt")
    assert ("remove" in caught.value.hint) is not whole
    store.close()


async def test_runs_of_an_older_store_are_listed_with_what_they_were_applied_to(
    folder: Path,
) -> None:
    """The migration to schema 3 adds this to the list."""
    store = LmdbStore.open(folder)
    run_id = (await put(store, a_run(1))).pipeline_run_id
    await ask(store, run_id, 11)
    await receive(store, run_id, answer(11, "x"))
    await select(store, run_id)
    article = "file:///notes/bees.article.md"
    await go_on(
        store,
        run_id,
        e.TextApplied(
            at=at(9), step="angles", uri=article, mode="new_file", replaced="", text="x"
        ),
    )
    store.close()
    with (
        lmdb.Environment(str(folder)) as environment,
        environment.begin(write=True) as txn,
    ):
        prefix = keys.run_by_uri(article)
        listed = [bytes(k) for k, _ in txn.cursor() if bytes(k).startswith(prefix)]
        assert listed
        for key in listed:
            txn.delete(key)
    write_schema(folder, migrations.schema_value(2))
    store = LmdbStore.open(folder)
    assert [r.run_id for r in store.list_runs(RunQuery(uri=article)).runs] == [run_id]
    store.close()


def test_an_old_store_is_migrated_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, in one transaction."""
    write_schema(folder, migrations.schema_value(1))

    def first(batch: Batch) -> None:
        batch.put(b"meta:trail", (batch.get(b"meta:trail") or b"") + b"1")

    def second(batch: Batch) -> None:
        batch.put(b"meta:trail", (batch.get(b"meta:trail") or b"") + b"2")

    monkeypatch.setattr(migrations, "MIGRATIONS", (first, second))
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", 3)
    for _ in range(2):
        store = LmdbStore.open(folder)
        with store.snapshot() as snapshot:
            assert snapshot.get(b"meta:trail") == b"12"
            assert migrations.read_schema_version(snapshot) == 3
        store.close()


def test_a_migration_that_fails_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store keeps its schema."""
    write_schema(folder, migrations.schema_value(1))

    def failing(batch: Batch) -> None:
        batch.put(b"meta:trail", b"half")
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "MIGRATIONS", (failing,))
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", 2)
    with pytest.raises(ZeroDivisionError):
        LmdbStore.open(folder)
    monkeypatch.undo()
    store = LmdbStore.open(folder)
    with store.snapshot() as snapshot:
        assert snapshot.get(b"meta:trail") is None
    store.close()


@pytest.mark.skipif(not shutil.which("strace"), reason="it makes system calls fail")
def test_a_failed_sync_saves_nothing_and_says_so(folder: Path) -> None:
    """The decision is refused and is not there later."""
    store = LmdbStore.open(folder)
    store.close()
    failing = ["strace", "-f", "-qq", "-o", "/dev/null"]
    failing += ["-e", "inject=fdatasync,fsync,msync:error=EIO"]
    done = subprocess.run(
        [*failing, sys.executable, str(CHILD), "fail", str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    (report,) = map(json.loads, done.stdout.splitlines())
    assert report["reason"] == "full"
    assert "fails" in report["message"]
    assert report["message"].endswith("Nothing was saved.")
    reopened = LmdbStore.open(folder)
    assert reopened.list_runs(RunQuery()).runs == []
    reopened.close()
