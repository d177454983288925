"""Places at a provider: never more than there are, and runs take turns."""

# ruff: noqa: D103 -- the name of a test is its promise

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from support.provider import running
from support.scripted_models import ScriptedKeys
from support.waiting import TIMEOUT
from writeit.llm.client import ModelHostClient
from writeit.llm.concurrency import (
    ProviderLimiter,
    ProviderLimiters,
    calls_per_provider,
)
from writeit.ports.models import ModelCall, ModelDone, ModelNotice

if TYPE_CHECKING:
    import pytest

    from writeit.ports.models import ModelStreamItem

FIRST, SECOND = UUID(int=1), UUID(int=2)


class Hall:
    """Callers of one lane, who stay until they are told to leave."""

    def __init__(self, places: int) -> None:
        self.lane = ProviderLimiter(places)
        self.inside: list[str] = []
        self.wait_until: list[int] = []
        self._doors: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        """Let callers come; the first letter says whose they are."""
        for name in names:
            self._doors[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._stay(name))
        await settled()

    async def _stay(self, name: str) -> None:
        async with self.lane.slot(name[0], self.wait_until.append):
            self.inside.append(name)
            await self._doors[name].wait()
            self.inside.remove(name)

    async def leave(self, name: str) -> None:
        """Let a caller leave."""
        self._doors[name].set()
        await self._tasks[name]
        await settled()

    async def give_up(self, name: str) -> None:
        """Let a caller go while it waits."""
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_further_callers_wait_and_hear_of_it() -> None:
    hall = Hall(2)
    await hall.come("a1", "a2", "a3")
    assert hall.inside == ["a1", "a2"]
    assert hall.wait_until == [2]
    await hall.leave("a1")
    assert hall.inside == ["a2", "a3"]


async def test_the_run_with_the_fewest_calls_inside_is_next() -> None:
    hall = Hall(2)
    await hall.come("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    await hall.leave("a1")
    assert hall.inside == ["a2", "b1"]
    await hall.leave("a2")
    assert hall.inside == ["b1", "a3"]
    await hall.leave("b1")
    assert hall.inside == ["a3", "b2"]
    await hall.leave("a3")
    assert hall.inside == ["b2", "a4"]
    await hall.leave("a4")
    assert hall.inside == ["b2", "c1"]


async def test_who_gives_up_takes_no_place() -> None:
    hall = Hall(1)
    await hall.come("a1", "a2", "a3")
    await hall.give_up("a2")
    await hall.leave("a1")
    assert hall.inside == ["a3"]
    await hall.leave("a3")
    await hall.come("a4")
    assert hall.inside == ["a4"]


async def test_who_gives_up_in_the_moment_of_being_called_passes_it_on() -> None:
    lane, entered = ProviderLimiter(1), asyncio.Event()

    async def hold() -> None:
        async with lane.slot("b", lambda _: None):
            entered.set()

    async with lane.slot("a", lambda _: None):
        unlucky = asyncio.create_task(hold())
        lucky = asyncio.create_task(hold())
        await settled()
    unlucky.cancel()
    await asyncio.gather(unlucky, return_exceptions=True)
    async with asyncio.timeout(TIMEOUT):
        await lucky
    assert entered.is_set()


def test_the_embedded_model_has_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = ProviderLimiters()
    assert lanes.for_provider("openai") is lanes.for_provider("openai")
    assert lanes.for_provider("openai") is not lanes.for_provider("mistral")
    assert lanes.for_provider("embedded")._limit == 1  # noqa: SLF001 -- what is tested
    for value, places in {"3": 3, "0": 1, "many": 10}.items():
        monkeypatch.setenv("WRITEIT_CALLS_PER_PROVIDER", value)
        assert calls_per_provider() == places


async def answer(client: ModelHostClient, call: ModelCall) -> list[ModelStreamItem]:
    async with client.stream(call) as items:
        return [item async for item in items]


async def test_thirty_calls_never_pass_the_limit_and_starve_nobody() -> None:
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
    # The second run waits for a place or two, not for the other's 28 answers.
    assert max(i for i, run in enumerate(ended) if run == SECOND) < 14
