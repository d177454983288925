"""Limits on what calls may cost and on how many runs stream at once.

A cost limit counts what was spent plus the highest cost of all calls that stream or
are about to be made: the whole prompt and the longest answer. While there is a limit, a
call of unknown price is refused, unless `maxCostUsd.unknown` allows it; a notice then
says that the limit does not cover it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from writeit.domain.entity import total_cost
from writeit.domain.errors import (
    BudgetExceeded,
    NotTrusted,
    StoreError,
    WriteItError,
)
from writeit.domain.model_id import THIS_MACHINE, check_model_id, split_model_id
from writeit.domain.run import PipelineRun
from writeit.domain.session import CostLimits, UserPreferences
from writeit.engine.precedence import ModelSelection, Untrusted, Want
from writeit.engine.prepared import PreparedCall, StepContext, estimate_call
from writeit.engine.requests import PlannedCalls
from writeit.engine.streaming import (
    GenerationNotice,
    GenerationStarted,
    Observer,
    ResponseFinished,
    StreamEvent,
)
from writeit.ports.models import CallEstimate, ModelCall, Models
from writeit.ports.store import Store
from writeit.ports.system import Clock

MAX_CALLS = 20
"""More calls of one command need the user's confirmation."""
MAX_WORKSPACE_CALLS = 4
"""As `MAX_CALLS`, where a file of the workspace names the models or samples."""
RUN_LIMIT_POLL_SECONDS = 0.1
"""How often a run that waits looks whether it can start."""
TRUST_BUTTON = "Trust This Folder"
"""What a button says that repeats a command with all that the folder names."""
_COST_TOLERANCE = 1e-9
"""US dollars; keeps rounding errors of sums from passing a limit."""


def min_cost(estimate: CallEstimate) -> float | None:
    """Return the cost of the prompt alone in US dollars; None if unknown."""
    if estimate.input_cost_per_token is None:
        return None
    return estimate.prompt_tokens * estimate.input_cost_per_token


def max_cost(call: ModelCall, estimate: CallEstimate) -> float | None:
    """Return the highest cost in US dollars, thinking included; None if unknown."""
    prompt, price = min_cost(estimate), estimate.output_cost_per_token
    if prompt is None or price is None:
        return None
    if price == 0:
        return prompt
    longest = estimate.output_limit
    if call.max_tokens is not None:
        longest = call.max_tokens + call.thinking_room
    return None if longest is None else prompt + longest * price


@dataclass(frozen=True, slots=True)
class _Reservation:
    """The highest cost of a call that has not ended; None if unknown."""

    run_id: UUID
    cost: float | None


class CostLimiter:
    """Reserves the cost of calls against the limits of a run and a day."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._reservations: dict[UUID, _Reservation] = {}

    def reserve(
        self, run: PipelineRun, prepared: Sequence[PreparedCall], limits: CostLimits
    ) -> None:
        """Reserve the highest cost of the calls until each is released.

        Raises:
            BudgetExceeded: a limit would be passed or cannot be kept; nothing was
                reserved.
        """
        _check_limits(prepared, limits)
        calls = {
            p.call.response_id: _Reservation(
                run.pipeline_run_id, cost and cost + p.spent_usd
            )
            for p in prepared
            if p.refusal is None
            for cost in [max_cost(p.model_call, p.estimate)]
        }
        others = [r for key, r in self._reservations.items() if key not in calls]
        estimate = _total_reserved(calls.values())
        if limits.run is not None:
            reserved = _total_reserved(
                r for r in others if r.run_id == run.pipeline_run_id
            )
            _check_limit("run", limits.run, run.cost_usd or 0.0, reserved, estimate)
        if limits.day is not None:
            reserved = _total_reserved(others)
            _check_limit("day", limits.day, self._spent_today(), reserved, estimate)
        self._reservations.update(calls)

    def release(self, *response_ids: UUID) -> None:
        """Release the reservations of calls that have ended."""
        for response_id in response_ids:
            self._reservations.pop(response_id, None)

    def releasing_observer(
        self, observer: Observer, prepared: Sequence[PreparedCall], limits: CostLimits
    ) -> Observer:
        """Return an observer that releases calls as they end.

        The start then says what the calls can cost at most. If there is a limit, there
        are also notices about calls of unknown cost.
        """
        notices = _unknown_cost_notices(prepared) if limits.is_limited else []
        worst = [max_cost(p.model_call, p.estimate) for p in prepared if not p.refusal]
        known = [cost for cost in worst if cost is not None]
        total = sum(known) if len(known) == len(worst) else None

        def observe(event: StreamEvent) -> None:
            if isinstance(event, ResponseFinished):
                self.release(event.response_id)
            if isinstance(event, GenerationStarted):
                event = replace(event, max_cost_usd=total)
            observer(event)
            if isinstance(event, GenerationStarted):
                for notice in notices:
                    observer(notice)

        return observe

    def _spent_today(self) -> float:
        midnight = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return total_cost(r.usage for r in self._store.usage_records(midnight)) or 0.0


def check_call_count(
    planned: PlannedCalls, *, confirmed: bool, agreed_calls: int = 0
) -> None:
    """Check how many calls a command makes; those that replace failed ones are free.

    `agreed_calls`: how many that a file names the user has agreed to before.

    Raises:
        BudgetExceeded: they are more than are made without the user's confirmation.
    """
    count = sum(call.replaces is None for call, _ in planned.prompts)
    limit = MAX_CALLS
    if planned.named_by_workspace:
        limit = min(max(MAX_WORKSPACE_CALLS, agreed_calls), MAX_CALLS)
    if confirmed or count <= limit:
        return
    named = ", named by a file of this folder" if planned.named_by_workspace else ""
    raise BudgetExceeded(
        f"Nothing was sent: these are {count} calls{named}. More than {limit} need your"
        " confirmation.",
        hint="Confirm (on the command line: --yes), or choose fewer models or samples.",
        calls=count,
        confirm=f"Generate All {count} Answers",
    )


async def not_trusted_error(
    context: StepContext,
    planned: PlannedCalls,
    selection: ModelSelection,
    files: tuple[str, ...],
) -> NotTrusted:
    """Return the refusal of calls that `files` of an untrusted folder cause.

    It says all that the folder would do: hosts, models, calls, the worst cost.
    """
    untrusted = selection.untrusted
    selection = replace(selection, untrusted=Untrusted())  # as it would be after a yes
    counts = Counter(call.model for call, _ in planned.prompts)
    prompts = {call.model: prompt for call, prompt in planned.prompts}
    file, count = files[-1], len(planned.prompts)
    wants, cost = [Want("calls", str(count), file)], 0.0
    is_known = True
    for model in list(prompts)[:MAX_CALLS]:
        wants.append(Want("model", model, file))
        try:
            check_model_id(model)
            call, estimate = await estimate_call(
                context, model, prompts[model], selection
            )
        except WriteItError:  # it could not be called at all
            continue
        wants.append(Want("host", estimate.destination, file))
        worst = max_cost(call, estimate)
        is_known &= worst is not None or estimate.destination == THIS_MACHINE
        cost += counts[model] * (worst or 0.0)
    is_known &= len(prompts) <= MAX_CALLS
    wants = list(dict.fromkeys((*wants, *untrusted.wants)))
    hosts = sorted({want.value for want in wants if want.kind == "host"})
    why = (
        "is new or has changed since you trusted this folder"
        if untrusted.has_changed
        else "is in a folder that you have not trusted"
    )
    price = f", for at most ${cost:.4f}" if is_known else ", at an unknown price"
    calls = "1 call" if count == 1 else f"{count} calls"
    return NotTrusted(
        f"Nothing was sent: {' and '.join(files)} {why}. It would send your"
        f" text to {', '.join(hosts) or 'a model'} in {calls}{price}.",
        hint="Trust this folder (on the command line: writeit trust), or use a"
        " pipeline and models of your own.",
        wants=[want.to_json() for want in wants],
        calls=count,
        maxCostUsd=cost if is_known else None,
        confirm=TRUST_BUTTON,
    )


async def find_hosts(models: Models, wants: Iterable[Want]) -> list[Want]:
    """Return the hosts that the models of `wants` are at; nothing is sent."""
    hosts = []
    for want in wants:
        if want.kind == "model":
            with suppress(WriteItError):  # it could not be called
                check_model_id(want.value)
                estimate = await models.estimate(ModelCall(model=want.value, prompt=""))
                hosts.append(Want("host", estimate.destination, want.source))
    return list(dict.fromkeys(hosts))


def _check_limits(prepared: Sequence[PreparedCall], limits: CostLimits) -> None:
    """Check that the limits are valid and that all prices are known.

    Raises:
        BudgetExceeded: they are not.
    """
    sent = [p for p in prepared if p.refusal is None]
    paid = [p.call.model for p in sent if split_model_id(p.call.model)[0] != "embedded"]
    if limits.problem is not None and paid:
        raise BudgetExceeded(
            f"Nothing was sent: the setting maxCostUsd is not valid. {limits.problem}.",
            hint="Correct the setting maxCostUsd, or remove it.",
        )
    unknown = sorted(
        {
            p.call.model
            for p in sent
            if max_cost(p.model_call, p.estimate) is None
            and p.estimate.destination != THIS_MACHINE
        }
    )
    if unknown and limits.is_limited and limits.unknown == "refuse":
        raise BudgetExceeded(
            "Nothing was sent: you set a cost limit, and the price of"
            f" {', '.join(unknown)} is not known.",
            hint="Choose another model, or set maxCostUsd.unknown to allow (on the"
            " command line: leave out --max-cost).",
            unknown=unknown,
        )


def _total_reserved(calls: Iterable[_Reservation]) -> float:
    return sum(call.cost or 0.0 for call in calls)


def _check_limit(
    scope: str, limit: float, spent: float, reserved: float, estimate: float
) -> None:
    if spent + reserved + estimate <= limit + _COST_TOLERANCE:
        return
    streaming = (
        f" and ${reserved:.4f} is reserved for answers in progress" if reserved else ""
    )
    raise BudgetExceeded(
        f"Nothing was sent: these calls may cost up to ${estimate:.4f}. The limit for"
        f" this {scope} is ${limit:.4f}; ${spent:.4f} is spent{streaming}.",
        hint=f"Raise the setting maxCostUsd.{scope} (on the command line: --max-cost),"
        " or choose fewer or cheaper models.",
        scope=scope,
        spent=spent,
        limit=limit,
        estimate=estimate,
        streaming=reserved,
    )


def _unknown_cost_notices(prepared: Sequence[PreparedCall]) -> list[GenerationNotice]:
    """Return a notice for each call of unknown cost."""
    return [
        GenerationNotice(
            response_id=None if p.call.place else p.call.response_id,
            code="unknownCost",
            title="An answer: cost unknown"
            if p.call.place
            else f"{p.call.model}: cost unknown",
            message="The price or the longest answer of this model is not known, so"
            " your cost limits do not count this call.",
        )
        for p in prepared
        if p.refusal is None and max_cost(p.model_call, p.estimate) is None
    ]


class RunLimiter:
    """Limits how many runs of a store stream at once, those of other servers included.

    First come, first served. A run of another server is before ours if its calls were
    planned before ours or if text has arrived: then it is not waiting itself.
    """

    def __init__(self, store: Store, is_lost: Callable[[UUID], bool]) -> None:
        self.setting: int | None = None
        """The limit that the newest generation found in the settings."""
        self.limit = 3
        """How many runs may stream at once: the setting, else the preference."""
        self._store = store
        self._is_lost = is_lost
        self._runs: list[UUID] = []
        """This engine's runs that stream or wait, in the order in which they came."""

    async def acquire(self, run_id: UUID, on_wait: Callable[[int], None]) -> None:
        """Wait for a slot; call `on_wait` with the limit if all are taken."""
        self._runs.append(run_id)
        if not self._is_full(run_id):
            return
        on_wait(self.limit)
        while self._is_full(run_id):  # noqa: ASYNC110 -- other processes set no event
            await asyncio.sleep(RUN_LIMIT_POLL_SECONDS)

    def release(self, run_id: UUID, acquiring: asyncio.Task[None]) -> None:
        """Release the slot of an `acquire` task, which may still wait."""
        acquiring.cancel()
        if run_id in self._runs:
            self._runs.remove(run_id)

    def _is_full(self, run_id: UUID) -> bool:
        own = self._runs.index(run_id)
        try:
            # Another editor may have changed the preference while this run waits.
            preferences = self._store.preferences() or UserPreferences()
            self.limit = self.setting or preferences.max_concurrent_pipelines
            if own >= self.limit:
                return True
            streaming = set(self._store.streaming_runs()) - set(self._runs)
            planned = self._planned(run_id)
            others = sum(self._is_before(other, planned) for other in streaming)
        except StoreError:  # the call itself says what is wrong with the store
            return False
        return own + others >= self.limit

    def _is_before(self, run_id: UUID, planned: UUID) -> bool:
        if self._is_lost(run_id):
            return False
        stored = self._store.get_run(run_id)
        steps = stored.run.steps.values() if stored else ()
        streams = [stream for step in steps for stream in step.streaming]
        return any(stream.text or stream.response_id < planned for stream in streams)

    def _planned(self, run_id: UUID) -> UUID:
        """Return the first id of the run's calls: ids sort by time."""
        stored = self._store.get_run(run_id)
        steps = stored.run.steps.values() if stored else ()
        ids = (stream.response_id for step in steps for stream in step.streaming)
        return min(ids, default=run_id)
