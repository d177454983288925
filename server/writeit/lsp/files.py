"""Files that a command may write: inside the workspace, never over another."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from itertools import count
from pathlib import Path
from shutil import copymode
from tempfile import mkstemp
from typing import TYPE_CHECKING

from writeit.core.errors import InvalidParams, NotTrusted, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

NO_ROOM = frozenset({EDQUOT, EFBIG, ENOSPC})
"""What the system says when there is no room for a file."""

TURN = 0.002
"""Seconds between two looks whether another server is done."""
TURNS = 250


def write_inside(workspace: Path | None, path: str, content: str) -> Path:
    """Write `content` to a new file in the workspace and return where it went.

    An existing file is never overwritten: the name gets the next free number.

    Raises:
        InvalidParams: no folder is open, or it is no path.
        NotTrusted: the path leads out of the workspace, also through a link.
        StoreError: it could not be written.
    """
    target = inside(workspace, path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_new(target, content)
    except OSError as error:
        raise StoreError(
            f"{target} could not be written: {error.strerror}. Nothing was changed.",
            reason="full" if error.errno in NO_ROOM else "read_only",
            hint="Choose another path, or make room and try again.",
        ) from error


def inside(workspace: Path | None, path: str) -> Path:
    """Return the absolute path of a path in the workspace.

    Raises:
        InvalidParams: no folder is open.
        NotTrusted: the path leads out of the workspace, also through a link.
    """
    if workspace is None:
        raise InvalidParams(
            "No folder is open that could be written to.",
            hint="Open a folder, or leave `path` out and keep the content.",
            problems=[{"path": "path", "message": "needs an open folder"}],
        )
    root = workspace.resolve()
    try:
        target = (root / path).resolve()
    except (ValueError, OSError, RuntimeError) as error:
        raise InvalidParams(
            f"{path[:80]!r} is no path: {error}.",
            hint="Give a path inside the workspace, such as articles/wasm.md.",
            problems=[{"path": "path", "message": "is no path"}],
        ) from error
    if not target.is_relative_to(root) or target == root:
        raise NotTrusted(
            f"{path!r} is outside the workspace; nothing was written.",
            hint=f"Give a path inside {root}; the command line may write anywhere.",
            path=path,
        )
    return target


def replace_text(path: Path, before: str, after: str) -> bool:
    """Put `after` in place of `before`, whole or not at all; False if it has changed.

    Raises:
        OSError: it could not be written, or is not to be; it is as it was.
    """
    path, was = path.resolve(), before.encode()
    with _beside(path, after.encode()) as beside:
        copymode(path, beside)
        with one_at_a_time(path.parent):
            # To be written: a folder would let a file go that is made read-only.
            with path.open("r+b") as file:
                if file.read() != was:
                    return False
                beside.replace(path)
                saved = _saved_since(file, was)
            if saved is not None:
                _put(path, saved)
    return saved is None


def _saved_since(file: BinaryIO, was: bytes) -> bytes | None:
    """Return what an editor saved into a file in the moment in which it was replaced.

    It had opened it by its name before; without this its text would be nowhere.
    """
    file.seek(0)
    if (found := file.read()) == was:
        return None
    for _ in range(TURNS):
        time.sleep(TURN)
        file.seek(0)
        before, found = found, file.read()
        if found and found == before:
            break
    return found


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait for other servers that look at a file in `folder` before they replace it.

    But only a moment: one of them may stand still. It must not be nested.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # what comes next says what is wrong with it
        yield
        return
    try:
        _wait_for(descriptor)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    for _ in range(TURNS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(TURN)
        except OSError:  # a filesystem without locks
            return
        else:
            return


def put(path: Path, text: str) -> None:
    """Put a file with `text` there, whole or not at all, whatever was there.

    Raises:
        OSError: it could not be written; what was there is as it was.
    """
    _put(path, text.encode())


def _put(path: Path, data: bytes) -> None:
    with _beside(path, data) as beside:
        with suppress(FileNotFoundError):
            copymode(path, beside)
        beside.replace(path)


@contextmanager
def _beside(path: Path, data: bytes) -> Iterator[Path]:
    """A file in the same folder with `data`, which is on the disk; for a moment."""
    handle, name = mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 -- a descriptor
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def write_new(target: Path, content: str) -> Path:
    """Create `target`, or the next free `stem-2`, `stem-3` …, and fill it.

    Raises:
        OSError: it could not be written; no half file is left.
    """
    for number in count(1):
        name = target.stem if number == 1 else f"{target.stem}-{number}"
        path = target.with_name(name + target.suffix)
        try:
            file = path.open("x", encoding="utf-8", newline="")
        except FileExistsError:
            continue
        try:
            with file:
                file.write(content)
        except OSError:
            path.unlink()
            raise
        return path
    raise AssertionError  # count() never ends
