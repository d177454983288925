"""Dossiers of runs that a random history made, with a primer that really is theirs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from storage import samples
from support import runs
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.events import Event
from writeit.domain.operations import generate, select
from writeit.domain.primer import RunPrimer
from writeit.domain.run import PipelineRun
from writeit.domain.run_bundle import Ancestor, RunBundle
from writeit.ports.store import RunCommit

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


def pasts(decisions: Iterable[RunCommit]) -> dict[UUID, Past]:
    """Each run as the decisions left it, with its whole history."""
    found: dict[UUID, Past] = {}
    for decision in decisions:
        run = decision.run.evolve(primer=PINNED)
        past = found.setdefault(run.pipeline_run_id, Past(run))
        past.run = run
        past.events += tuple(with_primer(event) for event in decision.events)
    return found


def dossiers(decisions: Iterable[RunCommit]) -> dict[UUID, RunBundle]:
    """A dossier for each run of a history."""
    found = pasts(decisions)
    return {
        run_id: RunBundle(
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


@cache
def finished() -> RunBundle:
    """A run that went through all of its steps; the same one each time."""
    run = runs.completed(samples.STEPS)
    began = new_run(run)
    events: list[Event] = [e.RunStarted(at=began.created_at, run=began)]
    for step in began.step_names:
        state = run.steps[step]
        call, answer = state.calls[0], state.ai_responses[0]
        asked = generate.start_generation(began, began.steps[step], [call], runs.START)
        sent = generate.start_response(step, call, answer.prompt_used, runs.START)
        received = generate.complete_response(step, answer, runs.START)
        began = state_machine.replay((*asked, sent, *received), began)
        chosen = select.select_response(began, began.steps[step], 0, runs.START)
        began = state_machine.replay(chosen, began)
        events += (*asked, sent, *received, *chosen)
    return RunBundle(
        run=began,
        configuration=samples.configuration(),
        primer=PRIMER,
        events=tuple(events),
    )


def new_run(run: PipelineRun) -> PipelineRun:
    """The run as it began, of our configuration and primer."""
    return runs.new_run(
        samples.STEPS,
        pipeline_run_id=run.pipeline_run_id,
        configuration_id=samples.configuration().configuration_id,
        primer=PINNED,
        user_inputs={"source_material": "Bees.\n\nThey dance.\n"},
    )
