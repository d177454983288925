"""A store whose files another program replaced, overwrote or deleted while open."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from drills.replace import UNUSABLE, USABLE, Act, rename_over
from storage import samples
from storage.samples import a_run, an_id, ask
from writeit.app import render_kept_run
from writeit.domain import events as e
from writeit.domain.errors import StoreError
from writeit.domain.session import UserPreferences
from writeit.export.bundle_reader import read_export
from writeit.ports.store import RunQuery
from writeit.storage import known_runs, location, recent_log
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.store import LmdbStore
from writeit.storage.verify import check_store

CHILD = str(Path(__file__).with_name("child.py"))


def runs_of_a_killed_process(folder: Path) -> list[int]:
    """Return the numbers of runs that a process stored before it was killed."""
    with subprocess.Popen(
        [sys.executable, CHILD, "record", folder], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        acknowledged = [json.loads(child.stdout.readline())["run"] for _ in range(5)]
        child.kill()
    return acknowledged


async def say(store: LmdbStore, run_id: UUID, text: str) -> None:
    """Make a decision about a run."""
    stored = store.get_run(run_id)
    assert stored is not None
    words = e.FeedbackGiven(at=stored.run.updated_at, step="angles", text=text)
    await store.commit(samples.decision(stored.run, stored.seq, words))


def said(store: LmdbStore, run_id: UUID) -> list[str]:
    """Return the feedback of a run."""
    return [x.text for x in store.events(run_id) if isinstance(x, e.FeedbackGiven)]


async def start(store: LmdbStore, number: int) -> UUID:
    """Start a run that has an answer streaming."""
    run = a_run(number, primer=None)
    started = replace(samples.started(run), configuration=samples.configuration())
    await store.commit(started)
    await ask(store, run.pipeline_run_id, 100 + number)
    return run.pipeline_run_id


async def fail_answer(store: LmdbStore, number: int) -> None:
    """End the answer that a run has streaming."""
    stored = store.get_run(an_id(number))
    assert stored is not None
    failed = e.ResponseFailed(
        at=samples.at(50),
        step="angles",
        response_id=an_id(100 + number),
        model="openai/gpt-4o",
        reason="timeout",
        message="",
    )
    await store.commit(samples.decision(stored.run, stored.seq, failed))


def leave_log(store: LmdbStore) -> Path:
    """Close a store as a killed process does: its log stays."""
    (log,) = location.store_notes_folder().glob("*.log")
    left = Path(shutil.copy(log, log.with_name(log.name.replace("-", "-left-", 1))))
    store.close()
    return left


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the store."""
    return tmp_path / ".writeit" / "store"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The data file of an older copy."""
    return tmp_path / "copy" / "data.mdb"


@pytest_asyncio.fixture
async def store(folder: Path, copy: Path) -> AsyncIterator[LmdbStore]:
    """A store with two runs, of which the older copy has one."""
    opened = LmdbStore(folder, render=render_kept_run)
    await start(opened, 1)
    shutil.copytree(folder, copy.parent)
    await say(opened, an_id(1), "one")
    await start(opened, 2)
    yield opened
    opened.close()


@pytest.mark.parametrize("act", USABLE, ids=lambda act: act.__name__)
async def test_what_was_acknowledged_is_in_the_new_files(
    store: LmdbStore, folder: Path, copy: Path, act: Act
) -> None:
    """Before the next write is acknowledged; for any later process."""
    await store.save_preferences(UserPreferences(theme="dark"))
    act(folder, copy)
    await say(store, an_id(2), "two")
    other = LmdbStore.open(shutil.copytree(folder, copy.parents[1] / "seen"))
    assert (said(other, an_id(1)), said(other, an_id(2))) == (["one"], ["two"])
    assert other.preferences() == UserPreferences(theme="dark")
    other.close()
    assert check_store(copy.parents[1] / "seen").problems == []


@pytest.mark.parametrize("act", USABLE, ids=lambda act: act.__name__)
async def test_a_read_after_it_shows_what_was_acknowledged(
    store: LmdbStore, folder: Path, copy: Path, act: Act
) -> None:
    """Without a write in between."""
    act(folder, copy)
    assert [run.run_id for run in store.list_runs(RunQuery()).runs] == [
        an_id(2),
        an_id(1),
    ]
    assert said(store, an_id(1)) == ["one"]


async def test_a_run_that_was_only_read_is_stored_again(
    store: LmdbStore, folder: Path, copy: Path
) -> None:
    """An editor that shows it knows it."""
    store.close()
    reader = LmdbStore.open(folder)
    assert reader.get_run(an_id(2)) is not None
    rename_over(folder, copy)
    await say(reader, an_id(2), "two")
    assert said(reader, an_id(2)) == ["two"]
    reader.close()


async def test_streamed_text_is_stored_again_as_a_whole(
    store: LmdbStore, folder: Path, copy: Path
) -> None:
    """From its first letter, also what was on the disk already."""
    store.append_journal(an_id(2), an_id(102), "one ")
    await say(store, an_id(1), "the text is written before this")
    rename_over(folder, copy)
    store.append_journal(an_id(2), an_id(102), "two")
    await say(store, an_id(1), "and before this")
    store.close()
    other = LmdbStore.open(folder)
    stored = other.get_run(an_id(2))
    assert stored is not None
    assert stored.run.steps["angles"].streaming[0].text == "one two"
    other.close()


async def test_the_user_is_told_once(
    store: LmdbStore, folder: Path, copy: Path
) -> None:
    """How many runs were added."""
    rename_over(folder, copy)
    await say(store, an_id(2), "two")
    (notice,) = store.take_notices()
    assert "replaced or deleted" in notice
    assert notice.endswith("Runs added from this editor: 2.")
    assert store.take_notices() == []


@pytest.mark.parametrize(
    ("act", "reason"), UNUSABLE.items(), ids=lambda each: getattr(each, "__name__", "")
)
async def test_an_unusable_file_is_refused_and_runs_are_kept_beside_it(
    store: LmdbStore, folder: Path, copy: Path, act: Act, reason: str
) -> None:
    """Runs are still shown; when a usable file is there, they are stored in it."""
    act(folder, copy)
    unusable = (folder / "data.mdb").read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match="What is there now") as caught:
            await say(store, an_id(2), "two")
        assert caught.value.reason == reason
    assert (folder / "data.mdb").read_bytes() == unusable
    assert said(store, an_id(1)) == ["one"]
    (notice,) = store.take_notices()
    assert str(folder.parent / known_runs.KEPT_FOLDER) in notice
    kept = [
        read_export(path.read_text(encoding="utf-8"))
        for path in sorted((folder.parent / known_runs.KEPT_FOLDER).iterdir())
    ]
    assert {each.run.pipeline_run_id for each in kept} == {an_id(1), an_id(2)}
    rename_over(folder, copy)
    await say(store, an_id(2), "two")
    assert (said(store, an_id(1)), said(store, an_id(2))) == (["one"], ["two"])


async def test_a_file_that_was_damaged_in_place_is_not_called_foreign(
    store: LmdbStore, folder: Path
) -> None:
    """The sentences are true of a file that WriteIt itself may have written into."""
    data = folder / "data.mdb"
    data.write_bytes(data.read_bytes()[:9000])
    with pytest.raises(StoreError, match="overwritten while it was open") as caught:
        await say(store, an_id(2), "two")
    assert "not made by you" not in caught.value.message
    assert "writeit store restore" in caught.value.hint
    with pytest.raises(StoreError, match="overwritten while it was open"):
        store.list_runs(RunQuery())


async def test_a_run_with_another_history_is_kept_beside_the_store(
    store: LmdbStore, folder: Path, copy: Path
) -> None:
    """Neither history is lost."""
    other = LmdbStore.open(copy.parent)
    await say(other, an_id(1), "elsewhere")
    other.close()
    rename_over(folder, copy)
    await say(store, an_id(2), "two")
    assert said(store, an_id(1)) == ["elsewhere"]
    assert len(store.take_notices()) == 2
    (path,) = (folder.parent / known_runs.KEPT_FOLDER).iterdir()
    events = read_export(path.read_text(encoding="utf-8")).events or ()
    assert [x.text for x in events if isinstance(x, e.FeedbackGiven)] == ["one"]


async def test_a_deleted_run_is_not_stored_again(
    store: LmdbStore, folder: Path, copy: Path
) -> None:
    """Deleting it was a decision, too."""
    await fail_answer(store, 2)
    await store.delete_run(an_id(2))
    rename_over(folder, copy)
    await say(store, an_id(1), "two")
    assert store.get_run(an_id(2)) is None


async def test_whatever_the_writer_raises_is_the_answer(
    store: LmdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request is answered, and the next one is written."""

    def fail(_: LmdbEnvironment) -> None:
        raise RuntimeError("not foreseen")

    with monkeypatch.context() as patched:
        patched.setattr(LmdbEnvironment, "_extend_data_file", fail)
        with pytest.raises(RuntimeError, match="not foreseen"):
            await say(store, an_id(2), "two")
    await say(store, an_id(2), "three")


async def test_what_a_killed_process_stored_is_in_the_store_that_replaced_its_own(
    store: LmdbStore, folder: Path, copy: Path
) -> None:
    """The next process stores it again, and what was deleted stays deleted."""
    store.close()
    acknowledged = runs_of_a_killed_process(folder)
    rename_over(folder, copy)
    after = LmdbStore.open(folder)
    for number in acknowledged:
        assert after.get_run(an_id(number)) is not None
    await after.delete_run(an_id(acknowledged[-1]))
    after.close()
    again = LmdbStore.open(folder)
    assert again.get_run(an_id(acknowledged[-1])) is None
    again.close()


async def test_a_run_that_others_deleted_after_a_kill_is_not_stored_again(
    store: LmdbStore, folder: Path
) -> None:
    """The store was not replaced, so it is right."""
    other = LmdbStore(folder)
    number = runs_of_a_killed_process(folder)[-1]
    await other.delete_run(an_id(number))
    store.close()
    again = LmdbStore.open(folder)
    assert again.get_run(an_id(number)) is None
    again.close()


async def test_what_was_deleted_and_stored_again_is_in_the_store_after_a_kill(
    store: LmdbStore, folder: Path, copy: Path
) -> None:
    """Its deletion is no longer the last decision."""
    await fail_answer(store, 2)
    await store.delete_run(an_id(2))
    await start(store, 2)
    left = leave_log(store)
    rename_over(folder, copy)
    after = LmdbStore.open(folder)
    assert [run.run_id for run in after.list_runs(RunQuery()).runs] == [
        an_id(2),
        an_id(1),
    ]
    assert not left.exists()
    after.close()


async def test_runs_of_a_killed_process_survive_a_second_replacement(
    store: LmdbStore, folder: Path, copy: Path
) -> None:
    """Who added them to the store knows them from then on."""
    await fail_answer(store, 2)
    stored = store.get_run(an_id(2))
    leave_log(store)
    rename_over(folder, copy)
    after = LmdbStore.open(folder)
    rename_over(folder, copy)
    assert after.get_run(an_id(2)) == stored
    after.close()


async def test_no_text_of_a_deleted_run_stays_in_the_log(store: LmdbStore) -> None:
    """The other runs stay in it."""
    await fail_answer(store, 2)
    await say(store, an_id(1), "two")
    (log,) = location.store_notes_folder().glob("*.log")
    assert str(an_id(2)) in log.read_text(encoding="utf-8")
    await store.delete_run(an_id(2))
    (log,) = location.store_notes_folder().glob("*.log")
    assert str(an_id(2)) not in log.read_text(encoding="utf-8")
    assert str(an_id(1)) in log.read_text(encoding="utf-8")


async def test_the_log_for_a_kill_is_bounded(
    store: LmdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that are no longer known are left out of it."""
    monkeypatch.setattr(known_runs, "_MAX_KNOWN_EVENTS", 10)
    monkeypatch.setattr(recent_log, "MIN_LIMIT", 20_000)
    for number in range(3, 24):
        await start(store, number)
        (log,) = location.store_notes_folder().glob("*.log")
        assert log.stat().st_size < 60_000
    assert str(an_id(23)) in log.read_text(encoding="utf-8")
    assert str(an_id(1)) not in log.read_text(encoding="utf-8")
