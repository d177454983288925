"""An engine on a real store and scripted models, with a clock tests can read."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from support.scripted_models import ScriptedModels
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.run import PipelineRun
from writeit.domain.session import UserSession
from writeit.engine.engine import Engine
from writeit.engine.generation import Generation
from writeit.engine.precedence import ModelSelection, StartRequest
from writeit.engine.requests import GenerateStep
from writeit.engine.streaming import ResponseFinished, RetryPolicy, StreamEvent
from writeit.storage.store import LmdbStore

K = TypeVar("K")

START = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = "openai/first"
OTHER = "openai/second"

PIPELINE = PipelineConfiguration(
    name="test",
    created=START,
    inputs=(InputSpec(name="source", required=True),),
    steps=(
        StepSpec(name="angles", prompt="Angles on {{ inputs.source }}"),
        StepSpec(name="draft", prompt="Draft of {{ steps.angles.content }}"),
    ),
)


class TickingClock:
    """Every reading is a second after the one before."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        """What tests add to every reading."""
        self._ticks = count()
        self._ids = count(1)

    def now(self) -> datetime:
        """The next second."""
        return START + self.ahead + timedelta(seconds=next(self._ticks))

    def monotonic(self) -> float:
        """The next second."""
        return float(next(self._ticks))

    def new_id(self) -> UUID:
        """The next id."""
        return UUID(int=next(self._ids))


class FakeProcesses:
    """Processes that a test can declare dead."""

    def __init__(self) -> None:
        self.dead: set[int] = set()

    def current_process(self) -> tuple[int, float]:
        """This process."""
        return 1, 0.0

    def is_alive(self, pid: int, started: float) -> bool:  # noqa: ARG002 -- the port's
        """Whether the test has not declared it dead."""
        return pid not in self.dead


@dataclass
class EngineSetup:
    """An engine with everything around it within reach."""

    store: LmdbStore
    models: ScriptedModels = field(default_factory=ScriptedModels)
    clock: TickingClock = field(default_factory=TickingClock)
    seen: list[StreamEvent] = field(default_factory=list)
    wishes: ModelSelection = field(default_factory=ModelSelection)
    processes: FakeProcesses = field(default_factory=FakeProcesses)

    def __post_init__(self) -> None:
        """Build the engine; its own waits take no time."""
        session = UserSession(
            session_id=self.clock.new_id(),
            workspace_path=Path(),
            created_at=START,
            last_activity=START,
        )
        self._news = asyncio.Event()
        self.engine = Engine(
            models=self.models,
            store=self.store,
            clock=self.clock,
            processes=self.processes,
            session=session,
            retry_policy=RetryPolicy(max_wait=0),
        )

    async def run(self, pipeline: PipelineConfiguration = PIPELINE) -> PipelineRun:
        """Start a run."""
        request = StartRequest(configuration=pipeline, inputs={"source": "rivers"})
        return await self.engine.start_run(request)

    async def ask(self, run: PipelineRun, *models: str, samples: int = 1) -> Generation:
        """Ask the current step."""
        asked = GenerateStep(
            run_id=run.pipeline_run_id,
            models=models or (MODEL,),
            samples=samples,
            model_selection=self.wishes,
        )
        return await self.engine.generate(asked, self.see)

    def see(self, event: StreamEvent) -> None:
        """Remember an event and wake who waits for it."""
        self.seen.append(event)
        self._news.set()

    async def until_seen(self, kind: type) -> None:
        """Wait for the first event of a kind."""
        while not self.of(kind):
            self._news.clear()
            await self._news.wait()

    def of(self, kind: type[K]) -> list[K]:
        """What was seen of one kind."""
        return [event for event in self.seen if isinstance(event, kind)]

    def finished(self) -> list[ResponseFinished]:
        """The ends that were seen."""
        return self.of(ResponseFinished)

    def stored(self, run: PipelineRun) -> PipelineRun:
        """The run as it is in the store."""
        return self.engine.transactions.read_run(run.pipeline_run_id).run
