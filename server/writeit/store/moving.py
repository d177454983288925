"""Moving a store to another folder while nobody has it open.

The steps are in an order in which a kill loses nothing: the copy is verified and on
the disk before it takes its place, and the old data file goes last. In between there
are two stores with the same content, and a note beside the copy says so: the next move
removes the old one, unless something was written into it since.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from writeit.core.errors import Busy, InvalidParams
from writeit.store import failures, location, locks, provenance, structure
from writeit.store.backing_up import aside
from writeit.store.snapshot import DATA_FILE

if TYPE_CHECKING:
    from pathlib import Path

NOTE = "moved-from.json"
_ASIDE = ".moving-"
_LEFTOVERS = (f"{_ASIDE}*", ".new-*", ".compact-*", ".foreign-*")
"""Folders that a killed process may have left in a store's folder."""


def move(source: Path, target: Path) -> None:
    """Move the store in `source` to the folder `target`, or finish an earlier move.

    Raises:
        Busy: another process has the store open; nothing was changed.
        InvalidParams: `target` has a store that is not a copy of it; both are kept.
        StoreError: it is damaged, or could not be written; it is still in `source`.
    """
    try:
        location.prepare(target)
        with ExitStack() as held:
            for folder in sorted((source, target)):
                held.enter_context(locks.one_at_a_time(folder))
            held.enter_context(locks.sole_use(source))
            if not location.exists(target):
                _copy(source, target)
            elif not _is_copy(source, target):
                raise _both(source, target)
            _remove(source)
            (target / NOTE).unlink(missing_ok=True)
    except locks.InUse as error:
        raise Busy(
            f"Another program has the store in {source} open, so it was not moved."
            " Nothing was changed.",
            hint="Close other editors on this workspace, then try again.",
        ) from error
    except OSError as error:
        raise failures.store_error(error, target) from error


def _copy(source: Path, target: Path) -> None:
    """Put a verified copy of the store into `target`.

    Raises:
        StoreError: the store is damaged.
        OSError: it could not be read or written.
    """
    _sweep(target)
    provenance.check_files(source)
    digest = _digest(source)
    with aside(target, _ASIDE) as made:
        shutil.copyfile(source / DATA_FILE, made / DATA_FILE)
        if faults := structure.faults(made):
            raise failures.corrupt(source, faults[0])
        if _digest(made) != digest:
            raise failures.full(target, "the copy differs from the store")
        _write_note(source, digest, made, target)
        provenance.put_in_place(made / DATA_FILE, target)


def _write_note(source: Path, digest: str, made: Path, target: Path) -> None:
    note = target / NOTE
    copy = {**provenance.identity(made), "folder": str(target.resolve())}
    note.write_text(json.dumps(_note(source, digest, copy)), encoding="utf-8")
    locks.sync(note)
    locks.sync(target)


def _note(source: Path, digest: str, copy: dict[str, Any]) -> dict[str, Any]:
    return {"from": str(source.resolve()), "sha256": digest, "copy": copy}


def _is_copy(source: Path, target: Path) -> bool:
    """Whether `target` has all of `source`: it was copied, and that did not change."""
    try:
        note = json.loads((target / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    expected = _note(source, _digest(source), provenance.identity(target))
    return bool(note == expected)


def _remove(source: Path) -> None:
    """Delete a store, and its folder where nothing else is in it."""
    (source / DATA_FILE).unlink()
    locks.sync(source)
    provenance.forget(source)
    _sweep(source)
    for name in (NOTE, locks.LOCK_FILE):
        (source / name).unlink(missing_ok=True)
    for folder in (source, source.parent):
        with suppress(OSError):  # there is something else in it
            folder.rmdir()


def _sweep(folder: Path) -> None:
    """Delete what killed processes left."""
    for pattern in _LEFTOVERS:
        for left in folder.glob(pattern):
            shutil.rmtree(left, ignore_errors=True)


def _digest(folder: Path) -> str:
    with (folder / DATA_FILE).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _both(source: Path, target: Path) -> InvalidParams:
    return InvalidParams(
        f"There is a store in {target} already, and another one in {source}."
        " Both are kept as they are.",
        hint=f"WriteIt uses {target}. To keep runs of the other store, set"
        " WRITEIT_STORE_LOCATION to its place and export them: writeit export RUN",
    )
