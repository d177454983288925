"""Kills, full disks, other processes, damage and newer versions."""

import asyncio
import fcntl
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from lmdb import verify as offline

from storage import samples
from storage.samples import a_run, an_id, answer, ask, put, receive
from storage.whole import filled
from support.store_failures import refusal_of
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import StoreError
from writeit.ports.store import RunQuery
from writeit.storage import writer
from writeit.storage.snapshot import DATA_FILE
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
    assert refusal_of(tmp_path / "file" / "store").reason == "read_only"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


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


async def test_a_store_goes_on_after_a_failed_write_of_a_meta_page(
    folder: Path,
) -> None:
    """LMDB refuses all work after it, until its files are opened again."""
    store = LmdbStore.open(folder)
    await put(store, a_run(1))
    fill_disk_for_meta_pages(folder)
    with pytest.raises(StoreError) as caught:
        await put(store, a_run(2))
    assert caught.value.reason == "full"
    assert [run.run_id for run in store.list_runs(RunQuery()).runs] == [an_id(1)]
    await put(store, a_run(3))
    assert store.get_run(an_id(3)) is not None
    store.close()


def fill_disk_for_meta_pages(folder: Path) -> None:
    """Let no meta page be written to the descriptor that LMDB has for them."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was closed
            number, target = int(descriptor.name), descriptor.readlink()
            is_synchronous = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_DSYNC
            if target == (folder / DATA_FILE).resolve() and is_synchronous:
                with Path("/dev/full").open("wb") as full:
                    os.dup2(full.fileno(), number)
