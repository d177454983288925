"""The facade of the engine: starts, branches, generates, stops and deletes runs.

Operations that call no model go through `Engine.execute`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from writeit.domain import state_machine
from writeit.domain.blind import hide_models
from writeit.domain.errors import (
    BudgetExceeded,
    Busy,
    ModelError,
    NotFound,
    NotTrusted,
    StoreError,
)
from writeit.domain.operations import lifecycle, review
from writeit.domain.operations.lifecycle import Events
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.run import PipelineRun, PipelineStatus, StepState
from writeit.domain.run_summary import StaleStep, TodaysTexts
from writeit.domain.session import ModelSamples, UserPreferences, UserSession
from writeit.engine import precedence, queries, staleness
from writeit.engine.dispatcher import Dispatcher
from writeit.engine.generation import Generation
from writeit.engine.leases import LeaseMonitor
from writeit.engine.limits import RunLimiter
from writeit.engine.precedence import NamedModels, StartRequest, identify_models
from writeit.engine.prepared import EngineServices, StepContext
from writeit.engine.queries import StepPreview
from writeit.engine.requests import GenerateStep, GenerationRequest
from writeit.engine.streaming import Observer, RetryPolicy, ignore_event
from writeit.engine.transactions import RunTransactions
from writeit.ports.models import Models
from writeit.ports.store import DeletionCounts, RunCommit, StaleCommit, Store
from writeit.ports.system import Clock, Processes, Worker

logger = logging.getLogger(__name__)


class Engine:
    """Drives the runs of one store for one session."""

    def __init__(  # noqa: PLR0913 -- one for each port
        self,
        *,
        models: Models,
        store: Store,
        clock: Clock,
        processes: Processes,
        session: UserSession,
        retry_policy: RetryPolicy | None = None,
        worker: Worker | None = None,
        default_models: Callable[[], tuple[ModelSamples, ...]] = tuple,
    ) -> None:
        self.store = store
        self._default_models = default_models
        self.on_text: Callable[[UUID], object] = lambda _: None
        """Called with a run that received text."""
        self.transactions = RunTransactions(store, clock, processes, session)
        self._models = models
        self._clock = clock
        self._lease_monitor = LeaseMonitor(store, self.transactions, clock, processes)
        self._services = EngineServices(
            models=models,
            store=store,
            clock=clock,
            transactions=self.transactions,
            retry_policy=retry_policy or RetryPolicy(),
            worker=worker,
        )
        self._dispatcher = Dispatcher(
            self._services,
            RunLimiter(store, self._lease_monitor.is_lost),
            self._notify_text,
        )

    def _notify_text(self, run_id: UUID) -> None:
        self.on_text(run_id)

    @property
    def session(self) -> UserSession:
        """The engine's session, as last stored, with the newest preferences."""
        return self.transactions.session.evolve(preferences=self.preferences)

    @property
    def preferences(self) -> UserPreferences:
        """The user's preferences, as any session saved them last.

        The models are those of the user's configuration, unless an earlier version
        has saved some in this store.
        """
        saved = self.store.preferences() or UserPreferences()
        return saved if saved.models else saved.evolve(models=self._default_models())

    async def record_activity(self) -> None:
        """Record that the user did something that commits nothing.

        Raises:
            StoreError: it could not be written.
        """
        self.transactions.note_activity()
        if self.store.session(self.session.session_id) is not None:
            await self.transactions.save_session()

    def new_id(self) -> UUID:
        """Return a new id."""
        return self._clock.new_id()

    def now(self) -> datetime:
        """Return the time."""
        return self._clock.now()

    def start_monitoring(
        self, on_notice: Callable[[str], object] = lambda _: None
    ) -> None:
        """Renew leases, recover runs of dead owners and watch other processes.

        `on_notice` gets each message that the store has for the user.
        """
        active_runs = self._dispatcher.active_generations.keys
        self._lease_monitor.start(active_runs, self._notify_text, on_notice)

    async def load_run(self, run_id: UUID) -> PipelineRun:
        """Read a run; recover it first if its owner died.

        Raises:
            NotFound: the run does not exist.
            StoreError: it could not be read or recovered.
        """
        run = self.transactions.read_run(run_id).run
        if not run.is_streaming or run_id in self._dispatcher.active_generations:
            return run
        if self._lease_monitor.is_lost(run_id):
            return await self._lease_monitor.recover_run(run_id)
        return run

    async def execute(
        self, run_id: UUID, operation: Callable[[PipelineRun, datetime], Events]
    ) -> PipelineRun:
        """Apply an operation of `writeit.domain.operations`; return the new run.

        Raises:
            WriteItError: the operation or the store refused; nothing changed.
        """
        try:
            return await self.transactions.execute(run_id, operation, by_user=True)
        except Busy as busy:
            await self._raise_if_streaming(run_id, busy)
            return await self.transactions.execute(run_id, operation, by_user=True)

    async def _raise_if_streaming(self, run_id: UUID, busy: Busy) -> None:
        """Raise `busy` with its owner, unless the owner has ended by now."""
        if (await self.load_run(run_id)).is_streaming:
            raise self.transactions.with_lease_owner(run_id, busy) from None

    async def start_run(self, request: StartRequest) -> PipelineRun:
        """Create a run and make it active; nothing is sent yet.

        Raises:
            InvalidParams: an input is missing, unknown or invalid.
            NotFound: nobody provides a model that front matter or pipeline names.
        """
        for step in request.configuration.steps:
            if step.name in request.models:
                continue
            from_front_matter = request.front_matter_models.get(step.name, ())
            named = NamedModels(
                from_front_matter or step.models,
                "The front matter" if from_front_matter else "The pipeline",
            )
            with suppress(ModelError):  # without a model host nothing is known
                await identify_models(self._models.resolve_model_id, named)
        if request.configuration.output == "review" and request.uri is not None:
            reviews = queries.read_reviews(self.store, request.uri)
            dismissed = review.inherited_dismissals(reviews)
            request = replace(request, dismissals=dismissed)
        needs_notes = any(x.source == "notes" for x in request.configuration.inputs)
        if needs_notes and request.uri is not None and not request.document.notes:
            notes = queries.find_notes(self.store, request.uri)
            document = request.document.evolve(notes=notes)
            request = replace(request, document=document)
        event = precedence.run_started_event(request, self.new_id(), self._clock.now())
        await self.transactions.create_run(
            RunCommit(
                run=state_machine.apply_event(None, event),
                events=(event,),
                expected_seq=0,
                configuration=request.configuration,
                primer=request.primer,
            ),
            activate=lifecycle.can_be_active(request.configuration),
        )
        return event.run

    async def branch_run(
        self, run_id: UUID, step: str, name: str | None = None
    ) -> PipelineRun:
        """Create a child run with the steps before `step`.

        It becomes active unless its pipeline applies to a passage.

        Raises:
            NotFound, InvalidTransition: nothing was created.
        """
        run = await self.load_run(run_id)
        await self.transactions.flush(run_id)
        state = lifecycle.find_step(run, step)
        now = max(self._clock.now(), run.updated_at)
        event = lifecycle.branch(run, state, self.new_id(), now, name)
        await self.transactions.create_run(
            RunCommit(run=event.run, events=(event,), expected_seq=0),
            activate=lifecycle.can_be_active(self._find_configuration(run)),
        )
        return event.run

    async def find_stale_steps(
        self, run_id: UUID, today: TodaysTexts
    ) -> tuple[StaleStep, ...]:
        """Return the steps that would get another prompt today, in order.

        Raises:
            NotFound: the run does not exist.
        """
        run = await self.load_run(run_id)
        pinned = self.configuration(run)
        today = staleness.without_own_text(self.store, run, today)
        return await staleness.find_stale_steps(self._services, run, pinned, today)

    async def refresh_run(
        self, run_id: UUID, today: TodaysTexts
    ) -> tuple[PipelineRun, bool]:
        """Return a branch with today's texts, and whether it was created now.

        It has the steps before the first stale one, and becomes active.

        Raises:
            InvalidTransition: nothing is stale.
        """
        run = await self.load_run(run_id)
        pinned = self.configuration(run)
        today = staleness.without_own_text(self.store, run, today)
        stale = await staleness.find_stale_steps(self._services, run, pinned, today)
        now = max(self._clock.now(), run.updated_at)
        event = staleness.refresh(run, stale, pinned, today, self.new_id(), now)
        branches = tuple(self.store.children(run_id))
        for stored in filter(None, map(self.store.get_run, branches)):
            if staleness.has_same_texts(stored.run, event.run):
                await self.activate_run(stored.run.pipeline_run_id)
                return stored.run, False
        primer = event.run.primer
        commit = RunCommit(
            run=event.run,
            events=(event,),
            expected_seq=0,
            configuration=today.configuration,
            primer=today.primers.get(primer.primer_id) if primer else None,
            siblings=branches,
        )
        try:
            await self.transactions.create_run(commit)
        except StaleCommit:  # another refresh may have made this branch
            return await self.refresh_run(run_id, today)
        return event.run, True

    async def generate(
        self, request: GenerationRequest, observer: Observer = ignore_event
    ) -> Generation:
        """Send a request's prompts; the answers go to `observer`.

        Raises:
            Busy, InvalidTransition, RetryLimit, NotFound, NotTrusted, ModelError,
                BudgetExceeded: nothing changed.
        """
        context = await self._step_context(request.run_id, request.step)
        try:
            planned = await request.plan_calls(context)
        except Busy as busy:
            await self._raise_if_streaming(request.run_id, busy)
            return await self.generate(request, observer)
        try:
            return await self._dispatcher.dispatch(request, context, planned, observer)
        except (NotTrusted, NotFound, ModelError, BudgetExceeded) as error:
            models = {call.model for call, _ in planned.prompts}
            hide_models(error, context.state, models, "Nothing was sent.")
            raise

    async def _step_context(self, run_id: UUID, step: str | None) -> StepContext:
        run = await self.load_run(run_id)
        state = lifecycle.find_step(run, step)
        return StepContext(run, state, self.configuration(run), self._services)

    async def preview_step(self, request: GenerateStep) -> StepPreview:
        """Return what `generate` would send, where to and at what cost.

        Raises:
            NotFound, InvalidTransition, InvalidPipeline: there is no prompt.
        """
        context = await self._step_context(request.run_id, request.step)
        return await queries.build_preview(request, context)

    async def wait_for_generation(self, generation: Generation) -> StepState:
        """Wait for a generation; a cancel stops it and keeps what was received.

        Raises:
            ModelError, NotFound: no answer has text.
            StoreError: an answer could not be stored.
        """
        await generation.wait_or_stop()
        return self.transactions.read_run(generation.run_id).run.steps[generation.step]

    async def pause_run(self, run_id: UUID) -> PipelineRun:
        """Stop generating, keep the partial text, leave the run PAUSED."""
        generation = self._dispatcher.active_generations.get(run_id)
        if generation is not None:
            generation.stop()
            await generation.wait()
            run = self.transactions.read_run(run_id).run
            if run.status is not PipelineStatus.RUNNING:
                return run
            # The last answer ended at the same moment, so nothing was stopped.
        return await self.execute(
            run_id, lambda run, now: lifecycle.pause(run, now, "paused by the user")
        )

    async def stop_response(self, run_id: UUID, response_id: UUID) -> str:
        """Stop one answer, keep its text and let the others go on; return its step.

        Raises:
            NotFound: the run does not exist, or the answer is not streaming.
            Busy: another process generates it.
        """
        generation = self._dispatcher.active_generations.get(run_id)
        if generation is not None and await generation.stop_response(response_id):
            return generation.step
        run = await self.load_run(run_id)
        streams = (s for step in run.steps.values() for s in step.streaming)
        if any(stream.response_id == response_id for stream in streams):
            busy = lifecycle.busy_error(run)
            raise self.transactions.with_lease_owner(run_id, busy)
        raise NotFound(
            "That answer is not being generated.",
            hint="It has ended, or is of another run.",
        )

    async def delete_run(
        self, run_id: UUID, *, descendants: bool = False
    ) -> DeletionCounts:
        """Delete a run, with its descendants if wanted; it may be the active one.

        Raises:
            NotFound, Busy, StoreError: nothing was deleted.
        """
        await self.load_run(run_id)
        await self.transactions.flush(run_id)
        try:
            deleted = await self.store.delete_run(run_id, descendants=descendants)
        except Busy as busy:
            await self._raise_if_streaming(UUID(busy.data["runId"]), busy)
            deleted = await self.store.delete_run(run_id, descendants=descendants)
        active = self.session.active_pipeline_run_id
        if active is not None and self.store.get_run(active) is None:
            await self.transactions.save_session(active_pipeline_run_id=None)
        self.transactions.on_change(run_id)
        return deleted

    async def activate_run(self, run_id: UUID) -> UserSession:
        """Make a run the session's active one.

        Raises:
            NotFound: Active pipeline run must exist if specified.
            InvalidParams: its pipeline applies to a passage.
        """
        run = await self.load_run(run_id)
        lifecycle.check_can_be_active(self._find_configuration(run))
        session = await self.transactions.save_session(
            activated=run, active_pipeline_run_id=run_id
        )
        self.transactions.on_change(run_id)
        return session

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Store preferences for this and later sessions.

        Raises:
            StoreError: they could not be written and are unchanged.
        """
        await self.store.save_preferences(preferences)
        await self.transactions.save_session(preferences=preferences)

    def configuration(self, run: PipelineRun) -> PipelineConfiguration:
        """Return the configuration a run was started with.

        Raises:
            StoreError: the store has lost it.
        """
        configuration = self._find_configuration(run)
        if configuration is None:
            raise StoreError(
                "The pipeline of this run is missing from the run history.",
                reason="corrupt",
                hint="Check what else is missing: writeit store verify",
            )
        return configuration

    def _find_configuration(self, run: PipelineRun) -> PipelineConfiguration | None:
        return self.store.configuration(run.configuration_id)

    async def close(self) -> None:
        """Stop and store all answers, end the session; the store stays open."""
        await self._lease_monitor.stop()
        await self._dispatcher.stop_all()
        try:
            for run_id in self.transactions.pending_writes:
                await self.transactions.flush(run_id)
            await self.store.end_session(self.session.session_id)
        except StoreError as error:
            logger.error("closing: %s", error.message)  # noqa: TRY400 -- no stack needed
