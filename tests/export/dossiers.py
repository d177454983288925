"""Dossiers of runs that a random history made, with a primer that really is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from store import samples
from writeit.core.dossier import Ancestor, Dossier
from writeit.core.run import PipelineRun, RunPrimer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from writeit.core.events import Event
    from writeit.ports import Decision

PRIMER = samples.primer()
PINNED = RunPrimer(
    primer_id=PRIMER.primer_id, version=PRIMER.version, text=PRIMER.prompt_text
)


@dataclass
class Past:
    """What became of one run."""

    run: PipelineRun
    events: tuple[Event, ...] = ()


def with_primer(event: Event) -> Event:
    """The event, of a run that has pinned our primer."""
    if event.type in {"run_started", "run_branched"}:
        return event.evolve(run=event.run.evolve(primer=PINNED))
    return event


def pasts(decisions: Iterable[Decision]) -> dict[UUID, Past]:
    """Each run as the decisions left it, with its whole history."""
    found: dict[UUID, Past] = {}
    for decision in decisions:
        run = decision.run.evolve(primer=PINNED)
        past = found.setdefault(run.pipeline_run_id, Past(run))
        past.run = run
        past.events += tuple(with_primer(event) for event in decision.events)
    return found


def dossiers(decisions: Iterable[Decision]) -> dict[UUID, Dossier]:
    """A dossier for each run of a history."""
    found = pasts(decisions)
    return {
        run_id: Dossier(
            run=past.run,
            configuration=samples.configuration(),
            primer=PRIMER,
            events=past.events,
            ancestors=tuple(_ancestors(past.run, found)),
        )
        for run_id, past in found.items()
    }


def _ancestors(run: PipelineRun, found: dict[UUID, Past]) -> list[Ancestor]:
    ancestors = []
    while run.parent_pipeline_run_id is not None:
        run = found[run.parent_pipeline_run_id].run
        ancestors.append(
            Ancestor(
                run_id=run.pipeline_run_id,
                parent_run_id=run.parent_pipeline_run_id,
                branch_point=run.branch_point,
                name=run.name,
                title=run.document.title,
                pipeline="tech-article",
                status=run.status,
                current_step=run.current_step,
                created_at=run.created_at,
                updated_at=run.updated_at,
                cost_usd=run.cost_usd,
            )
        )
    return ancestors
