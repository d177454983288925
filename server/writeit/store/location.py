"""Where the store of a workspace is: in it, in the user's data folder, or elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import psutil

from writeit.core.errors import StoreError
from writeit.store import failures
from writeit.store.snapshot import DATA_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

BESIDE = Path(".writeit") / "store"
MOVE = "writeit store move"
DATA_DIR_VARIABLE = "WRITEIT_DATA_DIR"
REMOTE_TYPES = frozenset(
    {
        "9p",
        "afpfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "drvfs",
        "fuse.davfs2",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "fuse.vmhgfs-fuse",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "prl_fs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "webdav",
    }
)
"""Filesystems on which LMDB's shared memory and locks cannot be relied on."""


def store_folder(
    workspace: Path | None, location: str = "workspace"
) -> tuple[Path, str | None]:
    """Return the folder of a workspace's store, and what to tell the user about it.

    `location` is `workspace`, `user`, or an absolute folder. A store that is found
    elsewhere is used where it is until the user moves it.
    """
    wanted, problem = place_for(workspace, location)
    found = stores_elsewhere(workspace, wanted)
    message = None
    if found and _seen(wanted):
        others = " and ".join(map(str, found))
        message = (
            f"This folder has more than one run history. {wanted} is used; {others} is"
            f" kept and not shown. If a move was interrupted, finish it: {MOVE}"
        )
    elif found and problem:
        message = f"{problem}, so this folder's run history stays in {found[0]}."
    elif found:
        message = (
            f"This folder's run history is in {found[0]}, and your configuration says"
            f" {wanted}. To move it, close your editors and run: {MOVE}"
        )
    elif problem:
        message = f"{problem}, so WriteIt keeps this folder's run history in {wanted}."
    elif workspace is None and location == "workspace":
        message = f"No folder is open, so WriteIt keeps its run history in {wanted}."
    return (found[0] if found and not _seen(wanted) else wanted), message


def place_for(workspace: Path | None, location: str) -> tuple[Path, str | None]:
    """Return where a store belongs, and why not where `location` says, if so."""
    if location == "user" or (workspace is None and location == "workspace"):
        return _in_data(workspace), None
    if workspace is not None and location == "workspace":
        root, folder = workspace, workspace / BESIDE
    else:
        root, folder = Path(location), _below(Path(location), workspace)
    if reason := _unfit(root, folder):
        return _in_data(workspace), f"{root} {reason}"
    return folder, None


def stores_elsewhere(workspace: Path | None, wanted: Path) -> list[Path]:
    """Return the folders of a workspace's stores other than `wanted`, likeliest first.

    Stores in folders that the configuration named before are known by the notes that
    the user's data folder has of every store made.
    """
    places = [_in_data(workspace)]
    if workspace is not None:
        beside = workspace / BESIDE
        if beside != wanted and _unfit(workspace, beside) is None:
            places.insert(0, beside)
        if not _seen(wanted):
            name = _name_of(workspace)
            places += [p for p in _noted() if p.parts[-2:] == (name, "store")]
    others = dict.fromkeys(place.resolve() for place in places)
    others.pop(wanted.resolve(), None)
    return [place for place in others if _seen(place)]


def exists(folder: Path) -> bool:
    """Return whether there is a store in `folder`, damaged or not.

    Raises:
        StoreError: the folder may not be read.
    """
    try:
        (folder / DATA_FILE).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise failures.store_error(error, folder) from error
    return True


def _seen(folder: Path) -> bool:
    """Return whether we can see a store in `folder`; opening it reports the rest."""
    with suppress(StoreError):
        return exists(folder)
    return False


def _noted() -> Iterator[Path]:
    """Yield the folders of all stores this user's WriteIt made."""
    notes: list[Path] = []
    with suppress(OSError):
        notes = sorted(notes_folder().iterdir())
    for note in notes:
        with suppress(OSError, ValueError, KeyError, TypeError):
            yield Path(json.loads(note.read_text(encoding="utf-8"))["folder"])


def prepare(folder: Path) -> None:
    """Make the folder of a store; inside a workspace, git is told to leave it alone.

    Raises:
        OSError: it cannot be made or written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    house = folder.parent
    ignore = house / ".gitignore"
    if house.name == BESIDE.parts[0] and not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def filesystem_of(path: Path) -> str:
    """Return the type of the filesystem that `path` is on, "" where nobody knows."""
    resolved = path.resolve()
    mounts = {Path(p.mountpoint): p.fstype for p in psutil.disk_partitions(all=True)}
    for candidate in (resolved, *resolved.parents):
        if candidate in mounts:
            return mounts[candidate].lower()
    return ""


def _unfit(folder: Path, place: Path) -> str | None:
    """Say why the store of `folder` cannot be at `place` in it, or None."""
    if filesystem_of(folder) in REMOTE_TYPES:
        return "is on a remote filesystem"
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return "cannot be written to"
    return None


def data_folder() -> Path:
    """Return the user's own folder for what is kept outside of workspaces."""
    return Path(
        os.environ.get(DATA_DIR_VARIABLE)
        or platformdirs.user_data_dir("writeit", appauthor=False)
    )


def notes_folder() -> Path:
    """Return the folder of the notes about the stores that were made here."""
    return data_folder() / "known-stores"


def _in_data(workspace: Path | None) -> Path:
    """Return where a store is in the user's data folder."""
    data = data_folder()
    return _below(data if workspace is None else data / "workspaces", workspace)


def _below(folder: Path, workspace: Path | None) -> Path:
    """Return where a workspace's store is among others."""
    if workspace is None:
        return folder / "store"
    return folder / _name_of(workspace) / "store"


def _name_of(workspace: Path) -> str:
    """Return a folder name that no other workspace has."""
    path = str(workspace.resolve())
    digest = hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:12]
    return f"{workspace.resolve().name[:80]}-{digest}"
