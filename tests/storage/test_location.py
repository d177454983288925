"""The folder of a store, and the message about it."""

import json
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from writeit.storage.location import create_store_folder, preferred_folder, store_folder
from writeit.storage.store import LmdbStore

Partition = namedtuple("Partition", ["mountpoint", "fstype"])  # noqa: PYI024 -- stands in for psutil's
CHILD = Path(__file__).parent / "child.py"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder during these tests."""
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_it_is_beside_the_workspace(tmp_path: Path) -> None:
    """There is no message about it."""
    assert store_folder(tmp_path) == (tmp_path / ".writeit" / "store", None)
    create_store_folder(tmp_path / ".writeit" / "store")
    assert store_folder(tmp_path) == (tmp_path / ".writeit" / "store", None)


def test_without_a_folder_it_is_the_users(data_folder: Path) -> None:
    """With one message about it."""
    folder, message = store_folder(None)
    assert folder == data_folder / "store"
    assert message is not None
    assert str(folder) in message


def test_the_users_data_folder_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the environment says otherwise."""
    monkeypatch.delenv("WRITEIT_DATA_DIR")
    folder, _ = store_folder(None)
    assert "writeit" in folder.parts


@pytest.mark.parametrize("fstype", ["nfs4", "cifs", "9p", "fuse.sshfs", "SMBFS"])
def test_a_remote_filesystem_is_left(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch, fstype: str
) -> None:
    """Only what is mounted there; the nearest mount counts."""
    remote, local = tmp_path / "remote", tmp_path / "remote" / "disk"
    for folder in (remote / "notes", local / "notes"):
        folder.mkdir(parents=True)
    mounts = [("/", "ext4"), (str(remote), fstype), (str(local), "btrfs")]
    partitions = [Partition(*mount) for mount in mounts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: partitions)
    folder, message = store_folder(remote / "notes")
    assert folder.is_relative_to(data_folder)
    assert message is not None
    assert "remote" in message
    assert str(folder) in message
    assert store_folder(local / "notes")[1] is None


def test_each_unfit_workspace_has_its_own(tmp_path: Path, data_folder: Path) -> None:
    """And always the same."""
    folders = set()
    for name in ("a", "b"):
        workspace = tmp_path / name / "notes"
        workspace.mkdir(parents=True)
        (workspace / ".writeit").write_text("a file in the way")
        folder, message = store_folder(workspace)
        assert (folder, message) == store_folder(workspace)
        assert message is not None
        assert str(workspace) in message
        folders.add(folder)
    assert len(folders) == 2
    assert all(folder.is_relative_to(data_folder) for folder in folders)


def test_a_read_only_workspace_is_left(data_folder: Path) -> None:
    """Seen as a user who may not write there."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        run = subprocess.run(
            [sys.executable, str(CHILD), "place", name],
            stdout=subprocess.PIPE,
            check=True,
        )
    report = json.loads(run.stdout)
    assert Path(report["folder"]).is_relative_to(data_folder)
    assert "cannot be written" in report["message"]


def test_a_gitignore_that_is_there_stays(tmp_path: Path) -> None:
    """It may be the user's own."""
    (tmp_path / ".writeit").mkdir()
    ignore = tmp_path / ".writeit" / ".gitignore"
    ignore.write_text("store\n")
    create_store_folder(tmp_path / ".writeit" / "store")
    assert ignore.read_text() == "store\n"
    create_store_folder(tmp_path / "elsewhere" / "store")
    assert not (tmp_path / "elsewhere" / ".gitignore").exists()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A workspace."""
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


def test_the_user_decides_where_it_is(
    notes: Path, tmp_path: Path, data_folder: Path
) -> None:
    """In the user's data folder, or in any other; each workspace has its own."""
    (tmp_path / "other").mkdir()
    for location, root in (
        ("user", data_folder / "workspaces"),
        (str(tmp_path / "histories"), tmp_path / "histories"),
    ):
        folder, message = store_folder(notes, location)
        assert message is None
        assert folder.is_relative_to(root)
        assert folder != store_folder(tmp_path / "other", location)[0]
        assert store_folder(None, location)[0].is_relative_to(root.parent)


def test_a_folder_that_is_unfit_is_left(
    notes: Path, tmp_path: Path, data_folder: Path
) -> None:
    """With a message that names it."""
    (tmp_path / "file").write_text("in the way")
    folder, message = store_folder(notes, str(tmp_path / "file"))
    assert folder.is_relative_to(data_folder)
    assert message is not None
    assert str(tmp_path / "file") in message


@pytest.mark.parametrize("was", ["workspace", "user", "histories"])
@pytest.mark.parametrize("now", ["workspace", "user", "elsewhere"])
def test_a_store_that_is_elsewhere_is_used_and_never_moved(
    notes: Path, tmp_path: Path, was: str, now: str
) -> None:
    """One message names the command that moves it."""
    before, after = (
        each if each in {"workspace", "user"} else str(tmp_path / each)
        for each in (was, now)
    )
    made, _ = store_folder(notes, before)
    LmdbStore.open(made).close()
    folder, message = store_folder(notes, after)
    assert folder == made
    if was == now:
        assert message is None
    else:
        assert message is not None
        assert "writeit store move" in message


def test_of_two_stores_the_configured_one_is_used(notes: Path) -> None:
    """And the other one is named."""
    beside, _ = store_folder(notes)
    LmdbStore.open(beside).close()
    users = preferred_folder(notes, "user")[0]
    LmdbStore.open(users).close()
    for location, used, other in (
        ("workspace", beside, users),
        ("user", users, beside),
    ):
        folder, message = store_folder(notes, location)
        assert folder == used
        assert message is not None
        assert str(other) in message
