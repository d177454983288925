"""What the model host costs: against LiteLLM alone and raw HTTP, on one provider.

    python benchmarks/model_host.py [ROUNDS]     11 unless told otherwise
    python benchmarks/model_host.py --calls      without the ten streams

All sides take turns in each round. Then ten streams of a hundred chunks a second run
through a real server, and the CPU of server and host and the latency of a command are
measured meanwhile. The provider runs by itself and shares the machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
from scene import Scene, provider, scene

from support.scripted_models import ScriptedKeys
from writeit.llm.client import ModelHostClient
from writeit.llm.host import prepare_environment
from writeit.ports.models import ModelCall, TextDelta

CHUNKS = 3000
STREAMS = 10
RATE = 100
SECONDS = 10.0
KEY = "sk-bench"


@dataclass
class Side:
    """One way to ask, and what it took in each round."""

    name: str
    ask: Callable[[str], AsyncIterator[str]]
    first: list[float] = field(default_factory=list)
    """Seconds to the first piece of text."""
    rate: list[float] = field(default_factory=list)
    """Chunks a second, of one long answer."""

    async def measure(self) -> None:
        """Take part in one round."""
        begun = time.perf_counter()
        pieces = self.ask("fast-1")
        async for _ in pieces:
            self.first.append(time.perf_counter() - begun)
            break
        await pieces.aclose()  # type: ignore[attr-defined]  # they are generators
        begun, characters = time.perf_counter(), 0
        async for piece in self.ask(f"fast-{CHUNKS}"):
            characters += len(piece)
        self.rate.append(CHUNKS / (time.perf_counter() - begun))
        assert characters == sum(len(f"word{n} ") for n in range(CHUNKS))


def through_host(client: ModelHostClient) -> Callable[[str], AsyncIterator[str]]:
    """Ask as the engine does."""

    async def ask(model: str) -> AsyncIterator[str]:
        call = ModelCall(model=f"openai/{model}", prompt="x")
        async with client.stream(call) as items:
            async for item in items:
                if isinstance(item, TextDelta):
                    yield item.text

    return ask


async def through_litellm(model: str) -> AsyncIterator[str]:
    """Ask LiteLLM itself, in this process."""
    import litellm  # noqa: PLC0415 -- after its environment is set

    stream: Any = await litellm.acompletion(
        model=f"openai/{model}",
        messages=[{"role": "user", "content": "x"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    try:
        async for chunk in stream:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text
    finally:
        await stream.aclose()


@asynccontextmanager
async def raw(base_url: str) -> AsyncIterator[Callable[[str], AsyncIterator[str]]]:
    """Ask with httpx and nothing else."""
    import httpx  # noqa: PLC0415 -- for this side only

    async with httpx.AsyncClient() as http:

        async def ask(model: str) -> AsyncIterator[str]:
            body = {
                "model": model,
                "messages": [{"role": "user", "content": "x"}],
                "stream": True,
                "stream_options": {"include_usage": True},
            }
            url = f"{base_url}/chat/completions"
            async with http.stream("POST", url, json=body) as response:
                async for line in response.aiter_lines():
                    if not line.startswith("data: {"):
                        continue
                    for choice in json.loads(line[6:])["choices"]:
                        if text := choice["delta"].get("content"):
                            yield text

        yield ask


async def compare(rounds: int) -> None:
    """Let the three sides take turns; print minima, medians and ratios."""
    async with provider() as base_url, raw(base_url) as plain:
        os.environ["OPENAI_BASE_URL"] = base_url
        os.environ["OPENAI_API_KEY"] = KEY
        prepare_environment()
        client = ModelHostClient(keys=ScriptedKeys({"openai": KEY}))
        sides = [
            Side("host", through_host(client)),
            Side("litellm", through_litellm),
            Side("httpx", plain),
        ]
        for side in sides:  # warm: imports, connections, first calls
            await side.measure()
            side.first.clear()
            side.rate.clear()
        for number in range(rounds):
            for side in sides[number % 3 :] + sides[: number % 3]:
                await side.measure()
        await client.close()
    print(f"One stream, {rounds} rounds in turn, {CHUNKS} chunks:")
    for side in sides:
        print(
            f"  {side.name:8} first delta {min(side.first) * 1e3:6.2f} ms least"
            f" {statistics.median(side.first) * 1e3:6.2f} ms median;"
            f" {max(side.rate):7.0f} chunks/s most {statistics.median(side.rate):7.0f}"
            " median"
        )
    host, *others = sides
    for other in others:
        print(
            f"  host / {other.name}: first delta"
            f" {ratio(host.first, other.first, min):.2f} (of minima)"
            f" {ratio(host.first, other.first, statistics.median):.2f} (of medians);"
            f" chunk rate {ratio(host.rate, other.rate, max):.2f}"
            f" {ratio(host.rate, other.rate, statistics.median):.2f}"
        )


def ratio(
    mine: list[float], theirs: list[float], of: Callable[[list[float]], float]
) -> float:
    """Return the ratio of two sides' figures."""
    return of(mine) / of(theirs)


Latencies = dict[str, list[float]]


async def latencies(stage: Scene, seconds: float) -> Latencies:
    """Ask what an editor asks, twenty times a second; return the milliseconds taken."""
    editor = stage.editor
    document = {"textDocument": {"uri": editor.notes}}
    nowhere = {"line": 0, "character": 0}
    action = {
        **document,
        "range": {"start": nowhere, "end": nowhere},
        "context": {"diagnostics": []},
    }
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "run.list": lambda: editor.command("writeit.run.list", limit=20),
        "code lens": lambda: editor.request("textDocument/codeLens", document),
        "code action": lambda: editor.request("textDocument/codeAction", action),
    }
    taken: Latencies = {name: [] for name in questions}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for name, ask in questions.items():
            begun = time.perf_counter()
            await ask()
            taken[name].append((time.perf_counter() - begun) * 1e3)
        await asyncio.sleep(0.05)
    return taken


def seconds_of(process: psutil.Process) -> float:
    """Return the CPU time a process has had."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def under_load() -> None:
    """Measure server and host while ten answers stream."""
    async with scene() as stage:
        editor = stage.editor
        warm = await editor.start_run()
        await editor.command("writeit.step.run", runId=warm, models=["openai/fast-5"])
        idle = await latencies(stage, 3)
        runs = [await editor.start_run() for _ in range(STREAMS)]
        words = int(RATE * (SECONDS + 4))
        replies = [
            editor.start(
                "writeit.step.run",
                runId=run,
                models=[f"openai/paced-{RATE}-{words}"],
                streamToken=run,
            )[1]
            for run in runs
        ]
        await editor.until(lambda: all(len(editor.progress(r)) > 2 for r in runs))  # noqa: PLR2004 -- they flow
        assert stage.host is not None
        watched = {"server": stage.server, "host": stage.host}
        before = {name: seconds_of(p) for name, p in watched.items()}
        busy = await latencies(stage, SECONDS)
        for name, process in watched.items():
            share = (seconds_of(process) - before[name]) / SECONDS
            memory = process.memory_info().rss / 2**20
            print(f"  {name:8} {share:6.1%} of a core, {memory:.0f} MB resident")
        await asyncio.gather(*replies)
    for when, measured in (("idle", idle), ("busy", busy)):
        for name, taken in measured.items():
            p99 = sorted(taken)[int(len(taken) * 0.99)]
            middle = statistics.median(taken)
            print(
                f"  {name:11} {when}: p50 {middle:.1f} ms, p99 {p99:.1f} ms"
                f" ({len(taken)})"
            )


async def main(rounds: int) -> None:
    """Measure both."""
    await compare(rounds)
    print(f"{STREAMS} streams of {RATE} chunks/s:")
    await under_load()


if __name__ == "__main__":
    if sys.argv[1:] == ["--calls"]:
        asyncio.run(compare(11))
    else:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 11))
