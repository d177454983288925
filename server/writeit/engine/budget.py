"""Budgets: a call that could cost more than the writer allows is not made.

What counts is what was spent, what the answers on their way may yet cost, and what
the calls about to be made may cost, each at its worst: the whole prompt and the
longest answer allowed. A call whose price or length nobody knows cannot be counted:
it is made, and a notice says that the limit does not cover it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core.errors import BudgetExceeded
from writeit.core.usage import total_cost
from writeit.engine.stream import Finished, Notice, Started

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from writeit.core.run import PipelineRun
    from writeit.core.settings import CostLimits
    from writeit.engine.planning import Planned
    from writeit.engine.stream import Observer, StreamEvent
    from writeit.ports import Clock, Fit, ModelCall, Store

_TINY = 1e-9
"""Sums of floats are this exact, in US dollars; a limit met exactly is not passed."""


def least_cost(fit: Fit) -> float | None:
    """Return what the prompt alone costs; None where no price is known."""
    if fit.input_cost_per_token is None:
        return None
    return fit.prompt_tokens * fit.input_cost_per_token


def greatest_cost(call: ModelCall, fit: Fit) -> float | None:
    """Return what the prompt and the longest answer cost; None if nobody knows."""
    prompt, price = least_cost(fit), fit.output_cost_per_token
    if prompt is None or price is None:
        return None
    if price == 0:
        return prompt
    longest = call.max_tokens or fit.output_limit
    return None if longest is None else prompt + longest * price


@dataclass(frozen=True, slots=True)
class _Open:
    """A call that has not ended: its run, and what it may cost if that is known."""

    run_id: UUID
    cost: float | None


class Budget:
    """Keeps account of what may yet be spent on one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._open: dict[UUID, _Open] = {}

    def reserve(
        self, run: PipelineRun, planned: Sequence[Planned], limits: CostLimits
    ) -> None:
        """Set aside what the planned calls may cost, until each is settled.

        Raises:
            BudgetExceeded: it is more than is left; nothing was set aside.
        """
        calls = {
            p.call.response_id: _Open(
                run.pipeline_run_id, greatest_cost(p.request, p.fit)
            )
            for p in planned
            if p.refusal is None
        }
        estimate = _sum(calls.values())
        if limits.run is not None:
            mine = [o for o in self._open.values() if o.run_id == run.pipeline_run_id]
            _check("run", limits.run, run.cost_usd or 0.0, _sum(mine), estimate)
        if limits.day is not None:
            flowing = _sum(self._open.values())
            _check("day", limits.day, self._spent_today(), flowing, estimate)
        self._open.update(calls)

    def settle(self, *response_ids: UUID) -> None:
        """Forget what was set aside for calls: what they cost is known, or nothing."""
        for response_id in response_ids:
            self._open.pop(response_id, None)

    def settling(
        self, observer: Observer, planned: Sequence[Planned], limits: CostLimits
    ) -> Observer:
        """Return an observer that settles calls as they end, and says what is unknown.

        Without a limit there is nothing to say.
        """
        limited = limits.run is not None or limits.day is not None
        notices = _uncounted(planned) if limited else []

        def see(event: StreamEvent) -> None:
            if isinstance(event, Finished):
                self.settle(event.response_id)
            observer(event)
            if isinstance(event, Started):
                for notice in notices:
                    observer(notice)

        return see

    def _spent_today(self) -> float:
        midnight = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return total_cost(r.usage for r in self._store.usage(midnight)) or 0.0


def _sum(calls: Iterable[_Open]) -> float:
    return sum(call.cost or 0.0 for call in calls)


def _check(
    scope: str, limit: float, spent: float, flowing: float, estimate: float
) -> None:
    if spent + flowing + estimate <= limit + _TINY:
        return
    flows = f", answers on their way up to ${flowing:.4f}" if flowing else ""
    raise BudgetExceeded(
        f"These calls may cost up to ${estimate:.4f}; ${spent:.4f} of the"
        f" ${limit:.4f} allowed for this {scope} are spent{flows}. Nothing was sent.",
        hint=f"Raise the setting maxCostUsd.{scope}, ask fewer or cheaper models, or"
        " lower the step's max_tokens.",
        scope=scope,
        spent=spent,
        limit=limit,
        estimate=estimate,
        streaming=flowing,
    )


def _uncounted(planned: Sequence[Planned]) -> list[Notice]:
    """Say of which calls nobody knows what they may cost."""
    return [
        Notice(
            response_id=p.call.response_id,
            code="unknownCost",
            title=f"{p.call.model}: cost unknown",
            message="Its price is not known, or the answer has no longest length:"
            " the limits of maxCostUsd do not count this call.",
        )
        for p in planned
        if p.refusal is None and greatest_cost(p.request, p.fit) is None
    ]
