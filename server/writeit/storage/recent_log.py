"""A log of what a process has stored, for the case that it dies with its store.

The system ends a process that reads the map of a file as another program truncates it.
The next process that opens the store stores again what it lacks. The log is in the
user's data folder and is not synced: it outlives the process, not the machine.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.events import Event
from writeit.domain.run import AIResponse
from writeit.domain.run_bundle import Ancestor, RunBundle
from writeit.storage import keys, mapping, provenance, writes
from writeit.storage.reads import Caches, SnapshotReader
from writeit.storage.records import ConfigurationRecord
from writeit.storage.snapshot import MemoryBatch

_LENGTHS = struct.Struct("=II")
_STATE = b"state"
_ANCESTORS = b"ancestors:"
_DELETED = b"deleted:"


class RecentLog:
    """The log of this process for one store; created when something is stored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = _log_path(folder, str(os.getpid()))
        self._file: int | None = None
        self._logged: dict[UUID, int] = {}
        """How many events of each run are logged."""

    def add(self, bundle: RunBundle, state: bytes) -> None:
        """Log the new events of a run; `state` identifies the data file."""
        run_id, events = bundle.run.pipeline_run_id, bundle.events or ()
        count = self._logged.get(run_id, 0)
        batch = MemoryBatch(self._folder)
        if not count:
            _write_origin(batch, bundle)
        for number, event in enumerate(events[count:], count + 1):
            key = keys.event(run_id, number)
            writes.write_record(batch, key, mapping.event_record(event))
            for response in _responses(event):
                record = mapping.response_record(response)
                writes.write_record(batch, keys.response(response.response_id), record)
        self._append({**batch.entries, _STATE: state})
        self._logged[run_id] = len(events)

    def delete(self, run_ids: Iterable[UUID]) -> None:
        """Log that runs were deleted."""
        self._append({_DELETED + str(r).encode(): b"" for r in run_ids})

    def close(self) -> None:
        """Delete the log: the store has everything."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._file)
            self._file = None

    def _append(self, entries: dict[bytes, bytes]) -> None:
        packed = [
            _LENGTHS.pack(len(key), len(value)) + key + value
            for key, value in entries.items()
        ]
        # Without a log, only a death at the same moment loses something.
        with suppress(OSError):
            if self._file is None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
                self._file = os.open(self._path, flags, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(self._file, b"".join(packed))


def take_abandoned_runs(folder: Path, state: bytes) -> Iterator[list[RunBundle]]:
    """Yield the runs of each dead process, if the data file was replaced since.

    Its log is deleted afterwards.
    """
    pattern = _log_path(folder, "*")
    for path in sorted(pattern.parent.glob(pattern.name)):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            batch = MemoryBatch(folder)
            batch.entries.update(_read_entries(file.read()))
            if not _is_later(state, batch.entries.get(_STATE, b"")):
                yield sorted(_bundles(batch), key=lambda each: each.run.created_at)
            path.unlink()


def _is_later(state: bytes, logged: bytes) -> bool:
    """Return whether `state` is of the same file as `logged`, or after that."""
    return state[:-8] == logged[:-8] and state[-8:] >= logged[-8:]


def _read_entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values; the last ones may be incomplete."""
    start = 0
    while start + _LENGTHS.size <= len(data):
        key, value = _LENGTHS.unpack_from(data, start)
        middle = start + _LENGTHS.size + key
        start = middle + value
        if start <= len(data):
            yield data[middle - key : middle], data[middle:start]


def _bundles(batch: MemoryBatch) -> Iterator[RunBundle]:
    reader = SnapshotReader(batch, Caches())
    names = {key.split(b":")[1] for key in batch.scan_keys(keys.EVENTS)}
    for name in names:
        if batch.get(_DELETED + name) is not None:
            continue
        run_id = UUID(name.decode())
        events = tuple(reader.events(run_id))
        run = state_machine.replay(events)
        configuration = reader.configuration(run.configuration_id)
        if configuration is None:
            continue
        pinned = run.primer
        yield RunBundle(
            run=run,
            configuration=configuration,
            primer=reader.primer(pinned.primer_id, pinned.version) if pinned else None,
            events=events,
            ancestors=tuple(
                Ancestor.model_validate(each)
                for each in json.loads(batch.get(_ANCESTORS + name) or b"[]")
            ),
        )


def _write_origin(batch: MemoryBatch, bundle: RunBundle) -> None:
    run, primer = bundle.run, bundle.primer
    record = ConfigurationRecord(configuration=bundle.configuration)
    writes.write_record(batch, keys.config(run.configuration_id), record)
    if primer is not None and run.primer is not None:
        used = primer.last_used or run.updated_at
        writes.write_record(
            batch,
            keys.primer(primer.primer_id, run.primer.version),
            mapping.primer_record(primer, primer.created_at or used, used),
        )
    ancestors = [each.model_dump(mode="json") for each in bundle.ancestors]
    name = str(run.pipeline_run_id).encode()
    batch.put(_ANCESTORS + name, json.dumps(ancestors).encode())


def _responses(event: Event) -> list[AIResponse]:
    match event:
        case e.RunStarted() | e.RunBranched():
            steps = event.run.steps.values()
            return [response for step in steps for response in step.ai_responses]
        case e.ResponseReceived() | e.ResponseInterrupted():
            return [event.response]
    return []


def _log_path(folder: Path, process: str) -> Path:
    record = provenance.record_path(folder)
    return record.with_name(f"{record.stem}-{process}.log")
