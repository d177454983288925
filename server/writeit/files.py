"""Write files whole or not at all, for the language server and the command line."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC, ETIMEDOUT
from itertools import count
from pathlib import Path
from shutil import copymode
from tempfile import mkstemp
from unicodedata import normalize
from uuid import UUID

from writeit.domain.errors import InvalidParams, NotTrusted, StoreError

ARTICLE_SUFFIXES = frozenset(
    {".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd", ".txt"}
)
"""What the name of an article may end in, in any case."""
_UNSAFE_PART = re.compile(
    r"[.~-]|.*[. ]\Z|.*[\\\\:*?\"<>|]|.*~\d"
    r"|(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)\d) *(?:\.|\Z)"
    r"|(?:cmakelists|conanfile|entry_points|meson_options"
    r"|(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?)\.txt\Z",
    re.IGNORECASE,
)
"""Hidden, an option, a device, a stream or a short name of Windows, or a file that
programs read although its suffix is one of a text."""
_INSTRUCTIONS = re.compile(
    r"[A-Z][A-Z0-9_-]+\.\w+\Z|(?i:.*\.(?:instructions|prompt|agent|chatmode|rules|local)\."
    r"|(?:agents?|claude|codex|conventions|copilot(?:-instructions)?|gemini|llms(?:-.*)?"
    r"|memory|qwen|readme|rules|skill|warp|(?:ads|humans|robots|security))\.[a-z]+\Z)"
)
"""Texts that other programs follow, or that stand for a whole folder."""
MAX_PATH_PARTS = 64
"""A path to write to has at most this many folders."""
LOCK_RETRY_SECONDS = 0.002
MAX_LOCK_RETRIES = 250
"""Half a second: another server that holds a lock may be suspended."""
REQUIRED_LOCK_RETRIES = 5_000
"""Ten seconds, where going on without the lock would lose what others wrote."""


def resolve_in_workspace(workspace: Path | None, path: str) -> Path:
    """Return the absolute path of a path in the workspace.

    Raises:
        InvalidParams: no folder is open.
        NotTrusted: the path leads out of the workspace, also through a link.
    """
    if workspace is None:
        raise InvalidParams(
            "No folder is open to write to.",
            hint="Open a folder, or leave out `path` and use the content.",
            problems=[{"path": "path", "message": "needs an open folder"}],
        )
    root = workspace.resolve()
    try:
        if Path(path).as_posix().count("/") > MAX_PATH_PARTS:
            raise ValueError(f"it has more than {MAX_PATH_PARTS} folders")  # noqa: TRY301 -- it is no path, as others
        target = (root / path).resolve()
        if target == root:
            raise ValueError("it is the folder of the workspace")  # noqa: TRY301 -- as above
        # Only a look at a path tells that one of its names is too long.
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            target.lstat()
    except (ValueError, OSError, RuntimeError) as error:
        raise InvalidParams(
            f"{path[:80]!r} is not a path: {getattr(error, 'strerror', error)}.",
            hint="Give a path inside the workspace, such as articles/wasm.md.",
            problems=[{"path": "path", "message": "is not a path"}],
        ) from error
    if not target.is_relative_to(root):
        raise NotTrusted(
            f"{path!r} is outside the workspace; nothing was written.",
            hint=f"Give a path inside {root}; the command line may write anywhere.",
            path=path,
        )
    return target


def resolve_article_path(
    workspace: Path | None, path: str, source: Path | None
) -> Path:
    """Return the absolute path that an `output_path` names.

    No program takes the file for something else: its suffix is one of a text, and no
    part of its path is hidden or another name on some system, except the folder of the
    `source`.

    Raises:
        InvalidParams: no folder is open, or it is not a path.
        NotTrusted: it is outside the workspace or no place for an article.
    """
    target = resolve_in_workspace(workspace, path)
    parts = target.relative_to((workspace or target.parent).resolve()).parts
    if is_beside(source, target):
        parts = parts[-1:]
    if target.suffix.lower() in ARTICLE_SUFFIXES and all(
        part.isprintable()
        and not _UNSAFE_PART.match(normalize("NFKC", part).strip(" "))
        and part == part.strip()
        for part in parts
    ):
        return target
    raise NotTrusted(
        f"Nothing was written: {str(Path(*parts))!a} is not a place for an article.",
        hint="Its name must end in .md, .txt or another suffix of a text. Neither it"
        " nor a folder may be hidden or have a name that is special on some system.",
        path=str(target),
    )


def is_beside(source: Path | None, target: Path) -> bool:
    """Return whether a file is in the folder of the notes."""
    return source is not None and source.parent.resolve() == target.parent


def is_instruction(path: Path) -> bool:
    """Return whether other programs may take a text for instructions, by its name."""
    return _INSTRUCTIONS.match(normalize("NFKC", path.name)) is not None


def require_file_path(path: Path) -> None:
    """Refuse a path that is a folder, or that a file stands in the way of.

    Raises:
        InvalidParams: no file can be written there.
    """
    above = next(folder for folder in path.parents if folder.exists())
    if path.is_dir() or not above.is_dir():
        raise InvalidParams(
            f"No file can be written to {path}: "
            + ("it is a folder." if path.is_dir() else f"{above} is a file."),
            hint="Give the path of a new file, such as articles/wasm.md.",
            problems=[{"path": "outputPath", "message": "is not the path of a file"}],
        )


def write_error(path: Path, error: OSError, hint: str) -> StoreError:
    """Return the `full` or `read_only` error of a file that could not be written."""
    is_full = error.errno in {EDQUOT, EFBIG, ENOSPC}
    return StoreError(
        f"{path} could not be written: {error.strerror}. Nothing was changed.",
        reason="full" if is_full else "read_only",
        hint=hint,
    )


def write_whole_file(path: Path, data: bytes) -> None:
    """Create or replace a file; a replaced file keeps its mode.

    Raises:
        OSError: it could not be written; what was there is unchanged.
    """
    with temporary_file(path, data) as temporary:
        with suppress(FileNotFoundError):
            copymode(path, temporary)
        temporary.replace(path)


@contextmanager
def temporary_file(path: Path, data: bytes) -> Iterator[Path]:
    """Write `data` to a synced file in the folder of `path`; remove it at the end."""
    handle, name = mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 -- a descriptor
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def folder_lock(folder: Path, *, required: bool = False) -> Iterator[None]:
    """Keep other servers from replacing files in a folder; must not be nested.

    After half a second without the lock it goes on, unless the lock is `required`.

    Raises:
        TimeoutError: a required lock was not free for ten seconds.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # the caller's next access raises the same error
        yield
        return
    try:
        retries = REQUIRED_LOCK_RETRIES if required else MAX_LOCK_RETRIES
        if not _acquire_lock(descriptor, retries) and required:
            raise TimeoutError(ETIMEDOUT, "another process has it locked", str(folder))
        yield
    finally:
        os.close(descriptor)


def _acquire_lock(descriptor: int, retries: int) -> bool:
    for _ in range(retries):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_RETRY_SECONDS)
        except OSError:  # a filesystem without locks
            return True
        else:
            return True
    return False


def create_file(path: Path, text: str) -> None:
    """Create a file, line breaks as they are.

    Raises:
        FileExistsError: there is one already.
        OSError: it could not be written; no part of it is left.
    """
    with path.open("x", encoding="utf-8", newline="") as file:
        try:
            file.write(text)
            file.flush()
        except OSError:
            path.unlink()
            raise


_RUN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def remove_pages_of_deleted_runs(
    pages: Path, is_deleted: Callable[[UUID], bool]
) -> None:
    """Delete the page files below `pages` of runs that are deleted.

    A path is KIND/RUN.md or KIND/RUN/…; one that compares has a second run as its
    fifth part. Links are not followed.
    """
    for parent, _, names in os.walk(pages, topdown=False):
        for name in names:
            path = Path(parent, name)
            parts = path.relative_to(pages).parts
            ids = [_RUN_ID.match(part) for part in (*parts[1:2], *parts[4:5])]
            if any(found and is_deleted(UUID(found[0])) for found in ids):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # it has other pages
            Path(parent).rmdir()


def numbered_paths(path: Path) -> Iterator[Path]:
    """Yield `path`, then `stem-2`, `stem-3` and so on."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
