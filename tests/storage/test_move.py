"""`writeit store move`: a store is moved completely, or not at all."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from storage import samples
from storage.whole import FINISHED, whole_store
from writeit.app import create_ports
from writeit.domain.errors import Busy, InvalidParams, StoreError
from writeit.storage import move, provenance
from writeit.storage.snapshot import DATA_FILE
from writeit.storage.store import LmdbStore

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with runs in it."""
    return whole_store(tmp_path_factory.mktemp("made") / "store")


@pytest.fixture
def notes(made: Path, tmp_path: Path) -> Path:
    """A workspace with that store."""
    shutil.copytree(made, tmp_path / "notes" / ".writeit" / "store")
    (tmp_path / "notes" / ".writeit" / "views").mkdir()
    LmdbStore.open(tmp_path / "notes" / ".writeit" / "store").close()
    return tmp_path / "notes"


def in_another_process(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run code with `arguments`; return after its first line of output."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


HOLD = """
import sys
from pathlib import Path
from writeit.storage.store import LmdbStore
store = LmdbStore.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
store.close()
"""


def test_it_moves_to_where_the_configuration_says(
    notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its runs and its provenance; a second move has nothing to do."""
    source = notes / ".writeit" / "store"
    for location in ("user", str(notes.parent / "histories"), "workspace"):
        monkeypatch.setenv("WRITEIT_STORE_LOCATION", location)
        found, message = create_ports().locate_store(notes)
        assert found == source
        assert message is not None
        moved = create_ports().move_store(notes)
        assert moved.source == source
        assert not source.exists()
        assert create_ports().locate_store(notes) == (moved.target, None)
        assert provenance.is_own_store(moved.target)
        store, _ = create_ports().open_store(notes)
        assert store.get_run(FINISHED) is not None
        store.close()
        source = moved.target
        assert create_ports().move_store(notes).source is None
    assert source == notes / ".writeit" / "store"
    assert {p.name for p in source.iterdir()} <= {DATA_FILE, "lock.mdb"}
    assert (notes / ".writeit" / "views").is_dir()


def test_what_is_open_elsewhere_is_not_moved(notes: Path, tmp_path: Path) -> None:
    """Not while another process may write into it."""
    source, target = notes / ".writeit" / "store", tmp_path / "moved"
    holder = in_another_process(HOLD, source)
    with pytest.raises(Busy):
        move.relocate_store(source, target)
    assert not (target / DATA_FILE).exists()
    holder.communicate("")
    move.relocate_store(source, target)
    assert (target / DATA_FILE).exists()


def test_a_kill_at_any_step_loses_nothing(made: Path, tmp_path: Path) -> None:
    """The next move completes it."""
    report = subprocess.run(
        [
            sys.executable,
            TESTS / "storage" / "killed_move.py",
            made,
            tmp_path / "moves",
        ],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert int(report.stdout) > 20


def twins(notes: Path, target: Path) -> Path:
    """Leave a store as a move that was killed before it removed the old one."""
    source = notes / ".writeit" / "store"
    kept = notes / "kept"
    shutil.copytree(source, kept)
    move.relocate_store(source, target)
    shutil.copytree(kept, source, dirs_exist_ok=True)
    note = {
        "from": str(source),
        "sha256": move._data_file_digest(source),  # noqa: SLF001 -- what a killed move wrote
        "copy": provenance.file_identity(target),
    }
    (target / move.MOVE_NOTE_FILE).write_text(json.dumps(note))
    return source


def test_a_move_that_was_killed_is_finished(notes: Path, tmp_path: Path) -> None:
    """Also when the copy was written into since: it has all of the old one."""
    target = tmp_path / "moved"
    source = twins(notes, target)
    store = LmdbStore.open(target)
    assert store.get_run(FINISHED) is not None
    store.close()
    move.relocate_store(source, target)
    assert not source.exists()
    assert not (target / move.MOVE_NOTE_FILE).exists()


@pytest.mark.asyncio
async def test_an_old_store_that_was_written_into_is_kept(
    notes: Path, tmp_path: Path
) -> None:
    """After a killed move; and so are two stores that have nothing in common."""
    target = tmp_path / "moved"
    source = twins(notes, target)
    store = LmdbStore.open(source)
    await samples.put(store, samples.a_run(77))
    store.close()
    before = (source / DATA_FILE).read_bytes()
    for _ in range(2):
        with pytest.raises(InvalidParams, match="Both are kept"):
            move.relocate_store(source, target)
        (target / move.MOVE_NOTE_FILE).unlink(missing_ok=True)
    assert (source / DATA_FILE).read_bytes() == before


def test_a_damaged_store_stays(notes: Path, tmp_path: Path) -> None:
    """As it is, and nothing is left of the copy."""
    source, target = notes / ".writeit" / "store", tmp_path / "moved"
    with (source / DATA_FILE).open("r+b") as file:
        file.truncate(5000)
    with pytest.raises(StoreError, match="damaged"):
        move.relocate_store(source, target)
    assert (source / DATA_FILE).stat().st_size == 5000
    assert [*target.iterdir()] == []


def test_who_opens_a_store_that_is_moved_meanwhile_makes_no_other(
    notes: Path, tmp_path: Path
) -> None:
    """It was found, and is gone when it is opened."""
    source = notes / ".writeit" / "store"
    store = LmdbStore(source)
    exists = iter([True])
    move.relocate_store(source, tmp_path / "moved")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("writeit.storage.store.store_exists", lambda _: next(exists))
        with pytest.raises(StoreError, match="moved or removed"):
            store.open_existing()
    assert not (source / DATA_FILE).exists()
    store.close()


def test_where_nothing_can_be_written_nothing_is_moved(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is in the way of the folder."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WRITEIT_STORE_LOCATION", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="was not moved"):
        create_ports().move_store(notes)
    found, message = create_ports().locate_store(notes)
    assert found == notes / ".writeit" / "store"
    assert message is not None
    assert "stays in" in message
