"""Sending what was laid out: checked, set aside, written down, and on its way.

Everything that can be refused is refused before anything is sent.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from writeit.engine import egress, planning
from writeit.engine.asking import Asking
from writeit.engine.budget import Budget
from writeit.engine.stream import Delta

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from writeit.engine.gate import Gate
    from writeit.engine.planning import Planned
    from writeit.engine.requests import LaidOut, Request, Standing
    from writeit.engine.stream import Observer, StreamEvent
    from writeit.engine.tools import Tools


class Sending:
    """Sends an engine's requests, and knows the askings that are under way."""

    def __init__(
        self, tools: Tools, gate: Gate, on_flow: Callable[[UUID], object]
    ) -> None:
        """`on_flow` is called with each run of which text has come."""
        self.under_way: dict[UUID, Asking] = {}
        """By run: each has one asking at most."""
        self._tools = tools
        self._gate = gate
        self._on_flow = on_flow
        self._budget = Budget(tools.store, tools.clock)

    async def send(
        self,
        request: Request,
        at: Standing,
        laid_out: LaidOut,
        observer: Observer,
    ) -> Asking:
        """Make the calls that a request laid out; the answers come to `observer`.

        Raises:
            NotTrusted, NotFound, ModelError, BudgetExceeded, Busy: nothing changed.
            StoreError: nothing was sent.
        """
        step = at.state.step_name
        models = [call.model for call, _ in laid_out.prompts]
        leave = egress.leave_of(self._tools.store, at.run, request.wishes.providers)
        egress.check(models, leave)
        planned = await planning.plan(
            self._tools.models,
            at.configuration,
            at.spec,
            laid_out.prompts,
            run_id=request.run_id,
        )
        limits = request.wishes.settings.max_cost_usd
        self._budget.reserve(at.run, planned, limits)
        observer = self._telling_of_flow(request.run_id, observer)
        observer = self._budget.settling(observer, planned, limits)
        return await _sent(
            asyncio.create_task(self._begin(request, step, planned, laid_out, observer))
        )

    async def stop(self) -> None:
        """Stop whatever is under way and wait until it is written down."""
        askings = list(self.under_way.values())
        for asking in askings:
            asking.stop()
        await asyncio.gather(*(a.ended() for a in askings), return_exceptions=True)

    def _telling_of_flow(self, run_id: UUID, observer: Observer) -> Observer:
        def see(event: StreamEvent) -> None:
            observer(event)
            if isinstance(event, Delta):
                self._on_flow(run_id)

        return see

    async def _begin(
        self,
        request: Request,
        step: str,
        planned: list[Planned],
        laid_out: LaidOut,
        observer: Observer,
    ) -> Asking:
        """Write down that the calls are made, in one transaction, and make them."""
        run_id, wishes = request.run_id, request.wishes
        response_ids = [p.call.response_id for p in planned]
        try:
            await self._tools.ledger.decide(
                run_id,
                lambda run, at: (
                    *laid_out.opening(run, at),
                    *planning.calls_made(step, planned, at),
                ),
            )
        except BaseException:
            self._budget.settle(*response_ids)
            raise
        asking = Asking(
            self._tools, run_id, step, planned, observer, wishes.buffer_size
        )
        self.under_way[run_id] = asking
        self._gate.limit = wishes.concurrent_pipelines
        asking.start(self._gate, on_end=lambda: self._ended(run_id, response_ids))
        return asking

    def _ended(self, run_id: UUID, response_ids: list[UUID]) -> None:
        self.under_way.pop(run_id, None)
        self._budget.settle(*response_ids)


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
