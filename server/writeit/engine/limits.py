"""Budgets: a call that could cost more than the writer allows is not made.

What counts is what was spent, what the answers on their way may yet cost, and what
the calls about to be made may cost, each at its worst: the whole prompt and the
longest answer allowed. A call whose price or length nobody knows cannot be counted:
it is made, and a notice says that the limit does not cover it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from writeit.domain.entity import total_cost
from writeit.domain.errors import BudgetExceeded
from writeit.domain.run import PipelineRun
from writeit.domain.session import CostLimits
from writeit.engine.requests import PreparedCall
from writeit.engine.streaming import (
    GenerationNotice,
    GenerationStarted,
    Observer,
    ResponseFinished,
    StreamEvent,
)
from writeit.ports.models import CallEstimate, ModelCall
from writeit.ports.store import Store
from writeit.ports.system import Clock

_COST_TOLERANCE = 1e-9
"""Sums of floats are this exact, in US dollars; a limit met exactly is not passed."""


def min_cost(estimate: CallEstimate) -> float | None:
    """Return what the prompt alone costs; None where no price is known."""
    if estimate.input_cost_per_token is None:
        return None
    return estimate.prompt_tokens * estimate.input_cost_per_token


def max_cost(call: ModelCall, estimate: CallEstimate) -> float | None:
    """Return what the prompt and the longest answer cost; None if nobody knows."""
    prompt, price = min_cost(estimate), estimate.output_cost_per_token
    if prompt is None or price is None:
        return None
    if price == 0:
        return prompt
    longest = call.max_tokens or estimate.output_limit
    return None if longest is None else prompt + longest * price


@dataclass(frozen=True, slots=True)
class _Reservation:
    """A call that has not ended: its run, and what it may cost if that is known."""

    run_id: UUID
    cost: float | None


class CostLimiter:
    """Keeps account of what may yet be spent on one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._reservations: dict[UUID, _Reservation] = {}

    def reserve(
        self, run: PipelineRun, prepared: Sequence[PreparedCall], limits: CostLimits
    ) -> None:
        """Set aside what the planned calls may cost, until each is settled.

        Raises:
            BudgetExceeded: it is more than is left; nothing was set aside.
        """
        calls = {
            p.call.response_id: _Reservation(
                run.pipeline_run_id, max_cost(p.model_call, p.estimate)
            )
            for p in prepared
            if p.refusal is None
        }
        estimate = _total_reserved(calls.values())
        if limits.run is not None:
            mine = [
                o
                for o in self._reservations.values()
                if o.run_id == run.pipeline_run_id
            ]
            _check_limit(
                "run", limits.run, run.cost_usd or 0.0, _total_reserved(mine), estimate
            )
        if limits.day is not None:
            flowing = _total_reserved(self._reservations.values())
            _check_limit("day", limits.day, self._spent_today(), flowing, estimate)
        self._reservations.update(calls)

    def release(self, *response_ids: UUID) -> None:
        """Forget what was set aside for calls: what they cost is known, or nothing."""
        for response_id in response_ids:
            self._reservations.pop(response_id, None)

    def releasing_observer(
        self, observer: Observer, prepared: Sequence[PreparedCall], limits: CostLimits
    ) -> Observer:
        """Return an observer that settles calls as they end, and says what is unknown.

        Without a limit there is nothing to say.
        """
        limited = limits.run is not None or limits.day is not None
        notices = _unknown_cost_notices(prepared) if limited else []

        def see(event: StreamEvent) -> None:
            if isinstance(event, ResponseFinished):
                self.release(event.response_id)
            observer(event)
            if isinstance(event, GenerationStarted):
                for notice in notices:
                    observer(notice)

        return see

    def _spent_today(self) -> float:
        midnight = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return total_cost(r.usage for r in self._store.usage_records(midnight)) or 0.0


def _total_reserved(calls: Iterable[_Reservation]) -> float:
    return sum(call.cost or 0.0 for call in calls)


def _check_limit(
    scope: str, limit: float, spent: float, reserved: float, estimate: float
) -> None:
    if spent + reserved + estimate <= limit + _COST_TOLERANCE:
        return
    flows = f", answers on their way up to ${reserved:.4f}" if reserved else ""
    raise BudgetExceeded(
        f"These calls may cost up to ${estimate:.4f}; ${spent:.4f} of the"
        f" ${limit:.4f} allowed for this {scope} are spent{flows}. Nothing was sent.",
        hint=f"Raise the setting maxCostUsd.{scope}, ask fewer or cheaper models, or"
        " lower the step's max_tokens.",
        scope=scope,
        spent=spent,
        limit=limit,
        estimate=estimate,
        streaming=reserved,
    )


def _unknown_cost_notices(prepared: Sequence[PreparedCall]) -> list[GenerationNotice]:
    """Say of which calls nobody knows what they may cost."""
    return [
        GenerationNotice(
            response_id=p.call.response_id,
            code="unknownCost",
            title=f"{p.call.model}: cost unknown",
            message="Its price is not known, or the answer has no longest length:"
            " the limits of maxCostUsd do not count this call.",
        )
        for p in prepared
        if p.refusal is None and max_cost(p.model_call, p.estimate) is None
    ]


class RunLimiter:
    """Lets a limited number in, first come, first served; the limit may change."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._active_count = 0
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def acquire(self, on_wait: Callable[[int], None]) -> None:
        """Come in, after a call of `on_wait` with the limit if it takes a while."""
        if self._active_count < self.limit and not self._waiters:
            self._active_count += 1
            return
        on_wait(self.limit)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                with suppress(ValueError):  # passed over already
                    self._waiters.remove(place)
            else:
                self._release_slot()  # the place was given away in the same moment
            raise

    def release(self, acquiring: asyncio.Task[None]) -> None:
        """Leave again; `turn` is the task of `enter`, still waiting or done."""
        if acquiring.done() and not acquiring.cancelled():
            self._release_slot()
        else:
            acquiring.cancel()

    def _release_slot(self) -> None:
        self._active_count -= 1
        while self._waiters and self._active_count < self.limit:
            place = self._waiters.popleft()
            if not place.done():
                self._active_count += 1
                place.set_result(None)
