"""Checks planned calls, reserves their cost, records them and starts them.

Everything that can be refused is refused before anything is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from writeit.engine import data_policy
from writeit.engine.generation import Generation
from writeit.engine.limits import (
    CostLimiter,
    RunLimiter,
    check_call_count,
    not_trusted_error,
)
from writeit.engine.precedence import ModelSelection, untrusted_files
from writeit.engine.prepared import (
    EngineServices,
    PreparedCall,
    StepContext,
    call_events,
    prepare_calls,
)
from writeit.engine.requests import GenerationRequest, PlannedCalls
from writeit.engine.streaming import (
    ModelThinking,
    Observer,
    ResponseDelta,
    StreamEvent,
    ThoughtMarked,
)


class Dispatcher:
    """Starts an engine's generations and knows which ones are active."""

    def __init__(
        self,
        services: EngineServices,
        run_limiter: RunLimiter,
        on_text: Callable[[UUID], object],
    ) -> None:
        """`on_text` is called with each run that received text."""
        self.active_generations: dict[UUID, Generation] = {}
        """By run; a run has one at most."""
        self._services = services
        self._run_limiter = run_limiter
        self._on_text = on_text
        self._cost_limiter = CostLimiter(services.store, services.clock)
        self._confirmed_calls: set[tuple[str, ...]] = set()
        """Pipeline, step and models of calls that the user has confirmed."""

    def _check_call_count(
        self, context: StepContext, planned: PlannedCalls, selection: ModelSelection
    ) -> None:
        """Check how many calls are made; the same calls are confirmed once.

        Raises:
            BudgetExceeded: the user has not confirmed so many.
        """
        models = [call.model for call, _ in planned.prompts]
        configuration_id = context.configuration.configuration_id
        key = (configuration_id, context.state.step_name, *models)
        agreed = selection.untrusted.agreed_calls
        if key in self._confirmed_calls:
            agreed = len(models)
        check_call_count(planned, confirmed=selection.confirmed, agreed_calls=agreed)
        if selection.confirmed:
            self._confirmed_calls.add(key)

    async def dispatch(
        self,
        request: GenerationRequest,
        context: StepContext,
        planned: PlannedCalls,
        observer: Observer,
    ) -> Generation:
        """Make the planned calls; the answers go to `observer`.

        Raises:
            NotTrusted, NotFound, ModelError, BudgetExceeded, Busy: nothing changed.
            StoreError: nothing was sent.
        """
        selection = request.model_selection
        policy = data_policy.resolve_allowed_providers(
            self._services.store,
            context.run,
            selection.providers,
            selection.file_providers,
        )
        data_policy.check_models([call.model for call, _ in planned.prompts], policy)
        await data_policy.check_provider_names(self._services.models, policy)
        if files := untrusted_files(selection, planned.named):
            raise await not_trusted_error(context, planned, selection, files)
        self._check_call_count(context, planned, selection)
        prepared = await prepare_calls(context, planned.prompts, selection)
        limits = selection.settings.max_cost_usd
        self._cost_limiter.reserve(context.run, prepared, limits)
        observer = self._with_text_callback(request.run_id, observer)
        observer = self._cost_limiter.releasing_observer(observer, prepared, limits)
        step = context.state.step_name
        return await _await_dispatch(
            asyncio.create_task(
                self._start_generation(request, step, prepared, planned, observer)
            )
        )

    async def stop_all(self) -> None:
        """Stop all generations and wait until their answers are stored."""
        generations = list(self.active_generations.values())
        for generation in generations:
            generation.stop()
        await asyncio.gather(*(g.wait() for g in generations), return_exceptions=True)

    def _with_text_callback(self, run_id: UUID, observer: Observer) -> Observer:
        def observe(event: StreamEvent) -> None:
            observer(event)
            if isinstance(event, ResponseDelta | ThoughtMarked | ModelThinking):
                self._on_text(run_id)

        return observe

    async def _start_generation(
        self,
        request: GenerationRequest,
        step: str,
        prepared: list[PreparedCall],
        planned: PlannedCalls,
        observer: Observer,
    ) -> Generation:
        """Record the calls in one transaction, then make them."""
        run_id, selection = request.run_id, request.model_selection
        response_ids = [p.call.response_id for p in prepared]
        try:
            run = await self._services.transactions.execute(
                run_id,
                lambda run, now: (
                    *planned.operation(run, now),
                    *call_events(step, prepared, now),
                ),
                by_user=True,
            )
        except BaseException:
            self._cost_limiter.release(*response_ids)
            raise
        limits = selection.settings.max_cost_usd

        def reserve(call: PreparedCall) -> None:
            now = self._services.transactions.read_run(run_id).run
            self._cost_limiter.reserve(now, [call], limits)

        generation = Generation(
            self._services, run, step, prepared, observer, selection.buffer_size
        )
        self.active_generations[run_id] = generation
        self._run_limiter.setting = selection.settings.max_concurrent_pipelines
        generation.start(
            self._run_limiter,
            reserve,
            on_end=lambda: self._on_generation_end(run_id, response_ids),
        )
        return generation

    def _on_generation_end(self, run_id: UUID, response_ids: list[UUID]) -> None:
        self.active_generations.pop(run_id, None)
        self._cost_limiter.release(*response_ids)


async def _await_dispatch(dispatching: asyncio.Task[Generation]) -> Generation:
    """Wait for a dispatch; if cancelled, stop the generation that it starts.

    Otherwise a cancel between the transaction and the calls would leave a run that
    streams with nobody to end it.
    """
    try:
        return await asyncio.shield(dispatching)
    except asyncio.CancelledError:
        generation = await dispatching
        generation.stop()
        await generation.wait()
        raise
