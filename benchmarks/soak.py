"""Ten streams at a hundred chunks a second, cancelled and killed at random.

    python benchmarks/soak.py [SECONDS]     180 unless told otherwise

In rounds: ten workers type, ask, cancel, pause and let finish; in each round the model
host is killed once; then all is quiet and what is left is counted. It fails if tasks,
threads, descriptors, progress tokens or futures grow, and over a minute or more if
memory does.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import statistics
import sys
import time
from contextlib import suppress

from scene import Scene, counts_of, scene

from support.editor import Refused

STREAMS = 10
RATE = 100
COUNTED = ("tasks", "threads", "tokens", "futures", "descriptors")
SLACK = {"tasks": 0, "threads": 4, "tokens": 0, "futures": 0, "descriptors": 2}
"""Thread pools fill up to their size; a descriptor may be on its way out."""
LONG = 60.0
"""Seconds from which on memory can be judged."""
MAY_GROW = 1.1

Counts = dict[str, int]


class Soak:
    """Counts what the workers did."""

    def __init__(self, stage: Scene, chance: random.Random) -> None:
        self.stage = stage
        self.chance = chance
        self.done: dict[str, int] = dict.fromkeys(
            ("finished", "cancelled", "paused", "stopped", "lost", "kills"), 0
        )
        self.numbers = itertools.count()
        self.versions = itertools.count(2)

    async def work(self, until: float) -> None:
        """Ask again and again until it is time."""
        while time.monotonic() < until:
            await self.ask(
                self.chance.choice(["finished", "cancelled", "paused", "stopped"])
            )

    async def ask(self, plan: str) -> None:
        """Ask one model in a run of its own, end it as planned, delete the run."""
        editor = self.stage.editor
        token = f"soak-{next(self.numbers)}"
        self.type()
        run_id = await editor.start_run()
        words = self.chance.randrange(20, 200)
        number, reply = editor.start(
            "writeit.step.run",
            work_done_token=f"work-{token}",
            runId=run_id,
            models=[f"openai/paced-{RATE}-{words}"],
            streamToken=token,
        )
        if plan != "finished":
            await asyncio.wait({reply}, timeout=self.chance.random() * words / RATE)
        if plan == "cancelled":
            editor.cancel(number)
        elif plan == "stopped":
            cancel = {"token": f"work-{token}"}
            editor.notify("window/workDoneProgress/cancel", cancel)
        elif plan == "paused":
            with suppress(Refused):  # it may have ended already
                await editor.command("writeit.run.pause", runId=run_id)
        try:
            await asyncio.wait_for(reply, 60)
            self.done[plan] += 1
        except Refused as refused:
            if plan == "cancelled" and refused.kind is None:
                self.done[plan] += 1
            elif "process that calls models" in str(refused):
                self.done["lost"] += 1  # killed before it had said a word
            else:
                raise
        await editor.command("writeit.run.delete", runId=run_id)

    def type(self) -> None:
        """Type a little in the notes, and save them nowhere."""
        start = {"line": 0, "character": 0}
        for text in ("a", ""):
            end = {"line": 0, "character": 0 if text else 1}
            change = {"range": {"start": start, "end": end}, "text": text}
            version = next(self.versions)
            document = {"uri": self.stage.editor.notes, "version": version}
            self.stage.editor.notify(
                "textDocument/didChange",
                {"textDocument": document, "contentChanges": [change]},
            )

    async def kill(self, after: float) -> None:
        """Kill the model host in the middle of a round."""
        await asyncio.sleep(after)
        if (host := self.stage.host) is not None:
            host.kill()
            self.done["kills"] += 1

    async def round(self, seconds: float) -> tuple[Counts, Counts]:
        """Work for a while; then, when all is quiet, count server and host."""
        until = time.monotonic() + seconds
        workers = [self.work(until) for _ in range(STREAMS)]
        await asyncio.gather(self.kill(seconds * 0.4), *workers)
        await self.ask("finished")  # the host is up again, whatever happened
        self.stage.editor.messages.clear()
        host = self.stage.host
        assert host is not None
        return (
            await counts_of(self.stage, self.stage.server, signal.SIGUSR1),
            await counts_of(self.stage, host, signal.SIGUSR1),
        )


def show(number: int, server: Counts, host: Counts) -> None:
    """Print one line of what is left after a round."""
    parts = []
    for name, counts in (("server", server), ("host", host)):
        said = " ".join(f"{key} {counts[key]:3}" for key in COUNTED)
        parts.append(f"{name}: {said} {counts['kilobytes'] / 1024:6.1f} MB")
    print(f"round {number:3}  " + "   ".join(parts), flush=True)


def growth(rounds: list[Counts], name: str, *, with_memory: bool) -> list[str]:
    """Say what grew between the second round (all is warm then) and the last."""
    first, last = rounds[min(1, len(rounds) - 1)], rounds[-1]
    grown = [
        f"{name}: {key} grew from {first[key]} to {last[key]}"
        for key in COUNTED
        if last[key] > first[key] + SLACK[key]
    ]
    if with_memory:
        third = max(1, len(rounds) // 3)
        early = statistics.median(c["kilobytes"] for c in rounds[1 : 1 + third])
        late = statistics.median(c["kilobytes"] for c in rounds[-third:])
        if late > early * MAY_GROW:
            grown.append(f"{name}: memory grew from {early:.0f} to {late:.0f} kB")
    return grown


async def main(seconds: float) -> int:
    """Soak for about so many seconds; return the exit code."""
    seed = int(os.environ.get("SOAK_SEED", "1"))
    print(f"{seconds:.0f} s, {STREAMS} streams at {RATE} chunks/s, seed {seed}")
    length = min(10.0, seconds / 3)
    servers: list[Counts] = []
    hosts: list[Counts] = []
    async with scene() as stage:
        soak = Soak(stage, random.Random(seed))  # noqa: S311 -- the same chances each time
        await soak.ask("finished")
        begun = time.monotonic()
        while time.monotonic() < begun + seconds - length / 2:
            server, host = await soak.round(length)
            servers.append(server)
            hosts.append(host)
            show(len(servers), server, host)
    print("  ".join(f"{name} {count}" for name, count in soak.done.items()))
    judged = seconds >= LONG
    grown = growth(servers, "server", with_memory=judged)
    grown += growth(hosts, "host", with_memory=judged)
    print("\n".join(grown) or "Nothing grew.")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 180.0)))
