"""Back up a store into a new folder, and replace a store by a backup.

A backup is complete, or not created. It is verified before it replaces the store,
which is kept.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from writeit.domain.errors import InvalidParams, NotFound, StoreError
from writeit.domain.run_summary import RunSummary
from writeit.ports.store import RestoreResult
from writeit.storage import (
    errors,
    integrity,
    keys,
    location,
    migrations,
    provenance,
    reads,
    records,
)
from writeit.storage.environment import LmdbEnvironment, read_unused_store
from writeit.storage.location import temporary_folder
from writeit.storage.snapshot import DATA_FILE


def backup_store(environment: LmdbEnvironment, path: Path) -> Path:
    """Copy a consistent store to the new folder `path`, while it is in use.

    Raises:
        InvalidParams: `path` exists already.
        StoreError: it could not be written; no partial copy is left.
    """
    if os.path.lexists(path):
        raise _path_exists_error(path)
    with errors.as_store_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(path.parent, f".{path.name}-") as temporary:
            environment.copy_to(temporary, compact=True)
            if os.path.lexists(path):
                raise _path_exists_error(path)
            temporary.rename(path)
        location.fsync_path(path.parent)
    return path


def _path_exists_error(path: Path) -> InvalidParams:
    return InvalidParams(
        f"{path} exists already; nothing was copied.",
        hint="Name a folder that does not exist yet.",
        problems=[{"path": "path", "message": "exists already"}],
    )


# Restore

_States = dict["UUID", tuple[int, RunSummary]]
"""The number of events and the summary of each run."""


def restore_store(folder: Path, backup: Path, *, confirmed: bool) -> RestoreResult:
    """Replace the store in `folder` by a backup if `confirmed`; say what that replaces.

    Raises:
        Busy: another process has the store open; nothing was changed.
        NotFound: there is no backup.
        StoreError: the backup is damaged or too new, or could not be copied; nothing
            was changed.
    """
    if not location.store_exists(backup):
        raise NotFound(
            f"There is no backup in {backup}: it has no {DATA_FILE}.",
            hint="Name a folder that `writeit store backup` created.",
        )
    with errors.as_store_errors(folder):
        location.create_store_folder(folder)
        with (
            location.opening_lock(folder),
            location.exclusive_lock(folder),
            temporary_folder(folder, ".restoring-") as temporary,
        ):
            shutil.copyfile(backup / DATA_FILE, temporary / DATA_FILE)
            result = _compare(folder, _read_states(temporary))
            if not confirmed:
                return result
            kept_in = _keep_present(folder)
            provenance.replace_data_file(temporary / DATA_FILE, folder)
            return replace(result, kept_in=kept_in)


def _compare(folder: Path, backup: _States) -> RestoreResult:
    """Compare the store in `folder` with the runs of a backup."""
    present: _States = {}
    damage = None
    if location.store_exists(folder):
        try:
            present = _read_states(folder)
        except StoreError as error:
            damage = error.message
    replaced = [
        summary
        for run_id, (seq, summary) in present.items()
        if run_id not in backup or backup[run_id][0] < seq
    ]
    return RestoreResult(
        backup_runs=len(backup),
        store_runs=len(present),
        damage=damage,
        replaced=sorted(replaced, key=lambda run: run.updated_at, reverse=True),
        kept_in=None,
    )


def _read_states(folder: Path) -> _States:
    """Read the runs of a store that no process writes.

    Raises:
        StoreError: it is damaged or too new.
    """
    if problems := integrity.find_file_damage(folder):
        raise errors.corrupt_error(folder, problems[0])
    with read_unused_store(folder) as snapshot:
        migrations.read_schema_version(snapshot)
        runs = [
            reads.decode_stored(snapshot, records.RunSummaryRecord, key, raw)
            for key, raw in snapshot.scan(keys.RUNS)
        ]
        return {
            run.pipeline_run_id: (run.seq, reads.summarize(snapshot, run))
            for run in runs
        }


def _keep_present(folder: Path) -> Path | None:
    """Link the present data file into a new folder beside the store; return that."""
    if not location.store_exists(folder):
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    kept = folder.parent / f"replaced-{stamp}"
    kept.mkdir(mode=0o700)
    try:
        os.link(folder / DATA_FILE, kept / DATA_FILE)
    except OSError:  # a filesystem without hard links
        shutil.copyfile(folder / DATA_FILE, kept / DATA_FILE)
    location.fsync_path(kept / DATA_FILE)
    location.fsync_path(kept)
    return kept
