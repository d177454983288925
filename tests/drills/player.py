"""A user of one editor who acts at random and records the replies."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from drills import acts
from drills.acts import Act
from drills.book import Book
from drills.scene import Witness
from support.editor import Json, Refused

EXPECTED = {"busy", "invalid_transition", "not_found", "retry_limit", "model_error"}
"""Refusals that are no fault if the user acts several times at once."""

_tokens = itertools.count(1)


class Player:
    """Acts on the runs of a record through one server."""

    def __init__(
        self, editor: Witness, book: Book, rng: Random, *, runs: int = 8, asks: int = 5
    ) -> None:
        self.editor = editor
        self.refusals: list[tuple[Act, Refused, bool]] = []
        """Acts that were refused, and whether this server generated for their run."""
        self._book = book
        self._rng = rng
        self._runs = runs
        self._asks = asks
        self._asking: dict[str, int] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._resting = False
        editor.hear = self._hear

    @asynccontextmanager
    async def playing(self, workers: int = 3) -> AsyncIterator[None]:
        """Act in several tasks while the context is open."""
        for _ in range(workers):
            self._spawn(self._work())
        try:
            yield
        finally:
            await self.rest()

    async def rest(self) -> None:
        """Cancel the tasks, also while requests are pending."""
        self._resting = True  # wait_for of Python 3.11 may swallow a cancel
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        wrong = [error for error in ended if isinstance(error, Exception)]
        self._book.problems += [f"the drill itself: {error!r}" for error in wrong]

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _work(self) -> None:
        while not self._resting:
            await asyncio.sleep(self._rng.uniform(0, 0.04))
            runs = [run_id for run_id, ending in self._book.runs.items() if not ending]
            if len(runs) < self._runs:
                await self.start()
                continue
            await self._act_on(self._rng.choice(runs))

    async def start(self) -> str:
        """Start a run; return its id."""
        marker = acts.words(self._rng)
        run = await self.editor.command(
            "writeit.run.start",
            pipeline="tech-article",
            inputs={"source_material": marker},
        )
        run_id = str(run["pipelineRunId"])
        self._book.markers[run_id] = marker
        self._book.begin(run_id, ("run_started", "", ""))
        return run_id

    async def _act_on(self, run_id: str) -> None:
        try:
            run = await self.editor.show(run_id)
        except Refused as refused:
            if refused.kind != "not_found" or self._book.runs.get(run_id) == 0:
                self._book.problems.append(f"run {run_id} is not shown: {refused}")
            return
        act = acts.choose(run, self._rng)
        if act.asks and len(self._asking) >= self._asks:
            return
        if act.asks:
            self._spawn(self.do(act))
        else:
            await self.do(act)

    async def do(self, act: Act) -> Json | None:
        """Send one command about a run and record the outcome."""
        run_id = str(act.params["runId"])
        ticket = self._book.send(run_id)
        reply: Json | None = None
        mine = run_id in self._asking
        try:
            if act.command == "writeit.run.delete":
                await self._delete(act)
            else:
                reply = await (self._ask(act) if act.asks else self._send(act))
        except Refused as refused:
            streaming = {run_id, refused.data.get("runId")}
            self._refuse(act, refused, mine=mine or bool(streaming & set(self._asking)))
        self._book.end(run_id, ticket, reply)
        return reply

    async def _send(self, act: Act) -> Json | None:
        run_id = str(act.params["runId"])
        if act.command == "writeit.run.pause":
            return await self._pause(run_id, act)
        reply: Json = await self.editor.command(act.command, **act.params)
        if act.makes:
            child = str(reply["pipelineRunId"])
            self._book.begin(child, (act.makes, "", ""), run_id)
            self._book.settled[child] = reply
            return None
        self._book.acknowledge(run_id, act.facts)
        return reply if {"pipelineRunId", "stepName"} & set(reply) else None

    async def _pause(self, run_id: str, act: Act) -> Json:
        """Pause; two pending pauses, of any editor, are one decision.

        A run whose answers end at the same moment is returned as it is, not PAUSED.
        """
        together = self._book.pausing[run_id] > 0
        self._book.pausing[run_id] += 1
        try:
            reply: Json = await self.editor.command(act.command, **act.params)
        finally:
            self._book.pausing[run_id] -= 1
        alone = not together and reply["status"] == "PAUSED"
        self._book.acknowledge(run_id, act.facts if alone else [])
        return reply

    async def _ask(self, act: Act) -> Json | None:
        run_id, token = str(act.params["runId"]), f"token-{next(_tokens)}"
        self._asking[run_id] = self._asking.get(run_id, 0) + 1
        self._ended[token] = asyncio.Event()
        try:
            _, future = self.editor.start(
                act.command, None, streamToken=token, **act.params
            )
            reply: Json = await future
            self._book.acknowledge(run_id, act.facts)
            if "stepName" in reply:
                return reply
            await self._ended[token].wait()
        finally:
            self._asking[run_id] -= 1
            self._asking = {run: n for run, n in self._asking.items() if n}
        return None

    async def _delete(self, act: Act) -> None:
        """Delete; until the reply arrives, it is unknown which runs exist."""
        run_id = str(act.params["runId"])
        doomed = self._book.family(run_id) if act.params["descendants"] else [run_id]
        self._book.doom(doomed, 1)
        try:
            await self.editor.command(act.command, **act.params)
        except Refused:
            self._book.doom(doomed, -1)
            raise
        self._book.acknowledged += 1
        for each in doomed:
            self._book.bury(each)

    def _refuse(self, act: Act, refused: Refused, *, mine: bool) -> None:
        self.refusals.append((act, refused, mine))
        if refused.kind not in EXPECTED:
            self._book.problems.append(f"{act.command}: {refused} {refused.data}")
        if not refused.data.get("hint"):
            self._book.problems.append(f"{act.command} without a hint: {refused}")

    def _hear(self, token: str, value: Json, at: float) -> None:
        if token not in self._ended:
            return  # LSP's own progress
        if value["kind"] == "ended":
            self._ended[token].set()
        else:
            self._book.hear(value, at)
