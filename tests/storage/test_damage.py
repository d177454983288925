"""Damaged files, records of newer versions, and migrations of older stores."""

import asyncio
import os
import random
import shutil
from pathlib import Path

import lmdb
import pytest
from lmdb import verify as offline

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, go_on, put, receive, select
from storage.whole import filled
from support.store_failures import refusal_of, writing_raw
from writeit.domain import events as e
from writeit.domain.errors import StoreError
from writeit.ports.store import RunQuery
from writeit.storage import keys, migrations
from writeit.storage.integrity import add_checksum, strip_checksum
from writeit.storage.snapshot import Batch
from writeit.storage.store import LmdbStore

# Damage


@pytest.mark.parametrize("part", ["nothing", "a byte", "a meta page", "half", "most"])
def test_a_truncated_file_is_caught(folder: Path, part: str) -> None:
    """When it is opened; it is not changed."""
    data = filled(folder)
    size = data.stat().st_size
    left = {"nothing": 0, "a byte": 1, "a meta page": 4096, "half": size // 2}
    os.truncate(data, left.get(part, size * 9 // 10))
    before = data.read_bytes()
    assert refusal_of(folder).reason == "corrupt"
    assert data.read_bytes() == before


@pytest.mark.parametrize("junk", [b"\0", b"\xff", b"not a store "])
def test_bad_meta_pages_are_caught(folder: Path, junk: bytes) -> None:
    """When it is opened; nothing is overwritten."""
    data = filled(folder)
    content = data.read_bytes()
    spoilt = (junk * 8192)[:8192] + content[8192:]
    data.write_bytes(spoilt)
    assert refusal_of(folder).reason == "corrupt"
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
    with writing_raw(folder) as txn:
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
    with writing_raw(folder) as txn:
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
    with writing_raw(folder) as txn:
        txn.put(keys.SCHEMA, value) if value else txn.delete(keys.SCHEMA)


def test_a_store_with_a_newer_schema_is_refusal_of(folder: Path) -> None:
    """It is not changed."""
    write_schema(folder, migrations.schema_value(migrations.SCHEMA_VERSION + 1))
    before = (folder / "data.mdb").read_bytes()
    assert refusal_of(folder).reason == "too_new"
    assert (folder / "data.mdb").read_bytes() == before


@pytest.mark.parametrize("value", [None, b"nonsense", b"{}", b'{"schema": 0}', b"[1]"])
def test_a_store_without_a_schema_is_refusal_of(
    folder: Path, value: bytes | None
) -> None:
    """It is other data, or damaged."""
    write_schema(folder, value)
    assert refusal_of(folder).reason == "corrupt"


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
    with writing_raw(folder) as txn:
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
    with writing_raw(folder) as txn:
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
