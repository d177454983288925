"""Where pipelines and primers are looked for, nearest first."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from writeit.library.problem import Problem

Kind = Literal["workspace", "user", "bundled"]
Shelf = Literal["pipelines", "primers"]

MAX_FILES = 500
"""Files read from one folder."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that may hold files of one shelf."""

    path: Path
    kind: Kind
    within: Path | None = None
    """What its files must not leave, by whatever link."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to read; the same stamp means the same content."""

    path: Path
    kind: Kind
    mtime_ns: int
    size: int

    @property
    def uri(self) -> str:
        """The file as a URI."""
        return self.path.as_uri()


def bundled_root() -> Path:
    """Return the folder of what WriteIt ships: the package's, or the checkout's."""
    packaged = Path(__file__).parents[1] / "_bundled"
    return packaged if packaged.is_dir() else Path(__file__).parents[3]


def user_root() -> Path:
    """Return the writer's own folder; `WRITEIT_CONFIG_DIR` names another."""
    if named := os.environ.get("WRITEIT_CONFIG_DIR"):
        return Path(named).absolute()
    return platformdirs.user_config_path("writeit")


def folders(shelf: Shelf, workspace: Path | None) -> list[Folder]:
    """Return the folders of a shelf, nearest first."""
    near = []
    if workspace is not None:
        root = workspace.absolute()
        near = [
            Folder(root / shelf, "workspace", root),
            Folder(root / ".writeit" / shelf, "workspace", root),
        ]
    far = [
        Folder(user_root() / shelf, "user"),
        Folder(bundled_root() / shelf, "bundled"),
    ]
    # In WriteIt's own checkout the workspace's folder is the bundled one. Asked at
    # each lens and action, so by identity: resolving paths takes ten times as long.
    kept: list[Folder] = []
    seen: set[tuple[int, int] | None] = set()
    for folder in [*near, *far]:
        identity = _identity(folder.path)
        if identity is None or identity not in seen:
            kept.append(folder)
        seen.add(identity)
    return kept


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what no other folder has; None if there is none to look at."""
    try:
        status = path.stat()
    except OSError:  # `files_in` says so, if it is more than that there is none
        return None
    return status.st_dev, status.st_ino


def files_in(folder: Folder) -> tuple[list[File], list[Problem]]:
    """Return the YAML files of a folder in order of name; none if it is not there."""
    try:
        names = sorted(os.listdir(folder.path))  # noqa: PTH208 -- names are all that is needed
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        return [], [_unread(folder.path, error)]
    wanted = [
        name
        for name in names
        if name.endswith((".yaml", ".yml")) and not name.startswith(".")
    ]
    looked_at = [_file(folder, folder.path / name) for name in wanted[:MAX_FILES]]
    problems = [each for each in looked_at if isinstance(each, Problem)]
    if len(wanted) > MAX_FILES:
        message = f"Only the first {MAX_FILES} files of this folder are read."
        problems.append(Problem(folder.path.as_uri(), message, "warning"))
    return [each for each in looked_at if isinstance(each, File)], problems


def _file(folder: Folder, path: Path) -> File | Problem:
    try:
        if folder.within and not path.resolve().is_relative_to(folder.within.resolve()):
            message = "This link leaves the workspace and is not followed."
            return Problem(path.as_uri(), message, "warning")
        status = path.stat()
    except OSError as error:
        return _unread(path, error)
    if not stat.S_ISREG(status.st_mode):
        return Problem(path.as_uri(), "This is not a file.", "warning")
    return File(path, folder.kind, status.st_mtime_ns, status.st_size)


def _unread(path: Path, error: OSError) -> Problem:
    reason = error.strerror or str(error)
    return Problem(path.as_uri(), f"This cannot be read: {reason}.", "warning")
