"""The kill drill: a server is killed at random moments, and must have lost nothing.

    python -m drills.kill --rounds 300

Each round kills a real server with SIGKILL while it streams and decides. It starts
another on the same workspace and compares what that one shows, and what the store has,
with all that was acknowledged and streamed before. Lanes are independent drills that
run at the same time, because most of a round is the start of a model host.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path

from drills import checks
from drills.book import Book
from drills.player import Player
from drills.scene import Witness, environment, providing, witnessing
from support.workspace import new_workspace
from writeit.storage.location import STORE_SUBFOLDER

PROMISED = 0.05
"""Seconds of streamed text that a kill may lose."""
MARGIN = 0.2
"""Seconds that a busy machine may add, because an fsync may wait."""
ANY_MACHINE = 5.0
"""The same for a machine that may be suspended; then most answers are checked."""
ROUNDS_PER_WORKSPACE = 10


@dataclass(slots=True)
class Tally:
    """The results of the rounds."""

    rounds: int = 0
    while_streaming: int = 0
    acknowledged: int = 0
    cut: int = 0
    missing: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    margin: float = MARGIN

    def add(self, other: Tally) -> None:
        """Add the results of another lane."""
        for each in fields(self):
            if each.name == "margin":
                continue
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, mine + theirs)

    @property
    def passed(self) -> bool:
        """Whether all checks passed, and there was something to check."""
        median = statistics.median(self.missing or [0.0])
        held = not self.problems and median <= PROMISED + MARGIN
        return held and self.while_streaming > 0 and self.cut > 0

    def report(self) -> str:
        """Return the counts, one per line."""
        late = [1000 * seconds for seconds in self.missing] or [0.0]
        over = sum(seconds > PROMISED for seconds in self.missing)
        most = 1000 * (PROMISED + self.margin)
        lines = [
            f"rounds                      {self.rounds}",
            f"kills while streaming       {self.while_streaming}",
            f"decisions acknowledged      {self.acknowledged}",
            f"answers cut                 {self.cut}",
            f"text missing, max           {max(late):.0f} ms",
            f"text missing, median        {statistics.median(late):.0f} ms",
            f"answers lacking over 50 ms  {over} (none may lack over {most:.0f} ms)",
            f"problems                    {len(self.problems)}",
            *(f"  {problem[:600]}" for problem in self.problems[:20]),
        ]
        return "\n".join(lines)


class Lane:
    """One drill: a workspace, its record, and servers started in sequence."""

    def __init__(
        self, scratch: Path, variables: Mapping[str, str], seed: int, margin: float
    ) -> None:
        self._scratch = scratch
        self._variables = dict(variables)
        self._rng = random.Random(seed)  # noqa: S311 -- not a secret
        self._margin = margin
        self.tally = Tally()

    async def run(self, rounds: int) -> None:
        """Kill a server in each round."""
        left = rounds
        while left:
            count = min(left, ROUNDS_PER_WORKSPACE)
            await self._in_one_workspace(count, f"{rounds - left}")
            left -= count

    async def _in_one_workspace(self, rounds: int, name: str) -> None:
        workspace = new_workspace(self._scratch / name)
        book, died_at = Book(), None
        for number in range(rounds + 1):
            log = self._scratch / f"{name}-{number}.log"
            async with witnessing(workspace, self._variables, log) as editor:
                if died_at is not None:
                    await self._look(editor, workspace, book, died_at)
                if number == rounds:
                    await editor.quit()
                else:
                    died_at = await self._play(editor, book)
            self._read_log(editor)
        self.tally.acknowledged += book.acknowledged
        self.tally.problems += book.problems

    async def _play(self, editor: Witness, book: Book) -> float:
        """Decide and stream, then kill the server; return the time of the kill."""
        player = Player(editor, book, self._rng)
        async with player.playing():
            if self._rng.random() < 0.85:  # else it may die before it has streamed
                await editor.until(
                    lambda: any(heard.pieces for heard in book.heard.values())
                )
            await asyncio.sleep(self._rng.uniform(0, 1.2))
            died_at = time.monotonic()
            os.kill(editor.process.pid, signal.SIGKILL)
            await editor.drained()
        book.died()
        self.tally.rounds += 1
        self.tally.while_streaming += any(
            heard.pieces and heard.finished is None for heard in book.heard.values()
        )
        return died_at

    async def _look(
        self, editor: Witness, workspace: Path, book: Book, died_at: float
    ) -> None:
        limit = PROMISED + self._margin
        found = await checks.after_a_death(editor, book, died_at, limit)
        verified = await editor.command("writeit.store.verify")
        found.problems += [f"verify: {problem}" for problem in verified["problems"]]
        found.problems += checks.in_the_store(workspace / STORE_SUBFOLDER, book)
        self.tally.problems += [
            f"round {self.tally.rounds}: {p}" for p in found.problems
        ]
        self.tally.cut += found.cut
        self.tally.missing += found.missing
        book.forget_streams()

    def _read_log(self, editor: Witness) -> None:
        logged = editor.logged()
        if "Traceback" in logged:
            self.tally.problems.append(f"a server logged: {logged[-1500:]}")


def lane(rounds: int, seed: int, margin: float) -> Tally:
    """Run one lane in this process."""

    async def drill(scratch: Path) -> Tally:
        async with AsyncExitStack() as stack:
            provider = await stack.enter_async_context(providing())
            variables = environment(provider, scratch / "home")
            drill = Lane(scratch, variables, seed, margin)
            await drill.run(rounds)
            return drill.tally

    with tempfile.TemporaryDirectory(prefix="writeit-drill-") as scratch:
        return asyncio.run(drill(Path(scratch)))


def kill_drill(rounds: int, lanes: int, seed: int, margin: float = MARGIN) -> Tally:
    """Run lanes at the same time and add up their results."""
    tally = Tally(margin=margin)
    shares = [rounds // lanes + (n < rounds % lanes) for n in range(lanes)]
    seeds = [seed + n for n in range(lanes)]
    with ProcessPoolExecutor(lanes, multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(lane, shares, seeds, [margin] * lanes):
            tally.add(part)
    return tally


def main() -> None:
    """Run the drill and print its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 -- not a secret
    options = parser.parse_args()
    tally = kill_drill(options.rounds, options.lanes, options.seed)
    sys.stdout.write(f"seed                        {options.seed}\n{tally.report()}\n")
    sys.exit(0 if tally.passed else 1)


if __name__ == "__main__":
    main()
