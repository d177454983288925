"""A log of what a process has stored, for the case that it dies with its store.

The system ends a process that reads the map of a file as another program truncates it.
The next process that opens the store stores again what it lacks. The log is in the
user's data folder and is not synced: it outlives the process, not the machine.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from writeit.domain import state_machine
from writeit.domain.entity import Entity
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run_bundle import Ancestor, RunBundle
from writeit.storage import provenance
from writeit.storage.file_watch import FileState

MIN_LIMIT = 16 << 20
"""Bytes; a larger log is replaced by one with the runs that are still known."""


class _LogEntry(Entity):
    """A line of the log: new events of a run."""

    run_id: UUID
    state: FileState
    """The data file that has them."""
    events: tuple[Event, ...] = ()
    configuration: PipelineConfiguration | None = None
    """With the first events of a run, as are the next two."""
    primer: StylePrimer | None = None
    ancestors: tuple[Ancestor, ...] = ()


class RecentLog:
    """The log of this process for one store; created when something is stored.

    Without it, only a death at the same moment loses something, so the store does not
    fail if it cannot be written.
    """

    def __init__(self, folder: Path, known: Callable[[], list[RunBundle]]) -> None:
        """Log for the store in `folder`; `known` returns the runs of a new log."""
        self._pattern = _log_pattern(folder)
        self._known = known
        self._lock = threading.Lock()
        self._file: int | None = None
        self._path = self._pattern
        self._size = self._first_size = 0
        self._logged: dict[UUID, int] = {}
        """How many events of each run are logged."""

    def add(self, bundle: RunBundle, state: FileState) -> None:
        """Log the new events of a run that is in the data file `state`."""
        with self._lock, suppress(OSError):
            limit = max(MIN_LIMIT, 2 * self._first_size)
            if self._file is None or self._size > limit:
                self._start(state)
            self._add(bundle, state)

    def forget(self, run_ids: Iterable[UUID], state: FileState) -> None:
        """Start a log without runs that were deleted, so that no text of them stays."""
        with self._lock:
            if self._logged.keys().isdisjoint(run_ids):
                return
            try:
                self._start(state)
            except OSError:
                self._remove()  # the next commit starts a new log

    def close(self) -> None:
        """Delete the log: the store has everything."""
        with self._lock:
            self._remove()

    def _start(self, state: FileState) -> None:
        """Start a log with all known runs, and delete the one before."""
        self._pattern.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        start, end = self._pattern.name.split("*")
        file, path = tempfile.mkstemp(end, start, self._pattern.parent)
        fcntl.flock(file, fcntl.LOCK_EX)
        before, self._file = (self._file, self._path), file
        self._path, self._size = Path(path), 0
        self._logged.clear()
        for bundle in self._known():
            self._add(bundle, state)
        self._first_size = self._size
        _remove(*before)

    def _remove(self) -> None:
        _remove(self._file, self._path)
        self._file = None

    def _add(self, bundle: RunBundle, state: FileState) -> None:
        run_id, events = bundle.run.pipeline_run_id, bundle.events or ()
        count = self._logged.get(run_id, 0)
        if len(events) > count:
            entry = _LogEntry(
                run_id=run_id,
                state=state,
                events=events[count:],
                configuration=None if count else bundle.configuration,
                primer=None if count else bundle.primer,
                ancestors=() if count else bundle.ancestors,
            )
            self._write(entry)
            self._logged[run_id] = len(events)

    def _write(self, entry: _LogEntry) -> None:
        line = entry.model_dump_json().encode() + b"\n"
        if self._file is not None and os.write(self._file, line) < len(line):
            self._remove()  # on a full disk; the next commit starts a new log
        self._size += len(line)


def _remove(file: int | None, path: Path) -> None:
    if file is not None:
        with suppress(OSError):
            path.unlink()
        os.close(file)


def take_abandoned_runs(folder: Path, state: FileState) -> Iterator[list[RunBundle]]:
    """Yield the runs of each dead process, if the data file was replaced since.

    Its log is deleted afterwards.

    Raises:
        ValueError: a log cannot be read.
    """
    pattern = _log_pattern(folder)
    for path in sorted(pattern.parent.glob(pattern.name)):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lines = file.read().splitlines(keepends=True)
            # The process may have died as it wrote the last one.
            entries = [
                _LogEntry.model_validate_json(line)
                for line in lines
                if line.endswith(b"\n")
            ]
            if entries and not _is_later(state, entries[-1].state):
                yield _join_entries(entries)
            path.unlink()


def _is_later(state: FileState, logged: FileState) -> bool:
    """Return whether `state` is of the same file as `logged`, or after that."""
    return state[:2] == logged[:2] and state[2] >= logged[2]


def _join_entries(entries: list[_LogEntry]) -> list[RunBundle]:
    """Return the runs, oldest first."""
    firsts: dict[UUID, _LogEntry] = {}
    events: dict[UUID, tuple[Event, ...]] = {}
    for entry in entries:
        if entry.configuration is not None:
            firsts[entry.run_id], events[entry.run_id] = entry, entry.events
        else:
            events[entry.run_id] += entry.events
    bundles = [
        RunBundle(
            run=state_machine.replay(events[run_id]),
            configuration=first.configuration,
            primer=first.primer,
            events=events[run_id],
            ancestors=first.ancestors,
        )
        for run_id, first in firsts.items()
        if first.configuration is not None
    ]
    return sorted(bundles, key=lambda bundle: bundle.run.created_at)


def _log_pattern(folder: Path) -> Path:
    """Return a pattern of the logs of all processes for the store in `folder`."""
    record = provenance.record_path(folder)
    return record.with_name(f"{record.stem}-*.log")
