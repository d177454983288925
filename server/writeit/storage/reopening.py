"""Open the files that replaced a store's, and store again what they lack."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

import lmdb

from writeit.domain.errors import InvalidExport, NotFound, StoreError, WriteItError
from writeit.domain.run_bundle import RunBundle
from writeit.storage import errors, migrations
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.errors import StoreReplaced
from writeit.storage.known_runs import KnownRuns
from writeit.storage.recent_log import take_abandoned_runs
from writeit.storage.snapshot import DATA_FILE

_COPY_SECONDS = 0.1
"""A copy that has not changed for so long is complete, or was given up."""
_MAX_COPY_SECONDS = 3.0
"""How long to wait for a copy that is being written."""
_MAX_REPLACEMENTS = 20
"""How often the files may be replaced again while they are opened."""


class StreamedText(Protocol):
    """The text of answers that are streaming."""

    def write_again(self) -> None:
        """Write all of it soon."""


class Reopener:
    """Opens replaced files on the writer's thread."""

    def __init__(
        self, environment: LmdbEnvironment, prepare: Callable[[bool], None]
    ) -> None:
        self.known = KnownRuns(environment)
        self.journals: set[StreamedText] = set()
        self._environment = environment
        self._prepare = prepare
        self.lacks_runs = False
        """Whether the open files may lack what this process has stored."""
        self._is_to_tell = False

    def open_replaced(self) -> StoreError | None:
        """Open the files, or what is known of them; return the error if that fails.

        It does nothing if the files were not replaced.
        """
        for _ in range(_MAX_REPLACEMENTS):
            try:
                if self._environment.is_replaced:
                    self._open_files()
                if self.lacks_runs:
                    self._store_again()
            except StoreReplaced:
                continue
            except (StoreError, lmdb.Error, OSError) as error:
                return self._refuse(error)
            return None
        return self._refuse(StoreReplaced("it is replaced again and again"))

    def _refuse(self, error: StoreError | lmdb.Error | OSError) -> StoreError:
        failure = errors.replaced_error(self._environment.folder, error)
        self._environment.refuse_reads(failure)
        self._keep(self.known.bundles)
        return failure

    def _open_files(self) -> None:
        """Open the files; wait for a copy that is still being written.

        Raises:
            StoreError, lmdb.Error, OSError: they cannot be opened.
        """
        self._environment.allow_reads()
        if self._environment.is_intact:
            with (
                suppress(StoreError, ValueError, lmdb.Error),  # it is damaged
                self._environment.long_read_transaction() as snapshot,
            ):
                self.known.read_again(snapshot)
        self.lacks_runs = True  # before: readers wait for it
        deadline = time.monotonic() + _MAX_COPY_SECONDS
        while True:
            before = _file_state(self._environment.folder)
            try:
                self._is_to_tell |= self._environment.replace_files(self._prepare)
            except StoreError:
                time.sleep(_COPY_SECONDS)
                is_changing = _file_state(self._environment.folder) != before
                if not is_changing or time.monotonic() > deadline:
                    raise
            else:
                return

    def _store_again(self) -> None:
        """Store in the new files what only this process knows.

        Raises:
            StoreError, lmdb.Error, OSError: they cannot be written.
        """
        write = self._environment.write_once
        write(migrations.migrate)
        write(self.known.store_session_again)
        count = self._store_runs(self.known.bundles)
        for journal in self.journals:
            journal.write_again()
        self.lacks_runs = False
        if self._is_to_tell:
            self._is_to_tell = False
            self.known.notices.append(
                "Another program replaced or deleted this folder's run history. It is"
                f" open again. Runs added from this editor: {count}."
            )

    def store_abandoned(self) -> None:
        """Store what the store lacks of processes that died as it was replaced."""
        folder, state = self._environment.folder, self._environment.file_state
        try:
            for runs in take_abandoned_runs(folder, state):
                self._store_runs(runs)
                for bundle in runs:  # before their log is deleted
                    self.known.remember(bundle)
        except (WriteItError, lmdb.Error, OSError, ValueError) as error:
            self.known.notices.append(
                "Runs of an earlier editor could not be added to this folder's run"
                f" history ({error}). WriteIt tries again at the next start."
            )

    def _store_runs(self, bundles: Sequence[RunBundle]) -> int:
        """Store what the store lacks of runs; return how many it lacked."""
        refused: list[RunBundle] = []
        count = 0
        for bundle in bundles:
            write = partial(self.known.store_again, bundle=bundle)
            try:
                count += self._environment.write_once(write)
            except (InvalidExport, NotFound):
                refused.append(bundle)
        self._keep(refused)
        return count

    def _keep(self, bundles: Sequence[RunBundle]) -> None:
        """Write runs that cannot be stored into files, and say so."""
        try:
            kept = self.known.keep(bundles, self._environment.folder)
        except OSError as error:
            self.known.notices.append(
                f"{len(bundles)} runs are not in the run history, and could not be kept"
                f" in a file ({error}). Export them before you close this editor."
            )
            return
        if kept:
            self.known.notices.append(
                f"{len(kept)} runs of this editor could not be added to the run history"
                f" and were kept in {kept[0].parent}. To add one later, run:"
                " writeit import FILE"
            )


def _file_state(folder: Path) -> tuple[int, int] | None:
    """Return the size of the data file and when it was changed, or None."""
    try:
        status = (folder / DATA_FILE).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
