"""Sending what was laid out: checked, set aside, written down, and on its way.

Everything that can be refused is refused before anything is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from writeit.engine import data_policy, requests
from writeit.engine.generation import Generation
from writeit.engine.limits import CostLimiter, RunLimiter
from writeit.engine.requests import (
    EngineServices,
    GenerationRequest,
    PlannedCalls,
    PreparedCall,
    StepContext,
)
from writeit.engine.streaming import Observer, ResponseDelta, StreamEvent


class Dispatcher:
    """Sends an engine's requests, and knows the askings that are under way."""

    def __init__(
        self,
        services: EngineServices,
        run_limiter: RunLimiter,
        on_text: Callable[[UUID], object],
    ) -> None:
        """`on_flow` is called with each run of which text has come."""
        self.active_generations: dict[UUID, Generation] = {}
        """By run: each has one asking at most."""
        self._services = services
        self._run_limiter = run_limiter
        self._on_text = on_text
        self._cost_limiter = CostLimiter(services.store, services.clock)

    async def dispatch(
        self,
        request: GenerationRequest,
        context: StepContext,
        planned_calls: PlannedCalls,
        observer: Observer,
    ) -> Generation:
        """Make the calls that a request laid out; the answers come to `observer`.

        Raises:
            NotTrusted, NotFound, ModelError, BudgetExceeded, Busy: nothing changed.
            StoreError: nothing was sent.
        """
        step = context.state.step_name
        models = [call.model for call, _ in planned_calls.prompts]
        leave = data_policy.resolve_allowed_providers(
            self._services.store, context.run, request.model_selection.providers
        )
        data_policy.check_models(models, leave)
        planned = await requests.prepare_calls(
            self._services.models,
            context.configuration,
            context.spec,
            planned_calls.prompts,
            run_id=request.run_id,
        )
        limits = request.model_selection.settings.max_cost_usd
        self._cost_limiter.reserve(context.run, planned, limits)
        observer = self._with_text_callback(request.run_id, observer)
        observer = self._cost_limiter.releasing_observer(observer, planned, limits)
        return await _await_dispatch(
            asyncio.create_task(
                self._start_generation(request, step, planned, planned_calls, observer)
            )
        )

    async def stop_all(self) -> None:
        """Stop whatever is under way and wait until it is written down."""
        askings = list(self.active_generations.values())
        for asking in askings:
            asking.stop()
        await asyncio.gather(*(a.wait() for a in askings), return_exceptions=True)

    def _with_text_callback(self, run_id: UUID, observer: Observer) -> Observer:
        def see(event: StreamEvent) -> None:
            observer(event)
            if isinstance(event, ResponseDelta):
                self._on_text(run_id)

        return see

    async def _start_generation(
        self,
        request: GenerationRequest,
        step: str,
        prepared: list[PreparedCall],
        planned_calls: PlannedCalls,
        observer: Observer,
    ) -> Generation:
        """Write down that the calls are made, in one transaction, and make them."""
        run_id, wishes = request.run_id, request.model_selection
        response_ids = [p.call.response_id for p in prepared]
        try:
            await self._services.transactions.execute(
                run_id,
                lambda run, at: (
                    *planned_calls.operation(run, at),
                    *requests.call_events(step, prepared, at),
                ),
            )
        except BaseException:
            self._cost_limiter.release(*response_ids)
            raise
        asking = Generation(
            self._services, run_id, step, prepared, observer, wishes.buffer_size
        )
        self.active_generations[run_id] = asking
        self._run_limiter.limit = wishes.max_concurrent_runs
        asking.start(
            self._run_limiter,
            on_end=lambda: self._on_generation_end(run_id, response_ids),
        )
        return asking

    def _on_generation_end(self, run_id: UUID, response_ids: list[UUID]) -> None:
        self.active_generations.pop(run_id, None)
        self._cost_limiter.release(*response_ids)


async def _await_dispatch(dispatching: asyncio.Task[Generation]) -> Generation:
    """Wait for the sending; cancelled meanwhile, end what it began before leaving.

    Between the decision being written and its calls being made there must be no
    moment at which somebody else's cancel leaves a run that waits for nobody.
    """
    try:
        return await asyncio.shield(dispatching)
    except asyncio.CancelledError:
        asking = await dispatching
        asking.stop()
        await asking.wait()
        raise
