"""A run with everything that belongs to it, for export and import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from writeit.domain.entity import Entity, Name, UtcDatetime
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.run_summary import RunSummary
from writeit.domain.state_machine import with_document_uris


class Ancestor(Entity):
    """What the list of branches shows of a run that another was branched from."""

    run_id: UUID
    parent_run_id: UUID | None = None
    branch_point: Name | None = None
    name: str | None = None
    title: str
    pipeline: str
    status: PipelineStatus
    current_step: Name
    created_at: UtcDatetime
    updated_at: UtcDatetime
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBundle:
    """A run with its pipeline, primer, events and ancestors."""

    run: PipelineRun
    configuration: PipelineConfiguration
    primer: StylePrimer | None = None
    """The version of the primer that the run uses."""
    events: tuple[Event, ...] | None = None
    """The run's events, oldest first; None if left out."""
    ancestors: tuple[Ancestor, ...] = ()
    """The run's parent, the parent's parent and so on."""


def list_ancestors(
    parent_id: UUID | None, read_summary: Callable[[UUID], RunSummary | None]
) -> tuple[Ancestor, ...]:
    """Return a run's parent, the parent's parent and so on."""
    ancestors = []
    while parent_id is not None and (summary := read_summary(parent_id)):
        fields = {name: getattr(summary, name) for name in Ancestor.model_fields}
        ancestors.append(Ancestor(**fields))
        parent_id = summary.parent_run_id
    return tuple(ancestors)


def with_uris(bundle: RunBundle, map_uri: Callable[[str], str]) -> RunBundle:
    """Return the bundle with each document's URI replaced by `map_uri` of it."""
    events = bundle.events
    return replace(
        bundle,
        run=with_document_uris(bundle.run, map_uri),
        events=None
        if events is None
        else tuple(_event_with_uris(e, map_uri) for e in events),
    )


def _event_with_uris(event: Event, map_uri: Callable[[str], str]) -> Event:
    match event.type:
        case "run_started" | "run_branched":
            return event.evolve(run=with_document_uris(event.run, map_uri))
        case "text_applied" | "text_restored":
            return event.evolve(uri=map_uri(event.uri))
        case "run_moved":
            moved = {map_uri(old): map_uri(new) for old, new in event.documents.items()}
            return event.evolve(documents=moved)
        case _:
            return event
