"""Calls per provider: never above the limit, and runs take turns."""

# ruff: noqa: D103 -- the names of the tests describe them

import asyncio
from uuid import UUID

import pytest

from support.provider import running
from support.scripted_models import ScriptedKeys
from support.waiting import TIMEOUT
from writeit.llm.client import ModelHostClient
from writeit.llm.concurrency import (
    ProviderLimiter,
    ProviderLimiters,
    calls_per_provider,
)
from writeit.ports.models import ModelCall, ModelDone, ModelNotice, ModelStreamItem

FIRST, SECOND = UUID(int=1), UUID(int=2)


class Callers:
    """Callers of one limiter, which hold their slot until `finish`."""

    def __init__(self, limit: int) -> None:
        self.limiter = ProviderLimiter(limit)
        self.active: list[str] = []
        self.queue_lengths: list[int] = []
        self._releases: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, *names: str) -> None:
        """Start callers; the first letter of a name is its run."""
        for name in names:
            self._releases[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._hold(name))
        await settled()

    async def _hold(self, name: str) -> None:
        async with self.limiter.slot(name[0], self.queue_lengths.append):
            self.active.append(name)
            await self._releases[name].wait()
            self.active.remove(name)

    async def finish(self, name: str) -> None:
        """End a caller."""
        self._releases[name].set()
        await self._tasks[name]
        await settled()

    async def cancel(self, name: str) -> None:
        """Cancel a caller while it waits."""
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_calls_above_the_limit_are_queued() -> None:
    callers = Callers(2)
    await callers.start("a1", "a2", "a3")
    assert callers.active == ["a1", "a2"]
    assert callers.queue_lengths == [2]
    await callers.finish("a1")
    assert callers.active == ["a2", "a3"]


async def test_the_run_with_the_fewest_active_calls_is_next() -> None:
    callers = Callers(2)
    await callers.start("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    await callers.finish("a1")
    assert callers.active == ["a2", "b1"]
    await callers.finish("a2")
    assert callers.active == ["b1", "a3"]
    await callers.finish("b1")
    assert callers.active == ["a3", "b2"]
    await callers.finish("a3")
    assert callers.active == ["b2", "a4"]
    await callers.finish("a4")
    assert callers.active == ["b2", "c1"]


async def test_a_cancelled_caller_takes_no_slot() -> None:
    callers = Callers(1)
    await callers.start("a1", "a2", "a3")
    await callers.cancel("a2")
    await callers.finish("a1")
    assert callers.active == ["a3"]
    await callers.finish("a3")
    await callers.start("a4")
    assert callers.active == ["a4"]


async def test_a_caller_cancelled_with_a_slot_passes_it_on() -> None:
    limiter, entered = ProviderLimiter(1), asyncio.Event()

    async def hold() -> None:
        async with limiter.slot("b", lambda _: None):
            entered.set()

    async with limiter.slot("a", lambda _: None):
        cancelled = asyncio.create_task(hold())
        next_caller = asyncio.create_task(hold())
        await settled()
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    async with asyncio.timeout(TIMEOUT):
        await next_caller
    assert entered.is_set()


def test_the_embedded_model_has_one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    limiters = ProviderLimiters()
    assert limiters.for_provider("openai") is limiters.for_provider("openai")
    assert limiters.for_provider("openai") is not limiters.for_provider("mistral")
    assert limiters.for_provider("embedded")._limit == 1  # noqa: SLF001 -- what is tested
    for value, limit in {"3": 3, "0": 1, "many": 10}.items():
        monkeypatch.setenv("WRITEIT_CALLS_PER_PROVIDER", value)
        assert calls_per_provider() == limit


async def answer(client: ModelHostClient, call: ModelCall) -> list[ModelStreamItem]:
    async with client.stream(call) as items:
        return [item async for item in items]


async def test_thirty_calls_stay_within_the_limit_and_take_turns() -> None:
    """Through a real host: 28 calls of one run, then two of another."""
    async with running() as provider:
        client = ModelHostClient(
            keys=ScriptedKeys({"openai": "k"}),
            environment={
                "OPENAI_BASE_URL": provider.base_url,
                "WRITEIT_CALLS_PER_PROVIDER": "4",
            },
        )
        ended: list[UUID] = []

        async def ask(run: UUID, number: int) -> list[ModelStreamItem]:
            model = f"openai/slow-{5 + number % 2}"
            call = ModelCall(model=model, prompt="x", run_id=run)
            items = await answer(client, call)
            ended.append(run)
            return items

        first = [asyncio.ensure_future(ask(FIRST, n)) for n in range(28)]
        await provider.call("slow-5")
        second = [asyncio.ensure_future(ask(SECOND, n)) for n in range(2)]
        answers = await asyncio.gather(*first, *second)
        await client.close()
    assert provider.busiest == 4
    assert all(isinstance(items[-1], ModelDone) for items in answers)
    notices = [i for items in answers for i in items if isinstance(i, ModelNotice)]
    assert {n.code for n in notices} == {"queued"}
    assert len(notices) == 26
    # The second run waits for one or two slots, not for the other's 28 answers.
    assert max(i for i, run in enumerate(ended) if run == SECOND) < 14
