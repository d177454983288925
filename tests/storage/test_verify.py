"""`verify` finds every flipped bit that matters, and every inconsistency."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import lmdb
import pytest

from storage.samples import a_run, an_id, put
from storage.whole import CHILD, DELETED, FINISHED, GRANDCHILD, STREAMING, whole_store
from support.store_failures import writing_raw
from writeit.storage import integrity, keys, migrations, verify
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.store import LmdbStore
from writeit.storage.verify import check_store

FLIPS = 400


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store with every kind of key, without free pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRITEIT_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        made = whole_store(tmp_path_factory.mktemp("whole") / "store")
    target = tmp_path_factory.mktemp("compact")
    with lmdb.Environment(str(made)) as environment:
        environment.copy(str(target), compact=True)
    return target


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(whole, tmp_path / "store")


def contents(folder: Path) -> list[tuple[bytes, bytes, bytes | None]]:
    """Keys and values as a walk and as a look-up find them."""
    with (
        lmdb.Environment(str(folder), readonly=True, lock=False) as environment,
        environment.begin() as txn,
    ):
        return [(key, value, txn.get(key)) for key, value in list(txn.cursor())]


def problems_by_key(folder: Path) -> dict[str, str]:
    """The problems, by key."""
    return {problem.key: problem.message for problem in check_store(folder).problems}


# Bits


def test_an_undamaged_store_has_no_problems(whole: Path) -> None:
    """It has every kind of key, and all were checked."""
    verified = check_store(whole)
    assert verified.problems == []
    assert verified.checked == len(contents(whole))
    kinds = {key.partition(b":")[0].decode() for key, _, _ in contents(whole)}
    assert kinds >= {"journal", "tombstone", "lease", "streaming", "usage", "primer"}


def test_every_flipped_bit_is_found_or_harmless(whole: Path, folder: Path) -> None:
    """A flipped bit that is not found changes no data of the store."""
    data = (whole / "data.mdb").read_bytes()
    good = contents(whole)
    dice = random.Random(11)  # noqa: S311 -- the same bits each time
    counts = {"found": 0, "harmless": 0}
    for _ in range(FLIPS):
        place, bit = dice.randrange(len(data)), 1 << dice.randrange(8)
        damaged = bytearray(data)
        damaged[place] ^= bit
        (folder / "data.mdb").write_bytes(damaged)
        if check_store(folder).problems:
            counts["found"] += 1
            continue
        assert contents(folder) == good, f"bit {bit} of byte {place}"
        counts["harmless"] += 1
    assert min(counts.values()) > FLIPS // 10


def test_a_flipped_bit_in_a_value_is_found_with_its_key(
    whole: Path, folder: Path
) -> None:
    """Also if the value stays readable."""
    for kind in sorted({key.partition(b":")[0] for key, _, _ in contents(whole)}):
        shutil.copytree(whole, folder, dirs_exist_ok=True)
        key, value = next(
            (key, value)
            for key, value, _ in contents(folder)
            if key.startswith(kind + b":")
        )
        place = len(value) // 2
        damaged = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        with writing_raw(folder) as txn:
            txn.put(key, damaged)
        assert key.decode() in problems_by_key(folder), kind


def test_a_value_under_another_key_is_found(whole: Path, folder: Path) -> None:
    """The checksum covers the key too."""
    for kind in keys.RECORD_PREFIXES:
        shutil.copytree(whole, folder, dirs_exist_ok=True)
        key, value = next((k, v) for k, v, _ in contents(folder) if k.startswith(kind))
        other = key[:-1] + (b"0" if key[-1:] != b"0" else b"1")
        with writing_raw(folder) as txn:
            txn.put(other, value)
        assert other.decode() in problems_by_key(folder)


# Consistency


def put_record(txn: lmdb.Transaction[bytes], key: bytes, value: bytes) -> None:
    """Write another record with a valid checksum."""
    txn.put(key, integrity.add_checksum(key, value))


def replaced(txn: lmdb.Transaction[bytes], key: bytes, old: bytes, new: bytes) -> None:
    """Change a record, with a valid checksum."""
    value = integrity.strip_checksum(txn.get(key) or b"")
    assert old in value
    put_record(txn, key, value.replace(old, new))


NOBODY = an_id(77)
MISSING = [
    (keys.step(FINISHED, "draft"), f"step:{FINISHED}:draft", "missing"),
    (keys.response(an_id(100)), f"run:{FINISHED}", "response:"),
    (keys.event(FINISHED, 3), f"run:{FINISHED}", "29 events"),
    (keys.event(CHILD, 1), f"run:{CHILD}", "0 events"),
    (keys.streaming(STREAMING), f"streaming:{STREAMING}", "missing"),
    (keys.branch_parent(CHILD), f"branch_parent:{CHILD}", "missing"),
    (keys.tombstone(DELETED), f"run:{GRANDCHILD}", "branched off"),
    (
        keys.branch_child(FINISHED, CHILD),
        f"branch_children:{FINISHED}:{CHILD}",
        "missing",
    ),
    (keys.SCHEMA, "meta:schema", "missing"),
    (
        keys.step_response(FINISHED, "outline", 0, an_id(102)),
        f"step_responses:{FINISHED}:outline:0000:{an_id(102)}",
        "missing",
    ),
]


@pytest.mark.parametrize(
    ("key", "reported", "message"), MISSING, ids=lambda x: str(x)[:40]
)
def test_a_missing_key_is_found(
    folder: Path, key: bytes, reported: str, message: str
) -> None:
    """With its own key, or the key of the entity that needs it."""
    with writing_raw(folder) as txn:
        txn.delete(key)
    assert message in problems_by_key(folder)[reported]


@pytest.mark.parametrize(
    "kind",
    [
        *(b"recent_runs", b"run_by_config", b"run_by_uri", b"completed_runs"),
        *(b"primer_usage", b"usage", b"config", b"primer", b"text", b"session"),
    ],
)
def test_every_reference_and_index_is_followed(folder: Path, kind: bytes) -> None:
    """A store without its first key of any kind has a problem."""
    key = next(k for k, _, _ in contents(folder) if k.startswith(kind + b":"))
    with writing_raw(folder) as txn:
        txn.delete(key)
    assert problems_by_key(folder)


@pytest.mark.parametrize(
    "key",
    [
        keys.lease(NOBODY),
        keys.streaming(NOBODY),
        keys.journal(NOBODY, an_id(1), 0),
        keys.journal(FINISHED, an_id(100), 0),
        keys.journal(STREAMING, an_id(200), 999),
        keys.step(NOBODY, "draft"),
        keys.step(FINISHED, "fifth"),
        keys.event(NOBODY, 1),
        keys.step_response(NOBODY, "draft", 0, an_id(100)),
        keys.step_response(FINISHED, "draft", 7, an_id(100)),
        keys.response(NOBODY),
        keys.branch_parent(NOBODY),
        keys.branch_child(FINISHED, NOBODY),
        keys.recent_runs("local") + b":2026-03-01T09:30:01.000000Z:" + b"x" * 36,
        keys.active_session("local", NOBODY),
        keys.tombstone(NOBODY),
        keys.tombstone(FINISHED),
        b"nonsense:1",
        b"\xff\xfe",
        b"run",
        b"run:" + b"x" * 36,
        b"event:1",
    ],
)
def test_orphans_and_unknown_keys_are_found(folder: Path, key: bytes) -> None:
    """Each with its key."""
    other = key.partition(b":")[0] + b":"
    value = next((v for k, v, _ in contents(folder) if k.startswith(other)), b"?")
    if key.startswith(keys.RECORD_PREFIXES):
        value = integrity.add_checksum(key, integrity.strip_checksum(value))
    elif key.startswith(keys.JOURNAL):
        value = integrity.add_text_checksum(key, b"text")
    with writing_raw(folder) as txn:
        txn.put(key, value)
    assert key.decode(errors="replace") in problems_by_key(folder)


def test_an_entity_that_differs_from_its_events_is_found(folder: Path) -> None:
    """With the names of the fields that differ."""
    key = keys.step(FINISHED, "draft")
    with writing_raw(folder) as txn:
        replaced(txn, key, b'"user_selection":0', b'"user_selection":1')
    message = problems_by_key(folder)[key.decode()]
    assert message == "It differs from the run's events in: user_selection."


def test_other_bytes_of_the_same_record_are_no_problem(folder: Path) -> None:
    """An older WriteIt may have written a record in another form."""
    key = keys.step(FINISHED, "draft")
    before = {k: v for k, v, _ in contents(folder)}[key]
    with writing_raw(folder) as txn:
        record = json.loads(integrity.strip_checksum(txn.get(key) or b""))
        put_record(txn, key, json.dumps(record, sort_keys=True).encode())
    assert {k: v for k, v, _ in contents(folder)}[key] != before
    assert problems_by_key(folder) == {}


def test_usage_that_differs_from_the_answer_is_found(folder: Path) -> None:
    """Usage is stored twice, and must be the same."""
    key = next(k for k, _, _ in contents(folder) if k.startswith(keys.USAGE))
    with writing_raw(folder) as txn:
        replaced(txn, key, b"0.25", b"0.75")
    assert list(problems_by_key(folder)) == [key.decode()]


def test_another_schema_is_found(folder: Path) -> None:
    """Its migration is not complete."""
    with writing_raw(folder) as txn:
        txn.put(keys.SCHEMA, migrations.schema_value(1))
    assert "meta:schema" in problems_by_key(folder)


@pytest.mark.parametrize("size", [0, 1, 200, 4096, 9000, 60_000])
def test_a_truncated_file_is_a_problem(folder: Path, size: int) -> None:
    """No error is raised."""
    data = folder / "data.mdb"
    data.write_bytes(data.read_bytes()[:size])
    assert list(problems_by_key(folder)) == ["data.mdb"]


# While it is in use


async def test_an_open_store_is_verified_as_it_is_now(lmdb_store: LmdbStore) -> None:
    """In another process, on a copy that is deleted afterwards."""
    await put(lmdb_store, a_run(1))
    care = LmdbMaintenance(lmdb_store)
    keys = {problem.key for problem in (await care.verify()).problems}
    assert f"run:{an_id(1)}" in keys  # its configuration was never stored
    folder = (await care.status()).path
    assert sorted(path.name for path in folder.iterdir()) == ["data.mdb", "lock.mdb"]


async def test_damage_under_an_open_store_is_reported(folder: Path) -> None:
    """It is not raised, and the store stays open."""
    store = LmdbStore.open(folder)
    data = folder / "data.mdb"
    text = b"Answer 100. Answer 100."
    place = data.read_bytes().index(text)
    with data.open("r+b") as file:
        file.seek(place)
        file.write(b"a")
    care = LmdbMaintenance(store)
    problems = (await care.verify()).problems
    assert [problem.key.partition(":")[0] for problem in problems] == ["text"]
    assert "damaged" in problems[0].message
    store.close()


async def test_a_check_that_crashes_is_a_problem(
    lmdb_store: LmdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damage may crash it, but not the server."""
    monkeypatch.setattr(verify, "_VERIFY_COMMAND", ("/bin/sh", "-c", "kill -SEGV $$"))
    problems = (await LmdbMaintenance(lmdb_store).verify()).problems
    assert [problem.key for problem in problems] == ["data.mdb"]
    assert "failed" in problems[0].message
