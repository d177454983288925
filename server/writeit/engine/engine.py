"""The engine's face: each public method is one verb of the product on one store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core import decide, machine
from writeit.core.errors import StoreError
from writeit.core.prompt import prompt_for
from writeit.core.run import StepStatus
from writeit.engine import planning, starting
from writeit.engine.asking import Asking, Tools
from writeit.engine.converse import RetryPolicy
from writeit.engine.gate import Gate
from writeit.engine.ledger import Ledger
from writeit.engine.resolve import check_egress, models_for
from writeit.engine.stream import nobody
from writeit.ports import Decision

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide import Events
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.run import PipelineRun, StepState
    from writeit.core.session import UserSession
    from writeit.engine.planning import Planned
    from writeit.engine.resolve import Wishes
    from writeit.engine.starting import StartRequest
    from writeit.engine.stream import Observer
    from writeit.ports import Clock, Models, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Whom to ask and how often, where the command says so."""

    models: tuple[str, ...] | None = None
    samples: int | None = None


class Engine:
    """Drives the runs of one store."""

    def __init__(
        self,
        *,
        models: Models,
        store: Store,
        clock: Clock,
        session: UserSession,
        gate: Gate | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.store = store
        self._models = models
        self._clock = clock
        self._gate = gate or Gate(3)
        self._ledger = Ledger(store, clock, session)
        self._tools = Tools(
            models=models,
            store=store,
            clock=clock,
            ledger=self._ledger,
            policy=policy or RetryPolicy(),
        )
        self._asking: dict[UUID, Asking] = {}

    @property
    def session(self) -> UserSession:
        """The session this engine works for, as of its last decision."""
        return self._ledger.session

    async def start(self, request: StartRequest) -> PipelineRun:
        """Make a new run, the session's active one; nothing is sent yet.

        Raises:
            InvalidParams: an input is missing, unknown or wrong.
        """
        run_id = self._clock.new_id()
        event = starting.begin(request, run_id, self._clock.now())
        run = machine.apply(None, event)
        await self._ledger.start(
            Decision(
                run=run,
                events=(event,),
                expected_seq=0,
                configuration=request.configuration,
                primer=request.primer,
            )
        )
        return run

    def show(self, run_id: UUID) -> PipelineRun:
        """Read a run.

        Raises:
            NotFound: there is no such run here.
        """
        return self._ledger.read(run_id).run

    async def run_step(
        self,
        run_id: UUID,
        step: str | None,
        ask: Ask,
        wishes: Wishes,
        observer: Observer = nobody,
    ) -> Asking:
        """Send a step's prompts; the answers come to `observer`.

        A PENDING step asks its models; a running one asks again what failed or was
        cut. Everything that can be refused is refused before anything is sent.

        Raises:
            Busy, InvalidTransition, NotFound, ModelError: nothing changed.
        """
        run = self.show(run_id)
        state = decide.step_of(run, step)
        configuration = self.configuration(run)
        spec = configuration.step(state.step_name)
        decide.check_askable(run, state)
        samples = ask.samples or spec.samples
        if state.status is StepStatus.RUNNING:
            calls = planning.repairs_for(state, ask.models, samples, self._clock)
        else:
            names = ask.models or await self._models_for(spec.name, run, wishes)
            generation = state.generation + 1 if state.calls else 0
            calls = planning.calls_for(names, samples, self._clock, generation)
        check_egress([call.model for call in calls], wishes.providers)
        prompts = [(call, prompt_for(configuration, run, spec.name)) for call in calls]
        planned = await planning.plan(self._models, configuration, spec, prompts)

        def opening(run: PipelineRun, at: datetime) -> Events:
            state = decide.step_of(run, spec.name)
            return decide.ask(run, state, calls, at)

        sending = asyncio.create_task(
            self._send(run_id, spec.name, planned, opening, wishes, observer)
        )
        return await _sent(sending)

    async def outcome(self, asking: Asking) -> StepState:
        """Wait for an asking; cancelling the wait stops it and keeps what came.

        Raises:
            ModelError, NotFound: no answer of the asking has text.
            StoreError: an answer could not be written down.
        """
        try:
            await asking.ended()
        except asyncio.CancelledError:
            asking.stop()
            await asking.ended()
            raise
        if error := asking.verdict():
            raise error
        return self.show(asking.run_id).steps[asking.step]

    async def select(
        self,
        run_id: UUID,
        step: str | None,
        index: int,
        *,
        content: str | None = None,
        feedback: str | None = None,
    ) -> PipelineRun:
        """Choose an answer; the step is completed by it."""
        return await self._ledger.decide(
            run_id,
            lambda run, at: decide.select(
                run,
                decide.step_of(run, step),
                index,
                at,
                content=content,
                feedback=feedback,
            ),
        )

    async def pause(self, run_id: UUID) -> PipelineRun:
        """Stop what streams, keep the partial text, leave the run PAUSED."""
        asking = self._asking.get(run_id)
        if asking is None:
            return await self._ledger.decide(
                run_id, lambda run, at: decide.pause(run, at, "paused by the writer")
            )
        asking.stop()
        await asking.ended()
        return self.show(run_id)

    async def resume(self, run_id: UUID) -> PipelineRun:
        """Let a paused or failed run go on; sends nothing."""
        return await self._ledger.decide(run_id, decide.resume)

    def configuration(self, run: PipelineRun) -> PipelineConfiguration:
        """Return the configuration a run was started with.

        Raises:
            StoreError: the store has lost it.
        """
        configuration = self.store.configuration(run.configuration_id)
        if configuration is None:
            raise StoreError(
                f"The store has no configuration {run.configuration_id}, which run"
                f" {run.pipeline_run_id} was started with.",
                reason="corrupt",
                hint="`writeit store verify` says what else is missing.",
            )
        return configuration

    async def close(self) -> None:
        """Stop what streams and write it down; the store stays open."""
        askings = list(self._asking.values())
        for asking in askings:
            asking.stop()
        await asyncio.gather(*(a.ended() for a in askings), return_exceptions=True)

    async def _models_for(
        self, step: str, run: PipelineRun, wishes: Wishes
    ) -> tuple[str, ...]:
        spec = self.configuration(run).step(step)
        return models_for(spec, run, wishes, await self._models.embedded_installed())

    async def _send(
        self,
        run_id: UUID,
        step: str,
        planned: list[Planned],
        opening: Callable[[PipelineRun, datetime], Events],
        wishes: Wishes,
        observer: Observer,
    ) -> Asking:
        """Write down that the calls are made, in one transaction, and make them."""

        def decision(run: PipelineRun, at: datetime) -> Events:
            return (
                *opening(run, at),
                *(decide.send(step, p.call, p.request.prompt, at) for p in planned),
                *(
                    event
                    for p in planned
                    if p.refusal
                    for event in decide.fail(
                        step, p.call, p.refusal.reason, p.refusal.message, at
                    )
                ),
            )

        await self._ledger.decide(run_id, decision)
        asking = Asking(
            self._tools, run_id, step, planned, observer, wishes.buffer_size
        )
        self._asking[run_id] = asking
        self._gate.limit = wishes.concurrent_pipelines
        asking.start(self._gate, on_end=lambda: self._asking.pop(run_id, None))
        return asking


async def _sent(sending: asyncio.Task[Asking]) -> Asking:
    """Wait for the sending; cancelled meanwhile, end what it began before leaving.

    Between the decision being written and its calls being made there must be no
    moment at which somebody else's cancel leaves a run that waits for nobody.
    """
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        asking = await sending
        asking.stop()
        await asking.ended()
        raise
