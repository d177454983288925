"""All that belongs to a run, so that it can leave its store and come back whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from writeit.core.entity import Entity, Moment, Name
from writeit.core.run import PipelineStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.run import PipelineRun


class Ancestor(Entity):
    """A run that another branched off: enough of it to show it in the family."""

    run_id: UUID
    parent_run_id: UUID | None = None
    branch_point: Name | None = None
    name: str | None = None
    title: str
    pipeline: str
    status: PipelineStatus
    current_step: Name
    created_at: Moment
    updated_at: Moment
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A run with what it was made from, what happened to it, and where it came from."""

    run: PipelineRun
    configuration: PipelineConfiguration
    primer: StylePrimer | None = None
    """The primer whose version the run has pinned."""
    events: tuple[Event, ...] | None = None
    """The run's history, oldest first; None where it was left out."""
    ancestors: tuple[Ancestor, ...] = ()
    """The run's parent, the parent's parent and so on. Only their lines in the
    family: what of theirs the run shares, it holds itself."""


def readdressed(dossier: Dossier, to: Callable[[str], str]) -> Dossier:
    """Return the dossier with every document's URI made another by `to`."""
    events = dossier.events
    return replace(
        dossier,
        run=_run(dossier.run, to),
        events=None if events is None else tuple(_event(e, to) for e in events),
    )


def _run(run: PipelineRun, to: Callable[[str], str]) -> PipelineRun:
    return run.evolve(
        uri=None if run.uri is None else to(run.uri),
        applied=tuple(place.evolve(uri=to(place.uri)) for place in run.applied),
    )


def _event(event: Event, to: Callable[[str], str]) -> Event:
    match event.type:
        case "run_started" | "run_branched":
            return event.evolve(run=_run(event.run, to))
        case "text_applied" | "text_restored":
            return event.evolve(uri=to(event.uri))
        case _:
            return event
