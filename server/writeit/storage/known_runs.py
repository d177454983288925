"""What this process has stored, to store it again if the store is replaced."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

from writeit.domain import state_machine
from writeit.domain.errors import InvalidExport, StoreError
from writeit.domain.run_bundle import RunBundle, list_ancestors
from writeit.domain.session import LOCAL_USER, UserPreferences, UserSession
from writeit.ports.store import Lease, RunCommit
from writeit.storage import changes, keys, mapping, reads, writes
from writeit.storage.cache import Caches
from writeit.storage.environment import LmdbEnvironment
from writeit.storage.reads import SnapshotReader
from writeit.storage.recent_log import RecentLog
from writeit.storage.snapshot import Batch, Snapshot

KEPT_FOLDER = "kept-runs"
"""The folder beside the store with runs that could not be stored in it again."""
_MAX_VIEWED = 16
_MAX_KNOWN_EVENTS = 20_000

RenderRun = Callable[[RunBundle], str]


class KnownRuns:
    """The runs that this process has changed, with all their events."""

    def __init__(self, environment: LmdbEnvironment) -> None:
        self._environment = environment
        self._log = RecentLog(environment.folder, lambda: self.bundles)
        self.render: RenderRun | None = None
        """Returns a run as text that `writeit import` reads."""
        self.notices: deque[str] = deque()
        """Messages for the user."""
        self._lock = threading.Lock()
        self._bundles: OrderedDict[UUID, RunBundle] = OrderedDict()
        self._event_count = 0
        self._viewed: OrderedDict[UUID, int] = OrderedDict()
        """How many events each run had when it was read last."""
        self._leases: dict[UUID, Lease] = {}
        self.session: UserSession | None = None
        self.preferences: UserPreferences | None = None
        self._kept: dict[UUID, int] = {}
        """How many events of a run a file has."""

    def view(self, run_id: UUID, seq: int) -> None:
        """Remember that a run was read."""
        with self._lock:
            self._viewed[run_id] = seq
            self._viewed.move_to_end(run_id)
            if len(self._viewed) > _MAX_VIEWED:
                self._viewed.popitem(last=False)

    def after_write(self, batch: Batch, commit: RunCommit) -> RunBundle | None:
        """Return the run that a commit has just written, with all its events.

        Return None if the store has lost a part of it.
        """
        known = self._bundles.get(commit.run.pipeline_run_id)
        if known is None or len(known.events or ()) != commit.expected_seq:
            try:
                return read_bundle(batch, commit.run.pipeline_run_id)
            except (StoreError, ValueError):  # damage that `store verify` reports
                return None
        return replace(
            known,
            run=mapping.without_streamed_text(commit.run),
            events=(*(known.events or ()), *commit.events),
        )

    def add(self, bundle: RunBundle | None, commit: RunCommit) -> None:
        """Remember a run that is on the disk now."""
        run_id = commit.run.pipeline_run_id
        if bundle is not None:
            self.remember(bundle)
        if commit.release_lease:
            self._leases.pop(run_id, None)
        elif commit.lease is not None:
            self._leases[run_id] = commit.lease
        if commit.session is not None:
            self.session = commit.session

    def remember(self, bundle: RunBundle) -> None:
        """Remember and log a run that is on the disk now."""
        self._put(bundle)
        self._log.add(bundle, self._environment.file_state)

    def _put(self, bundle: RunBundle) -> None:
        run_id = bundle.run.pipeline_run_id
        with self._lock:
            self._forget(run_id)
            self._bundles[run_id] = bundle
            self._event_count += len(bundle.events or ())
            while self._event_count > _MAX_KNOWN_EVENTS and len(self._bundles) > 1:
                self._forget(next(iter(self._bundles)))

    def forget(self, run_ids: Iterable[UUID]) -> None:
        """Forget runs that were deleted."""
        deleted = list(run_ids)
        for run_id in deleted:
            with self._lock:
                self._forget(run_id)
                self._viewed.pop(run_id, None)
        self._log.forget(deleted, self._environment.file_state)

    def close(self) -> None:
        """Forget everything: the store has it."""
        self._log.close()

    def _forget(self, run_id: UUID) -> None:
        if bundle := self._bundles.pop(run_id, None):
            self._event_count -= len(bundle.events or ())

    def read_again(self, snapshot: Snapshot) -> None:
        """Add runs that were viewed only, from the old file."""
        with self._lock:
            viewed = list(self._viewed.items())
        for run_id, seq in viewed:
            known = self._bundles.get(run_id)
            if known is not None and len(known.events or ()) >= seq:
                continue
            bundle = read_bundle(snapshot, run_id)
            events = (bundle.events or ())[:seq]
            if len(events) == seq:
                run = state_machine.replay(events)
                self._put(replace(bundle, run=run, events=events))

    def find_deleted(self, snapshot: Snapshot) -> list[UUID]:
        """Return the runs that are not in the store."""
        with self._lock:
            run_ids = {*self._bundles, *self._viewed}
        return [each for each in run_ids if snapshot.get(keys.run(each)) is None]

    def store_again(self, batch: Batch, bundle: RunBundle) -> bool:
        """Store what a replaced store lacks of a run; return whether it lacked any.

        Raises:
            InvalidExport: it has another history of that run.
        """
        run_id, events = bundle.run.pipeline_run_id, bundle.events or ()
        stored = tuple(SnapshotReader(batch, Caches()).events(run_id))
        if stored[: len(events)] == events:
            return False
        if stored != events[: len(stored)]:
            raise InvalidExport(
                f"Run {run_id} has another history there.",
                reason="conflict",
                hint="Import the kept file into another folder.",
            )
        commit = RunCommit(
            run=state_machine.replay(events),
            events=events[len(stored) :],
            expected_seq=len(stored),
            configuration=bundle.configuration,
            primer=bundle.primer,
            lease=self._leases.get(run_id) if bundle.run.is_streaming else None,
            ancestors=bundle.ancestors,
        )
        writes.write_commit(batch, commit, Caches().runs)
        changes.log_change(batch, run_id)
        return True

    def store_session_again(self, batch: Batch) -> None:
        """Store the session and the preferences that this process stored."""
        if self.session is not None:
            writes.write_session(batch, self.session)
        if self.preferences is not None:
            writes.write_preferences(batch, LOCAL_USER, self.preferences)

    @property
    def bundles(self) -> list[RunBundle]:
        """The runs, oldest first."""
        with self._lock:
            return sorted(self._bundles.values(), key=lambda each: each.run.created_at)

    def keep(self, bundles: Iterable[RunBundle], folder: Path) -> list[Path]:
        """Write runs into files beside the store in `folder`; return the new files.

        Raises:
            OSError: one could not be written.
        """
        written = []
        for bundle in bundles:
            run, count = bundle.run, len(bundle.events or ())
            target = folder.parent / KEPT_FOLDER
            title = re.sub(r"\W+", "-", run.name or run.title)[:40].strip("-")
            path = target / f"{title or 'run'}-{run.pipeline_run_id}.yaml"
            is_kept = path.exists() and self._kept.get(run.pipeline_run_id) == count
            if self.render is None or is_kept:
                continue
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=target, delete=False
            ) as file:
                file.write(self.render(bundle))
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(path)
            self._kept[run.pipeline_run_id] = count
            written.append(path)
        return written


def read_bundle(snapshot: Snapshot, run_id: UUID) -> RunBundle:
    """Read a run with its events, pipeline, primer and ancestors.

    Raises:
        StoreError: a part of it is damaged or missing.
    """
    reader = SnapshotReader(snapshot, Caches())
    stored = reader.run(run_id, {})
    if stored is None:
        raise reads.missing_key_error(snapshot, keys.run(run_id))
    run = mapping.without_streamed_text(stored.run)
    configuration = reader.configuration(run.configuration_id)
    if configuration is None:
        raise reads.missing_key_error(snapshot, keys.config(run.configuration_id))
    primer = run.primer
    return RunBundle(
        run=run,
        configuration=configuration,
        primer=reader.primer(primer.primer_id, primer.version) if primer else None,
        events=tuple(reader.events(run_id)),
        ancestors=list_ancestors(
            run.parent_pipeline_run_id, partial(reads.read_summary, snapshot)
        ),
    )
