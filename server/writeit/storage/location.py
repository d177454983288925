"""The folder of a workspace's store, and the locks on its files."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs
import psutil

from writeit.domain.errors import StoreError
from writeit.storage import errors
from writeit.storage.snapshot import DATA_FILE

STORE_SUBFOLDER = Path(".writeit") / "store"
MOVE_COMMAND = "writeit store move"
DATA_DIR_VARIABLE = "WRITEIT_DATA_DIR"
REMOTE_FILESYSTEMS = frozenset(
    {
        *("9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "drvfs"),
        *("fuse.davfs2", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
        *("fuse.vmhgfs-fuse", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs"),
        *("smb", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "webdav"),
    }
)
"""Filesystems on which LMDB's shared memory and locks cannot be relied on."""


def store_folder(
    workspace: Path | None, location: str = "workspace"
) -> tuple[Path, str | None]:
    """Return the folder of a workspace's store, and a message for the user, if any.

    `location` is `workspace`, `user`, or an absolute folder. A store that exists
    elsewhere is used there until the user moves it.
    """
    wanted, problem = preferred_folder(workspace, location)
    others = other_store_folders(workspace, wanted)
    message = None
    if others and _has_visible_store(wanted):
        unused = " and ".join(map(str, others))
        message = (
            f"This folder has more than one run history. {wanted} is used; {unused} is"
            f" kept and not shown. If a move was interrupted, finish it: {MOVE_COMMAND}"
        )
    elif others and problem:
        message = f"{problem}, so this folder's run history stays in {others[0]}."
    elif others:
        message = (
            f"This folder's run history is in {others[0]}, and your configuration says"
            f" {wanted}. To move it, close your editors and run: {MOVE_COMMAND}"
        )
    elif problem:
        message = f"{problem}, so WriteIt keeps this folder's run history in {wanted}."
    elif workspace is None and location == "workspace":
        message = f"No folder is open, so WriteIt keeps its run history in {wanted}."
    return (others[0] if others and not _has_visible_store(wanted) else wanted), message


def preferred_folder(workspace: Path | None, location: str) -> tuple[Path, str | None]:
    """Return the folder for a store, and why it is not the one of `location`, if so."""
    if location == "user" or (workspace is None and location == "workspace"):
        return _folder_in_user_data(workspace), None
    if workspace is not None and location == "workspace":
        root, folder = workspace, workspace / STORE_SUBFOLDER
    else:
        root, folder = Path(location), _folder_for_workspace(Path(location), workspace)
    if reason := _why_unsuitable(root, folder):
        return _folder_in_user_data(workspace), f"{root} {reason}"
    return folder, None


def other_store_folders(workspace: Path | None, wanted: Path) -> list[Path]:
    """Return the folders of a workspace's stores other than `wanted`, likeliest first.

    Folders that the configuration named before are found in the records that the
    user's data folder has of every store created.
    """
    candidates = [_folder_in_user_data(workspace)]
    if workspace is not None:
        inside = workspace / STORE_SUBFOLDER
        if inside != wanted and _why_unsuitable(workspace, inside) is None:
            candidates.insert(0, inside)
        if not _has_visible_store(wanted):
            name = _unique_folder_name(workspace)
            candidates += [
                p for p in _recorded_store_folders() if p.parts[-2:] == (name, "store")
            ]
    others = dict.fromkeys(folder.resolve() for folder in candidates)
    others.pop(wanted.resolve(), None)
    return [folder for folder in others if _has_visible_store(folder)]


def store_exists(folder: Path) -> bool:
    """Return whether there is a store in `folder`, damaged or not.

    Raises:
        StoreError: the folder may not be read.
    """
    try:
        (folder / DATA_FILE).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise errors.to_store_error(error, folder) from error
    return True


def _has_visible_store(folder: Path) -> bool:
    """Return whether a store is found in `folder`; False if it may not be read."""
    with suppress(StoreError):
        return store_exists(folder)
    return False


def _recorded_store_folders() -> Iterator[Path]:
    """Yield the folders of all stores that this user's WriteIt created."""
    notes: list[Path] = []
    with suppress(OSError):
        notes = sorted(store_notes_folder().glob("*.json"))
    for note in notes:
        with suppress(OSError, ValueError, KeyError, TypeError):
            yield Path(json.loads(note.read_text(encoding="utf-8"))["folder"])


def create_store_folder(folder: Path) -> None:
    """Create the folder of a store; inside a workspace, git ignores it.

    Raises:
        OSError: it cannot be created or written to.
    """
    make_private_folder(folder)
    is_in_workspace = folder.parent.name == STORE_SUBFOLDER.parts[0]
    _take_from_others(folder.parent if is_in_workspace else folder)
    ignore = folder.parent / ".gitignore"
    if is_in_workspace and not ignore.exists():
        ignore.touch(mode=0o600)
        ignore.write_text("*\n", encoding="utf-8")


def _take_from_others(folder: Path) -> None:
    """Let only this user read and write a folder that exists, and all in it."""
    status = folder.lstat()
    if status.st_uid != os.getuid() or not status.st_mode & 0o077:
        return
    for path in (folder, *folder.rglob("*")):
        with suppress(OSError):  # another process has removed or replaced it
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(mode) & 0o700)


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents for this user only."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def filesystem_type(path: Path) -> str:
    """Return the type of the filesystem that `path` is on, or ""."""
    resolved = path.resolve()
    mounts = {Path(p.mountpoint): p.fstype for p in psutil.disk_partitions(all=True)}
    for candidate in (resolved, *resolved.parents):
        if candidate in mounts:
            return mounts[candidate].lower()
    return ""


def _why_unsuitable(folder: Path, target: Path) -> str | None:
    """Return why the store of `folder` cannot be at `target` in it, or None."""
    if filesystem_type(folder) in REMOTE_FILESYSTEMS:
        return "is on a remote filesystem"
    if target == folder / STORE_SUBFOLDER and (link := _find_link(folder)):
        return f"has a link at {link}"
    while not os.path.lexists(target):
        target = target.parent
    if not target.is_dir() or not os.access(target, os.W_OK | os.X_OK):
        return "cannot be written to"
    return None


def _find_link(workspace: Path) -> Path | None:
    """Return a link of the workspace that writing a store would follow, or None."""
    ours = STORE_SUBFOLDER.parent
    for path in (ours, STORE_SUBFOLDER, ours / ".gitignore"):
        if (workspace / path).is_symlink():
            return path
    return None


def user_data_folder() -> Path:
    """Return the user's own data folder, outside of workspaces."""
    return Path(
        os.environ.get(DATA_DIR_VARIABLE)
        or platformdirs.user_data_dir("writeit", appauthor=False)
    )


def store_notes_folder() -> Path:
    """Return the folder of the records of the stores that were created here."""
    return user_data_folder() / "known-stores"


def _folder_in_user_data(workspace: Path | None) -> Path:
    """Return the folder of a store in the user's data folder."""
    data = user_data_folder()
    return _folder_for_workspace(
        data if workspace is None else data / "workspaces", workspace
    )


def _folder_for_workspace(folder: Path, workspace: Path | None) -> Path:
    """Return the subfolder of `folder` for a workspace's store."""
    if workspace is None:
        return folder / "store"
    return folder / _unique_folder_name(workspace) / "store"


def _unique_folder_name(workspace: Path) -> str:
    """Return a folder name that no other workspace has."""
    path = str(workspace.resolve())
    digest = hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:12]
    return f"{workspace.resolve().name[:80]}-{digest}"


# Locks

LOCK_FILE = "lock.mdb"
_LOCK_HELD_ERRNOS = frozenset({errno.EACCES, errno.EAGAIN})


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Keep all other processes from opening the store in `folder`.

    Raises:
        StoreInUse: one has it open.
        OSError: the lock file cannot be made or is not a plain file.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(folder / LOCK_FILE, flags, 0o600)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        except OSError as error:
            if error.errno in _LOCK_HELD_ERRNOS:
                raise errors.StoreInUse from error
            raise
        yield
    finally:
        os.close(descriptor)


@contextmanager
def opening_lock(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Wait for other processes that are opening, creating or checking this store.

    A writer has a `shared` lock, so that the store is not opened during a commit.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a folder in `parent` and delete it afterwards, unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fsync_path(path: Path) -> None:
    """Sync a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
