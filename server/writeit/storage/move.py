"""Move a store to another folder while no process has it open.

A move that is killed loses nothing: the copy is verified and synced before it is used,
and the old data file is deleted last. In between there are two stores with the same
content, and a note beside the copy says so. The next move removes the old one, unless
it was written to since.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from writeit.domain.errors import InvalidParams
from writeit.storage import errors, integrity, location, provenance, search_index
from writeit.storage.location import (
    LOCK_FILE,
    exclusive_lock,
    fsync_path,
    opening_lock,
    temporary_folder,
)
from writeit.storage.snapshot import DATA_FILE

MOVE_NOTE_FILE = "moved-from.json"
_MOVE_PREFIX = ".moving-"
_LEFTOVER_PATTERNS = (f"{_MOVE_PREFIX}*", ".new-*", ".compact-*", ".foreign-*")
"""Folders that a killed process may have left in a store's folder."""


def relocate_store(source: Path, target: Path) -> None:
    """Move the store in `source` to the folder `target`, or finish an earlier move.

    Raises:
        Busy: another process has the store open; nothing was changed.
        InvalidParams: `target` has a store that is not a copy of it; both are kept.
        StoreError: it is damaged, or could not be written; it is still in `source`.
    """
    with errors.as_store_errors(target), ExitStack() as locks:
        location.create_store_folder(target)
        for folder in sorted((source, target)):
            locks.enter_context(opening_lock(folder))
        with errors.as_store_errors(source):
            locks.enter_context(exclusive_lock(source))
        if not location.store_exists(target):
            _copy_verified(source, target)
        elif not _is_copy(source, target):
            raise _target_has_store_error(source, target)
        _remove_store(source)
        (target / MOVE_NOTE_FILE).unlink(missing_ok=True)


def _copy_verified(source: Path, target: Path) -> None:
    """Copy the store into `target`, after verifying the copy.

    Raises:
        StoreError: the store is damaged.
        OSError: it could not be read or written.
    """
    _delete_leftovers(target)
    provenance.check_plain_files(source)
    digest = _data_file_digest(source)
    with temporary_folder(target, _MOVE_PREFIX) as temporary:
        shutil.copyfile(source / DATA_FILE, temporary / DATA_FILE)
        if problems := integrity.find_file_damage(temporary):
            raise errors.corrupt_error(source, problems[0])
        if _data_file_digest(temporary) != digest:
            raise errors.disk_full_error(target, "the copy differs from it")
        _write_note(source, digest, temporary, target)
        provenance.replace_data_file(temporary / DATA_FILE, target)


def _write_note(source: Path, digest: str, copied: Path, target: Path) -> None:
    note = target / MOVE_NOTE_FILE
    copy = {**provenance.file_identity(copied), "folder": str(target.resolve())}
    note.write_text(json.dumps(_note_fields(source, digest, copy)), encoding="utf-8")
    fsync_path(note)
    fsync_path(target)


def _note_fields(source: Path, digest: str, copy: dict[str, Any]) -> dict[str, Any]:
    return {"from": str(source.resolve()), "sha256": digest, "copy": copy}


def _is_copy(source: Path, target: Path) -> bool:
    """Return whether `target` was copied from `source`, which is unchanged since."""
    try:
        note = json.loads((target / MOVE_NOTE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    expected = _note_fields(
        source, _data_file_digest(source), provenance.file_identity(target)
    )
    return bool(note == expected)


def _remove_store(source: Path) -> None:
    """Delete a store, and its folder if that is empty then."""
    (source / DATA_FILE).unlink()
    fsync_path(source)
    provenance.remove_record(source)
    _delete_leftovers(source)
    for left in source.glob(search_index.FILE_PATTERN):
        left.unlink(missing_ok=True)
    for name in (MOVE_NOTE_FILE, LOCK_FILE):
        (source / name).unlink(missing_ok=True)
    for folder in (source, source.parent):
        with suppress(OSError):  # the folder is not empty
            folder.rmdir()


def _delete_leftovers(folder: Path) -> None:
    """Delete temporary folders that killed processes left."""
    for pattern in _LEFTOVER_PATTERNS:
        for left in folder.glob(pattern):
            shutil.rmtree(left, ignore_errors=True)


def _data_file_digest(folder: Path) -> str:
    with (folder / DATA_FILE).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _target_has_store_error(source: Path, target: Path) -> InvalidParams:
    return InvalidParams(
        f"There is a run history in {target} already, and another in {source}."
        " Both are kept.",
        hint=f"WriteIt uses {target}. To keep runs of the other one, set"
        " WRITEIT_STORE_LOCATION to its folder and export them: writeit export RUN",
    )
