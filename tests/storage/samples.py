"""Short constructors of entities for the tests of the store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.answer import AIResponse, Call
from writeit.domain.document import RunDocument
from writeit.domain.entity import TokenUsage
from writeit.domain.operations import generate
from writeit.domain.operations.select import select_response
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.primer import RunPrimer, StylePrimer
from writeit.domain.run import PipelineRun, StepState
from writeit.domain.session import UserSession
from writeit.ports.store import RunCommit, Store

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
STEPS = ("angles", "outline", "draft", "polish")


def at(seconds: float) -> datetime:
    """Return the time that many seconds after a fixed start."""
    return START + timedelta(seconds=seconds)


def an_id(number: int) -> UUID:
    """The id with that number; later numbers sort later."""
    return UUID(int=(7 << 76) | (2 << 62) | number)


def configuration(name: str = "tech-article", hint: str = "") -> PipelineConfiguration:
    """A configuration of four steps; another `hint` makes it another one."""
    return PipelineConfiguration(
        name=name,
        description=hint,
        created=START,
        inputs=(InputSpec(name="source_material", required=True),),
        steps=tuple(StepSpec(name=step, prompt="Write.") for step in STEPS),
    )


def primer(content: str = "Write plainly.") -> StylePrimer:
    """A primer; other content makes it another version."""
    return StylePrimer(
        primer_id="tech-journalist",
        name="Tech journalist",
        content=content,
        voice_attributes={"tone": "dry", "structure": "short", "language": "plain"},
        guidelines={"avoid": ("very",), "prefer": ()},
    )


def pinned(primer: StylePrimer) -> RunPrimer:
    """The primer as a run pins it."""
    return RunPrimer(
        primer_id=primer.primer_id, version=primer.version, text="Plain. " * 50
    )


def session(number: int = 900, user_id: str = "local") -> UserSession:
    """A session."""
    return UserSession(
        session_id=an_id(number),
        user_id=user_id,
        workspace_path=Path("/notes"),
        created_at=START,
        last_activity=at(1),
    )


def a_run(number: int = 1, **fields: object) -> PipelineRun:
    """A run that was just started."""
    created_at = at(number)
    return PipelineRun.model_validate(
        {
            "pipeline_run_id": an_id(number),
            "configuration_id": configuration().configuration_id,
            "created_at": created_at,
            "updated_at": created_at,
            "current_step": STEPS[0],
            "steps": {name: StepState(step_name=name) for name in STEPS},
            "user_inputs": {"source_material": "Notes. " * 100},
            "primer": RunPrimer(
                primer_id="tech-journalist", version="abc", text="Plain. " * 50
            ),
            "document": RunDocument(text="Notes. " * 100, title="Why bees dance"),
            **fields,
        }
    )


def started(run: PipelineRun) -> RunCommit:
    """Return the decision that starts a run."""
    event = e.RunStarted(at=run.created_at, run=run)
    return RunCommit(run=run, events=(event,), expected_seq=0)


def decision(run: PipelineRun, seq: int, *events: e.Event) -> RunCommit:
    """The decision for `events` on a run that is at `seq`."""
    return RunCommit(
        run=state_machine.replay(events, run), events=tuple(events), expected_seq=seq
    )


def call(number: int, model: str = "openai/gpt-4o") -> Call:
    """A call."""
    return Call(response_id=an_id(number), model=model, generation=1)


def answer(number: int, text: str = "An answer.", **fields: object) -> AIResponse:
    """An answer to the call of the same number."""
    return AIResponse.model_validate(
        {
            "response_id": an_id(number),
            "model_name": "gpt-4o",
            "provider": "openai",
            "prompt_used": "Write about bees. " * 30,
            "raw_output": text,
            "processed_content": text.strip(),
            "created_at": at(number),
            "usage_stats": TokenUsage(
                prompt_tokens=10, completion_tokens=5, total_tokens=15, cost_usd=0.25
            ),
            "processing_time": 1.5,
            **fields,
        }
    )


async def put(store: Store, run: PipelineRun) -> PipelineRun:
    """Store a run that was just started."""
    await store.commit(started(run))
    return run


async def go_on(store: Store, run_id: UUID, *events: e.Event) -> PipelineRun:
    """Commit `events` on a stored run."""
    stored = store.get_run(run_id)
    assert stored is not None
    made = decision(stored.run, stored.seq, *events)
    await store.commit(made)
    return made.run


async def ask(store: Store, run_id: UUID, *numbers: int) -> PipelineRun:
    """Start generating the current step: its answers stream."""
    stored = store.get_run(run_id)
    assert stored is not None
    run, calls, moment = stored.run, [call(n) for n in numbers], stored.run.updated_at
    events = generate.start_generation(run, run.steps[run.current_step], calls, moment)
    sent = [
        generate.start_response(
            run.current_step, one, "Write about bees. " * 30, moment
        )
        for one in calls
    ]
    return await go_on(store, run_id, *events, *sent)


async def receive(store: Store, run_id: UUID, response: AIResponse) -> PipelineRun:
    """Complete an answer of the current step."""
    stored = store.get_run(run_id)
    assert stored is not None
    run = stored.run
    events = generate.complete_response(run.current_step, response, run.updated_at)
    return await go_on(store, run_id, *events)


async def select(store: Store, run_id: UUID, index: int = 0) -> PipelineRun:
    """Choose an answer of the current step."""
    stored = store.get_run(run_id)
    assert stored is not None
    run = stored.run
    events = select_response(run, run.steps[run.current_step], index, run.updated_at)
    return await go_on(store, run_id, *events)
