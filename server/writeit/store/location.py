"""Where the store of a workspace is: beside it, or in the user's data folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs
import psutil

BESIDE = Path(".writeit") / "store"
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


def store_folder(workspace: Path | None) -> tuple[Path, str | None]:
    """Return the folder of a workspace's store, and what to tell the writer about it.

    There is something to tell only if the store is not beside the workspace.
    """
    if workspace is None:
        return _fallback(None), (
            f"No folder is open, so WriteIt keeps its history in {_fallback(None)}."
        )
    if reason := _unfit(workspace):
        folder = _fallback(workspace)
        return folder, (
            f"{workspace} {reason}, so WriteIt keeps this folder's history in {folder}."
        )
    return workspace / BESIDE, None


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


def _unfit(workspace: Path) -> str | None:
    """Say why a store cannot be beside `workspace`, or None."""
    if filesystem_of(workspace) in REMOTE_TYPES:
        return "is on a remote filesystem"
    place = workspace / BESIDE
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


def _fallback(workspace: Path | None) -> Path:
    data = data_folder()
    if workspace is None:
        return data / "store"
    path = str(workspace.resolve())
    digest = hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:12]
    return data / "workspaces" / f"{workspace.resolve().name[:80]}-{digest}" / "store"
