"""The drill of two servers on one workspace, one of which is killed at the end.

    python -m drills.two --seconds 60

Both decide and stream on the same runs at random. No update may be lost, no step be
asked by both at a time, and whoever is refused must be told who is in the way. Then one
is killed while it streams: the other has to find the run PAUSED within seconds, by
itself, and go on with it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from drills import checks, kill
from drills.acts import Act
from drills.book import Book
from drills.player import Player
from drills.scene import Interval, Witness, environment, providing, witnessing
from support.editor import Json, Refused
from support.waiting import wait_until_async
from support.workspace import new_workspace
from writeit.storage.location import STORE_SUBFOLDER

WITHIN = 10.0
"""Seconds within which the run of a dead owner must be recovered."""
HANGING_UP = 0.5
"""Seconds that a provider may take to notice that a call was stopped."""


@dataclass(slots=True)
class Report:
    """The results of the drill."""

    seconds: float = 0.0
    acknowledged: int = 0
    calls: int = 0
    busy: int = 0
    busy_elsewhere: int = 0
    died_at: float = 0.0
    found_after: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether all checks passed, and each server was refused a run of the other."""
        return not self.problems and self.busy_elsewhere > 0

    def report(self) -> str:
        """Return the counts, one per line."""
        lines = [
            f"seconds of both             {self.seconds:.0f}",
            f"decisions acknowledged      {self.acknowledged}",
            f"calls of models             {self.calls}",
            f"refused as busy             {self.busy}",
            f"  by the other's answers    {self.busy_elsewhere}",
            f"dead owner's run PAUSED in  {self.found_after:.1f} s, of {WITHIN:.0f}",
            f"problems                    {len(self.problems)}",
            *(f"  {problem[:600]}" for problem in self.problems[:20]),
        ]
        return "\n".join(lines)


async def drill(scratch: Path, seconds: float, seed: int, patience: float) -> Report:
    """Act through two servers, kill one, check what is left.

    `patience` are seconds that a machine may stand still.
    """
    report, book = Report(seconds=seconds), Book()
    workspace = new_workspace(scratch / "workspace")
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(providing())
        players = []
        for name in ("one", "two"):
            variables = environment(provider, scratch / name, name)
            log = scratch / f"{name}.log"
            server = witnessing(workspace, variables, log)
            editor = await stack.enter_async_context(server)
            chance = random.Random(f"{seed} {name}")  # noqa: S311 -- not a secret
            players.append(Player(editor, book, chance, runs=5, asks=3))
        await _awake(players)
        async with players[0].playing(2), players[1].playing(2):
            await asyncio.sleep(seconds)
            await _met(players)
        for player in players:
            await _stop_all(player.editor)
        _look_at_refusals(report, players)
        report.calls = len(provider.intervals)
        report.problems += asked_twice(
            provider.intervals, lone_markers(book), HANGING_UP + patience
        )
        await _after_a_death(report, book, players, patience)
    report.problems += checks.in_the_store(workspace / STORE_SUBFOLDER, book)
    report.problems += [f"logged: {what}" for what in _tracebacks(players)]
    report.problems += book.problems
    report.acknowledged = book.acknowledged
    return report


async def _met(players: list[Player]) -> None:
    """Wait until a request was refused because of the other server."""
    with suppress(TimeoutError):  # the report says that they never did
        await wait_until_async(
            lambda: any(
                refused.kind == "busy" and not mine
                for player in players
                for _, refused, mine in player.refusals
            )
        )


async def _after_a_death(
    report: Report, book: Book, players: list[Player], patience: float
) -> None:
    """Kill one server; let the other recover its run and continue it."""
    run_id = await _kill_one(report, book, players, WITHIN + patience)
    survivor = players[1].editor
    limit = kill.PROMISED + kill.MARGIN + patience
    found = await checks.after_a_death(survivor, book, report.died_at, limit)
    if not found.cut:
        found.problems.append("nothing of the dead owner's answer was kept")
    verified = await survivor.command("writeit.store.verify")
    found.problems += [f"verify: {problem}" for problem in verified["problems"]]
    report.problems += found.problems
    await _go_on(survivor, run_id)
    await survivor.quit()


def _tracebacks(players: list[Player]) -> list[str]:
    logs = [player.editor.logged() for player in players]
    return [log[-1500:] for log in logs if "Traceback" in log]


async def _awake(players: list[Player]) -> None:
    """Wait until both model hosts are ready before anything is measured."""

    async def wake(player: Player) -> None:
        run_id = await player.start()
        params: Json = {"runId": run_id, "models": ["openai/fast-5"]}
        await player.do(Act("writeit.step.run", params, asks=True))

    await asyncio.gather(*(wake(player) for player in players))


async def _stop_all(editor: Witness) -> None:
    """Stop all answers that this server generates."""
    listed = await editor.command("writeit.run.list", limit=1000)
    for run in listed["runs"]:
        shown = await editor.command("writeit.run.show", runId=run["runId"])
        if not any(step["streaming"] for step in shown["steps"].values()):
            continue
        with suppress(Refused):  # it has ended just now, or is the other server's
            await editor.command("writeit.run.pause", runId=run["runId"])


def _look_at_refusals(report: Report, players: list[Player]) -> None:
    """Check that each refusal names the process of the other server."""
    for player, other in zip(players, reversed(players), strict=True):
        for act, refused, mine in player.refusals:
            if refused.kind != "busy":
                continue
            report.busy += 1
            if mine:
                continue
            report.busy_elsewhere += 1
            if refused.data.get("pid") != other.editor.process.pid:
                message = f"{act.command} was busy but named no process: {refused.data}"
                report.problems.append(message)


async def _kill_one(
    report: Report, book: Book, players: list[Player], within: float
) -> str:
    """Kill the first server while it streams; return the run the other recovered."""
    dying, living = players
    book.forget_streams()
    run_id = await dying.start()
    params: Json = {"runId": run_id, "models": ["openai/slow-6000"]}
    asking = asyncio.create_task(dying.do(Act("writeit.step.run", params, asks=True)))
    await dying.editor.until(
        lambda: any(len(heard.pieces) > 3 for heard in book.heard.values())
    )
    os.kill(dying.editor.process.pid, signal.SIGKILL)
    report.died_at = time.monotonic()
    await dying.editor.drained()
    asking.cancel()
    book.died()
    while True:
        listed = await living.editor.command("writeit.run.list", limit=1000)
        (status,) = {r["status"] for r in listed["runs"] if r["runId"] == run_id}
        report.found_after = time.monotonic() - report.died_at
        if status == "PAUSED":
            return run_id
        if report.found_after > within:
            report.problems.append(f"the dead owner's run is still {status}")
            return run_id
        await asyncio.sleep(0.05)


async def _go_on(editor: Witness, run_id: str) -> None:
    """Choose an answer of the dead server and generate the next step."""
    await editor.command("writeit.step.select", runId=run_id, response=0)
    state = await editor.command(
        "writeit.step.run", runId=run_id, models=["openai/fast-5"]
    )
    assert state["stepName"] == "outline"
    assert len(state["aiResponses"]) == 1


def asked_twice(
    intervals: list[Interval], markers: list[str], hanging_up: float = HANGING_UP
) -> list[str]:
    """Return calls of two servers for one run at the same time."""
    problems = []
    for marker in markers:
        about = [each for each in intervals if marker in each.prompt]
        for one, other in combinations(about, 2):
            together = min(_end(one), _end(other)) - max(one.began, other.began)
            if one.key != other.key and together > hanging_up:
                message = (
                    f"two servers generated the run about {marker!r} "
                    f"at once for {together:.1f} s"
                )
                problems.append(message)
    return problems


def _end(interval: Interval) -> float:
    return interval.ended or float("inf")


def lone_markers(book: Book) -> list[str]:
    """Return the markers of runs without branches, whose prompts are unique."""
    related = set(book.parents.values())
    return [marker for run_id, marker in book.markers.items() if run_id not in related]


def two_drill(seconds: float, seed: int, patience: float = 0.0) -> Report:
    """Run the drill in a scratch folder."""
    with tempfile.TemporaryDirectory(prefix="writeit-drill-") as scratch:
        return asyncio.run(drill(Path(scratch), seconds, seed, patience))


def main() -> None:
    """Run the drill and print its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 -- not a secret
    options = parser.parse_args()
    report = two_drill(options.seconds, options.seed)
    sys.stdout.write(f"seed                        {options.seed}\n{report.report()}\n")
    sys.exit(0 if report.passed else 1)


if __name__ == "__main__":
    main()
