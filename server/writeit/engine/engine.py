"""The engine's face: runs begun, branched, asked and stopped on one store.

What needs no model is one line: `engine.decide(run_id, verb)` with a verb of
`writeit.core.decide`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import UUID

from writeit.core import decide, machine
from writeit.core.errors import Busy, StoreError
from writeit.core.run import PipelineStatus
from writeit.engine import preview, starting
from writeit.engine.converse import RetryPolicy
from writeit.engine.gate import Gate
from writeit.engine.ledger import Ledger
from writeit.engine.requests import Standing
from writeit.engine.sending import Sending
from writeit.engine.stream import nobody
from writeit.engine.tools import Tools
from writeit.engine.watch import Watch
from writeit.ports import Decision

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from writeit.core.decide import Events
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.run import PipelineRun, StepState
    from writeit.core.session import UserPreferences, UserSession
    from writeit.engine.asking import Asking
    from writeit.engine.preview import Preview
    from writeit.engine.requests import Ask, Request
    from writeit.engine.starting import StartRequest
    from writeit.engine.stream import Observer
    from writeit.ports import Clock, Deleted, Models, Processes, Store


logger = logging.getLogger(__name__)


class Engine:
    """Drives the runs of one store for one session."""

    def __init__(  # noqa: PLR0913 -- the ports, each by name
        self,
        *,
        models: Models,
        store: Store,
        clock: Clock,
        processes: Processes,
        session: UserSession,
        gate: Gate | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.store = store
        self.on_flow: Callable[[UUID], object] = lambda _: None
        """Called with a run of which text has come."""
        self.ledger = Ledger(store, clock, processes, session)
        self._models = models
        self._clock = clock
        self._watch = Watch(store, self.ledger, clock, processes)
        self._tools = Tools(
            models=models,
            store=store,
            clock=clock,
            ledger=self.ledger,
            policy=policy or RetryPolicy(),
        )
        self._sending = Sending(self._tools, gate or Gate(3), self._flowed)

    def _flowed(self, run_id: UUID) -> None:
        self.on_flow(run_id)

    @property
    def session(self) -> UserSession:
        """The session this engine works for, as of its last decision."""
        return self.ledger.session

    def new_id(self) -> UUID:
        """Return an id for something new."""
        return self._clock.new_id()

    def watch(self, on_found: Callable[[UUID], None]) -> None:
        """Keep our leases and take over runs whose owner is gone, from now on.

        `on_found` is told of these, and of those that other processes decide about.
        """
        self._watch.start(self._sending.under_way.keys, on_found, self._flowed)

    async def show(self, run_id: UUID) -> PipelineRun:
        """Read a run; one whose owner died is taken over first.

        Raises:
            NotFound: there is no such run here.
            StoreError: it could not be read, or not be taken over.
        """
        run = self.ledger.read(run_id).run
        if not run.is_streaming or run_id in self._sending.under_way:
            return run
        if self._watch.is_lost(run_id):
            return await self._watch.take_over(run_id)
        return run

    async def decide(
        self, run_id: UUID, verb: Callable[[PipelineRun, datetime], Events]
    ) -> PipelineRun:
        """Carry out one verb of `writeit.core.decide`; return the run after it.

        Raises:
            WriteItError: the verb's refusal, or the store's; nothing changed.
        """
        try:
            return await self.ledger.decide(run_id, verb)
        except Busy as busy:
            await self._raise_if_streaming(run_id, busy)
            return await self.ledger.decide(run_id, verb)

    async def _raise_if_streaming(self, run_id: UUID, busy: Busy) -> None:
        """Refuse, and say who is in the way, unless they have ended or died by now."""
        if (await self.show(run_id)).is_streaming:
            raise self.ledger.elsewhere(run_id, busy) from None

    # --- beginning ------------------------------------------------------------------

    async def start(self, request: StartRequest) -> PipelineRun:
        """Make a new run, the session's active one; nothing is sent yet.

        Raises:
            InvalidParams: an input is missing, unknown or wrong.
        """
        event = starting.begin(request, self.new_id(), self._clock.now())
        await self.ledger.begin(
            Decision(
                run=machine.apply(None, event),
                events=(event,),
                expected_seq=0,
                configuration=request.configuration,
                primer=request.primer,
            ),
            active=decide.may_be_active(request.configuration),
        )
        return event.run

    async def branch(
        self, run_id: UUID, step: str, name: str | None = None
    ) -> PipelineRun:
        """Make a child run that shares the past up to `step`.

        It becomes active unless it is about a passage.

        Raises:
            NotFound, InvalidTransition: nothing was made.
        """
        run = await self.show(run_id)
        await self.ledger.settle(run_id)
        state = decide.step_of(run, step)
        at = max(self._clock.now(), run.updated_at)
        event = decide.branch(run, state, self.new_id(), at, name)
        await self.ledger.begin(
            Decision(run=event.run, events=(event,), expected_seq=0),
            active=decide.may_be_active(self._configuration_of(run)),
        )
        return event.run

    # --- asking ---------------------------------------------------------------------

    async def ask(self, request: Request, observer: Observer = nobody) -> Asking:
        """Send a request's prompts; the answers come to `observer`.

        Everything that can be refused is refused before anything is sent.

        Raises:
            Busy, InvalidTransition, RetryLimit, NotFound, NotTrusted, ModelError,
                BudgetExceeded: nothing changed.
        """
        standing = await self._standing(request.run_id, request.step)
        try:
            laid_out = await request.lay_out(standing)
        except Busy as busy:
            await self._raise_if_streaming(request.run_id, busy)
            return await self.ask(request, observer)
        return await self._sending.send(request, standing, laid_out, observer)

    async def _standing(self, run_id: UUID, step: str | None) -> Standing:
        run = await self.show(run_id)
        state = decide.step_of(run, step)
        return Standing(run, state, self.configuration(run), self._tools)

    async def preview(self, asked: Ask) -> Preview:
        """Show what `asked` would send, where to and at what cost; send nothing.

        Raises:
            NotFound, InvalidTransition, InvalidPipeline: there is nothing to show.
        """
        standing = await self._standing(asked.run_id, asked.step)
        return await preview.preview(asked, standing)

    async def outcome(self, asking: Asking) -> StepState:
        """Wait for an asking; cancelling the wait stops it and keeps what came.

        Raises:
            ModelError, NotFound: no answer of the asking has text.
            StoreError: an answer could not be written down.
        """
        await asking.watched()
        return self.ledger.read(asking.run_id).run.steps[asking.step]

    async def pause(self, run_id: UUID) -> PipelineRun:
        """Stop what streams, keep the partial text, leave the run PAUSED."""
        asking = self._sending.under_way.get(run_id)
        if asking is not None:
            asking.stop()
            await asking.ended()
            run = self.ledger.read(run_id).run
            if run.status is not PipelineStatus.RUNNING:
                return run
            # The last answer ended in the same moment: there was nothing to stop.
        return await self.decide(
            run_id, lambda run, at: decide.pause(run, at, "paused by the writer")
        )

    # --- the rest -------------------------------------------------------------------

    async def delete(self, run_id: UUID, *, descendants: bool = False) -> Deleted:
        """Delete a run, or its family below it; the active run may go.

        Raises:
            NotFound, Busy, StoreError: nothing was deleted.
        """
        await self.show(run_id)
        await self.ledger.settle(run_id)
        try:
            deleted = await self.store.delete(run_id, descendants=descendants)
        except Busy as busy:
            await self._raise_if_streaming(UUID(busy.data["runId"]), busy)
            deleted = await self.store.delete(run_id, descendants=descendants)
        active = self.session.active_pipeline_run_id
        if active is not None and self.store.run(active) is None:
            await self.ledger.save_session(active_pipeline_run_id=None)
        self.ledger.on_change(run_id)
        return deleted

    async def activate(self, run_id: UUID) -> UserSession:
        """Make a run the session's active one.

        Raises:
            NotFound: Active pipeline run must exist if specified.
            InvalidParams: it is about a passage.
        """
        run = await self.show(run_id)
        decide.check_may_be_active(run, self._configuration_of(run))
        session = await self.ledger.save_session(active_pipeline_run_id=run_id)
        self.ledger.on_change(run_id)
        return session

    async def prefer(self, preferences: UserPreferences) -> None:
        """Keep preferences for this session and those to come.

        Raises:
            StoreError: they could not be written; they are as they were.
        """
        await self.store.save_preferences(preferences)
        await self.ledger.save_session(preferences=preferences)

    def configuration(self, run: PipelineRun) -> PipelineConfiguration:
        """Return the configuration a run was started with.

        Raises:
            StoreError: the store has lost it.
        """
        configuration = self._configuration_of(run)
        if configuration is None:
            raise StoreError(
                f"The store has no configuration {run.configuration_id}, which run"
                f" {run.pipeline_run_id} was started with.",
                reason="corrupt",
                hint="`writeit store verify` says what else is missing.",
            )
        return configuration

    def _configuration_of(self, run: PipelineRun) -> PipelineConfiguration | None:
        return self.store.configuration(run.configuration_id)

    async def close(self) -> None:
        """Stop what streams, write it down, end the session; the store stays open."""
        await self._watch.stop()
        await self._sending.stop()
        try:
            for run_id in self.ledger.owing:
                await self.ledger.settle(run_id)
            await self.store.end_session(self.session.session_id)
        except StoreError as error:
            logger.error("at the end: %s", error.message)  # noqa: TRY400 -- it says all
