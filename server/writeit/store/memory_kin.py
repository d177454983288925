"""The families of the runs that the store's fake remembers."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from writeit.core.errors import BadExport
from writeit.store import arriving, shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from writeit.core.dossier import Ancestor
    from writeit.core.run import PipelineRun
    from writeit.ports import RunSummary, StoredRun


class Kin:
    """Runs and the tombstones of those that are gone, by who branched off whom."""

    def __init__(self, runs: Mapping[UUID, StoredRun]) -> None:
        self._runs = runs
        self.tombstones: dict[UUID, RunSummary] = {}

    def all(self) -> list[RunSummary]:
        """All runs, and those of which a tombstone is left."""
        living = (line_of(stored.run) for stored in self._runs.values())
        return [*living, *self.tombstones.values()]

    def children(self, run_id: UUID) -> list[UUID]:
        """The runs that branched off a run, oldest first."""
        return sorted(
            each.run_id for each in self.all() if each.parent_run_id == run_id
        )

    def down_from(self, run_id: UUID) -> list[UUID]:
        """A run and all that branched off it, each before its children."""
        below = (self.down_from(child) for child in self.children(run_id))
        return [run_id, *(each for family in below for each in family)]

    def drop_tombstones(self) -> None:
        """Let go of tombstones that no child needs."""
        while barren := [i for i in self.tombstones if not self.children(i)]:
            for run_id in barren:
                del self.tombstones[run_id]

    def make_room(self, run: PipelineRun, ancestors: Sequence[Ancestor]) -> None:
        """Get ready for a run from elsewhere, as `arriving.make_room` does.

        Raises:
            BadExport: what is here contradicts it.
        """
        grave = self.tombstones.get(run.pipeline_run_id)
        if grave is not None:
            arriving.check_parent(run, grave.parent_run_id)
        known = {each.run_id for each in self.all()}
        new = takewhile(lambda each: each.run_id not in known, ancestors)
        before = dict(self.tombstones)
        self.tombstones |= {each.run_id: _left(each) for each in new}
        try:
            self._check_answers(run)
        except BadExport:
            self.tombstones = before
            raise
        self.tombstones.pop(run.pipeline_run_id, None)

    def _check_answers(self, run: PipelineRun) -> None:
        relative = run.parent_pipeline_run_id or run.pipeline_run_id
        parents = {each.run_id: each.parent_run_id for each in self.all()}
        while (above := parents.get(relative)) is not None:
            relative = above
        family = [
            self._runs[i].run for i in self.down_from(relative) if i in self._runs
        ]
        held = {key for each in family for key in arriving.answers_of(each)}
        known = {
            key: answer
            for stored in self._runs.values()
            for key, answer in arriving.answers_of(stored.run).items()
        }
        arriving.check_answers(run, known, held)


def age(run: RunSummary) -> tuple[object, str]:
    """What runs are listed by."""
    return run.created_at, str(run.run_id)


def line_of(run: PipelineRun) -> RunSummary:
    """A run's line in the list."""
    return shapes.summary(shapes.run_record(run, 0))


def _left(ancestor: Ancestor) -> RunSummary:
    return shapes.summary(arriving.left_by(ancestor), deleted=True)
